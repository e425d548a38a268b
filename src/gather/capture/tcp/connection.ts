import { type Packet, tcpFlag } from '../../../wire/packet/packet.ts';
import type { StreamSink } from '../stream-sink.ts';
import { acknowledge } from './acknowledgement.ts';
import { Direction, implausibleOctets } from './direction.ts';
import type { TcpEvent } from './event.ts';
import { beginAt, handshakePacket } from './handshake.ts';
import { type Hole, maxHoles } from './hole.ts';
import { InOrder } from './in-order.ts';
import type { Incidents } from './incidents.ts';
import { captureGraceMs, Journal } from './journal.ts';
import { inOrderAfterLoss, opensAgain } from './lost-end.ts';
import { below } from './second-copy.ts';
import type { Resent } from './verdict.ts';
import { delayed, held, waitedForAck } from './waiting.ts';

/** The flow label stands so far ahead of the source address (RFC 8200). */
const labelBefore = 8;
const { fin, syn, rst, ack, ece } = tcpFlag;

/**
 * One TCP connection at the tap: what was sent again, overtaken, lost to the capture; round trips to both sides; windows; who held
 * it up. One pass, in the order of the capture, with memory for what is in flight only.
 */
export class Connection {
  readonly client: Direction;
  readonly server: Direction;
  /** From the first SYN to its answer's acknowledgement, at the tap. */
  handshakeMs = Number.NaN;
  readonly #journal: Journal;

  constructor(sink: StreamSink, event: (event: TcpEvent) => void) {
    this.client = new Direction('client', new InOrder(0, sink));
    this.server = new Direction('server', new InOrder(1, sink));
    this.#journal = new Journal(event);
  }

  get incidents(): Incidents {
    return this.#journal.incidents;
  }

  /** Ended by both sides, or by a reset. */
  get closed(): boolean {
    const { client, server } = this;
    return client.reset || server.reset || (client.acked > client.finOffset && server.acked > server.finOffset);
  }

  packet(packet: Packet, timeMs: number, fromClient: boolean, frameNumber: number): void {
    const sender = fromClient ? this.client : this.server;
    const receiver = fromClient ? this.server : this.client;
    if (sender.holes.length + receiver.holes.length > 0) this.#settleHoles(timeMs);
    this.#journal.frameNumber = frameNumber;
    const { flags } = packet;
    const payload = Math.max(0, packet.payloadBytes);
    const segments = payload > 0 ? Math.ceil(payload / sender.segmentOctets) : 1;
    sender.packets += 1;
    if (Number.isNaN(sender.firstMs)) sender.firstMs = timeMs;
    if (packet.version === 4) sender.ipId.seen(packet.ipId, segments);
    else if (packet.sourceAt >= labelBefore)
      sender.flowLabel.seen(packet.bytes.readUInt32BE(packet.sourceAt - labelBefore) & 0xf_ffff);
    if (packet.ecn === 3) sender.congestionMarks += 1;
    if ((flags & ece) !== 0 && (flags & syn) === 0) sender.congestionEchoes += 1;
    if ((flags & rst) !== 0) {
      sender.reset = true;
      sender.lastMs = timeMs;
      return;
    }
    if ((flags & syn) !== 0) handshakePacket(this.#journal, packet, sender, receiver, timeMs);
    else if (!sender.started) beginAt(sender, packet, packet.sequence, timeMs);
    const offset = sender.offsetOf(packet.sequence) + ((flags & syn) === 0 ? 0 : 1);
    if (Math.abs(offset - sender.next) > implausibleOctets) {
      sender.implausible += 1;
      return;
    }
    stamps(packet, sender, receiver, timeMs);
    if ((flags & ack) !== 0) this.#acknowledge(packet, sender, receiver, offset, timeMs);
    this.#window(packet, sender, receiver, timeMs);
    const end = offset + payload + ((flags & fin) === 0 ? 0 : 1);
    if ((flags & fin) !== 0) sender.finOffset = offset + payload;
    if (end > offset) this.#data(packet, sender, receiver, offset, end, payload, segments, timeMs);
    else if (offset === sender.next - 1 && (flags & (syn | fin)) === 0) sender.keepAlives += 1;
    else if (offset > sender.next) this.#open(sender, sender.next, offset, packet, timeMs);
    sender.lastMs = timeMs;
  }

  /** The octets of packets seen so far will be gone. */
  keep(): void {
    this.client.inOrder.keep();
    this.server.inOrder.keep();
  }

  /** To be asked now and then, and at the end: what was acknowledged and has not come will not. */
  settle(timeMs: number): void {
    this.#settleHoles(timeMs);
    this.client.inOrder.acked(Number.NEGATIVE_INFINITY, timeMs);
    this.server.inOrder.acked(Number.NEGATIVE_INFINITY, timeMs);
  }

  finish(timeMs: number): void {
    this.settle(timeMs + captureGraceMs + 1);
    for (const direction of [this.client, this.server]) {
      direction.inOrder.acked(Number.POSITIVE_INFINITY, timeMs);
      if (direction.zeroWindowSinceMs === direction.zeroWindowSinceMs) this.#journal.windowOpened(direction, timeMs);
    }
  }

  #settleHoles(timeMs: number): void {
    this.#journal.settleHoles(this.client, timeMs);
    this.#journal.settleHoles(this.server, timeMs);
  }

  #acknowledge(packet: Packet, sender: Direction, receiver: Direction, offset: number, timeMs: number): void {
    receiver.ackedBefore = receiver.acked;
    if (!receiver.started) return;
    const acked = receiver.offsetOf(packet.acknowledgement);
    if (Math.abs(acked - receiver.next) > implausibleOctets) return;
    if (acked === 0 && receiver.acked < 0 && sender.from === 'client' && receiver.hasSyn)
      this.#shaken(sender, receiver, timeMs);
    acknowledge(this.#journal, packet, sender, receiver, acked, offset, timeMs);
  }

  /** The client acknowledges the server's SYN. */
  #shaken(client: Direction, server: Direction, timeMs: number): void {
    if (!Number.isNaN(this.handshakeMs)) return;
    if (server.retransmissions === 0) server.roundTrip.handshake(timeMs - server.synMs, timeMs);
    if (client.hasSyn) this.handshakeMs = timeMs - client.synMs;
  }

  #window(packet: Packet, sender: Direction, receiver: Direction, timeMs: number): void {
    const scale =
      (packet.flags & syn) === 0 && sender.windowScale > 0 && receiver.windowScale >= 0 ? sender.windowScale : 0;
    sender.windowRaw = packet.window;
    // In the middle of a connection the scale is not known, and so is not the window.
    sender.windowOctets = sender.hasSyn && receiver.hasSyn ? packet.window << scale : packet.window === 0 ? 0 : -1;
    const closed = packet.window === 0 && (packet.flags & (syn | fin)) === 0;
    if (closed && Number.isNaN(sender.zeroWindowSinceMs)) {
      sender.zeroWindowSinceMs = timeMs;
      sender.zeroWindows += 1;
    } else if (!closed && sender.zeroWindowSinceMs === sender.zeroWindowSinceMs)
      this.#journal.windowOpened(sender, timeMs);
  }

  #data(
    packet: Packet,
    sender: Direction,
    receiver: Direction,
    offset: number,
    end: number,
    payload: number,
    segments: number,
    timeMs: number,
  ): void {
    if (receiver.windowOctets === 0 && payload <= 1 && offset <= sender.next) {
      sender.windowProbes += 1;
      if (offset < sender.next) return;
    }
    if (
      payload <= 1 &&
      offset === sender.next - 1 &&
      sender.acked >= sender.next &&
      end <= sender.next &&
      (packet.flags & fin) === 0
    ) {
      sender.keepAlives += 1;
      return;
    }
    sender.dataPackets += 1;
    sender.payloadOctets += payload;
    this.#place(packet, sender, receiver, offset, end, payload, segments, timeMs);
    if (payload > sender.largestPayload) sender.largestPayload = payload;
    if (payload > 0 && payload < sender.smallestPayload) sender.smallestPayload = payload;
    if (end > sender.next) {
      sender.advance(end);
      if (!sender.hasStamps) sender.roundTrip.sent(end, timeMs);
    }
    sender.lastDataMs = timeMs;
    if (payload > 0 && sender.inOrder.wanted)
      sender.inOrder.segment(
        packet.bytes,
        packet.payloadAt,
        Math.min(packet.capturedBytes, payload),
        offset,
        offset + payload,
        timeMs,
        holds(sender, receiver, timeMs),
      );
  }

  /** Where it lies in the stream: next, behind a hole, or below what was seen; and what follows from that. */
  #place(
    packet: Packet,
    sender: Direction,
    receiver: Direction,
    offset: number,
    end: number,
    payload: number,
    segments: number,
    timeMs: number,
  ): void {
    const journal = this.#journal;
    const before = sender.next;
    if (offset === before && payload < sender.segmentOctets)
      waitedForAck(journal, sender, receiver, offset, end, timeMs);
    if (offset >= before) {
      held(sender, receiver, end, timeMs);
      if (packet.hasTimestamps) delayed(journal, sender, packet.tsVal, offset, end, timeMs);
    }
    const hole = offset > before ? this.#open(sender, before, offset, packet, timeMs) : null;
    const { gapBefore } = sender.ipId;
    if (
      hole
        ? gapBefore <= 1
        : offset === before && sender.untracedLosses + gapBefore === 0 && !sender.flowLabel.justChanged
    )
      return;
    const { frameNumber } = journal;
    const waitedMs = timeMs - sender.lastDataMs;
    const of: Resent = {
      offset,
      end,
      payload,
      segments,
      timeMs,
      waitedMs,
      signal: 'range-seen',
      confidence: 'high',
      original: 'seen',
      frameNumber,
    };
    if (hole) hole.openerAgain = opensAgain(journal, packet, sender, receiver, of, hole);
    else if (offset < before) below(journal, packet, sender, receiver, of);
    else inOrderAfterLoss(journal, packet, sender, receiver, of);
  }

  #open(sender: Direction, from: number, to: number, packet: Packet, timeMs: number): Hole {
    if (sender.holes.length >= maxHoles) this.#journal.captureLoss(sender, timeMs);
    const hole = {
      start: from,
      end: to,
      openedMs: timeMs,
      openerStamp: packet.tsVal,
      openerHasStamp: packet.hasTimestamps,
      openerIpId: packet.ipId,
      openerAgain: false,
      ackedMs: from < sender.acked && to <= sender.acked ? timeMs : Number.NaN,
    };
    sender.holes.push(hole);
    sender.advance(to);
    return hole;
  }
}

function stamps(packet: Packet, sender: Direction, receiver: Direction, timeMs: number): void {
  if (!packet.hasTimestamps) return;
  if (packet.tsVal !== 0) sender.roundTrip.sent(packet.tsVal, timeMs);
  // A SYN-ACK may be a second copy; the handshake looks at it.
  if ((packet.flags & (ack | syn)) === ack && packet.tsEcr !== 0) receiver.roundTrip.echoedStamp(packet.tsEcr, timeMs);
}

/** The tap is near the server: what passes may still be lost, and counts when it is acknowledged. What the client asks counts at once. */
function holds(sender: Direction, receiver: Direction, timeMs: number): boolean {
  if (sender.from !== 'server' || !receiver.started) return false;
  return sender.roundTrip.recentMs(timeMs) > 2 * receiver.roundTrip.recentMs(timeMs);
}
