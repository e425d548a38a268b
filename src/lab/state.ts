import { addressBytes } from '../wire/ip.ts';
import { makeAddressTable, type AddressTable } from './address-table.ts';
import { directionNames, total, type Counters, type TotalName } from './counters.ts';
import { makeHeap, pushHeap, type Heap } from './heap.ts';
import { DOWN, duplicates, LOST, makeLinks, passLink, type Links } from './links.ts';
import { makeNat, type Nat } from './nat-table.ts';
import type { Plan, PlanNode } from './plan.ts';
import { makeStreams, type Streams } from './random.ts';
import type { Routes } from './routes.ts';
import { makeTimeline, type Timeline } from './timeline.ts';

/**
 * Everything the emulated network consists of while it runs. All packets lie in one pool of equal slots; a packet is a slot
 * number and columns beside it, so that nothing is allocated while forwarding.
 */
export interface Engine {
  plan: Plan;
  nodes: number;
  links: Links;
  routes: Routes;
  timeline: Timeline;
  heap: Heap;
  owners: AddressTable;
  counters: Counters;
  /** Per host its first link, taken for destinations that nobody owns. */
  defaultDirection: Int32Array;
  /** By `via`: the node where the packet comes to, and what happens there. */
  toNode: Int16Array;
  arrival: Uint8Array;
  /** By direction: address bytes of the interface where packets come in. */
  entry4: Uint8Array[];
  entry6: Uint8Array[];
  /** By node: set bits of `feature`, so that a plain router costs one test. */
  features: Uint8Array;
  nats: (Nat | undefined)[];
  icmpTokens: Float64Array;
  icmpFilledAtMs: Float64Array;
  /** By router and destination, for those that limit per destination: Linux's token bucket in milliseconds. */
  perDestination: (DestinationLimit | undefined)[];
  /** Two per node: which way the next packet takes, how long the next own message is held back. */
  nodeStreams: Streams;
  bytes: Uint8Array;
  slotBytes: number;
  /** Columns per slot: packet length, owner of the destination (-1: nobody), the direction it comes by, TTL of its label (0: none). */
  length: Int32Array;
  target: Int16Array;
  via: Int16Array;
  labelTtl: Uint8Array;
  free: Int32Array;
  freeCount: number;
}

export interface DestinationLimit {
  savedMs: Float64Array;
  filledAtMs: Float64Array;
}

/** What happens to a packet where it comes to: handed to the host, routed, or sent by the router that made it. */
export const arrivalKind = { host: 0, router: 1, own: 2 } as const;

export const feature = { labels: 1, translates: 2, keepsTtl: 4, setsTtl: 8, setsDscp: 16 } as const;

const MAX_SLOTS = 32_768;
const MAX_POOL_BYTES = 128 * 1024 * 1024;
const DIRECTION_COLUMNS = directionNames.length;

/** @param pool memory for the packets, `poolSize(plan).bytes` long, or less for a test that has few under way */
export function makeEngine(plan: Plan, counters: Counters, pool: Uint8Array): Engine {
  const { slotBytes } = poolSize(plan);
  const slots = Math.floor(pool.length / slotBytes);
  const { nodes, directions } = plan;
  return {
    plan,
    nodes: nodes.length,
    links: makeLinks(directions, plan.seed),
    routes: plan.routes,
    timeline: makeTimeline(plan),
    heap: makeHeap(slots),
    owners: makeAddressTable(ownersOf(plan)),
    counters,
    defaultDirection: Int32Array.from(nodes, (_, node) => directions.findIndex((one) => one.from === node)),
    toNode: Int16Array.from([...directions.map((one) => one.to), ...nodes.keys()]),
    arrival: Uint8Array.from([
      ...directions.map((one) => arrivalKind[nodes[one.to]!.kind]),
      ...nodes.map(() => arrivalKind.own),
    ]),
    entry4: directions.map((one) => addressBytes(one.entry.v4)),
    entry6: directions.map((one) => addressBytes(one.entry.v6)),
    features: Uint8Array.from(nodes, featuresOf),
    nats: nodes.map((node, index) => (node.nat ? makeNat(plan, index, node.nat) : undefined)),
    icmpTokens: Float64Array.from(nodes, (node) => node.icmp.burst),
    icmpFilledAtMs: new Float64Array(nodes.length),
    perDestination: nodes.map((node) => destinationLimit(node, nodes.length)),
    nodeStreams: makeStreams(plan.seed ^ 0x5eed, nodes.length * 2),
    bytes: pool,
    slotBytes,
    length: new Int32Array(slots),
    target: new Int16Array(slots),
    via: new Int16Array(slots),
    labelTtl: new Uint8Array(slots),
    free: Int32Array.from({ length: slots }, (_, index) => slots - 1 - index),
    freeCount: slots,
  };
}

function ownersOf({ nodes, directions }: Plan): { address: string; node: number }[] {
  const own = nodes.flatMap(({ v4, v6 }, node) => [
    { address: v4, node },
    { address: v6, node },
  ]);
  const interfaces = directions.flatMap(({ to, entry }) => [
    { address: entry.v4, node: to },
    { address: entry.v6, node: to },
  ]);
  return [...new Map([...own, ...interfaces].map((one) => [one.address, one])).values()];
}

function featuresOf({ mpls, nat, ttl, dscp }: PlanNode): number {
  return (
    (mpls ? feature.labels : 0) |
    (nat ? feature.translates : 0) |
    (ttl === 'keep' ? feature.keepsTtl : 0) |
    (typeof ttl === 'number' ? feature.setsTtl : 0) |
    (dscp === null ? 0 : feature.setsDscp)
  );
}

/** Six errors at once: XRLIM_BURST_FACTOR of Linux. */
export const DESTINATION_BURST = 6;

function destinationLimit({ icmp }: PlanNode, nodes: number): DestinationLimit | undefined {
  if (icmp.perDestinationMs === 0) return undefined;
  return {
    savedMs: new Float64Array(nodes).fill(DESTINATION_BURST * icmp.perDestinationMs),
    filledAtMs: new Float64Array(nodes),
  };
}

/** Slots as long as the largest MTU, as many as fit in 128 MiB, at most 32,768 (1 Gbit/s for 400 ms). */
export function poolSize(plan: Plan): { slotBytes: number; bytes: number } {
  const mtus = [...plan.directions, ...plan.nodes, ...plan.timeline.map(({ change }) => change)];
  const largest = Math.max(1500, ...mtus.map(({ mtu = 0 }) => mtu));
  const slotBytes = Math.ceil(largest / 64) * 64;
  const slots = Math.min(MAX_SLOTS, Math.floor(MAX_POOL_BYTES / slotBytes));
  return { slotBytes, bytes: slots * slotBytes };
}

export function count(engine: Engine, name: TotalName): void {
  bump(engine.counters.totals, total[name]);
}

export function bump(table: Float64Array, index: number): void {
  table[index] = table[index]! + 1;
}

/** A free slot, or -1 (counted) when more packets are in flight than the pool holds. */
export function takeSlot(engine: Engine): number {
  if (engine.freeCount === 0) {
    count(engine, 'poolFull');
    return -1;
  }
  engine.freeCount -= 1;
  const slot = engine.free[engine.freeCount]!;
  engine.labelTtl[slot] = 0;
  return slot;
}

export function dropSlot(engine: Engine, slot: number): void {
  engine.free[engine.freeCount] = slot;
  engine.freeCount += 1;
}

/** Drops the packet and counts why. */
export function discard(engine: Engine, slot: number, reason: TotalName): void {
  count(engine, reason);
  dropSlot(engine, slot);
}

/** Puts the packet on a link: it reaches the far end later, or never. */
export function offer(engine: Engine, direction: number, slot: number, atMs: number): void {
  const length = engine.length[slot]!;
  const row = direction * DIRECTION_COLUMNS;
  const counts = engine.counters.directions;
  bump(counts, row);
  counts[row + 1] = counts[row + 1]! + length;
  const dueMs = passLink(engine.links, direction, atMs, length);
  if (dueMs < 0) {
    if (dueMs === DOWN) return discard(engine, slot, 'linkDown');
    bump(counts, row + (dueMs === LOST ? 2 : 3));
    return dropSlot(engine, slot);
  }
  engine.via[slot] = direction;
  pushHeap(engine.heap, dueMs, slot);
  if (duplicates(engine.links, direction)) repeat(engine, slot, dueMs);
}

/** A second copy right behind the first. */
function repeat(engine: Engine, slot: number, dueMs: number): void {
  const copy = takeSlot(engine);
  if (copy < 0) return;
  const at = slot * engine.slotBytes;
  engine.bytes.copyWithin(copy * engine.slotBytes, at, at + engine.length[slot]!);
  engine.length[copy] = engine.length[slot]!;
  engine.target[copy] = engine.target[slot]!;
  engine.via[copy] = engine.via[slot]!;
  engine.labelTtl[copy] = engine.labelTtl[slot]!;
  count(engine, 'duplicated');
  pushHeap(engine.heap, dueMs, copy);
}
