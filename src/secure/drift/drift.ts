import type { PolicyDriftReport } from '../../model/secure/policy-drift.ts';
import type { Flow, Snapshot } from '../../model/secure/snapshot.ts';
import type { PolicyMeaning } from '../policy/policy.ts';
import { packetOf } from '../flows/packet.ts';
import { seenBy } from '../flows/words.ts';
import { hookOf, linesFor } from './judge.ts';
import { listenersOf } from './listeners.ts';
import { permissionsOf } from './permissions.ts';

export interface DriftInput {
  meaning: PolicyMeaning;
  observed: Snapshot;
  /** Addresses of the host that saw it. */
  self: readonly string[];
  earlier: { file: string; snapshot: Snapshot } | null;
}

type Drift = Pick<
  PolicyDriftReport,
  | 'seenBy'
  | 'denials'
  | 'alreadyDenied'
  | 'deniedThoughPermitted'
  | 'permissions'
  | 'listeners'
  | 'against'
  | 'firstTimeTalkers'
  | 'unjudged'
>;

/** What was seen against what is said: pure, the same for the same input. */
export function driftOf({ meaning, observed, self, earlier }: DriftInput): Drift {
  const drift: Drift = {
    seenBy: seenBy(observed),
    denials: [],
    alreadyDenied: [],
    deniedThoughPermitted: [],
    permissions: permissionsOf(meaning, observed, self),
    listeners: listenersOf(meaning, observed, self, earlier?.snapshot ?? null),
    against: earlier && { file: earlier.file, seenBy: seenBy(earlier.snapshot) },
    firstTimeTalkers: earlier && firstTimers(observed.flows, earlier.snapshot.flows),
    unjudged: 0,
  };
  for (const flow of observed.flows) {
    const packet = packetOf(flow);
    if (!packet) {
      drift.unjudged++;
      continue;
    }
    const hook = hookOf(flow);
    const lines = linesFor(packet, hook, meaning);
    if (lines.length > 0) {
      if (flow.denied > 0) drift.deniedThoughPermitted.push({ ...flow, lines });
    } else if (flow.denied === flow.seen) drift.alreadyDenied.push(flow);
    else drift.denials.push({ ...flow, hook, enforcedHere: meaning.enforce.includes(hook) });
  }
  return drift;
}

/** Flows whose kind, by opener, called side and port, the earlier snapshot does not have. */
export function firstTimers(now: readonly Flow[], before: readonly Flow[]): Flow[] {
  const key = ({ from, to, protocol, port }: Flow) => `${from} ${to} ${protocol} ${port}`;
  const known = new Set(before.map(key));
  return now.filter((flow) => !known.has(key(flow)));
}
