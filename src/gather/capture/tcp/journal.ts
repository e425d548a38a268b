import type { Packet } from '../../../wire/packet/packet.ts';
import type { Direction } from './direction.ts';
import type { Retransmission, TcpEvent } from './event.ts';
import type { Hole } from './hole.ts';
import { Incidents } from './incidents.ts';
import type { Resent } from './verdict.ts';

/** Acknowledged, but not seen: for this long it may still come, captured late. */
export const captureGraceMs = 20;

/** What is found out about a connection goes here: counted at its side, told as an event, kept for what stalls are explained by. */
export class Journal {
  readonly incidents = new Incidents();
  /** Of the packet that is looked at. */
  frameNumber = 0;
  readonly #event: (event: TcpEvent) => void;

  constructor(event: (event: TcpEvent) => void) {
    this.#event = event;
  }

  resent(sender: Direction, event: Retransmission, hole: Hole | null, packet: Packet): void {
    sender.retransmissions += 1;
    sender.retransmittedSegments += event.segments;
    sender.retransmittedOctets += event.octets;
    sender.byTrigger[event.trigger] += 1;
    if (event.original === 'unseen') sender.unseenOriginals += 1;
    if (event.spurious) sender.spurious += event.segments;
    if (!sender.hasStamps) sender.roundTrip.forgetWaiting();
    sender.remember(event, hole, packet);
    sender.lastResentMs = event.timeMs;
    // What the other end lacked it was sent.
    if (hole) sender.lackedMs = Number.NEGATIVE_INFINITY;
    this.#event(event);
  }

  reordered(sender: Direction, of: Resent): void {
    const { timeMs, offset, payload: octets, frameNumber, signal, confidence, waitedMs } = of;
    const { from } = sender;
    sender.reordered += 1;
    this.#event({ kind: 'reordering', timeMs, from, offset, octets, frameNumber, signal, confidence, waitedMs });
  }

  /** Holes that the receiver has acknowledged for a while: not the network lost them, but the capture. By their own time, whenever asked. */
  settleHoles(direction: Direction, timeMs: number): void {
    const { holes } = direction;
    while (holes.length > 0 && timeMs - holes[0]!.ackedMs > captureGraceMs)
      this.captureLoss(direction, holes[0]!.ackedMs + captureGraceMs);
  }

  /** The first hole will not be filled. */
  captureLoss(direction: Direction, timeMs: number): void {
    const { start, end, openedMs } = direction.holes.shift()!;
    const { from } = direction;
    const octets = end - start;
    direction.captureLosses += 1;
    direction.captureLossOctets += octets;
    this.incidents.add('capture-loss', direction.index, openedMs, timeMs, start, end, 'high');
    this.#event({ kind: 'capture-loss', timeMs: openedMs, from, offset: start, octets, frameNumber: this.frameNumber });
    direction.inOrder.lost(end, timeMs);
  }

  /** The window that this end had closed is open again, or the capture is over. */
  windowOpened(direction: Direction, timeMs: number): void {
    const sinceMs = direction.zeroWindowSinceMs;
    const { from } = direction;
    direction.zeroWindowSinceMs = Number.NaN;
    direction.zeroWindowMs += timeMs - sinceMs;
    // It was the other end that could not send.
    this.incidents.add('zero-window', direction.index === 0 ? 1 : 0, sinceMs, timeMs, 0, 0, 'high');
    const { frameNumber } = this;
    this.#event({ kind: 'zero-window', timeMs: sinceMs, endMs: timeMs, from, offset: 0, octets: 0, frameNumber });
  }
}
