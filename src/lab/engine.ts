import { packetVersion, word } from '../wire/ip.ts';
import { findNode } from './address-table.ts';
import { directionTo } from './balance.ts';
import { hostNames } from './counters.ts';
import { popHeap } from './heap.ts';
import { route, sendOwn } from './router.ts';
import { passTime } from './changes.ts';
import { arrivalKind, bump, count, discard, dropSlot, offer, type Engine } from './state.ts';

/**
 * The emulated network without any device: packets come in with `enter()`, wait in a heap until due, pass routers and links,
 * and leave through a callback. Each hop counts from the moment the packet was due, not from the moment this thread got round
 * to it: lateness does not add up along a path.
 */

/** Called with a packet that reached its host; the slot is free again when it returns. */
export type Deliver = (host: number, slot: number, dueMs: number) => void;

const HOST_COLUMNS = hostNames.length;

/** Takes over the packet that `host` sent, `length` bytes in `slot`. */
export function enter(engine: Engine, host: number, slot: number, length: number, nowMs: number): void {
  const { bytes } = engine;
  const at = slot * engine.slotBytes;
  count(engine, 'read');
  bump(engine.counters.hosts, host * HOST_COLUMNS);
  const version = packetVersion(bytes, at, length);
  if (version === 0) return discard(engine, slot, 'malformed');
  if (isLinkScoped(bytes, at, version)) return discard(engine, slot, 'multicastIgnored');
  if (nowMs >= engine.timeline.nextMs) passTime(engine, nowMs);
  engine.length[slot] = version === 4 ? word(bytes, at + 2) : word(bytes, at + 4) + 40;
  const target = findNode(engine.owners, bytes, at + (version === 4 ? 16 : 24), version);
  engine.target[slot] = target;
  const known = directionTo(engine, host, target, slot);
  const direction = known < 0 ? engine.defaultDirection[host]! : known;
  if (direction < 0) return discard(engine, slot, 'noRoute');
  offer(engine, direction, slot, nowMs);
}

/** Multicast, and anything from or to fe80::/10: router solicitations and the like that a host emits by itself. */
function isLinkScoped(bytes: Uint8Array, at: number, version: 4 | 6): boolean {
  if (version === 4) return bytes[at + 16]! >= 224;
  return bytes[at + 24] === 0xff || bytes[at + 24] === 0xfe || bytes[at + 8] === 0xfe;
}

/** When the next packet is due, ms; Infinity when none is in flight. */
export function nextDueMs(engine: Engine): number {
  return engine.heap.size === 0 ? Number.POSITIVE_INFINITY : engine.heap.dueMs[0]!;
}

/** Handles every packet due at `nowMs`, at most `limit` of them so that reading goes on under load. */
export function advance(engine: Engine, nowMs: number, limit: number, deliver: Deliver): void {
  const { heap } = engine;
  for (let handled = 0; handled < limit && heap.size > 0; handled += 1) {
    const dueMs = heap.dueMs[0]!;
    if (dueMs > nowMs) return;
    if (dueMs >= engine.timeline.nextMs) passTime(engine, dueMs);
    const slot = popHeap(heap);
    const via = engine.via[slot]!;
    const node = engine.toNode[via]!;
    const kind = engine.arrival[via]!;
    if (kind === arrivalKind.router) route(engine, node, slot, dueMs);
    else if (kind === arrivalKind.host) arrive(engine, node, slot, dueMs, deliver);
    else sendOwn(engine, node, slot, dueMs);
  }
}

function arrive(engine: Engine, host: number, slot: number, dueMs: number, deliver: Deliver): void {
  if (engine.target[slot] !== host) return discard(engine, slot, 'noRoute');
  deliver(host, slot, dueMs);
  dropSlot(engine, slot);
}
