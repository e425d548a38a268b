import type { Packet } from '../../wire/packet/packet.ts';
import type { Frame } from '../../wire/pcap/frame.ts';

/** Packets that the capture saw more than once, by what was different the second time. */
export interface DuplicateCounts {
  packets: number;
  duplicates: number;
  /** Not one octet: a mirror of both directions of a port, or the same wire twice. */
  same: number;
  /** Hop limit smaller: before and behind a router. */
  routed: number;
  /** Other link header, VLAN, tunnel or interface, with the same hop limit: `-i any`, bridges, trunks. */
  relinked: number;
}

/** Slots of the window; a newer packet takes the place of an older one. At a million packets per second they hold 65 ms. */
const slots = 1 << 16;
/** A copy comes that soon. By its identification it is the same packet, for a retransmission gets a new one. */
const identifiedMs = 10;
/** Without an identification, the octets alone say it: sooner than any retransmission over a network comes. */
const unidentifiedMs = 1;

/**
 * Finds the copies that mirror ports, routers between mirrored VLANs and `-i any` put into captures, before anything counts them as
 * retransmissions. A copy has the same addresses, transport header and length as a packet of the last milliseconds, and
 * - the same identification of IP, where that is not 0; or
 * - payload, within a millisecond; or
 * - no payload, within a millisecond, and another link header or hop limit: real duplicate acknowledgements differ in nothing.
 *
 * Memory is fixed. Two hashes of 32 bits stand for the packet, so one in 2^48 or so is wrongly taken for a copy.
 */
export class Duplicates {
  readonly counts: DuplicateCounts = { packets: 0, duplicates: 0, same: 0, routed: 0, relinked: 0 };
  readonly #first = new Int32Array(slots);
  readonly #second = new Int32Array(slots);
  readonly #link = new Int32Array(slots);
  readonly #hopLimit = new Uint8Array(slots);
  readonly #atMs = new Float64Array(slots).fill(-Infinity);
  #startSeconds = 0;

  isDuplicate(frame: Frame, packet: Packet): boolean {
    const { counts } = this;
    // Without times nothing is soon.
    if (packet.version === 0 || !frame.hasTime) return false;
    if (counts.packets++ === 0) this.#startSeconds = frame.seconds;
    const atMs = (frame.seconds - this.#startSeconds) * 1000 + frame.nanoseconds / 1e6;
    const first = hash(packet, 0x9e37_79b1 | 0);
    const second = hash(packet, 0x85eb_ca77 | 0);
    const link = linkHash(frame, packet);
    const slot = first & (slots - 1);
    const ageMs = Math.abs(atMs - this.#atMs[slot]!);
    if (
      ageMs <= identifiedMs &&
      this.#first[slot] === first &&
      this.#second[slot] === second &&
      this.#isCopy(packet, ageMs, link, slot)
    ) {
      this.#count(packet, link, slot);
      return true;
    }
    this.#first[slot] = first;
    this.#second[slot] = second;
    this.#link[slot] = link;
    this.#hopLimit[slot] = packet.hopLimit;
    this.#atMs[slot] = atMs;
    return false;
  }

  #isCopy(packet: Packet, ageMs: number, link: number, slot: number): boolean {
    if (packet.ipId > 0) return true;
    if (ageMs > unidentifiedMs) return false;
    return packet.payloadBytes > 0 || link !== this.#link[slot] || packet.hopLimit !== this.#hopLimit[slot];
  }

  #count({ hopLimit }: Packet, link: number, slot: number): void {
    const { counts } = this;
    counts.duplicates++;
    if (hopLimit !== this.#hopLimit[slot]) counts.routed++;
    else if (link !== this.#link[slot]) counts.relinked++;
    else counts.same++;
  }
}

/** Octets of a transport header that make a packet what it is; checksums among them stand for the rest. */
const transportBytes = 20;

/** Addresses, identification, lengths and the transport header; nothing that a router or a switch changes. */
function hash(packet: Packet, seed: number): number {
  const { bytes, version, sourceAt, destinationAt, transportAt, capturedEnd } = packet;
  const size = version === 6 ? 16 : 4;
  let value = mix(seed, packet.ipId ^ (packet.fragmentOffset << 16));
  value = mix(value, packet.protocol ^ ((packet.packetEnd - transportAt) << 8));
  for (let i = 0; i < size; i += 4) {
    value = mix(value, word(bytes, sourceAt + i));
    value = mix(value, word(bytes, destinationAt + i));
  }
  const end = Math.min(capturedEnd, transportAt + transportBytes);
  let at = transportAt;
  for (; at + 4 <= end; at += 4) value = mix(value, word(bytes, at));
  for (; at < end; at++) value = mix(value, bytes[at]!);
  return value ^ (value >>> 16);
}

/** Everything before the addresses, as far as it is the link's, and where it was seen. */
function linkHash({ start, interfaceId }: Frame, { bytes, sourceAt, version }: Packet): number {
  const end = sourceAt - (version === 6 ? 8 : 12);
  let value = mix(interfaceId, end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) value = mix(value, word(bytes, at));
  for (; at < end; at++) value = mix(value, bytes[at]!);
  return value;
}

function mix(value: number, next: number): number {
  const mixed = Math.imul(value ^ next, 0x9e37_79b1 | 0);
  return mixed ^ (mixed >>> 15);
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
