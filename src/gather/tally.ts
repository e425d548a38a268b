import type { ImportTarget } from '../model/import.ts';
import type { Observation } from '../model/observation.ts';
import { addSample, type Histogram, histogramQuantile, makeHistogram } from '../stats/histogram.ts';

interface Sums {
  kinds: Set<string>;
  observations: number;
  probes: { sent: number; received: number } | null;
  /** Echoes one by one; figures of a tool in sum stand beside, because samples and sums do not merge. */
  samples: Histogram;
  told: { sent: number | null; received: number | null; minMs: number | null; medianMs: number | null; maxMs: number | null } | null;
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
    const sums = byTarget.get(key) ?? { kinds: new Set(), observations: 0, probes: null, samples: makeHistogram(), told: null };
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
    if (one.rttMs !== null) addSample(sums.samples, one.rttMs);
  }
  if (one.kind === 'round-trips') sums.told = one.figures;
}

function targetOf(to: string, { kinds, observations, probes, samples, told }: Sums): ImportTarget {
  const any = samples.count > 0;
  return {
    to,
    kinds: [...kinds],
    observations,
    sent: probes?.sent ?? told?.sent ?? null,
    received: probes?.received ?? told?.received ?? null,
    minMs: any ? samples.min : (told?.minMs ?? null),
    medianMs: any ? histogramQuantile(samples, 0.5) : (told?.medianMs ?? null),
    p99Ms: any ? histogramQuantile(samples, 0.99) : null,
    maxMs: any ? samples.max : (told?.maxMs ?? null),
  };
}
