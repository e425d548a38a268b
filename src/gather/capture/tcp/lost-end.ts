import type { Packet } from '../../../wire/packet/packet.ts';
import type { Direction } from './direction.ts';
import type { Signal } from './event.ts';
import type { Hole } from './hole.ts';
import type { Journal } from './journal.ts';
import { learnsAfter, lowestTimeoutMs, type Resent, retransmissionOf, wholeRoundTripMs } from './verdict.ts';

/** After a second copy the sender learns of a further loss with its acknowledgement: within so many round trips. */
const recoversWithin = 2;
/** The first probe comes within so many round trips of what was heard last; later it may be new, and a probe lost before it. */
const probesWithin = 5;
/** Of data: before, how small its packets are is not known. */
const leastPackets = 4;

/**
 * What was lost before the tap and left no hole: a first flight, the end of a burst, the end of an answer. Its second copy comes in order
 * like anything new, and only the sender's own counters give it away: numbers of packets that never came (IPv4), or a new flow label
 * (IPv6). Both with a silence as long as a timer needs, and only where what never came cannot have been a bare acknowledgement.
 */
export function inOrderAfterLoss(
  journal: Journal,
  packet: Packet,
  sender: Direction,
  receiver: Direction,
  of: Resent,
): void {
  const missing = sender.untracedLosses + sender.ipId.gapBefore;
  const label = sender.flowLabel.justChanged;
  // While holes are open, or the receiver lacks something, what was lost may have been a copy of that.
  const copies = sender.holes.length > 0 || (sender.acked < of.offset && !receiver.reset);
  sender.untracedLosses = copies ? missing : 0;
  if (copies) return;
  const roundTripMs = wholeRoundTripMs(sender, receiver, of.timeMs);
  const idleMs = of.timeMs - sender.lastMs;
  const recovers =
    sender.lastResentMs >= sender.lastDataMs && of.timeMs - sender.lastResentMs <= recoversWithin * roundTripMs;
  // What was missing before is repaired at once, or was a copy that nobody needed.
  const timed = sender.ipId.gapBefore > 0 && !lacking(sender, roundTripMs);
  const counted = missing > 0 && onlyData(sender, receiver) && (recovers || timed);
  const signal = counted ? 'ip-id' : label ? 'flow-label' : null;
  if (!signal) return;
  // What is still in flight before it shortens the wait for the last (RFC 8985 section 7.2).
  const several = sender.acked < of.offset ? 2 : 1;
  const leastMs =
    recovers && counted ? roundTripMs : several > 1 ? several * roundTripMs : roundTripMs + lowestTimeoutMs;
  if (!(idleMs >= learnsAfter * leastMs)) return;
  tell(journal, packet, sender, receiver, of, signal, null);
}

/**
 * A segment that opens a hole is new, as a rule. Where more packets never came than fit into the hole, the last of a burst was lost with
 * those before it, and this is the probe for it (RFC 8985: after two round trips without an answer it is the last that goes again).
 * @returns whether it was sent again
 */
export function opensAgain(
  journal: Journal,
  packet: Packet,
  sender: Direction,
  receiver: Direction,
  of: Resent,
  hole: Hole,
): boolean {
  if (sender.dataPackets < leastPackets) return false;
  const fit = Math.max(1, Math.floor((hole.end - hole.start) / Math.min(sender.smallestPayload, of.payload || 1)));
  if (sender.ipId.gapBefore <= fit || sender.holes.length > 1 || !onlyData(sender, receiver)) return false;
  const roundTripMs = wholeRoundTripMs(sender, receiver, of.timeMs);
  if (lacking(sender, roundTripMs)) return false;
  const idleMs = of.timeMs - sender.lastMs;
  if (!(idleMs >= learnsAfter * 2 * roundTripMs) || idleMs > probesWithin * roundTripMs) return false;
  tell(journal, packet, sender, receiver, of, 'ip-id', hole);
  return true;
}

/** Of what the sender was asked nothing was open when the tap last heard it: what it sent since, and never came, carried data. */
function onlyData(sender: Direction, receiver: Direction): boolean {
  return sender.ipId.usable && !(receiver.lastDataMs > sender.lastMs) && receiver.ackedBefore >= receiver.next;
}

/** The receiver had told so lately that it lacked something that what never came may have been a copy of that, needed or not. */
function lacking(sender: Direction, roundTripMs: number): boolean {
  return sender.lackedMs > sender.lastMs - roundTripMs / learnsAfter;
}

function tell(
  journal: Journal,
  packet: Packet,
  sender: Direction,
  receiver: Direction,
  of: Resent,
  signal: Signal,
  hole: Hole | null,
): void {
  const waitedMs = of.timeMs - sender.lastMs;
  journal.incidents.add('lost-upstream', sender.index, sender.lastMs, of.timeMs, of.offset, of.end, 'medium');
  const found = { ...of, waitedMs, signal, confidence: 'medium', original: 'unseen' } as const;
  journal.resent(sender, retransmissionOf(sender, receiver, found), hole, packet);
}
