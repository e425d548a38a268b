import type { Finding } from '../model/finding.ts';
import type { Network } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import { viewOf } from './rule.ts';
import { rules } from './rules.ts';

const verdictOrder = { fail: 0, unknown: 1, pass: 2 } as const;
const severityOrder = { critical: 0, warning: 1, info: 2 } as const;

/**
 * All findings about a run, pure. Failures first, then what is unknown, then what passed; within that the graver first, then
 * endpoints in the order of the network file and rules in the order of the registry.
 */
export function judge(network: Network, observations: readonly Observation[], now: Date): Finding[] {
  const view = viewOf(observations);
  const findings = rules.flatMap((rule) => rule.judge(network, view, now));
  const place = new Map(network.endpoints.map((e, i) => [e.name, i]));
  const placeOf = (f: Finding) => place.get(f.subject) ?? network.endpoints.length;
  return findings.sort(
    (a, b) =>
      verdictOrder[a.verdict] - verdictOrder[b.verdict] ||
      severityOrder[a.severity] - severityOrder[b.severity] ||
      placeOf(a) - placeOf(b),
  );
}
