import { expect } from 'vitest';
import {
  addressBytes,
  addressText,
  checksumAdd,
  checksumFold,
  protocol,
  pseudoHeader6,
  sealHeader4,
  setWord,
  word,
} from '../wire/ip.ts';
import { makeCounters } from './counters.ts';
import { advance, enter, nextDueMs } from './engine.ts';
import { planOf } from './plan.ts';
import { makeEngine, poolSize, takeSlot, type Engine } from './state.ts';
import { topologySchema, type TopologyInput } from './topology.ts';

/** Enough for most tests, and a thirtieth of what a lab takes. */
const SLOTS = 1024;
const filler = Uint8Array.from({ length: 65_536 }, (_, index) => index & 0xff);

/** Packets to put into the pure engine, and what comes out of it. */
export interface Delivered {
  host: number;
  dueMs: number;
  bytes: Uint8Array;
}

export function engineOf(topology: TopologyInput, slots = SLOTS): Engine {
  const plan = planOf(topologySchema.parse(topology));
  return makeEngine(plan, makeCounters(plan), new Uint8Array(slots * poolSize(plan).slotBytes));
}

/** Lets `host` send a packet. */
export function send(engine: Engine, host: number, packet: Uint8Array, nowMs = 0): void {
  const slot = takeSlot(engine);
  engine.bytes.set(packet, slot * engine.slotBytes);
  enter(engine, host, slot, packet.length, nowMs);
}

/** Runs until nothing is in flight, or nothing due by `untilMs`, and checks that no slot went missing. */
export function drain(engine: Engine, untilMs = Number.POSITIVE_INFINITY): Delivered[] {
  const delivered: Delivered[] = [];
  while (nextDueMs(engine) <= untilMs && nextDueMs(engine) < Number.POSITIVE_INFINITY)
    advance(engine, nextDueMs(engine), 10, (host, slot, dueMs) => {
      const at = slot * engine.slotBytes;
      delivered.push({ host, dueMs, bytes: engine.bytes.slice(at, at + engine.length[slot]!) });
    });
  if (engine.freeCount + engine.heap.size !== engine.free.length) throw new Error('A slot of the pool went missing');
  return delivered;
}

export interface PacketOptions {
  ttl?: number;
  size?: number;
  dontFragment?: boolean;
  protocolNumber?: number;
}

export function packet4(from: string, to: string, options: PacketOptions = {}): Uint8Array {
  const { ttl = 64, size = 100, dontFragment = true, protocolNumber = 17 } = options;
  const bytes = filler.slice(0, size);
  bytes.fill(0, 0, 20);
  bytes[0] = 0x45;
  setWord(bytes, 2, size);
  setWord(bytes, 4, 4711);
  setWord(bytes, 6, dontFragment ? 0x4000 : 0);
  bytes[8] = ttl;
  bytes[9] = protocolNumber;
  bytes.set(addressBytes(from), 12);
  bytes.set(addressBytes(to), 16);
  sealHeader4(bytes, 0);
  return bytes;
}

export function packet6(
  from: string,
  to: string,
  { ttl = 64, size = 100, protocolNumber = 17 }: PacketOptions = {},
): Uint8Array {
  const bytes = filler.slice(0, size);
  bytes.fill(0, 0, 40);
  bytes[0] = 0x60;
  setWord(bytes, 4, size - 40);
  bytes[6] = protocolNumber;
  bytes[7] = ttl;
  bytes.set(addressBytes(from), 8);
  bytes.set(addressBytes(to), 24);
  return bytes;
}

interface UdpOptions {
  ttl?: number;
  size?: number;
  sourcePort?: number;
  destinationPort?: number;
  flowLabel?: number;
}

/** A UDP datagram with right checksums, of the family of its addresses. */
export function udp(from: string, to: string, options: UdpOptions = {}): Uint8Array {
  const { ttl = 64, size = 100, sourcePort = 50_000, destinationPort = 33_434, flowLabel = 0 } = options;
  const version4 = !from.includes(':');
  const bytes = version4 ? packet4(from, to, { ttl, size }) : packet6(from, to, { ttl, size });
  if (!version4) {
    bytes[1] = flowLabel >> 16;
    setWord(bytes, 2, flowLabel & 0xffff);
  }
  const at = version4 ? 20 : 40;
  setWord(bytes, at, sourcePort);
  setWord(bytes, at + 2, destinationPort);
  setWord(bytes, at + 4, size - at);
  setWord(bytes, at + 6, 0);
  setWord(bytes, at + 6, transportSum(bytes) || 0xffff);
  return bytes;
}

/** What is left of the checksum over pseudo header and payload: 0 when a packet that carries one is right. */
export function transportSum(bytes: Uint8Array): number {
  const version4 = bytes[0]! >> 4 === 4;
  const at = version4 ? 20 : 40;
  const upper = bytes[version4 ? 9 : 6]!;
  const size = bytes.length - at;
  if (upper === protocol.icmp) return checksumFold(checksumAdd(bytes, at, size));
  const pseudo = version4 ? checksumAdd(bytes, 12, 8) + size + upper : pseudoHeader6(bytes, 0, size, upper);
  return checksumFold(checksumAdd(bytes, at, size, pseudo));
}

/** An echo request with right checksums. */
export function echo(
  from: string,
  to: string,
  { ttl = 64, size = 100, identifier = 7, sequence = 1 } = {},
): Uint8Array {
  const version4 = !from.includes(':');
  const bytes = version4
    ? packet4(from, to, { ttl, size, protocolNumber: protocol.icmp })
    : packet6(from, to, { ttl, size, protocolNumber: protocol.icmp6 });
  const at = version4 ? 20 : 40;
  bytes.set([version4 ? 8 : 128, 0, 0, 0], at);
  setWord(bytes, at + 4, identifier);
  setWord(bytes, at + 6, sequence);
  setWord(bytes, at + 2, transportSum(bytes));
  return bytes;
}

export function sourceOf(bytes: Uint8Array): string {
  return addressText(bytes[0]! >> 4 === 4 ? bytes.subarray(12, 16) : bytes.subarray(8, 24));
}

export function destinationOf(bytes: Uint8Array): string {
  return addressText(bytes[0]! >> 4 === 4 ? bytes.subarray(16, 20) : bytes.subarray(24, 40));
}

/** The packet that an ICMP error quotes, with whatever follows it. */
export function quotedOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(bytes[0]! >> 4 === 4 ? 28 : 48);
}

/** Type and code of an ICMP message. */
export function icmpOf(bytes: Uint8Array): [number, number] {
  const at = bytes[0]! >> 4 === 4 ? 20 : 40;
  return [bytes[at]!, bytes[at + 1]!];
}

export function expectSound4(bytes: Uint8Array): void {
  expect(word(bytes, 2)).toBe(bytes.length);
  expect(checksumFold(checksumAdd(bytes, 0, 20))).toBe(0);
}
