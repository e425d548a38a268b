import type { Packet } from '../../../wire/packet/packet.ts';
import type { Direction } from './direction.ts';
import type { Confidence } from './event.ts';
import { fill, type Hole, overlapping } from './hole.ts';
import type { Journal } from './journal.ts';
import { fillsHole, lateOriginal, type Resent, retransmissionOf } from './verdict.ts';

/** Octets below what was seen already: into a hole, or once more. */
export function below(journal: Journal, packet: Packet, sender: Direction, receiver: Direction, of: Resent): void {
  const { offset, end } = of;
  const index = overlapping(sender.holes, offset, end);
  if (index >= 0) fills(journal, sender.holes[index]!, packet, sender, receiver, of);
  else repeats(journal, packet, sender, receiver, of);
  for (let at = index; at >= 0; at = overlapping(sender.holes, offset, end)) fill(sender.holes, at, offset, end);
  // With a hole open what was lost may have been a copy for it; once none is left, only what was lost just now is open.
  sender.untracedLosses = sender.ipId.gapBefore + (sender.holes.length > 0 ? sender.untracedLosses : 0);
}

function fills(journal: Journal, hole: Hole, packet: Packet, sender: Direction, receiver: Direction, of: Resent): void {
  // Reaching beyond the hole it is cut otherwise than what was sent first.
  const isWithin = of.offset >= hole.start && of.end <= hole.end;
  const { again, signal, confidence } = isWithin
    ? fillsHole(hole, packet, sender, receiver, of.timeMs)
    : ({ again: true, signal: 'range-seen', confidence: 'high' } as const);
  const found = { ...of, waitedMs: of.timeMs - hole.openedMs, signal, confidence, original: 'unseen' } as const;
  if (again) journal.resent(sender, retransmissionOf(sender, receiver, found), hole, packet);
  else journal.reordered(sender, found);
  if (again)
    journal.incidents.add('lost-upstream', sender.index, hole.openedMs, of.timeMs, hole.start, hole.end, confidence);
  else overtaken(journal, hole, packet, sender, of.timeMs, confidence);
}

/** By the sender’s own clock it is known when it should have come; else that was before what overtook it. */
function overtaken(
  journal: Journal,
  hole: Hole,
  packet: Packet,
  sender: Direction,
  timeMs: number,
  confidence: Confidence,
): void {
  const dueMs = packet.hasTimestamps
    ? sender.lastStampMs + sender.clock.betweenMs(sender.lastDataStamp, packet.tsVal)
    : Number.NaN;
  const exact = dueMs <= hole.openedMs;
  const sinceMs = exact ? dueMs : hole.openedMs;
  journal.incidents.add('reordered', sender.index, sinceMs, timeMs, hole.start, hole.end, confidence, exact);
}

function repeats(journal: Journal, packet: Packet, sender: Direction, receiver: Direction, of: Resent): void {
  // Sent before the first packet that the tap saw.
  const beforeStart = of.offset < 0 && !sender.hasSyn;
  const first = beforeStart ? null : lateOriginal(sender, packet, of);
  if (first) {
    // Not lost, but slower than its second copy: that one was sent for nothing.
    if (!first.event.spurious) sender.spurious += first.event.segments;
    first.event.spurious = true;
    return journal.reordered(sender, { ...of, signal: first.signal, confidence: 'high' });
  }
  if (beforeStart && packet.hasTimestamps && ((packet.tsVal - sender.firstStamp) | 0) < 0)
    return journal.reordered(sender, { ...of, signal: 'timestamp', confidence: 'medium' });
  const found: Resent = beforeStart ? { ...of, confidence: 'medium', original: 'unseen' } : of;
  const event = retransmissionOf(sender, receiver, found);
  journal.resent(sender, event, null, packet);
  if (event.spurious) return;
  const sentMs = sender.inOrder.sentAgain(of.offset, of.end, of.timeMs);
  const firstMs = Number.isNaN(sentMs) ? Math.max(sender.lastAckMs, sender.firstMs) : sentMs;
  journal.incidents.add('lost-downstream', sender.index, firstMs, of.timeMs, of.offset, of.end, 'high');
}
