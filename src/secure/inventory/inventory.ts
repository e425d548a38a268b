import type { Finding, Verdict } from '../../model/finding.ts';
import type { Network } from '../../model/network.ts';
import type { SecureEvidence } from '../../model/secure/evidence.ts';
import type { Gate, InventoriedHop, InventoryReport } from '../../model/secure/inventory.ts';
import { inventoriedHops } from './hops.ts';
import { tenetsOf } from './tenets.ts';

/** What encrypts every hop of a network file, as gates; pure: the same file, evidence and day give the same report. */
export function takeInventory(
  network: Network,
  source: string,
  evidence: readonly SecureEvidence[],
  now: Date,
): InventoryReport {
  const at = now.toISOString();
  const tls = evidence.filter((one) => one.schema === 'inferpath/secure-tls@1');
  const hops = inventoriedHops(network, tls, at.slice(0, 10));
  return {
    schema: 'inferpath/secure-inventory@1',
    source,
    at,
    hops,
    tenets: tenetsOf(hops, evidence),
    score: scoreOf(hops),
    findings: hops.flatMap((hop) => [encryptionFinding(hop), quantumFinding(hop, network)]),
    notes:
      hops.length === 0
        ? ['The file has no hops, links or endpoints beyond this machine: nothing is inventoried.']
        : [],
  };
}

/** Counts, not weights: each gate counts once, and what is not known counts as not passed. */
export function scoreOf(hops: readonly InventoriedHop[]): InventoryReport['score'] {
  const gates = hops.flatMap((hop) => hop.gates);
  const count = (verdict: Verdict) => gates.filter((gate) => gate.verdict === verdict).length;
  const [passed, failed, unknown] = [count('pass'), count('fail'), count('unknown')];
  const coverage = gates.length === 0 ? 0 : (passed + failed) / gates.length;
  return { passed, failed, unknown, coverage, formula: 'passed of all gates; coverage = (passed + failed) / all' };
}

function encryptionFinding({ name, where, gates }: InventoriedHop): Finding {
  const asked = gates.filter(({ id }) => id !== 'quantum-safe');
  const verdict = worst(asked);
  const deciding = asked.find((gate) => gate.verdict === verdict)!;
  const words = {
    pass: 'is encrypted with an authenticated cipher',
    fail: 'is not encrypted as it should be',
    unknown: 'is encrypted as far as nobody knows',
  };
  return {
    ...base('hop-encryption', name, asked),
    verdict,
    severity: verdict === 'fail' ? 'critical' : verdict === 'unknown' ? 'warning' : 'info',
    claim: `${where} ${words[verdict]} (${passedOf(asked)}): ${deciding.evidence}`,
    ...(verdict === 'pass'
      ? {}
      : {
          remedy: {
            text:
              verdict === 'fail'
                ? 'Encrypt it: TLS end to end, and MACsec or OTNsec where the link is yours'
                : `Have somebody look (${deciding.reproduce}), and note evidence and day`,
          },
        }),
  };
}

function quantumFinding({ name, where, gates, carries }: InventoriedHop, { security }: Network): Finding {
  const asked = gates.filter(({ id }) => id === 'quantum-safe');
  const [{ verdict, evidence }] = asked as [Gate];
  const longest = Math.max(
    0,
    ...security.dataClasses.filter((one) => carries.includes(one.name)).map((one) => one.secrecyYears),
  );
  const carried = longest > 0 ? `; it carries data that has to stay secret for ${longest} years` : '';
  return {
    ...base('hop-quantum', name, asked),
    verdict,
    severity: verdict === 'fail' ? 'warning' : verdict === 'unknown' ? 'warning' : 'info',
    claim:
      verdict === 'pass'
        ? `keys of ${where} withstand a quantum computer (1 of 1): ${evidence}`
        : `whether keys of ${where} withstand a quantum computer: ${verdict === 'fail' ? 'no' : 'not known'} (0 of 1): ${evidence}${carried}`,
    ...(verdict === 'pass'
      ? {}
      : {
          remedy: {
            text: 'Preshared keys of 256 bit (MACsec CAK, IKEv2 PPK of RFC 8784, WireGuard), or ML-KEM in the key agreement; QKD is no substitute',
          },
        }),
  };
}

function base(id: 'hop-encryption' | 'hop-quantum', name: string, gates: readonly Gate[]) {
  const known = gates.filter(({ verdict }) => verdict !== 'unknown').length;
  return {
    id,
    pillar: 'security' as const,
    subject: name,
    details: gates.map(({ asks, verdict, evidence, how }) => `${asks} ${verdict} (${how}): ${evidence}.`),
    evidence: [],
    confidence: gates.every(({ how }) => how === 'measured') ? ('high' as const) : ('medium' as const),
    coverage: gates.some(({ verdict }) => verdict === 'fail') ? 1 : known / gates.length,
  };
}

function worst(gates: readonly Gate[]): Verdict {
  if (gates.some(({ verdict }) => verdict === 'fail')) return 'fail';
  return gates.some(({ verdict }) => verdict === 'unknown') ? 'unknown' : 'pass';
}

const passedOf = (gates: readonly Gate[]): string =>
  `${gates.filter(({ verdict }) => verdict === 'pass').length} of ${gates.length}`;
