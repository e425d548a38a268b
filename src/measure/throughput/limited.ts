import type { LimitedBy, LimitShares } from '../../model/throughput.ts';
import type { SenderFacts } from './results.ts';

/** What is known about one direction when it is over. */
export interface LimitEvidence {
  protocol: 'tcp' | 'udp';
  /** What all streams together were to send; null: as fast as it goes. */
  targetMbitPerS: number | null;
  senderMbitPerS: number;
  receiverMbitPerS: number;
  /** By TCP_INFO of the sender; null where it does not tell. */
  facts: SenderFacts | null;
  /** CPU of our busiest data thread per time. */
  localThread: number;
  /** Share of the time in which that thread was ready and this machine had no core for it. */
  localWait: number;
  /** The same of an inferpath peer, or what iperf3 says of its whole process; null when unknown. */
  remoteCpu: number | null;
  remoteWait: number | null;
  retransmits: number | null;
  lossShare: number | null;
  /** Round trip under load above idle, ms; null when it was not measured. */
  increaseMs: number | null;
  /** How long data counted, s. */
  durationS: number;
  /** Both ends are this machine. */
  loopback: boolean;
}

/** A thread that works for more than this share of the time cannot be shown not to be the limit. */
const SATURATED = 0.9;
/** A cause is named when it explains at least this share of the time. */
const MOST = 0.5;
const REACHED = 0.95;
/** Less than this is slow start. */
const SHORTEST_S = 0.5;

/** Who limited the throughput: the first of these that the evidence shows, or that it shows none. */
export function whoLimited(e: LimitEvidence): LimitedBy {
  const shares = sharesOf(e.facts);
  const [cause, because] = withoutKernel(e) ?? withoutNetwork(e, byProtocol(e, shares));
  return { cause, because, shares };
}

type Verdict = [cause: LimitedBy['cause'], because: string];

function withoutKernel(e: LimitEvidence): Verdict | null {
  const { targetMbitPerS: target, senderMbitPerS: sent } = e;
  if (target !== null && sent >= REACHED * target && (e.lossShare ?? 0) < 0.001)
    return ['bitrate', `${mbit(target)} were kept`];
  if (e.durationS < SHORTEST_S) return ['undetermined', 'so short a test says nothing of what would have held it up'];
  if (e.localThread + e.localWait >= SATURATED)
    return ['this-tool', `a data thread of this tool ${busy(e.localThread, e.localWait)}`];
  if ((e.remoteCpu ?? 0) + (e.remoteWait ?? 0) >= SATURATED)
    return ['peer-cpu', `the peer ${busy(e.remoteCpu!, e.remoteWait ?? 0)}`];
  return null;
}

/** On loopback the congestion window waits for the other end, which runs on the same cores. */
function withoutNetwork({ loopback }: LimitEvidence, verdict: Verdict): Verdict {
  if (!loopback || verdict[0] !== 'network') return verdict;
  return ['undetermined', 'both ends share the cores of this machine, and there is no network between them'];
}

function byProtocol(e: LimitEvidence, shares: LimitShares | null): Verdict {
  if (e.protocol === 'udp') return udpVerdict(e);
  if (shares === null)
    return ['undetermined', 'the sender does not tell what held it up: only an inferpath server or this side does'];
  if (shares.receiverWindow >= MOST)
    return [
      'receiver-window',
      `the receiver's window held the sender up for ${percent(shares.receiverWindow)} of the time`,
    ];
  if (shares.sendBuffer >= MOST)
    return ['send-buffer', `the send buffer held the sender up for ${percent(shares.sendBuffer)} of the time`];
  if (1 - shares.busy >= MOST)
    return ['sender-idle', `it had nothing to send for ${percent(1 - shares.busy)} of the time`];
  if (shares.network >= MOST) return ['network', networkEvidence(e, shares)];
  return ['undetermined', 'no single cause explains half of the time'];
}

function networkEvidence(e: LimitEvidence, shares: LimitShares): string {
  const parts = [`the congestion window held the sender up for ${percent(shares.network)} of the time`];
  if (e.retransmits) parts.push(`${e.retransmits} segments were sent again`);
  if (e.increaseMs !== null && e.increaseMs >= 5) parts.push(`the round trip rose by ${Math.round(e.increaseMs)} ms`);
  return parts.join(', ');
}

function udpVerdict(e: LimitEvidence): Verdict {
  if ((e.lossShare ?? 0) >= 0.001) return ['network', `${percent(e.lossShare!)} of the packets were lost`];
  return ['undetermined', 'no packet was lost, and no rate was asked for that could have been kept'];
}

/** Busy time contains what the windows took: TCP_INFO counts tcpi_rwnd_limited and tcpi_sndbuf_limited inside tcpi_busy_time. */
function sharesOf(facts: SenderFacts | null): LimitShares | null {
  if (facts === null || facts.elapsedMs <= 0) return null;
  const share = (ms: number) => Math.min(1, Math.max(0, ms / facts.elapsedMs));
  const [busy, receiverWindow, sendBuffer] = [
    share(facts.busyMs),
    share(facts.rwndLimitedMs),
    share(facts.sndbufLimitedMs),
  ];
  return { busy, receiverWindow, sendBuffer, network: Math.max(0, busy - receiverWindow - sendBuffer) };
}

function busy(ran: number, waited: number): string {
  const used = `used ${percent(ran)} of a core`;
  return waited < 0.05 ? used : `${used} and waited for one for ${percent(waited)} of the time`;
}

function percent(share: number): string {
  return share > 0 && share < 0.01 ? `${(share * 100).toFixed(2)} %` : `${Math.round(share * 100)} %`;
}

function mbit(mbitPerS: number): string {
  return `${Number(mbitPerS.toPrecision(3))} Mbit/s`;
}
