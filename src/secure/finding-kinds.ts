import type { FindingKind } from '../model/finding.ts';
import { anomalyRules } from './anomaly/judge.ts';

/** Every kind of finding that the parts of `secure` make; docs/findings/<id>.md explains it. */
export const secureFindingKinds: readonly FindingKind[] = [
  ...anomalyRules,
  { id: 'inference-open', pillar: 'security', about: 'Does an inference server answer anyone who reaches it?' },
  { id: 'inference-plaintext', pillar: 'security', about: 'Do inference servers that others reach speak TLS?' },
  {
    id: 'internal-port-open',
    pillar: 'security',
    about: 'Can ports between the nodes of a cluster be reached from elsewhere?',
  },
  {
    id: 'pq-key-exchange',
    pillar: 'security',
    about: 'Is the key exchange of TLS one that a quantum computer does not break?',
  },
  {
    id: 'pq-client-hello',
    pillar: 'security',
    about: 'Do large and cut ClientHellos, as post-quantum clients send them, reach the server?',
  },
  {
    id: 'tls-profile',
    pillar: 'security',
    about: 'Are the other requirements of the chosen profile (baseline, NIST, CNSA 2.0) kept?',
  },
  {
    id: 'harvest-now',
    pillar: 'security',
    about: 'Are recordings of today readable while the data should still be secret (Mosca)?',
  },
  { id: 'policy-drift', about: 'Is what is in use within the policy?', pillar: 'security' },
  { id: 'policy-unused', about: 'Which permissions of the policy does nobody use?', pillar: 'security' },
  { id: 'new-listener', about: 'Does a socket wait for others that did not before?', pillar: 'security' },
  {
    id: 'hop-encryption',
    pillar: 'security',
    about: 'Is every hop encrypted as a whole, with an authenticated cipher?',
  },
  { id: 'hop-quantum', pillar: 'security', about: 'Do the keys of every hop withstand a quantum computer?' },
];
