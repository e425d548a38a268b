import type { ObservationOf } from '../../model/observation.ts';
import { judgeDelay } from '../path/delay.ts';
import { type HopTally, makeTally, tallyProbe } from '../path/tally.ts';
import { type Draft, perEndpoint } from '../per-endpoint.ts';
import { lowestRttMs } from '../samples.ts';
import { count, ms, range } from '../say.ts';

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
    const claim = `${count(hops, 'hop')}, ${reached} of ${count(traces.length, 'trace')} reached the endpoint`;
    return {
      verdict: reached > 0 || answers ? 'pass' : 'unknown',
      claim:
        reached > 0
          ? claim
          : `${claim}${answers ? '; it answers TCP, so its host or firewall only hides from the trace' : ''}`,
      details: delayDetails(traces),
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
 * Where delay is added, as `inferpath trace` judges it: with few traces of one probe per hop that is seldom certain, and then
 * only the largest step seen is told, with what is missing.
 */
function delayDetails(traces: readonly ObservationOf<'trace'>[]): string[] {
  const byTtl = new Map<number, HopTally>();
  for (const [atMs, { hops }] of traces.entries())
    for (const { ttl, address, rttMs } of hops) {
      const tally = byTtl.get(ttl) ?? makeTally(ttl);
      byTtl.set(ttl, tally);
      tallyProbe(tally, { atMs, answer: address === null ? null : { ...unseen, address, rttMs } });
    }
  const { kind, from, to, addedMs, interval, why } = judgeDelay([...byTtl.values()].sort((a, b) => a.ttl - b.ttl)).path;
  if (!from || !to || addedMs === null) return [];
  const between = `between ${hopName(from)} and ${hopName(to)}`;
  if (kind === 'named') return [`delay is added ${between}: ${ms(addedMs)}${interval ? ` ${range(interval)}` : ''}`];
  return [`the largest step is ${ms(addedMs)}, ${between}; ${why}`];
}

const unseen = {
  end: null,
  icmp: null,
  replyTtl: null,
  quotedTtl: null,
  natRewrite: null,
  dscp: null,
  mpls: [],
  interfaces: [],
};

function hopName({ ttl, address }: { ttl: number; address: string | null }): string {
  return ttl === 0 ? 'here' : `hop ${ttl} (${address})`;
}
