import type { HopProbe } from './tally.ts';

/** Linux, per host that asks (`icmp_ratelimit`, inet_peer_xrlim_allow): as strict as any usual system. */
const limit = { perMs: 1 / 1000, burst: 6 } as const;

/**
 * Can silence of a target that answers by ICMP errors be its own limit (RFC 1812 §4.3.2.8, RFC 4443 §2.4 f)? A bucket that
 * grants one answer per second is asked what the target was asked: what it would have refused, it explains. One refusal more
 * is for times that are not those of arrival, and it begins empty, since the search for paths has just been answered from it.
 *
 * @param recent probes of one path to the target
 * @param asked all probes to the target, by whatever path
 */
export function mayBeErrorLimit(recent: readonly HopProbe[], asked: readonly HopProbe[]): boolean {
  const lost = recent.filter((p) => !p.answered).length;
  return lost <= refusals(asked.map((p) => p.atMs)) + 1;
}

function refusals(timesMs: readonly number[]): number {
  let [tokens, lastMs, refused] = [0, Infinity, 0];
  for (const atMs of [...timesMs].sort((a, b) => a - b)) {
    tokens = Math.min(limit.burst, tokens + Math.max(0, atMs - lastMs) * limit.perMs);
    lastMs = atMs;
    if (tokens < 1) refused++;
    else tokens--;
  }
  return refused;
}
