import { type Packet, tcpFlag } from '../../../wire/packet/packet.ts';
import type { Direction } from './direction.ts';
import type { Retransmission, Side } from './event.ts';
import type { Journal } from './journal.ts';

/** The timer of a handshake is 1 s (RFC 6298), less what clocks differ. */
const handshakeTimerMs = 900;

/** A SYN, or SYN-ACK: what its end offers, where its numbers begin, and whether it was sent before. */
export function handshakePacket(
  journal: Journal,
  packet: Packet,
  sender: Direction,
  receiver: Direction,
  timeMs: number,
): void {
  const again = sender.hasSyn && (packet.sequence + 1) >>> 0 === sender.first32;
  sender.hasStamps = packet.hasTimestamps;
  sender.windowScale = packet.windowScale;
  sender.sackPermitted = packet.sackPermitted;
  // What this end will take is what the other one sends.
  if (packet.mss > 0) receiver.mss = receiver.mss > 0 ? Math.min(receiver.mss, packet.mss) : packet.mss;
  if (packet.mss > 0) sender.mss = sender.mss > 0 ? Math.min(sender.mss, packet.mss) : packet.mss;
  if (again) {
    const spurious = receiver.hasSyn && sender.from === 'client';
    const event = handshakeEvent(sender.from, timeMs, timeMs - sender.synMs, journal.frameNumber);
    journal.resent(sender, { ...event, spurious }, null, packet);
    sender.roundTrip.forgetWaiting();
  } else if (!sender.started || sender.next <= 0) {
    beginAt(sender, packet, (packet.sequence + 1) >>> 0, timeMs);
    if ((packet.flags & tcpFlag.ack) !== 0 && receiver.hasSyn) answered(journal, packet, sender, receiver, timeMs);
  }
  sender.hasSyn = true;
  sender.synMs = timeMs;
}

/** The first packet that the tap saw of a side. */
export function beginAt(sender: Direction, packet: Packet, sequence: number, timeMs: number): void {
  sender.begin(sequence, 0);
  sender.inOrder.begin(0);
  sender.hasStamps = packet.hasTimestamps;
  sender.firstStamp = packet.tsVal;
  if (packet.hasTimestamps) sender.clock.seen(packet.tsVal, timeMs);
  sender.firstIpId = packet.ipId;
}

/**
 * The first SYN-ACK at the tap. Where it answers the first SYN, by its echo, and yet comes after the timer of the handshake, it is a
 * second copy, and the first was lost before the tap.
 */
function answered(journal: Journal, packet: Packet, sender: Direction, receiver: Direction, timeMs: number): void {
  const waitedMs = timeMs - receiver.firstMs;
  if (!packet.hasTimestamps || packet.tsEcr !== receiver.firstStamp || waitedMs < handshakeTimerMs) {
    if (receiver.retransmissions === 0) receiver.roundTrip.handshake(timeMs - receiver.synMs, timeMs);
    return;
  }
  const event = handshakeEvent(sender.from, timeMs, waitedMs, journal.frameNumber);
  journal.resent(sender, { ...event, original: 'unseen', signal: 'timestamp', confidence: 'medium' }, null, packet);
}

/** A SYN, or SYN-ACK, that was sent again. */
function handshakeEvent(from: Side, timeMs: number, waitedMs: number, frameNumber: number): Retransmission {
  return {
    kind: 'retransmission',
    trigger: 'handshake',
    timeMs,
    from,
    offset: -1,
    octets: 0,
    frameNumber,
    original: 'seen',
    spurious: false,
    signal: 'range-seen',
    confidence: 'high',
    segments: 1,
    waitedMs,
  };
}
