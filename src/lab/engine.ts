import {
  addressBytes,
  decrementTtl4,
  fragments4,
  headerLength4,
  packetVersion,
  protocol,
  sealHeader4,
  setWord,
  word,
} from '../wire/ip.ts';
import { findNode, makeAddressTable, type AddressTable } from './address-table.ts';
import { directionNames, hostNames, total, type Counters, type TotalName } from './counters.ts';
import { makeHeap, popHeap, pushHeap, type Heap } from './heap.ts';
import { answerEcho, mayAnswer, writeError, type IcmpErrorKind } from './icmp.ts';
import { LOST, makeLinks, passLink, type Links } from './links.ts';
import type { Plan } from './plan.ts';

/**
 * The emulated network without any device: packets come in with `enter()`, wait in a heap until due, pass routers and links,
 * and leave through a callback. All packets lie in one pool of equal slots; a packet is a slot number and columns beside it,
 * so that nothing is allocated while forwarding. Each hop counts from the moment the packet was due, not from the moment this
 * thread got round to it: lateness does not add up along a path.
 */
export interface Engine {
  plan: Plan;
  nodes: number;
  hosts: number;
  links: Links;
  heap: Heap;
  owners: AddressTable;
  counters: Counters;
  /** Per host its first link, taken for destinations that nobody owns. */
  defaultDirection: Int32Array;
  isRouter: Uint8Array;
  address4: Uint8Array[];
  address6: Uint8Array[];
  icmpTokens: Float64Array;
  icmpFilledAtMs: Float64Array;
  bytes: Uint8Array;
  slotBytes: number;
  /** Columns per slot: packet length, owner of the destination (-1: nobody), node where it is or will arrive. */
  length: Int32Array;
  target: Int16Array;
  node: Int16Array;
  free: Int32Array;
  freeCount: number;
}

/** Called with a packet that reached its host; the slot is free again when it returns. */
export type Deliver = (host: number, slot: number, dueMs: number) => void;

const MAX_SLOTS = 32_768;
const MAX_POOL_BYTES = 128 * 1024 * 1024;
const DIRECTION_COLUMNS = directionNames.length;
const HOST_COLUMNS = hostNames.length;

/** @param pool memory for the packets, at least `poolSize(plan).bytes` long */
export function makeEngine(plan: Plan, counters: Counters, pool: Uint8Array): Engine {
  const { slots, slotBytes } = poolSize(plan);
  const nodes = plan.nodes.length;
  return {
    plan,
    nodes,
    hosts: plan.nodes.filter((node) => node.kind === 'host').length,
    links: makeLinks(plan.directions, plan.seed),
    heap: makeHeap(slots),
    owners: makeAddressTable(
      plan.nodes.flatMap(({ v4, v6 }, node) => [
        { address: v4, node },
        { address: v6, node },
      ]),
    ),
    counters,
    defaultDirection: Int32Array.from(plan.nodes, (_, node) => plan.directions.findIndex((one) => one.from === node)),
    isRouter: Uint8Array.from(plan.nodes, (node) => (node.kind === 'router' ? 1 : 0)),
    address4: plan.nodes.map((node) => addressBytes(node.v4)),
    address6: plan.nodes.map((node) => addressBytes(node.v6)),
    icmpTokens: Float64Array.from(plan.nodes, (node) => node.icmpBurst),
    icmpFilledAtMs: new Float64Array(nodes),
    bytes: pool,
    slotBytes,
    length: new Int32Array(slots),
    target: new Int16Array(slots),
    node: new Int16Array(slots),
    free: Int32Array.from({ length: slots }, (_, index) => slots - 1 - index),
    freeCount: slots,
  };
}

/** Slots as long as the largest MTU, as many as fit in 128 MiB, at most 32,768 (1 Gbit/s for 400 ms). */
export function poolSize(plan: Plan): { slots: number; slotBytes: number; bytes: number } {
  const largest = Math.max(1500, ...plan.directions.map((one) => one.mtu), ...plan.nodes.map((node) => node.mtu));
  const slotBytes = Math.ceil(largest / 64) * 64;
  const slots = Math.min(MAX_SLOTS, Math.floor(MAX_POOL_BYTES / slotBytes));
  return { slots, slotBytes, bytes: slots * slotBytes };
}

function count(engine: Engine, name: TotalName): void {
  const index = total[name];
  engine.counters.totals[index] = engine.counters.totals[index]! + 1;
}

/** A free slot, or -1 (counted) when more packets are in flight than the pool holds. */
export function takeSlot(engine: Engine): number {
  if (engine.freeCount === 0) {
    count(engine, 'poolFull');
    return -1;
  }
  engine.freeCount -= 1;
  return engine.free[engine.freeCount]!;
}

export function dropSlot(engine: Engine, slot: number): void {
  engine.free[engine.freeCount] = slot;
  engine.freeCount += 1;
}

/** Takes over the packet that `host` sent, `length` bytes in `slot`. */
export function enter(engine: Engine, host: number, slot: number, length: number, nowMs: number): void {
  const { bytes } = engine;
  const at = slot * engine.slotBytes;
  count(engine, 'read');
  bump(engine.counters.hosts, host * HOST_COLUMNS);
  const version = packetVersion(bytes, at, length);
  if (version === 0) return discard(engine, slot, 'malformed');
  if (isLinkScoped(bytes, at, version)) return discard(engine, slot, 'multicastIgnored');
  engine.length[slot] = version === 4 ? word(bytes, at + 2) : word(bytes, at + 4) + 40;
  const target = findNode(engine.owners, bytes, at + (version === 4 ? 16 : 24), version);
  engine.target[slot] = target;
  const known = target < 0 ? -1 : engine.plan.next[host * engine.nodes + target]!;
  const direction = known < 0 ? engine.defaultDirection[host]! : known;
  if (direction < 0) return discard(engine, slot, 'noRoute');
  offer(engine, direction, slot, nowMs);
}

/** Multicast, and anything from or to fe80::/10: router solicitations and the like that a host emits by itself. */
function isLinkScoped(bytes: Uint8Array, at: number, version: 4 | 6): boolean {
  if (version === 4) return bytes[at + 16]! >= 224;
  return bytes[at + 24] === 0xff || bytes[at + 24] === 0xfe || bytes[at + 8] === 0xfe;
}

function bump(table: Float64Array, index: number): void {
  table[index] = table[index]! + 1;
}

function discard(engine: Engine, slot: number, reason: TotalName): void {
  count(engine, reason);
  dropSlot(engine, slot);
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
    const slot = popHeap(heap);
    const node = engine.node[slot]!;
    if (engine.isRouter[node]) route(engine, node, slot, dueMs);
    else arrive(engine, node, slot, dueMs, deliver);
  }
}

function arrive(engine: Engine, host: number, slot: number, dueMs: number, deliver: Deliver): void {
  if (engine.target[slot] !== host) return discard(engine, slot, 'noRoute');
  deliver(host, slot, dueMs);
  dropSlot(engine, slot);
}

/** Puts the packet on a link: it reaches the far end later, or never. */
function offer(engine: Engine, direction: number, slot: number, atMs: number): void {
  const length = engine.length[slot]!;
  const row = direction * DIRECTION_COLUMNS;
  const counts = engine.counters.directions;
  bump(counts, row);
  counts[row + 1] = counts[row + 1]! + length;
  const dueMs = passLink(engine.links, direction, atMs, length);
  if (dueMs < 0) {
    bump(counts, row + (dueMs === LOST ? 2 : 3));
    return dropSlot(engine, slot);
  }
  engine.node[slot] = engine.plan.directions[direction]!.to;
  pushHeap(engine.heap, dueMs, slot);
}

/** What a router does with a packet, in the order of RFC 1812 §5.2: own address, TTL, route, size. */
function route(engine: Engine, router: number, slot: number, atMs: number): void {
  const { bytes, nodes } = engine;
  const at = slot * engine.slotBytes;
  const target = engine.target[slot]!;
  if (target === router) return answerOwn(engine, router, slot, atMs);
  const version4 = bytes[at]! >> 4 === 4;
  const ttlAt = at + (version4 ? 8 : 7);
  if (bytes[ttlAt]! <= 1) return reject(engine, router, slot, atMs, 'timeExceeded', 'ttlExpired');
  const direction = target < 0 ? -1 : engine.plan.next[router * nodes + target]!;
  if (direction < 0) return reject(engine, router, slot, atMs, 'noRoute', 'noRoute');
  const mtu = engine.plan.directions[direction]!.mtu;
  if (engine.length[slot]! > mtu) {
    const mayFragment = version4 && (word(bytes, at + 6) & DONT_FRAGMENT) === 0;
    if (!mayFragment) return reject(engine, router, slot, atMs, 'tooBig', 'tooBig', mtu);
    decrementTtl4(bytes, at);
    return fragment(engine, direction, slot, atMs, mtu);
  }
  if (version4) decrementTtl4(bytes, at);
  else bytes[ttlAt] = bytes[ttlAt]! - 1;
  offer(engine, direction, slot, atMs);
}

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

/** A router answers echo and refuses UDP; anything else sent to it is ignored, as behind a control-plane filter. */
function answerOwn(engine: Engine, router: number, slot: number, atMs: number): void {
  const at = slot * engine.slotBytes;
  const version4 = engine.bytes[at]! >> 4 === 4;
  if (engine.bytes[at + (version4 ? 9 : 6)] === protocol.udp)
    return reject(engine, router, slot, atMs, 'portUnreachable', 'localIgnored');
  if (!icmpAllowed(engine, router, atMs)) return discard(engine, slot, 'icmpSuppressed');
  if (!answerEcho(engine.bytes, at, engine.length[slot]!)) return discard(engine, slot, 'localIgnored');
  count(engine, 'icmpSent');
  sendFrom(engine, router, slot, atMs);
}

/** Sends a packet that the router itself made, by its destination. */
function sendFrom(engine: Engine, router: number, slot: number, atMs: number): void {
  const at = slot * engine.slotBytes;
  const version = engine.bytes[at]! >> 4 === 4 ? 4 : 6;
  const target = findNode(engine.owners, engine.bytes, at + (version === 4 ? 16 : 24), version);
  const direction = target < 0 ? -1 : engine.plan.next[router * engine.nodes + target]!;
  if (direction < 0) return discard(engine, slot, 'noRoute');
  engine.target[slot] = target;
  offer(engine, direction, slot, atMs);
}

/** Drops the packet and tells its sender why, where the router speaks and the packet may be answered. */
function reject(
  engine: Engine,
  router: number,
  slot: number,
  atMs: number,
  kind: IcmpErrorKind,
  reason: TotalName,
  mtu = 0,
): void {
  const { bytes, slotBytes } = engine;
  count(engine, reason);
  const at = slot * slotBytes;
  if (mayAnswer(bytes, at)) {
    if (icmpAllowed(engine, router, atMs)) {
      const out = takeSlot(engine);
      if (out >= 0) {
        const from = bytes[at]! >> 4 === 4 ? engine.address4[router]! : engine.address6[router]!;
        engine.length[out] = writeError(bytes, at, engine.length[slot]!, out * slotBytes, { kind, from, mtu });
        count(engine, 'icmpSent');
        sendFrom(engine, router, out, atMs);
      }
    } else count(engine, 'icmpSuppressed');
  }
  dropSlot(engine, slot);
}

/** Token bucket over all ICMP of one router; takes a token when it says yes. */
function icmpAllowed(engine: Engine, router: number, atMs: number): boolean {
  const { icmpPerSecond, icmpBurst } = engine.plan.nodes[router]!;
  if (icmpPerSecond === Number.POSITIVE_INFINITY) return true;
  if (icmpPerSecond === 0) return false;
  const earned = (Math.max(0, atMs - engine.icmpFilledAtMs[router]!) * icmpPerSecond) / 1000;
  const tokens = Math.min(icmpBurst, engine.icmpTokens[router]! + earned);
  engine.icmpFilledAtMs[router] = Math.max(atMs, engine.icmpFilledAtMs[router]!);
  engine.icmpTokens[router] = tokens >= 1 ? tokens - 1 : tokens;
  return tokens >= 1;
}

/** Cuts an IPv4 packet for a smaller link (RFC 791 §3.2); each part keeps the whole header, options included. */
function fragment(engine: Engine, direction: number, slot: number, atMs: number, mtu: number): void {
  const { bytes, slotBytes } = engine;
  const at = slot * slotBytes;
  const header = headerLength4(bytes, at);
  const flags = word(bytes, at + 6);
  const payload = engine.length[slot]! - header;
  count(engine, 'fragmented');
  for (const part of fragments4(header, payload, mtu)) {
    const out = takeSlot(engine);
    if (out < 0) break;
    const to = out * slotBytes;
    bytes.copyWithin(to, at, at + header);
    bytes.copyWithin(to + header, at + header + part.offset, at + header + part.offset + part.length);
    setWord(bytes, to + 2, header + part.length);
    const more = part.offset + part.length < payload ? MORE_FRAGMENTS : flags & MORE_FRAGMENTS;
    setWord(bytes, to + 6, more | ((flags & 0x1fff) + part.offset / 8));
    sealHeader4(bytes, to);
    engine.length[out] = header + part.length;
    engine.target[out] = engine.target[slot]!;
    offer(engine, direction, out, atMs);
  }
  dropSlot(engine, slot);
}
