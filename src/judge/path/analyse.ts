import type { DelayVerdict, HopReport, LossVerdict } from '../../model/trace-report.ts';
import { judgeDelay } from './delay.ts';
import { judgeLoss } from './loss.ts';
import { firstBehindNat, isAsymmetric, reverseHops, rewritesTtl } from './marks.ts';
import { type HopProbe, type HopTally, rttSummary } from './tally.ts';

export interface PathAnalysis {
  hops: HopReport[];
  loss: LossVerdict;
  delay: DelayVerdict;
  reached: boolean;
}

/**
 * Everything that one path's hops say together: what a hop's silence and delay mean is only known from the hops behind it.
 * @param asked all that the target was asked, by this path and others
 */
export function analysePath(
  tallies: readonly HopTally[],
  protocol: 'icmp' | 'udp' | 'tcp',
  asked: readonly HopProbe[],
): PathAnalysis {
  const hops = withoutSilentTail(tallies);
  const loss = judgeLoss(hops, protocol, asked);
  const delay = judgeDelay(hops);
  const nat = firstBehindNat(hops);
  return {
    hops: hops.map((hop, k) => ({
      ...hopReport(hop),
      loss: loss.hops[k]!,
      lasting: delay.lasting[k] ?? null,
      nat: k === nat,
    })),
    loss: loss.path,
    delay: delay.path,
    reached: hops.at(-1)?.isTarget ?? false,
  };
}

function hopReport(hop: HopTally): Omit<HopReport, 'loss' | 'lasting' | 'nat'> {
  const { ttl, sent, received, isTarget, last } = hop;
  const reverse = reverseHops(last?.replyTtl ?? null);
  const byCount = [...hop.addresses].sort((a, b) => b[1] - a[1]);
  return {
    ttl,
    addresses: byCount.map(([address, received]) => ({ address, received, name: null, asn: null })),
    isTarget,
    sent,
    received,
    rtts: rttSummary(hop),
    lastMs: hop.recent.at(-1)?.rttMs ?? null,
    reverseHops: reverse,
    isAsymmetric: isAsymmetric(ttl, reverse),
    rewritesTtl: rewritesTtl(last, isTarget),
    icmp: last?.icmp ?? null,
    replyTtl: last?.replyTtl ?? null,
    quotedTtl: last?.quotedTtl ?? null,
    dscp: last?.dscp ?? null,
    mpls: last?.mpls ?? [],
    interfaces: last?.interfaces ?? [],
  };
}

/** One silent hop at the end says that there is silence; thirty of them say no more. */
function withoutSilentTail(hops: readonly HopTally[]): readonly HopTally[] {
  const last = hops.findLastIndex((hop) => hop.received > 0);
  return hops.slice(0, last + 2);
}
