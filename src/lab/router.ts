import { decrementTtl4, fragments4, headerLength4, protocol, sealHeader4, setWord, word } from '../wire/ip.ts';
import { findNode } from './address-table.ts';
import { directionTo } from './balance.ts';
import type { TotalName } from './counters.ts';
import { pushHeap } from './heap.ts';
import { answerEcho, mayAnswer, writeError, type IcmpErrorKind } from './icmp.ts';
import { extensionStructure, incomingInterfaceObject, mplsObject } from './icmp-extension.ts';
import { destinationAllowed, icmpAllowed } from './icmp-limit.ts';
import { popLabel, quotedStack, switchLabel } from './labels.ts';
import { translateIn, translateOut } from './nat.ts';
import type { PlanNode } from './plan.ts';
import { uniform } from './random.ts';
import { count, discard, dropSlot, feature, offer, takeSlot, type Engine } from './state.ts';

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

/**
 * What a router does with a packet, in the order of RFC 1812 §5.2: own address, TTL, route, size. A router without special
 * features pays one test for all of them.
 */
export function route(engine: Engine, router: number, slot: number, atMs: number): void {
  const { bytes } = engine;
  const at = slot * engine.slotBytes;
  const features = engine.features[router]!;
  if (engine.target[slot] === router && !(features & feature.translates && cameIn(engine, router, slot)))
    return answerOwn(engine, router, slot, atMs);
  const version4 = bytes[at]! >> 4 === 4;
  const ttlAt = at + (version4 ? 8 : 7);
  if (features & feature.labels) {
    if (!switchLabel(engine, router, slot)) return reject(engine, router, slot, atMs, 'timeExceeded', 'ttlExpired');
  } else if (bytes[ttlAt]! <= 1 && !(features & feature.keepsTtl))
    return reject(engine, router, slot, atMs, 'timeExceeded', 'ttlExpired');
  const direction = directionTo(engine, router, engine.target[slot]!, slot);
  if (direction < 0) return reject(engine, router, slot, atMs, 'noRoute', 'noRoute');
  const mtu = engine.links.mtu[direction]!;
  const cut = engine.length[slot]! > mtu;
  if (cut && !(version4 && (word(bytes, at + 6) & DONT_FRAGMENT) === 0))
    return reject(engine, router, slot, atMs, 'tooBig', 'tooBig', mtu);
  if (features === 0) lowerTtl(bytes, at, version4);
  else if (!alter(engine, router, slot, direction)) return discard(engine, slot, 'natDropped');
  if (cut) fragment(engine, direction, slot, atMs, mtu);
  else offer(engine, direction, slot, atMs);
}

function lowerTtl(bytes: Uint8Array, at: number, version4: boolean): void {
  if (version4) decrementTtl4(bytes, at);
  else bytes[at + 7] = bytes[at + 7]! - 1;
}

/** Whether a packet to the router's own address was meant for somebody behind it, who is its target from now on. */
function cameIn(engine: Engine, router: number, slot: number): boolean {
  const nat = engine.nats[router]!;
  return nat.comesFromOutside[engine.via[slot]!] === 1 && translateIn(engine, nat, slot);
}

/** All that routers with special features do to a packet that passes; @returns false when it cannot pass. */
function alter(engine: Engine, router: number, slot: number, direction: number): boolean {
  const { bytes } = engine;
  const at = slot * engine.slotBytes;
  const version4 = bytes[at]! >> 4 === 4;
  const features = engine.features[router]!;
  const { ttl, dscp } = engine.plan.nodes[router]!;
  if (features & feature.labels) popLabel(engine, router, slot, direction);
  else if (!(features & feature.keepsTtl)) lowerTtl(bytes, at, version4);
  if (typeof ttl === 'number') bytes[at + (version4 ? 8 : 7)] = ttl;
  if (dscp !== null) setDscp(bytes, at, dscp);
  if (version4) sealHeader4(bytes, at);
  if (!(features & feature.translates)) return true;
  const nat = engine.nats[router]!;
  const outward = nat.leavesOutside[direction] === 1 && nat.comesFromOutside[engine.via[slot]!] !== 1;
  return !outward || translateOut(engine, nat, slot);
}

/** The upper six bits of the traffic class (RFC 2474); the lower two, ECN, stay. */
function setDscp(bytes: Uint8Array, at: number, dscp: number): void {
  if (bytes[at]! >> 4 === 4) {
    bytes[at + 1] = (dscp << 2) | (bytes[at + 1]! & 3);
    return;
  }
  const trafficClass = (dscp << 2) | ((bytes[at + 1]! >> 4) & 3);
  bytes[at] = 0x60 | (trafficClass >> 4);
  bytes[at + 1] = ((trafficClass & 0x0f) << 4) | (bytes[at + 1]! & 0x0f);
}

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

/** Sends a packet that the router itself made, at once or when its control plane gets round to it. */
function sendFrom(engine: Engine, router: number, slot: number, atMs: number): void {
  const { delayMs, jitterMs } = engine.plan.nodes[router]!.icmp;
  if (delayMs === 0 && jitterMs === 0) return sendOwn(engine, router, slot, atMs);
  engine.via[slot] = engine.links.mtu.length + router;
  pushHeap(engine.heap, atMs + delayMs + jitterMs * uniform(engine.nodeStreams, router * 2 + 1), slot);
}

/** Puts a packet of the router's own on its way, by its destination. */
export function sendOwn(engine: Engine, router: number, slot: number, atMs: number): void {
  const at = slot * engine.slotBytes;
  const version = engine.bytes[at]! >> 4 === 4 ? 4 : 6;
  const target = findNode(engine.owners, engine.bytes, at + (version === 4 ? 16 : 24), version);
  const direction = directionTo(engine, router, target, slot);
  if (direction < 0) return discard(engine, slot, 'noRoute');
  engine.target[slot] = target;
  engine.labelTtl[slot] = 0;
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
  count(engine, reason);
  if (mayAnswer(engine.bytes, slot * engine.slotBytes)) {
    if (errorAllowed(engine, router, slot, atMs, kind)) sendError(engine, router, slot, atMs, kind, mtu);
    else count(engine, 'icmpSuppressed');
  }
  dropSlot(engine, slot);
}

function errorAllowed(engine: Engine, router: number, slot: number, atMs: number, kind: IcmpErrorKind): boolean {
  if (kind === 'tooBig' && !engine.plan.nodes[router]!.icmp.tooBig) return false;
  if (engine.perDestination[router]) {
    const at = slot * engine.slotBytes;
    const version = engine.bytes[at]! >> 4 === 4 ? 4 : 6;
    const sender = findNode(engine.owners, engine.bytes, at + (version === 4 ? 12 : 8), version);
    if (!destinationAllowed(engine, router, sender, atMs)) return false;
  }
  return icmpAllowed(engine, router, atMs);
}

function sendError(engine: Engine, router: number, slot: number, atMs: number, kind: IcmpErrorKind, mtu: number): void {
  const out = takeSlot(engine);
  if (out < 0) return;
  const { bytes, slotBytes } = engine;
  const parts = { kind, mtu, from: sourceOf(engine, slot, kind), extension: extensionOf(engine, router, slot, kind) };
  engine.length[out] = writeError(bytes, slot * slotBytes, engine.length[slot]!, out * slotBytes, parts);
  count(engine, 'icmpSent');
  sendFrom(engine, router, out, atMs);
}

/** The interface that the packet came in by (RFC 1812 §4.3.2.4 allows it, most routers do it); a refusal comes from the address asked. */
function sourceOf(engine: Engine, slot: number, kind: IcmpErrorKind): Uint8Array {
  const at = slot * engine.slotBytes;
  const version4 = engine.bytes[at]! >> 4 === 4;
  if (kind === 'portUnreachable')
    return version4 ? engine.bytes.slice(at + 16, at + 20) : engine.bytes.slice(at + 24, at + 40);
  return (version4 ? engine.entry4 : engine.entry6)[engine.via[slot]!]!;
}

function extensionOf(engine: Engine, router: number, slot: number, kind: IcmpErrorKind): Uint8Array | undefined {
  const node = engine.plan.nodes[router]!;
  const objects: Uint8Array[] = [];
  if (kind === 'timeExceeded' && node.mpls?.quoted) objects.push(mplsObject(quotedStack(engine, router, slot)));
  if (node.interfaceInfo.length > 0) objects.push(interfaceObject(engine, node, slot));
  return objects.length > 0 ? extensionStructure(objects) : undefined;
}

function interfaceObject(engine: Engine, { interfaceInfo }: PlanNode, slot: number): Uint8Array {
  const via = engine.via[slot]!;
  const version4 = engine.bytes[slot * engine.slotBytes]! >> 4 === 4;
  const { index } = engine.plan.directions[via]!.entry;
  const all = {
    index,
    address: (version4 ? engine.entry4 : engine.entry6)[via]!,
    name: `eth${index - 1}`,
    mtu: engine.links.mtu[via]!,
  };
  return incomingInterfaceObject(
    Object.fromEntries(Object.entries(all).filter(([part]) => interfaceInfo.some((said) => said === part))),
  );
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
    engine.labelTtl[out] = engine.labelTtl[slot]!;
    offer(engine, direction, out, atMs);
  }
  dropSlot(engine, slot);
}
