import { type Packet, tcpFlag } from '../../../wire/packet/packet.ts';
import { type Direction, implausibleOctets } from './direction.ts';
import type { Journal } from './journal.ts';

/** `sender` tells by `acked` what it has of `receiver`'s octets, up to there without a hole. */
export function acknowledge(
  journal: Journal,
  packet: Packet,
  sender: Direction,
  receiver: Direction,
  acked: number,
  offset: number,
  timeMs: number,
): void {
  if (packet.sackBlocks > 0) selective(packet, receiver, acked, timeMs);
  if (acked > receiver.acked) {
    if (receiver.from === 'client') receiver.acks.add(receiver.acked, acked, timeMs);
    receiver.acked = acked;
    receiver.duplicateAcks = 0;
    receiver.lastAckMs = timeMs;
    if (!receiver.hasStamps) receiver.roundTrip.acknowledged(acked, timeMs);
    if (acked > receiver.next && receiver.dataPackets > 0) unseen(receiver, acked, timeMs);
    for (const hole of receiver.holes) if (hole.end <= acked && Number.isNaN(hole.ackedMs)) hole.ackedMs = timeMs;
    receiver.inOrder.acked(acked, timeMs);
  } else if (
    acked === receiver.acked &&
    packet.payloadBytes <= 0 &&
    offset === sender.next &&
    receiver.next > acked &&
    packet.window === sender.windowRaw &&
    (packet.flags & (tcpFlag.syn | tcpFlag.fin)) === 0
  ) {
    receiver.duplicateAcks += 1;
    receiver.lackedMs = timeMs;
  }
  if (receiver.holes.length > 0) journal.settleHoles(receiver, timeMs);
}

/** The receiver has what the tap did not see: it may still come, or the capture lost it. */
function unseen(receiver: Direction, acked: number, timeMs: number): void {
  const from = receiver.next;
  receiver.advance(acked);
  receiver.holes.push({
    start: from,
    end: acked,
    openedMs: timeMs,
    openerStamp: 0,
    openerHasStamp: false,
    openerIpId: -1,
    openerAgain: false,
    ackedMs: timeMs,
  });
}

/** RFC 2018, and RFC 2883 for what came twice. */
function selective(packet: Packet, receiver: Direction, acked: number, timeMs: number): void {
  receiver.lackedMs = timeMs;
  for (let i = 0; i < packet.sackBlocks; i++) {
    const left = receiver.offsetOf(packet.sack[2 * i]!);
    const right = receiver.offsetOf(packet.sack[2 * i + 1]!);
    if (right <= left || right > receiver.next + implausibleOctets) continue;
    const inSecond =
      i === 0 &&
      packet.sackBlocks > 1 &&
      left >= receiver.offsetOf(packet.sack[2]!) &&
      right <= receiver.offsetOf(packet.sack[3]!);
    if (i === 0 && (right <= acked || inSecond)) cameTwice(receiver, left, right);
    else if (right > receiver.sackedTo) receiver.sackedTo = right;
  }
}

function cameTwice(receiver: Direction, left: number, right: number): void {
  const event = receiver.recent.find(
    ({ event: one }) => !one.spurious && one.offset < right && one.offset + one.octets > left,
  )?.event;
  if (!event) return;
  event.spurious = true;
  receiver.spurious += event.segments;
}
