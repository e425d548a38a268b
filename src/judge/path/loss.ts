import type { HopLoss, LossVerdict } from '../../model/trace-report.ts';
import { shareDifference, wilson } from '../../stats/interval.ts';
import { answerLimit } from './answer-limit.ts';
import { mayBeErrorLimit } from './error-limit.ts';
import { type HopProbe, type HopTally, lostOf } from './tally.ts';

/**
 * What unanswered probes of a hop mean. A router answers by its control plane and as often as it likes; what it drops shows in
 * every later hop, too. So loss counts only where it lasts to the target, and never for a hop behind which answers are more.
 */

const place = ({ ttl, addresses }: HopTally) => ({ ttl, address: [...addresses.keys()][0] ?? null });

/**
 * How the target answers. `transport`: as to any client, without limits. `echo`: by ICMP, which some hosts limit. `error`: by
 * ICMP errors, which nearly all limit.
 */
type TargetAnswers = 'transport' | 'echo' | 'error';

/** A hop with its answer limit, worked out once. */
interface Weighed {
  hop: HopTally;
  limit: number | null;
}

/** The hops of a path, and what the target's silence can be beside loss. */
interface Judged {
  weighed: readonly Weighed[];
  confidence: number;
  /** Why the target's silence need not be loss. */
  excuse: string | null;
  /** Hops whose silence can be loss at all, and the index of the first of them from which on all lose as much as the target. */
  answering: readonly HopTally[];
  lossyFrom: number;
}

export interface PathLoss {
  hops: HopLoss[];
  path: LossVerdict;
}

/**
 * @param hops of one path, by TTL
 * @param asked all that the target was asked, by whatever path: one limit holds for all of it
 */
export function judgeLoss(
  hops: readonly HopTally[],
  protocol: 'icmp' | 'udp' | 'tcp',
  asked: readonly HopProbe[],
): PathLoss {
  const answers = hops.at(-1)?.isTarget ? answersOf(hops.at(-1)!, protocol) : 'transport';
  const weighed = hops.map((hop) => ({
    hop,
    limit: hop.isTarget && answers === 'transport' ? null : answerLimit(hop.recent),
  }));
  // Every hop is compared with every later one; all comparisons of one hop together keep the 5 % of error.
  const confidence = 1 - 0.05 / Math.max(1, hops.length);
  const answering = weighed.filter(({ hop, limit }) => hop.received > 0 && limit === null).map(({ hop }) => hop);
  const excuse = weighed.length === 0 ? null : excuseOf(weighed.at(-1)!, answers, asked);
  const judged = { weighed, confidence, excuse, answering, lossyFrom: lossyFrom(answering, confidence) };
  return { hops: weighed.map((_, k) => hopLoss(judged, k)), path: pathLoss(judged) };
}

function answersOf({ last }: HopTally, protocol: 'icmp' | 'udp' | 'tcp'): TargetAnswers {
  if (protocol === 'icmp') return 'echo';
  return last?.icmp ? 'error' : 'transport';
}

function excuseOf({ hop, limit }: Weighed, answers: TargetAnswers, asked: readonly HopProbe[]): string | null {
  const instead = answers === 'error' ? '; --protocol tcp to an open port, or icmp, tells' : '';
  if (limit !== null)
    return `the target answers evenly spaced, about ${limit.toFixed(1)} times per second: it limits its answers, or a policer drops at that pace${instead}`;
  if (answers !== 'error' || !mayBeErrorLimit(hop.recent, asked)) return null;
  return `the target answers by ICMP errors, and hosts limit those, Linux to one per second${instead}, and so does a round per second or less often`;
}

function hopLoss(judged: Judged, k: number): HopLoss {
  const { hop, limit } = judged.weighed[k]!;
  const lost = lostOf(hop);
  const share = hop.sent === 0 ? null : lost / hop.sent;
  return { kind: lossKind(judged, k), share, interval: wilson(lost, hop.sent), answersPerS: limit };
}

function lossKind({ weighed, confidence, excuse, answering, lossyFrom }: Judged, k: number): HopLoss['kind'] {
  const { hop, limit } = weighed[k]!;
  const lost = lostOf(hop);
  if (hop.received === 0) return 'silent';
  if (lost === 0) return 'none';
  if (limit !== null) return 'rate-limited';
  const at = answering.indexOf(hop);
  const later = answering.slice(at + 1);
  const least = Math.min(...later.map((h) => lostOf(h) / h.sent));
  const share = lost / hop.sent;
  // Where most of it is gone behind the hop, it is the hop's own silence, whatever small part of it is real.
  if (least < share / 2 && later.some((h) => losesLess(h, hop, confidence))) return 'answers-rarely';
  const target = weighed.at(-1)!.hop;
  const isTold = target.isTarget && lostOf(target) > 0 && excuse === null;
  return isTold && at >= lossyFrom ? 'real' : 'undetermined';
}

function pathLoss({ weighed, confidence, excuse, answering, lossyFrom }: Judged): LossVerdict {
  const nowhere = { after: null, by: null };
  const target = weighed.at(-1);
  if (!target?.hop.isTarget) {
    const why = 'the target did not answer, so loss cannot be told from silence';
    return { kind: 'undetermined', share: null, interval: null, ...nowhere, why };
  }
  const { hop } = target;
  const lost = lostOf(hop);
  const measured = { share: lost / hop.sent, interval: wilson(lost, hop.sent) };
  if (lost === 0) return { kind: 'none', ...measured, ...nowhere, why: `${hop.sent} of ${hop.sent} answered` };
  if (excuse !== null) return { kind: 'undetermined', ...measured, ...nowhere, why: excuse };
  const why = `${lost} of ${hop.sent} round trips to the target ${lost === 1 ? 'was' : 'were'} lost`;
  const clean = answering.findLastIndex((h) => losesLess(h, hop, confidence));
  const by = Math.max(lossyFrom, clean + 1);
  // From here to the target, with hops between: that says nothing.
  if (clean === -1 && by > 0 && by === answering.length - 1) return { kind: 'real', ...measured, ...nowhere, why };
  const after = clean === -1 ? { ttl: 0, address: null } : place(answering[clean]!);
  return { kind: 'real', ...measured, after, by: place(answering[by]!), why };
}

/**
 * The first hop from which on all certainly lose what the target loses: more than a third of it, or more than the cleanest
 * hop before. One stray probe of a hop that is in front of the lossy link is neither.
 */
function lossyFrom(hops: readonly HopTally[], confidence: number): number {
  const target = hops.at(-1);
  if (!target) return 0;
  const third = lostOf(target) / target.sent / 3;
  const isLossy = hops.map((hop, k) => {
    if ((wilson(lostOf(hop), hop.sent)?.[0] ?? 0) > third) return true;
    const cleanest = leastLoss(hops.slice(0, k));
    return cleanest !== null && losesLess(cleanest, hop, confidence);
  });
  // The target loses what it loses.
  return isLossy.slice(0, -1).lastIndexOf(false) + 1;
}

function leastLoss(hops: readonly HopTally[]): HopTally | null {
  const share = (hop: HopTally) => lostOf(hop) / hop.sent;
  return hops.reduce<HopTally | null>((least, hop) => (least && share(least) <= share(hop) ? least : hop), null);
}

/** Certainly: the interval of the difference lies above zero. */
function losesLess(one: HopTally, other: HopTally, confidence: number): boolean {
  const difference = shareDifference([lostOf(other), other.sent], [lostOf(one), one.sent], confidence);
  return difference !== null && difference[0] > 0;
}
