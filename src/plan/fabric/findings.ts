import type { Finding } from '../../model/finding.ts';
import type { PlanFabric } from '../../model/plan/fabric.ts';

/** Whether the fabric can carry what its NICs can send, and whether any single switch takes everything down. */
export function fabricFindings(plan: Omit<PlanFabric, 'findings'>): Finding[] {
  return [blocking(plan), singleSwitch(plan)];
}

function blocking({ bisectionGbps, fullBisectionGbps, oversubscription, gpus }: Omit<PlanFabric, 'findings'>): Finding {
  const full = bisectionGbps >= fullBisectionGbps * (1 - 1e-9);
  const share = fullBisectionGbps === 0 ? 1 : bisectionGbps / fullBisectionGbps;
  return {
    id: 'fabric-blocking',
    verdict: full ? 'pass' : 'fail',
    severity: full ? 'info' : 'warning',
    pillar: 'scale',
    subject: `fabric of ${gpus} GPUs`,
    claim: full
      ? `any half of the NICs can send to the other at full rate: ${bisectionGbps} Gbit/s`
      : `between two halves of the NICs there are ${Math.round(bisectionGbps)} of ${fullBisectionGbps} Gbit/s (${Math.round(share * 100)} %): all-to-all between the halves runs at that share of the NIC rate`,
    details: [],
    evidence: [
      { metric: 'bisection', value: bisectionGbps, unit: 'Gbit/s', n: 0, how: 'least cut of the fabric' },
      { metric: 'oversubscription', value: oversubscription, unit: '1', n: 0, how: 'of the fullest leaf' },
    ],
    confidence: 'high',
    coverage: 1,
    ...(full
      ? {}
      : { remedy: { text: 'Take --oversubscription 1, or keep jobs that exchange much within a leaf or pod' } }),
  };
}

function singleSwitch({ failures, gpus, endpoints }: Omit<PlanFabric, 'findings'>): Finding {
  const worst = failures.reduce((most, f) => (f.endpointsLost > most.endpointsLost ? f : most));
  const all = worst.endpointsLost >= endpoints;
  return {
    id: 'fabric-single-switch',
    verdict: all ? 'fail' : 'pass',
    severity: all ? 'warning' : 'info',
    pillar: 'reliability',
    subject: `fabric of ${gpus} GPUs`,
    claim: all
      ? `one switch carries all ${endpoints} NICs; when it fails or is upgraded, the cluster stands still`
      : `the worst single switch takes ${worst.endpointsLost} of ${endpoints} NICs: ${worst.claim.charAt(0).toLowerCase()}${worst.claim.slice(1)}`,
    details: [],
    evidence: [{ metric: 'NICs lost', value: worst.endpointsLost, unit: '', n: 0, how: 'counted on the fabric' }],
    confidence: 'high',
    coverage: 1,
    ...(all ? { remedy: { text: 'Two leaves with rails (--rails 2), so that each node keeps half of its NICs' } } : {}),
  };
}
