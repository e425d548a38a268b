import type { TraceAnswer } from '../../model/trace-record.ts';
import type { HopTally } from './tally.ts';

/** TTLs that systems begin with: Linux, BSD, macOS 64; Windows 128; most routers and Solaris 255. */
const firstTtls = [64, 128, 255];

/**
 * Hops on the way back, as the TTL of an answer tells: the nearest usual first value above it, minus what is left, plus the
 * hop itself. Null where it cannot be: nothing is known of a value above 255.
 */
export function reverseHops(replyTtl: number | null): number | null {
  if (replyTtl === null || replyTtl < 1) return null;
  const first = firstTtls.find((ttl) => ttl >= replyTtl);
  return first === undefined ? null : first - replyTtl + 1;
}

/**
 * One hop more or less is no sign of another way: some routers decrement their own answers or send them from the far side.
 */
export function isAsymmetric(ttl: number, reverse: number | null): boolean {
  return reverse !== null && Math.abs(reverse - ttl) >= 2;
}

/**
 * A probe that expires arrives with TTL 1, and is quoted with 1, or with 0 by routers that count first. More left means that
 * something on the way sets TTLs anew, or that the hop stands inside a tunnel that does not pass its TTL on (RFC 3443). Where
 * the hop shows its labels (RFC 4950), the tunnel is known: it is the TTL of the label that expired.
 */
export function rewritesTtl(answer: Pick<TraceAnswer, 'quotedTtl' | 'mpls'> | null, isTarget: boolean): boolean {
  // What reaches the target has not expired: any TTL is fine there.
  if (isTarget || !answer || answer.mpls.length > 0) return false;
  return answer.quotedTtl !== null && answer.quotedTtl > 1;
}

/** The first hop that quotes another packet than was sent: the translation lies right before it. All later ones see it, too. */
export function firstBehindNat(hops: readonly Pick<HopTally, 'natRewrite'>[]): number {
  return hops.findIndex((hop) => hop.natRewrite === true);
}
