import { codelDrops, makeCodel, type Codel } from './codel.ts';
import type { PlanDirection } from './plan.ts';
import { makeStreams, uniform, type Streams } from './random.ts';

/** Why a packet does not arrive: negative, so that it cannot be taken for an arrival time. */
export const LOST = -1;
export const QUEUE_FULL = -2;
export const DOWN = -3;

const STREAMS_PER_DIRECTION = 3;
const [LOSS, JITTER, REORDER] = [0, 1, 2] as const;

/**
 * All link directions as flat columns. A packet passes, in this order: the drop-tail queue and the transmitter (rate), the
 * wire's loss, its propagation delay with jitter, and possibly a hold-back that lets later packets overtake it. Time is the
 * caller's, in milliseconds; nothing here waits.
 */
export interface Links {
  delayMs: Float64Array;
  jitterMs: Float64Array;
  lossRatio: Float64Array;
  /** Gilbert model: chance per packet to leave / enter the losing state; 0 for independent losses. */
  leaveBurst: Float64Array;
  enterBurst: Float64Array;
  inBurst: Uint8Array;
  reorderRatio: Float64Array;
  reorderMs: Float64Array;
  duplicateRatio: Float64Array;
  msPerByte: Float64Array;
  queueMs: Float64Array;
  mtu: Int32Array;
  down: Uint8Array;
  /** When the transmitter becomes free, and the latest arrival handed out. */
  freeAtMs: Float64Array;
  lastArrivalMs: Float64Array;
  /** Start times of packets still waiting, per direction a ring; undefined where the queue is measured in time. */
  waiting: (StartRing | undefined)[];
  /** Where CoDel manages the queue. */
  codel: (Codel | undefined)[];
  streams: Streams;
}

interface StartRing {
  startsMs: Float64Array;
  head: number;
  count: number;
}

export function makeLinks(directions: readonly PlanDirection[], seed: number): Links {
  const count = directions.length;
  const column = () => new Float64Array(count);
  const links: Links = {
    delayMs: column(),
    jitterMs: column(),
    lossRatio: column(),
    leaveBurst: column(),
    enterBurst: column(),
    inBurst: new Uint8Array(count),
    reorderRatio: column(),
    reorderMs: column(),
    duplicateRatio: column(),
    msPerByte: column(),
    queueMs: column(),
    mtu: new Int32Array(count),
    down: new Uint8Array(count),
    freeAtMs: column(),
    lastArrivalMs: column(),
    waiting: [],
    codel: [],
    // One more stream each for duplicates, behind all others: what a seed loses does not depend on features added later.
    streams: makeStreams(seed, count * (STREAMS_PER_DIRECTION + 1)),
  };
  directions.forEach((one, direction) => setLink(links, direction, one));
  return links;
}

/** Gives a direction its conditions; what is under way stays so, and the queue's packets leave as was decided for them. */
export function setLink(links: Links, direction: number, one: PlanDirection): void {
  links.delayMs[direction] = one.delayMs;
  links.jitterMs[direction] = one.jitterMs;
  links.lossRatio[direction] = one.lossRatio;
  links.leaveBurst[direction] = one.meanBurst > 0 ? 1 / one.meanBurst : 0;
  links.enterBurst[direction] =
    one.meanBurst > 0 ? Math.min(1, one.lossRatio / (one.meanBurst * (1 - one.lossRatio))) : 0;
  links.reorderRatio[direction] = one.reorderRatio;
  links.reorderMs[direction] = one.reorderMs;
  links.duplicateRatio[direction] = one.duplicateRatio;
  links.msPerByte[direction] = one.rateMbit > 0 ? 8 / (one.rateMbit * 1000) : 0;
  links.queueMs[direction] = one.queueMs;
  links.mtu[direction] = one.mtu;
  const places = one.rateMbit > 0 ? one.queuePackets : 0;
  if ((links.waiting[direction]?.startsMs.length ?? 0) !== places)
    links.waiting[direction] = places > 0 ? { startsMs: new Float64Array(places), head: 0, count: 0 } : undefined;
  links.codel[direction] = one.codel && one.rateMbit > 0 ? (links.codel[direction] ?? makeCodel()) : undefined;
}

/** Whether a packet that arrives arrives twice; draws once per call. */
export function duplicates(links: Links, direction: number): boolean {
  const ratio = links.duplicateRatio[direction]!;
  if (ratio === 0) return false;
  return uniform(links.streams, links.delayMs.length * STREAMS_PER_DIRECTION + direction) < ratio;
}

/** When a packet of `bytes` offered at `nowMs` reaches the far end, or LOST, QUEUE_FULL, DOWN. Called once per packet and hop. */
export function passLink(links: Links, direction: number, nowMs: number, bytes: number): number {
  if (links.down[direction] === 1) return DOWN;
  let sentMs = nowMs;
  const msPerByte = links.msPerByte[direction]!;
  if (msPerByte > 0) {
    const startMs = Math.max(nowMs, links.freeAtMs[direction]!);
    if (!queueTakes(links, direction, nowMs, startMs)) return QUEUE_FULL;
    const codel = links.codel[direction];
    if (codel && codelDrops(codel, startMs, startMs - nowMs)) return QUEUE_FULL;
    sentMs = startMs + bytes * msPerByte;
    links.freeAtMs[direction] = sentMs;
  }
  if (loses(links, direction)) return LOST;
  let arrivalMs = sentMs + links.delayMs[direction]!;
  const jitterMs = links.jitterMs[direction]!;
  const stream = direction * STREAMS_PER_DIRECTION;
  if (jitterMs > 0) arrivalMs += jitterMs * uniform(links.streams, stream + JITTER);
  // Jitter alone never reorders: real queues are first in, first out, and reordering has its own setting.
  if (arrivalMs < links.lastArrivalMs[direction]!) arrivalMs = links.lastArrivalMs[direction]!;
  const reorderRatio = links.reorderRatio[direction]!;
  if (reorderRatio > 0 && uniform(links.streams, stream + REORDER) < reorderRatio)
    return arrivalMs + links.reorderMs[direction]!;
  links.lastArrivalMs[direction] = arrivalMs;
  return arrivalMs;
}

function queueTakes(links: Links, direction: number, nowMs: number, startMs: number): boolean {
  const ring = links.waiting[direction];
  if (!ring) return startMs - nowMs <= links.queueMs[direction]!;
  const capacity = ring.startsMs.length;
  while (ring.count > 0 && ring.startsMs[ring.head]! <= nowMs) {
    ring.head = (ring.head + 1) % capacity;
    ring.count -= 1;
  }
  if (startMs <= nowMs) return true;
  if (ring.count === capacity) return false;
  ring.startsMs[(ring.head + ring.count) % capacity] = startMs;
  ring.count += 1;
  return true;
}

function loses(links: Links, direction: number): boolean {
  const lossRatio = links.lossRatio[direction]!;
  if (lossRatio === 0) return false;
  const draw = uniform(links.streams, direction * STREAMS_PER_DIRECTION + LOSS);
  if (links.leaveBurst[direction] === 0) return draw < lossRatio;
  const inBurst = links.inBurst[direction] === 1;
  const losing = inBurst ? draw >= links.leaveBurst[direction]! : draw < links.enterBurst[direction]!;
  links.inBurst[direction] = losing ? 1 : 0;
  return losing;
}
