import type { Packet } from '../../../wire/packet/packet.ts';
import type { Direction } from './direction.ts';
import type { Confidence, Retransmission, Signal, Trigger } from './event.ts';
import type { Hole } from './hole.ts';

/** A sender cannot learn of a loss in less than a round trip; a part of it leaves room for a round trip that was measured too long. */
export const learnsAfter = 0.8;
/** Without any round trip: what overtakes does it by less than this. */
const unknownRoundTripMs = 20;
/** Lowest retransmission timeout in use (Linux; RFC 6298 asks for 1 s), less its own tick. */
export const lowestTimeoutMs = 190;
/** RFC 5681: what the receiver has to repeat before the sender acts. */
const duplicateAckThreshold = 3;

/**
 * Was the segment that fills a hole sent again, or overtaken? All that lies in the hole was sent for the first time before the segment that
 * opened it. So a later stamp (RFC 7323), or a later number of the sender's own counter, means a second copy; an earlier one the first.
 * Where neither tells, the age of the hole does: nobody resends what it cannot know to be lost.
 */
export function fillsHole(
  hole: Hole,
  packet: Packet,
  sender: Direction,
  receiver: Direction,
  timeMs: number,
): { again: boolean; signal: Signal; confidence: Confidence } {
  if (hole.openerHasStamp && packet.hasTimestamps) {
    const later = (packet.tsVal - hole.openerStamp) | 0;
    // Two that were sent again may overtake each other as well.
    if (later < 0 && hole.openerAgain) return { again: true, signal: 'ip-id', confidence: 'medium' };
    if (later !== 0) return { again: later > 0, signal: 'timestamp', confidence: 'high' };
  }
  if (sender.ipId.ordered && hole.openerIpId > 0 && packet.ipId > 0) {
    const later = ((packet.ipId - hole.openerIpId) << 16) >> 16;
    if (later !== 0) return { again: later > 0, signal: 'ip-id', confidence: 'high' };
  }
  const ageMs = timeMs - hole.openedMs;
  const roundTripMs = wholeRoundTripMs(sender, receiver, timeMs);
  if (Number.isNaN(roundTripMs)) return { again: ageMs >= unknownRoundTripMs, signal: 'none', confidence: 'low' };
  const again = ageMs >= learnsAfter * roundTripMs;
  const clear = ageMs < 0.5 * roundTripMs || ageMs > 0.95 * roundTripMs;
  return { again, signal: 'hole-age', confidence: clear ? 'medium' : 'low' };
}

/** The retransmission that filled the hole of a segment whose first copy comes only now; null: this is a further copy. */
export function lateOriginal(
  sender: Direction,
  packet: Packet,
  { offset, end }: Resent,
): { event: Retransmission; signal: Signal } | null {
  for (const { event, latestStamp, belowIpId } of sender.recent) {
    if (event.original === 'seen' || event.offset >= end || event.offset + event.octets <= offset) continue;
    if (packet.hasTimestamps && latestStamp !== 0 && ((packet.tsVal - latestStamp) | 0) <= 0)
      return { event, signal: 'timestamp' };
    if (!packet.hasTimestamps && sender.ipId.ordered && belowIpId > 0 && ((packet.ipId - belowIpId) << 16) >> 16 < 0)
      return { event, signal: 'ip-id' };
  }
  return null;
}

/**
 * Lowest time from sending to learning: from the tap to the receiver and back, and to the sender and back. NaN where the way to the sender is
 * not known, which may be the longer one.
 */
export function wholeRoundTripMs(sender: Direction, receiver: Direction, timeMs: number): number {
  const onwardMs = sender.roundTrip.recentMs(timeMs);
  const backMs = receiver.roundTrip.recentMs(timeMs);
  return Number.isNaN(onwardMs) ? backMs : onwardMs + backMs;
}

export interface Resent {
  offset: number;
  end: number;
  payload: number;
  segments: number;
  timeMs: number;
  waitedMs: number;
  signal: Signal;
  confidence: Confidence;
  original: 'seen' | 'unseen';
  frameNumber: number;
}

/** What is said of a segment that was sent again: what made the sender do so, and whether there was need. */
export function retransmissionOf(sender: Direction, receiver: Direction, of: Resent): Retransmission {
  return {
    kind: 'retransmission',
    trigger: triggerOf(sender, receiver, of),
    timeMs: of.timeMs,
    from: sender.from,
    offset: of.offset,
    octets: of.payload,
    frameNumber: of.frameNumber,
    original: of.original,
    spurious: of.end <= sender.acked,
    signal: of.signal,
    confidence: of.confidence,
    segments: of.segments,
    waitedMs: of.waitedMs,
  };
}

/**
 * Fast: the receiver had told of later octets (SACK, RFC 6675 and 8985) or repeated itself three times. Otherwise a timer: the first one
 * over the last segment in flight is the probe of RFC 8985 where SACK is spoken, any other the timeout of RFC 6298, which also covers what
 * is sent again behind it until it is made good.
 */
function triggerOf(sender: Direction, receiver: Direction, of: Resent): Trigger {
  if (of.offset < sender.timeoutRecovery) return 'rto';
  if (sender.sackedTo > of.offset || sender.duplicateAcks >= duplicateAckThreshold) return 'fast';
  const idleMs = of.timeMs - sender.lastDataMs;
  const roundTripMs = wholeRoundTripMs(sender, receiver, of.timeMs);
  const last = of.end >= sender.next;
  const sack = sender.sackPermitted && receiver.sackPermitted;
  if (last && sack && sender.probed !== of.offset && (Number.isNaN(roundTripMs) || idleMs > roundTripMs)) {
    sender.probed = of.offset;
    return 'tlp';
  }
  if (idleMs >= lowestTimeoutMs) {
    sender.timeoutRecovery = sender.next;
    return 'rto';
  }
  return sender.duplicateAcks > 0 && idleMs >= 0 ? 'fast' : 'unknown';
}
