import type { Direction } from './direction.ts';
import type { Journal } from './journal.ts';

/** A shorter delay explains no stall. */
const leastDelayMs = 15;
/** A packet sent within this time of an acknowledgement was waiting for it. */
const answersMs = 1;
/** Linux delays acknowledgements by 40 ms or more, others by up to 500 (RFC 1122 section 4.2.3.2); less what round trips vary. */
const delayedAckMs = 30;
const longestDelayedAckMs = 500;

/**
 * Nagle’s algorithm against a delayed acknowledgement: a small packet that goes out just after everything before it was acknowledged,
 * and that acknowledgement came late though nothing was lost.
 */
export function waitedForAck(
  journal: Journal,
  sender: Direction,
  receiver: Direction,
  offset: number,
  end: number,
  timeMs: number,
): void {
  const delayMs = sender.lastAckMs - sender.lastDataMs;
  if (!(delayMs >= delayedAckMs) || delayMs > longestDelayedAckMs || sender.acked !== offset) return;
  const awayMs = sender.roundTrip.recentMs(timeMs);
  if (awayMs >= 0 && delayMs < delayedAckMs + awayMs) return;
  if (!justAcked(sender, receiver, timeMs)) return;
  sender.nagleWaits += 1;
  journal.incidents.add('nagle-wait', sender.index, sender.lastDataMs, timeMs, offset, end, 'medium');
}

/** Data that comes later after the data before it than it was sent after it, by the sender’s own clock. */
export function delayed(
  journal: Journal,
  sender: Direction,
  stamp: number,
  offset: number,
  end: number,
  timeMs: number,
): void {
  const { clock } = sender;
  clock.seen(stamp, timeMs);
  const sentMs = clock.betweenMs(sender.lastDataStamp, stamp);
  const laterMs = timeMs - sender.lastStampMs - sentMs - clock.tickMs;
  sender.lastDataStamp = stamp;
  sender.lastStampMs = timeMs;
  if (laterMs >= leastDelayMs)
    journal.incidents.add('delayed', sender.index, timeMs - laterMs, timeMs, offset, end, 'high');
}

/** What new data was waiting for. */
export function held(sender: Direction, receiver: Direction, end: number, timeMs: number): void {
  const sinceMs = timeMs - Math.max(sender.lastDataMs, sender.firstMs);
  const windowOctets = receiver.windowOctets;
  const full =
    windowOctets >= 0 && Number.isFinite(sender.acked) && end - sender.acked >= windowOctets - sender.segmentOctets;
  if (full && end - sender.acked === windowOctets) sender.windowFull += 1;
  if (!(sinceMs > 0)) return;
  if (full) sender.heldMs.receiver += sinceMs;
  else if (sender.outstanding === 0) sender.heldMs.sender += sinceMs;
  else if (sender.sackedTo > sender.acked || sender.timeoutRecovery > sender.acked) sender.heldMs.recovery += sinceMs;
  else if (justAcked(sender, receiver, timeMs)) sender.heldMs.network += sinceMs;
  else sender.heldMs.sender += sinceMs;
}

/** The acknowledgement passed the tap so lately that what is sent now answers it. */
function justAcked(sender: Direction, receiver: Direction, timeMs: number): boolean {
  const nearMs = receiver.roundTrip.recentMs(timeMs);
  return timeMs - sender.lastAckMs <= answersMs + (nearMs >= 0 ? 1.5 * nearMs : 0);
}
