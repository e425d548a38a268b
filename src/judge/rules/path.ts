import type { ObservationOf } from '../../model/observation.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { median, sorted } from '../../stats/quantile.ts';
import { lowestRttMs } from '../samples.ts';
import { count, ms } from '../say.ts';

interface Step {
  from: string;
  to: string;
  addedMs: number;
}

export const path = perEndpoint(
  {
    id: 'path',
    about: 'Does the path lead to the endpoint without a loop, and where is delay added?',
    pillar: 'reach',
  },
  ({ view, name }): Draft | null => {
    const traces = view.of('trace', name).filter((t) => t.hops.some((h) => h.address !== null));
    if (traces.length === 0) return null;
    const reached = traces.filter((t) => t.reached).length;
    const hops = traces.reduce((n, t) => Math.max(n, t.hops.length), 0);
    const evidence = [
      { metric: 'hops', value: hops, unit: 'hops', n: traces.length, how: `${traces[0]!.method} trace` },
    ];
    const loop = traces.map(loopOf).find((l) => l !== null);
    if (loop)
      return {
        verdict: 'fail',
        severity: 'critical',
        claim: `packets go in a loop: ${loop.address} appears at hop ${loop.first} and again at hop ${loop.again}`,
        evidence,
        remedy: {
          text: `correct the routes at ${loop.address} and its neighbours: two routers name each other as the way to the endpoint`,
        },
      };
    const answers = lowestRttMs(view, name) !== null;
    const largest = largestStep(traces);
    const claim = `${count(hops, 'hop')}, ${reached} of ${count(traces.length, 'trace')} reached the endpoint`;
    return {
      verdict: reached > 0 || answers ? 'pass' : 'unknown',
      claim:
        reached > 0
          ? claim
          : `${claim}${answers ? '; it answers TCP, so its host or firewall only hides from the trace' : ''}`,
      details: largest ? [`the largest step is ${ms(largest.addedMs)}, between ${largest.from} and ${largest.to}`] : [],
      evidence,
      coverage: 0.5,
    };
  },
);

function loopOf({ hops }: ObservationOf<'trace'>): { address: string; first: number; again: number } | null {
  const seen = new Map<string, number>();
  for (const { address, ttl } of hops) {
    if (address === null) continue;
    const first = seen.get(address);
    // The same router twice in a row is a router that answers late or the endpoint itself, not a loop.
    if (first !== undefined && ttl - first > 1) return { address, first, again: ttl };
    seen.set(address, ttl);
  }
  return null;
}

/**
 * The largest rise between two hops that lasts: a router may answer slowly for itself while it forwards fast, so a hop counts
 * with the lowest median of itself and all later hops.
 */
function largestStep(traces: readonly ObservationOf<'trace'>[]): Step | null {
  const byTtl = new Map<number, { address: string; rtts: number[] }>();
  for (const { hops } of traces)
    for (const { ttl, address, rttMs } of hops) {
      if (address === null || rttMs === null) continue;
      const hop = byTtl.get(ttl) ?? { address, rtts: [] };
      hop.rtts.push(rttMs);
      byTtl.set(ttl, hop);
    }
  const along = [...byTtl.entries()].sort((a, b) => b[0] - a[0]);
  let floorMs = Infinity;
  const lasting = along.map(([ttl, { address, rtts }]) => {
    floorMs = Math.min(floorMs, median(sorted(rtts)));
    return { at: `hop ${ttl} (${address})`, floorMs };
  });
  let best: Step | null = null;
  let before = { at: 'here', floorMs: 0 };
  for (const hop of lasting.reverse()) {
    const addedMs = hop.floorMs - before.floorMs;
    if (!best || addedMs > best.addedMs) best = { from: before.at, to: hop.at, addedMs };
    before = hop;
  }
  return best;
}
