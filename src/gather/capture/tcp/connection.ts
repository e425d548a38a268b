import { tcpFlag, type Packet } from '../../../wire/packet/packet.ts';
import type { StreamSink } from '../stream-sink.ts';
import { Direction, implausibleOctets } from './direction.ts';
import type { Retransmission, Side, TcpEvent } from './event.ts';
import { fill, type Hole, maxHoles, overlapping } from './hole.ts';
import { InOrder } from './in-order.ts';
import { Incidents } from './incidents.ts';
import { fillsHole, lateOriginal, learnsAfter, type Resent, retransmissionOf, wholeRoundTripMs } from './verdict.ts';

const { fin, syn, rst, ack, ece } = tcpFlag;
/** Acknowledged, but not seen: for this long it may still come, captured late. */
const captureGraceMs = 20;
/** The timer of a handshake is 1 s (RFC 6298), less what clocks differ. */
const handshakeTimerMs = 900;
/** A shorter delay explains no stall. */
const leastDelayMs = 15;
/** A packet sent within this time of an acknowledgement was waiting for it. */
const answersMs = 1;
/** Linux delays acknowledgements by 40 ms or more, others by up to 500 (RFC 1122 section 4.2.3.2); less what round trips vary. */
const delayedAckMs = 30;
const longestDelayedAckMs = 500;

/**
 * One TCP connection at the tap: what was sent again, overtaken, lost to the capture; round trips to both sides; windows; who held
 * it up. One pass, in the order of the capture, with memory for what is in flight only.
 */
export class Connection {
  readonly client: Direction;
  readonly server: Direction;
  readonly incidents = new Incidents();
  handshakeMs = Number.NaN;
  /** Both ends were heard. */
  #event: (event: TcpEvent) => void;
  #frameNumber = 0;

  constructor(sink: StreamSink, event: (event: TcpEvent) => void) {
    this.client = new Direction('client', new InOrder(0, sink));
    this.server = new Direction('server', new InOrder(1, sink));
    this.#event = event;
  }

  /** Ended by both sides, or by a reset. */
  get closed(): boolean {
    const { client, server } = this;
    return client.reset || server.reset || (client.acked > client.finOffset && server.acked > server.finOffset);
  }

  packet(packet: Packet, timeMs: number, fromClient: boolean, frameNumber: number): void {
    const sender = fromClient ? this.client : this.server;
    const receiver = fromClient ? this.server : this.client;
    this.#frameNumber = frameNumber;
    const { flags } = packet;
    const payload = Math.max(0, packet.payloadBytes);
    const segments = payload > 0 ? Math.ceil(payload / sender.segmentOctets) : 1;
    sender.packets += 1;
    if (Number.isNaN(sender.firstMs)) sender.firstMs = timeMs;
    if (packet.version === 4) sender.ipId.seen(packet.ipId, segments);
    if (packet.ecn === 3) sender.congestionMarks += 1;
    if ((flags & ece) !== 0 && (flags & syn) === 0) sender.congestionEchoes += 1;
    if ((flags & rst) !== 0) {
      sender.reset = true;
      sender.lastMs = timeMs;
      return;
    }
    if ((flags & syn) !== 0) this.#handshake(packet, sender, receiver, timeMs);
    else if (!sender.started) this.#begin(sender, packet);
    const offset = sender.offsetOf(packet.sequence) + ((flags & syn) === 0 ? 0 : 1);
    if (Math.abs(offset - sender.next) > implausibleOctets) {
      sender.implausible += 1;
      return;
    }
    this.#stamps(packet, sender, receiver, timeMs);
    if ((flags & ack) !== 0) this.#acknowledge(packet, sender, receiver, payload, offset, timeMs);
    this.#window(packet, sender, receiver, timeMs);
    const end = offset + payload + ((flags & fin) === 0 ? 0 : 1);
    if ((flags & fin) !== 0) sender.finOffset = offset + payload;
    if (end > offset) this.#data(packet, sender, receiver, offset, end, payload, segments, timeMs);
    else if (offset === sender.next - 1 && (flags & (syn | fin)) === 0) sender.keepAlives += 1;
    else if (offset > sender.next) this.#open(sender, sender.next, offset, packet, timeMs);
    sender.lastMs = timeMs;
  }

  /** To be asked now and then, and at the end: what was acknowledged and has not come will not. */
  settle(timeMs: number): void {
    this.#lose(this.client, timeMs);
    this.#lose(this.server, timeMs);
    this.client.inOrder.acked(Number.NEGATIVE_INFINITY, timeMs);
    this.server.inOrder.acked(Number.NEGATIVE_INFINITY, timeMs);
  }

  finish(timeMs: number): void {
    this.settle(timeMs + captureGraceMs + 1);
    for (const direction of [this.client, this.server]) {
      direction.inOrder.acked(Number.POSITIVE_INFINITY, timeMs);
      if (direction.zeroWindowSinceMs === direction.zeroWindowSinceMs) this.#opened(direction, timeMs);
    }
  }

  #handshake(packet: Packet, sender: Direction, receiver: Direction, timeMs: number): void {
    const again = sender.hasSyn && (packet.sequence + 1) >>> 0 === sender.first32;
    sender.hasStamps = packet.hasTimestamps;
    sender.windowScale = packet.windowScale;
    sender.sackPermitted = packet.sackPermitted;
    // What this end will take is what the other one sends.
    if (packet.mss > 0) receiver.mss = receiver.mss > 0 ? Math.min(receiver.mss, packet.mss) : packet.mss;
    if (packet.mss > 0) sender.mss = sender.mss > 0 ? Math.min(sender.mss, packet.mss) : packet.mss;
    if (again) {
      const spurious = receiver.hasSyn && sender.from === 'client';
      const event = handshakeEvent(sender.from, timeMs, timeMs - sender.synMs, this.#frameNumber);
      this.#count(sender, { ...event, spurious }, null);
      sender.roundTrip.forgetWaiting();
    } else if (!sender.started || sender.next <= 0) {
      sender.begin((packet.sequence + 1) >>> 0, 0);
      sender.inOrder.begin(0);
      sender.firstStamp = packet.tsVal;
      sender.firstIpId = packet.ipId;
      if ((packet.flags & ack) !== 0 && receiver.hasSyn) this.#answered(packet, sender, receiver, timeMs);
    }
    sender.hasSyn = true;
    sender.synMs = timeMs;
  }

  /**
   * The first SYN-ACK at the tap. Where it answers the first SYN, by its echo, and yet comes after the timer of the handshake, it is a
   * second copy, and the first was lost before the tap.
   */
  #answered(packet: Packet, sender: Direction, receiver: Direction, timeMs: number): void {
    const waitedMs = timeMs - receiver.firstMs;
    if (!packet.hasTimestamps || packet.tsEcr !== receiver.firstStamp || waitedMs < handshakeTimerMs) {
      if (receiver.retransmissions === 0) receiver.roundTrip.handshake(timeMs - receiver.synMs, timeMs);
      return;
    }
    const event = handshakeEvent(sender.from, timeMs, waitedMs, this.#frameNumber);
    this.#count(sender, { ...event, original: 'unseen', signal: 'timestamp', confidence: 'medium' }, null);
  }

  #begin(sender: Direction, packet: Packet): void {
    sender.begin(packet.sequence, 0);
    sender.inOrder.begin(0);
    sender.hasStamps = packet.hasTimestamps;
    sender.firstStamp = packet.tsVal;
    sender.firstIpId = packet.ipId;
  }

  #stamps(packet: Packet, sender: Direction, receiver: Direction, timeMs: number): void {
    if (!packet.hasTimestamps) return;
    if (packet.tsVal !== 0) sender.roundTrip.sent(packet.tsVal, timeMs);
    // A SYN-ACK may be a second copy; #answered looks at it.
    if ((packet.flags & (ack | syn)) === ack && packet.tsEcr !== 0)
      receiver.roundTrip.echoedStamp(packet.tsEcr, timeMs);
  }

  /** `sender` tells what it got of `receiver`'s octets. */
  #acknowledge(
    packet: Packet,
    sender: Direction,
    receiver: Direction,
    payload: number,
    offset: number,
    timeMs: number,
  ): void {
    if (!receiver.started) return;
    const acked = receiver.offsetOf(packet.acknowledgement);
    if (Math.abs(acked - receiver.next) > implausibleOctets) return;
    if (packet.sackBlocks > 0) this.#selective(packet, receiver, acked);
    if (acked > receiver.acked) {
      if (Number.isNaN(this.handshakeMs) && sender.from === 'client' && receiver.hasSyn && acked === 0) {
        if (receiver.retransmissions === 0) receiver.roundTrip.handshake(timeMs - receiver.synMs, timeMs);
        if (sender.hasSyn) this.handshakeMs = timeMs - sender.synMs;
      }
      receiver.acked = acked;
      receiver.duplicateAcks = 0;
      receiver.lastAckMs = timeMs;
      if (!receiver.hasStamps) receiver.roundTrip.acknowledged(acked, timeMs);
      if (acked > receiver.next && receiver.dataPackets > 0) {
        const from = receiver.next;
        receiver.advance(acked);
        receiver.holes.push({
          start: from,
          end: acked,
          openedMs: timeMs,
          openerStamp: 0,
          openerHasStamp: false,
          openerIpId: -1,
          ackedMs: timeMs,
        });
      }
      for (const hole of receiver.holes) if (hole.end <= acked && Number.isNaN(hole.ackedMs)) hole.ackedMs = timeMs;
      receiver.inOrder.acked(acked, timeMs);
    } else if (
      acked === receiver.acked &&
      payload === 0 &&
      offset === sender.next &&
      receiver.next > acked &&
      packet.window === sender.windowRaw &&
      (packet.flags & (syn | fin)) === 0
    )
      receiver.duplicateAcks += 1;
    if (receiver.holes.length > 0) this.#lose(receiver, timeMs);
  }

  /** RFC 2018, and RFC 2883 for what came twice. */
  #selective(packet: Packet, receiver: Direction, acked: number): void {
    for (let i = 0; i < packet.sackBlocks; i++) {
      const left = receiver.offsetOf(packet.sack[2 * i]!);
      const right = receiver.offsetOf(packet.sack[2 * i + 1]!);
      if (right <= left || right > receiver.next + implausibleOctets) continue;
      const inSecond =
        i === 0 &&
        packet.sackBlocks > 1 &&
        left >= receiver.offsetOf(packet.sack[2]!) &&
        right <= receiver.offsetOf(packet.sack[3]!);
      if (i === 0 && (right <= acked || inSecond)) this.#cameTwice(receiver, left, right);
      else if (right > receiver.sackedTo) receiver.sackedTo = right;
    }
  }

  #cameTwice(receiver: Direction, left: number, right: number): void {
    const event = receiver.recent.find(
      ({ event: one }) => !one.spurious && one.offset < right && one.offset + one.octets > left,
    )?.event;
    if (!event) return;
    event.spurious = true;
    receiver.spurious += event.segments;
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
    } else if (!closed && sender.zeroWindowSinceMs === sender.zeroWindowSinceMs) this.#opened(sender, timeMs);
  }

  #opened(sender: Direction, timeMs: number): void {
    const sinceMs = sender.zeroWindowSinceMs;
    sender.zeroWindowSinceMs = Number.NaN;
    sender.zeroWindowMs += timeMs - sinceMs;
    this.incidents.add('zero-window', sender.from === 'client' ? 1 : 0, sinceMs, timeMs, 0, 0, 'high');
    this.#event({
      kind: 'zero-window',
      timeMs: sinceMs,
      endMs: timeMs,
      from: sender.from,
      offset: 0,
      octets: 0,
      frameNumber: this.#frameNumber,
    });
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
    if (payload <= 1 && offset === sender.next - 1 && sender.acked >= sender.next && end <= sender.next) {
      sender.keepAlives += 1;
      return;
    }
    sender.dataPackets += 1;
    sender.payloadOctets += payload;
    if (payload > sender.largestPayload) sender.largestPayload = payload;
    const before = sender.next;
    if (offset === before && payload < sender.segmentOctets) this.#waited(sender, receiver, offset, end, timeMs);
    if (offset >= before) {
      this.#held(sender, receiver, end, timeMs);
      if (packet.hasTimestamps) this.#delayed(sender, packet.tsVal, offset, end, timeMs);
    }
    if (offset > before) this.#open(sender, before, offset, packet, timeMs);
    else if (offset < before || sender.untracedLosses + sender.ipId.gapBefore > 0) {
      const frameNumber = this.#frameNumber;
      const waitedMs = timeMs - sender.lastDataMs;
      const of: Resent = {
        offset,
        end,
        payload,
        segments,
        timeMs,
        waitedMs,
        frameNumber,
        signal: 'range-seen',
        confidence: 'high',
        original: 'seen',
      };
      if (offset < before) this.#again(packet, sender, receiver, of);
      else this.#follows(sender, receiver, of);
    }
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
        this.#holds(sender, receiver, timeMs),
      );
  }

  /** The tap is near the server: what passes may still be lost, and counts when it is acknowledged. What the client asks counts at once. */
  #holds(sender: Direction, receiver: Direction, timeMs: number): boolean {
    const thereMs = sender.roundTrip.recentMs(timeMs);
    const hereMs = receiver.roundTrip.recentMs(timeMs);
    return sender.from === 'server' && thereMs > 2 * hereMs && receiver.started;
  }

  #open(sender: Direction, from: number, to: number, packet: Packet, timeMs: number): void {
    if (sender.holes.length >= maxHoles) this.#loseFirst(sender, timeMs);
    sender.holes.push({
      start: from,
      end: to,
      openedMs: timeMs,
      openerStamp: packet.tsVal,
      openerHasStamp: packet.hasTimestamps,
      openerIpId: packet.ipId,
      ackedMs: from < sender.acked && to <= sender.acked ? timeMs : Number.NaN,
    });
    sender.advance(to);
  }

  /**
   * In order, but the sender's counter says that it sent something that neither came nor left a hole, and nothing was asked of it that it
   * could have acknowledged: the end of a burst was lost before the tap, and this is its second copy.
   */
  #follows(sender: Direction, receiver: Direction, of: Resent): void {
    sender.untracedLosses += sender.ipId.gapBefore;
    // While the receiver lacks something, what was lost may have been a copy of that.
    if (sender.holes.length > 0 || sender.acked < of.offset) return;
    const idleMs = of.timeMs - sender.lastMs;
    if (!sender.ipId.usable || receiver.lastDataMs > sender.lastMs) sender.untracedLosses = 0;
    else if (idleMs > learnsAfter * wholeRoundTripMs(sender, receiver, of.timeMs)) {
      sender.untracedLosses = Math.max(0, sender.untracedLosses - of.segments);
      this.incidents.add('lost-upstream', directionOf(sender), sender.lastMs, of.timeMs, of.offset, of.end, 'medium');
      this.#count(
        sender,
        retransmissionOf(sender, receiver, {
          ...of,
          waitedMs: idleMs,
          signal: 'ip-id',
          confidence: 'medium',
          original: 'unseen',
        }),
        null,
      );
    }
  }

  /** Octets below what was seen already: into a hole, or once more. */
  #again(packet: Packet, sender: Direction, receiver: Direction, of: Resent): void {
    const { offset, end } = of;
    const index = overlapping(sender.holes, offset, end);
    const hole = index < 0 ? null : sender.holes[index]!;
    if (hole) this.#fills(hole, packet, sender, receiver, of);
    else this.#repeats(packet, sender, receiver, of, offset < 0 && !sender.hasSyn);
    for (let at = overlapping(sender.holes, offset, end); at >= 0; at = overlapping(sender.holes, offset, end))
      fill(sender.holes, at, offset, end);
    // With a hole open what was lost may have been a copy for it; once none is left, only what was lost just now is open.
    sender.untracedLosses = sender.ipId.gapBefore + (sender.holes.length > 0 ? sender.untracedLosses : 0);
  }

  #fills(hole: Hole, packet: Packet, sender: Direction, receiver: Direction, of: Resent): void {
    // Reaching beyond the hole it is cut otherwise than what was sent first.
    const isWithin = of.offset >= hole.start && of.end <= hole.end;
    const { again, signal, confidence } = isWithin
      ? fillsHole(hole, packet, sender, receiver, of.timeMs)
      : ({ again: true, signal: 'range-seen', confidence: 'high' } as const);
    const found = { ...of, waitedMs: of.timeMs - hole.openedMs, signal, confidence, original: 'unseen' } as const;
    if (again) this.#count(sender, retransmissionOf(sender, receiver, found), hole);
    else this.#reorder(sender, found);
    const kind = again ? 'lost-upstream' : 'reordered';
    this.incidents.add(kind, directionOf(sender), hole.openedMs, of.timeMs, hole.start, hole.end, confidence);
  }

  #repeats(packet: Packet, sender: Direction, receiver: Direction, of: Resent, beforeStart: boolean): void {
    const first = beforeStart ? null : lateOriginal(sender, packet, of);
    if (first) {
      // Not lost, but slower than its second copy: that one was sent for nothing.
      if (!first.event.spurious) sender.spurious += first.event.segments;
      first.event.spurious = true;
      return this.#reorder(sender, { ...of, signal: first.signal, confidence: 'high' });
    }
    if (beforeStart && packet.hasTimestamps && ((packet.tsVal - sender.firstStamp) | 0) < 0)
      return this.#reorder(sender, { ...of, signal: 'timestamp', confidence: 'medium' });
    const event = retransmissionOf(sender, receiver, {
      ...of,
      confidence: beforeStart ? 'medium' : 'high',
      original: beforeStart ? 'unseen' : 'seen',
    });
    this.#count(sender, event, null);
    if (event.spurious) return;
    const sentMs = sender.inOrder.sentAgain(of.offset, of.end, of.timeMs);
    const firstMs = Number.isNaN(sentMs) ? Math.max(sender.lastAckMs, sender.firstMs) : sentMs;
    this.incidents.add('lost-downstream', directionOf(sender), firstMs, of.timeMs, of.offset, of.end, 'high');
  }

  #reorder(sender: Direction, of: Resent): void {
    const { timeMs, offset, payload: octets, frameNumber, signal, confidence, waitedMs } = of;
    sender.reordered += 1;
    this.#event({
      kind: 'reordering',
      timeMs,
      from: sender.from,
      offset,
      octets,
      frameNumber,
      signal,
      confidence,
      waitedMs,
    });
  }

  #count(sender: Direction, event: Retransmission, hole: Hole | null): void {
    sender.retransmissions += 1;
    sender.retransmittedSegments += event.segments;
    sender.retransmittedOctets += event.octets;
    sender.byTrigger[event.trigger] += 1;
    if (event.original === 'unseen') sender.unseenOriginals += 1;
    if (event.spurious) sender.spurious += event.segments;
    if (!sender.hasStamps) sender.roundTrip.forgetWaiting();
    sender.remember(event, hole);
    this.#event(event);
  }

  /** Holes that the receiver has acknowledged for a while: not the network lost them, but the capture. */
  #lose(direction: Direction, timeMs: number): void {
    while (direction.holes.length > 0 && timeMs - direction.holes[0]!.ackedMs > captureGraceMs)
      this.#loseFirst(direction, timeMs);
  }

  #loseFirst(direction: Direction, timeMs: number): void {
    const hole = direction.holes.shift()!;
    const octets = hole.end - hole.start;
    direction.captureLosses += 1;
    direction.captureLossOctets += octets;
    this.incidents.add('capture-loss', directionOf(direction), hole.openedMs, timeMs, hole.start, hole.end, 'high');
    this.#event({
      kind: 'capture-loss',
      timeMs: hole.openedMs,
      from: direction.from,
      offset: hole.start,
      octets,
      frameNumber: this.#frameNumber,
    });
    direction.inOrder.lost(hole.end, timeMs);
  }

  /**
   * Nagle’s algorithm against a delayed acknowledgement: a small packet that goes out just after everything before it was acknowledged,
   * and that acknowledgement came late though nothing was lost.
   */
  #waited(sender: Direction, receiver: Direction, offset: number, end: number, timeMs: number): void {
    const delayMs = sender.lastAckMs - sender.lastDataMs;
    const awayMs = sender.roundTrip.recentMs(timeMs);
    const nearMs = receiver.roundTrip.recentMs(timeMs);
    if (
      !(delayMs >= delayedAckMs + (awayMs >= 0 ? awayMs : 0)) ||
      delayMs > longestDelayedAckMs ||
      sender.acked !== offset
    )
      return;
    if (timeMs - sender.lastAckMs > answersMs + (nearMs >= 0 ? 1.5 * nearMs : 0)) return;
    sender.nagleWaits += 1;
    this.incidents.add('nagle-wait', directionOf(sender), sender.lastDataMs, timeMs, offset, end, 'medium');
  }

  /** Data that comes later after the data before it than it was sent after it, by the sender’s own clock. */
  #delayed(sender: Direction, stamp: number, offset: number, end: number, timeMs: number): void {
    const { clock } = sender;
    clock.seen(stamp, timeMs);
    const sentMs = clock.betweenMs(sender.lastDataStamp, stamp);
    sender.lastDataStamp = stamp;
    const laterMs = timeMs - sender.lastDataMs - sentMs - clock.tickMs;
    if (laterMs >= leastDelayMs)
      this.incidents.add('delayed', directionOf(sender), timeMs - laterMs, timeMs, offset, end, 'high');
  }

  /** What new data was waiting for. */
  #held(sender: Direction, receiver: Direction, end: number, timeMs: number): void {
    const sinceMs = timeMs - Math.max(sender.lastDataMs, sender.firstMs);
    const windowOctets = receiver.windowOctets;
    const full =
      windowOctets >= 0 && Number.isFinite(sender.acked) && end - sender.acked >= windowOctets - sender.segmentOctets;
    if (full && windowOctets >= 0 && end - sender.acked === windowOctets) sender.windowFull += 1;
    if (!(sinceMs > 0)) return;
    if (full) sender.heldMs.receiver += sinceMs;
    else if (sender.outstanding === 0) sender.heldMs.sender += sinceMs;
    else if (sender.sackedTo > sender.acked || sender.timeoutRecovery > sender.acked) sender.heldMs.recovery += sinceMs;
    else {
      const nearMs = receiver.roundTrip.recentMs(timeMs);
      const answered = timeMs - sender.lastAckMs <= answersMs + (nearMs >= 0 ? 1.5 * nearMs : 0);
      if (answered) sender.heldMs.network += sinceMs;
      else sender.heldMs.sender += sinceMs;
    }
  }
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

function directionOf(direction: Direction): 0 | 1 {
  return direction.from === 'client' ? 0 : 1;
}
