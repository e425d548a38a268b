import type { HopLoss, LossVerdict } from '../../model/trace-report.ts';
import { shareDifference, wilson } from '../../stats/interval.ts';
import { answerLimit } from './answer-limit.ts';
import { type HopTally, lostOf } from './tally.ts';

/**
 * What unanswered probes of a hop mean. A router answers by its control plane and as often as it likes; what it drops shows in
 * every later hop, too. So loss counts only where it lasts to the target, and never for a hop behind which answers are more.
 */

const place = ({ ttl, addresses }: HopTally) => ({ ttl, address: [...addresses.keys()][0] ?? null });

/** A hop with its answer limit, worked out once. */
interface Weighed {
  hop: HopTally;
  limit: number | null;
}

export interface PathLoss {
  hops: HopLoss[];
  path: LossVerdict;
}

/**
 * @param hops of one path, by TTL
 * @param targetMayLimit whether the target answers by ICMP, which hosts limit as routers do; a SYN-ACK is not limited
 */
export function judgeLoss(hops: readonly HopTally[], targetMayLimit: boolean): PathLoss {
  const weighed = hops.map((hop) => ({
    hop,
    limit: hop.isTarget && !targetMayLimit ? null : answerLimit(hop.recent),
  }));
  // Every hop is compared with every later one; all comparisons of one hop together keep the 5 % of error.
  const confidence = 1 - 0.05 / Math.max(1, hops.length);
  return {
    hops: weighed.map((_, k) => hopLoss(weighed, k, confidence)),
    path: pathLoss(weighed, confidence),
  };
}

function hopLoss(weighed: readonly Weighed[], k: number, confidence: number): HopLoss {
  const { hop, limit } = weighed[k]!;
  const lost = lostOf(hop);
  const share = hop.sent === 0 ? null : lost / hop.sent;
  return {
    kind: lossKind(weighed, k, confidence),
    share,
    interval: wilson(lost, hop.sent),
    answersPerS: limit,
  };
}

function lossKind(weighed: readonly Weighed[], k: number, confidence: number): HopLoss['kind'] {
  const { hop, limit } = weighed[k]!;
  const lost = lostOf(hop);
  if (hop.received === 0) return 'silent';
  if (lost === 0) return 'none';
  if (limit !== null) return 'rate-limited';
  const later = answering(weighed.slice(k + 1));
  const least = Math.min(...later.map((h) => lostOf(h) / h.sent));
  const share = lost / hop.sent;
  // Where most of it is gone behind the hop, it is the hop's own silence, whatever small part of it is real.
  if (least < share / 2 && later.some((h) => losesLess(h, hop, confidence))) return 'answers-rarely';
  const last = weighed.at(-1)!;
  if (!last.hop.isTarget || last.limit !== null) return 'undetermined';
  return later.every((h) => lostOf(h) > 0) ? 'real' : 'undetermined';
}

function pathLoss(weighed: readonly Weighed[], confidence: number): LossVerdict {
  const nowhere = { after: null, by: null };
  const target = weighed.at(-1);
  if (!target?.hop.isTarget) {
    const why = 'the target did not answer, so loss cannot be told from silence';
    return { kind: 'undetermined', share: null, interval: null, ...nowhere, why };
  }
  const { hop, limit } = target;
  const lost = lostOf(hop);
  const measured = { share: lost / hop.sent, interval: wilson(lost, hop.sent) };
  if (lost === 0) return { kind: 'none', ...measured, ...nowhere, why: `${hop.sent} of ${hop.sent} answered` };
  if (limit !== null) {
    const why = `the target answers evenly spaced, about ${limit.toFixed(1)} times per second: it limits its answers, or a policer drops at that pace`;
    return { kind: 'undetermined', ...measured, ...nowhere, why };
  }
  const hops = answering(weighed);
  const clean = hops.findLastIndex((h) => losesLess(h, hop, confidence));
  const begin = hops.findLastIndex((h) => lostOf(h) === 0 || losesLess(h, hop, confidence)) + 1;
  return {
    kind: 'real',
    ...measured,
    after: clean === -1 ? { ttl: 0, address: null } : place(hops[clean]!),
    by: place(hops[Math.min(begin, hops.length - 1)]!),
    why: `${lost} of ${hop.sent} round trips to the target ${lost === 1 ? 'was' : 'were'} lost`,
  };
}

/** Hops whose silence can be loss at all. */
function answering(weighed: readonly Weighed[]): HopTally[] {
  return weighed.filter(({ hop, limit }) => hop.received > 0 && limit === null).map(({ hop }) => hop);
}

/** Certainly: the interval of the difference lies above zero. */
function losesLess(one: HopTally, other: HopTally, confidence: number): boolean {
  const difference = shareDifference([lostOf(other), other.sent], [lostOf(one), one.sent], confidence);
  return difference !== null && difference[0] > 0;
}
