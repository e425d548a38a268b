import { tcpFlag } from '../../../wire/packet/packet.ts';
import { type WiresharkAnalysis, wiresharkFlag } from './flags.ts';
import type { Direction, Stream } from './stream.ts';
import { windowScale } from './stream.ts';

/** One segment, as far as the analysis of sequence numbers asks. */
export interface Segment {
  frame: number;
  sequence: number;
  acknowledgement: number;
  /** Octets of payload by the length of the IP packet. */
  length: number;
  flags: number;
  window: number;
  seconds: number;
  nanoseconds: number;
}

/**
 * Count of duplicate acknowledgements of a direction for whose data an acknowledgement came that was not seen: -1 in a number without
 * a sign, so it also passes as "two or more" where fast retransmissions are looked for.
 */
const unseenAck = 0xffff_ffff;

const isBehind = (a: number, b: number): boolean => ((b - a) | 0) < 0;
const synFin = tcpFlag.syn | tcpFlag.fin;
const synFinRst = synFin | tcpFlag.rst;

/** Fast: the duplicate acknowledgements are that fresh. */
const fastNs = 20_000_000;
/** Out of order: that soon behind the newest segment, where the round trip of the handshake is not known. */
const reorderNs = 3_000_000;

/**
 * What Wireshark 4.0.17 concludes from one segment, in the order in which it does, and the state afterwards. `forward` is the direction
 * of the segment. The rules are told in docs/commands/capture.md.
 */
export function analyseSequence(
  stream: Stream,
  forward: Direction,
  reverse: Direction,
  segment: Segment,
  out: WiresharkAnalysis,
): void {
  setBases(forward, reverse, segment);
  const isProbe = segment.length === 1 && segment.sequence === forward.nextSequence && reverse.window === 0;
  if (isProbe) out.flags |= wiresharkFlag.zero_window_probe;
  else judgeWindowAndAck(forward, reverse, segment, out);
  if (segment.acknowledgement !== forward.lastAck) {
    forward.firstAckFrame = segment.frame;
    forward.duplicateAcks = 0;
  }
  judgeUnseenAck(reverse, segment, out);
  if (segment.length > 0 || segment.flags & synFin) judgeRetransmission(stream, forward, reverse, segment, out);
  remember(forward, segment, isProbe, out);
  const acked = reverse.unacked.acknowledge(segment.acknowledgement);
  if (acked) {
    out.acksFrame = acked.frame;
    out.ackRttNs = nsBetween(segment, acked.seconds, acked.nanoseconds);
  }
}

function setBases(forward: Direction, reverse: Direction, { sequence, acknowledgement, flags }: Segment): void {
  if (!forward.hasBase) {
    forward.baseSequence = flags & tcpFlag.syn ? sequence : (sequence - 1) >>> 0;
    forward.hasBase = true;
  }
  if (!reverse.hasBase && flags & tcpFlag.ack) {
    reverse.baseSequence = (acknowledgement - 1) >>> 0;
    reverse.hasBase = true;
  }
}

function judgeWindowAndAck(forward: Direction, reverse: Direction, segment: Segment, out: WiresharkAnalysis): void {
  const { sequence, acknowledgement, length, flags, window } = segment;
  const next = forward.nextSequence;
  const isPlain = (flags & synFinRst) === 0;
  if (window === 0 && isPlain) out.flags |= wiresharkFlag.zero_window;
  if (next !== 0 && isBehind(sequence, next) && !(flags & tcpFlag.rst)) out.flags |= wiresharkFlag.lost_segment;
  if (!isPlain) return;
  if (length <= 1 && sequence === (next - 1) >>> 0) out.flags |= wiresharkFlag.keep_alive;
  if (length > 0) {
    if (reverse.scale !== windowScale.unknown && (sequence + length) >>> 0 === windowEnd(reverse))
      out.flags |= wiresharkFlag.window_full;
    return;
  }
  // What repeats the sequence and the acknowledgement of before.
  if (sequence !== next || acknowledgement !== forward.lastAck) return;
  if (window !== 0 && window !== forward.window) out.flags |= wiresharkFlag.window_update;
  if (window !== forward.window) return;
  if (window === 0) {
    if (reverse.lastFlags & wiresharkFlag.zero_window_probe) out.flags |= wiresharkFlag.zero_window_probe_ack;
  } else if (reverse.lastFlags & wiresharkFlag.keep_alive) out.flags |= wiresharkFlag.keep_alive_ack;
  else {
    out.flags |= wiresharkFlag.duplicate_ack;
    forward.duplicateAcks = forward.duplicateAcks === unseenAck ? 1 : forward.duplicateAcks + 1;
    out.duplicateAckNumber = forward.duplicateAcks;
    out.duplicateAckFrame = forward.firstAckFrame;
  }
}

function windowEnd({ lastAck, window, scale, isFirstAck }: Direction): number {
  const shift = isFirstAck || scale === windowScale.unused ? 0 : scale;
  return (lastAck + (window << shift)) >>> 0;
}

function judgeUnseenAck(reverse: Direction, { acknowledgement, flags }: Segment, out: WiresharkAnalysis): void {
  if (reverse.maxToBeAcked === 0 || !isBehind(acknowledgement, reverse.maxToBeAcked) || !(flags & tcpFlag.ack)) return;
  // Said again only where the other direction has moved since.
  if (isBehind(reverse.nextSequence, reverse.maxToBeAcked)) {
    reverse.maxToBeAcked = reverse.nextSequence;
    out.flags |= wiresharkFlag.ack_lost_segment;
    return;
  }
  if (reverse.duplicateAcks === 0) out.flags |= wiresharkFlag.ack_lost_segment;
  reverse.duplicateAcks = unseenAck;
}

function judgeRetransmission(
  stream: Stream,
  forward: Direction,
  reverse: Direction,
  segment: Segment,
  out: WiresharkAnalysis,
): void {
  const { sequence, length, flags } = segment;
  if (out.flags & wiresharkFlag.keep_alive) return;
  const { retransmission, spurious_retransmission, fast_retransmission, out_of_order } = wiresharkFlag;
  const next = forward.nextSequence;
  const end = (sequence + length) >>> 0;
  // "At most", and half of all numbers away is both.
  if (length > 0 && reverse.lastAck !== 0 && ((end - reverse.lastAck) | 0) <= 0) {
    out.flags |= spurious_retransmission | retransmission;
    return;
  }
  // More than one octet from just before the next one on: new data behind a probe.
  const isProbed = length > 1 && (next - 1) >>> 0 === sequence;
  if (next === 0 || !isBehind(next, sequence) || isProbed) return;
  const sinceAckNs = nsBetween(segment, reverse.lastSeconds, reverse.lastNanoseconds);
  if (reverse.duplicateAcks >= 2 && reverse.lastAck === sequence && isWithin(sinceAckNs, fastNs)) {
    out.flags |= fast_retransmission | retransmission;
    return;
  }
  const sinceNewestNs = nsBetween(segment, forward.nextSeconds, forward.nextNanoseconds);
  const lastNext = (end + (flags & synFin ? 1 : 0)) >>> 0;
  if (isWithin(sinceNewestNs, initialRttNs(stream) || reorderNs) && next !== lastNext) {
    out.flags |= out_of_order;
    return;
  }
  out.flags |= retransmission;
  const { oldest } = forward.unacked;
  out.rtoFrame = oldest ? oldest.frame : forward.nextFrame;
  out.rtoNs = oldest ? nsBetween(segment, oldest.seconds, oldest.nanoseconds) : sinceNewestNs;
}

/** Compared as numbers without a sign: of a clock that went back, times are longer than any other. */
const isWithin = (ns: number, limitNs: number): boolean => (ns < 0 === limitNs < 0 ? ns < limitNs : limitNs < 0);

export const initialRttNs = ({ initialSeconds, initialNanoseconds }: Stream): number =>
  initialSeconds * 1e9 + initialNanoseconds;

function nsBetween(later: { seconds: number; nanoseconds: number }, seconds: number, nanoseconds: number): number {
  return (later.seconds - seconds) * 1e9 + (later.nanoseconds - nanoseconds);
}

function remember(forward: Direction, segment: Segment, isProbe: boolean, out: WiresharkAnalysis): void {
  const { sequence, length, flags, frame, seconds, nanoseconds } = segment;
  let next = (sequence + length) >>> 0;
  if ((length > 0 || flags & synFin) && !forward.unacked.isFull) {
    if (flags & synFin) next = (next + 1) >>> 0;
    forward.unacked.push({ sequence, next, frame, seconds, nanoseconds });
  }
  if (!isProbe && (forward.nextSequence === 0 || isBehind(next, forward.nextSequence))) {
    forward.nextSequence = next;
    forward.nextFrame = frame;
    forward.nextSeconds = seconds;
    forward.nextNanoseconds = nanoseconds;
  }
  if (!isProbe && (forward.maxToBeAcked === 0 || sequence === forward.maxToBeAcked))
    forward.maxToBeAcked = forward.nextSequence;
  forward.window = segment.window;
  forward.lastAck = segment.acknowledgement;
  forward.lastSeconds = seconds;
  forward.lastNanoseconds = nanoseconds;
  forward.lastFlags = out.flags;
}
