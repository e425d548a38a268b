import type { ImportTarget } from '../model/import.ts';
import type { Observation, ObservationOf } from '../model/observation.ts';
import { addMs, makeSamples, quantileMs, type Samples } from './samples.ts';

interface Sums {
  kinds: Set<string>;
  observations: number;
  path: ImportTarget['path'];
  up: number | null;
  down: number | null;
  probes: { sent: number; received: number } | null;
  /** Echoes one by one; figures of a tool in sum stand beside, because samples and sums do not merge. */
  samples: Samples;
  told: {
    sent: number | null;
    received: number | null;
    minMs: number | null;
    medianMs: number | null;
    maxMs: number | null;
  } | null;
}

export interface Tally {
  add(one: Observation): void;
  count(): number;
  span(): { first: string | null; last: string | null };
  targets(): ImportTarget[];
}

/** Targets that are told apart; the rest is counted together. */
const MAX_TARGETS = 65_536;

/** What a file held, in sums: memory grows with targets, not with probes. */
export function makeTally(): Tally {
  const byTarget = new Map<string, Sums>();
  let count = 0;
  let first: string | null = null;
  let last: string | null = null;
  const sumsOf = (to: string): Sums => {
    const key = byTarget.has(to) || byTarget.size < MAX_TARGETS ? to : 'all others';
    const sums = byTarget.get(key) ?? {
      kinds: new Set<string>(),
      observations: 0,
      path: null,
      up: null,
      down: null,
      probes: null,
      samples: makeSamples(),
      told: null,
    };
    byTarget.set(key, sums);
    return sums;
  };
  return {
    add: (one) => {
      count++;
      if (first === null || one.at < first) first = one.at;
      if (last === null || one.at > last) last = one.at;
      addTo(sumsOf(one.to), one);
    },
    count: () => count,
    span: () => ({ first, last }),
    targets: () => [...byTarget].map(([to, sums]) => targetOf(to, sums)),
  };
}

function addTo(sums: Sums, one: Observation): void {
  sums.kinds.add(one.kind);
  sums.observations++;
  if (one.kind === 'ping') {
    sums.probes ??= { sent: 0, received: 0 };
    sums.probes.sent++;
    if (one.outcome.kind !== 'answered') return;
    sums.probes.received++;
    addMs(sums.samples, one.rttMs);
  }
  if (one.kind === 'trace') addPath(sums, one);
  if (one.kind === 'transfer') sums[one.direction] = one.receiverMbitPerS ?? one.senderMbitPerS;
  if (one.kind === 'round-trips') sums.told = one.figures;
}

/** The answers of the target itself are round trips, too. */
function addPath(sums: Sums, { hops, reached }: ObservationOf<'trace'>): void {
  sums.path = { hops: hops.length, reached };
  const last = hops.at(-1);
  if (!reached || !last?.replies) return;
  const timed = last.replies.filter(({ rttMs }) => rttMs !== null);
  if (timed.length === 0) return;
  sums.probes ??= { sent: 0, received: 0 };
  sums.probes.sent += last.replies.length;
  sums.probes.received += timed.length;
  for (const { rttMs } of timed) addMs(sums.samples, rttMs);
}

function targetOf(to: string, { kinds, observations, path, up, down, probes, samples, told }: Sums): ImportTarget {
  const { count, min, max } = samples.histogram;
  const any = count > 0;
  return {
    to,
    kinds: [...kinds],
    observations,
    path,
    upMbitPerS: up,
    downMbitPerS: down,
    sent: probes?.sent ?? told?.sent ?? null,
    received: probes?.received ?? told?.received ?? null,
    minMs: any ? min : (told?.minMs ?? null),
    medianMs: quantileMs(samples, 0.5) ?? told?.medianMs ?? null,
    p99Ms: quantileMs(samples, 0.99),
    maxMs: any ? max : (told?.maxMs ?? null),
  };
}
