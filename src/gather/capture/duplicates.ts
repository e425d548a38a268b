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
const rowWords = 8;
const rowTimes = rowWords / 2;
/** Behind four words. */
const timeAt = 2;
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
  /** Rows of half a cache line, since each packet looks at another one: two hashes, that of the link, hop limit, and the time. */
  readonly #words = new Int32Array(slots * rowWords);
  readonly #times = new Float64Array(this.#words.buffer);
  #startSeconds = 0;

  constructor() {
    for (let slot = 0; slot < slots; slot++) this.#times[slot * rowTimes + timeAt] = -Infinity;
  }

  isDuplicate(frame: Frame, packet: Packet): boolean {
    const { counts } = this;
    // Without times nothing is soon.
    if (packet.version === 0 || !frame.hasTime) return false;
    if (counts.packets++ === 0) this.#startSeconds = frame.seconds;
    const atMs = (frame.seconds - this.#startSeconds) * 1000 + frame.nanoseconds / 1e6;
    hash(packet, hashes);
    const first = hashes[0]!;
    const second = hashes[1]!;
    const link = linkHash(frame, packet);
    const slot = first & (slots - 1);
    const words = this.#words;
    const row = slot * rowWords;
    const ageMs = Math.abs(atMs - this.#times[slot * rowTimes + timeAt]!);
    if (
      ageMs <= identifiedMs &&
      words[row] === first &&
      words[row + 1] === second &&
      this.#isCopy(packet, ageMs, link, row)
    ) {
      this.#count(packet, link, row);
      return true;
    }
    words[row] = first;
    words[row + 1] = second;
    words[row + 2] = link;
    words[row + 3] = packet.hopLimit;
    this.#times[slot * rowTimes + timeAt] = atMs;
    return false;
  }

  #isCopy(packet: Packet, ageMs: number, link: number, row: number): boolean {
    if (packet.ipId > 0) return true;
    if (ageMs > unidentifiedMs) return false;
    return packet.payloadBytes > 0 || link !== this.#words[row + 2] || packet.hopLimit !== this.#words[row + 3];
  }

  #count({ hopLimit }: Packet, link: number, row: number): void {
    const { counts } = this;
    counts.duplicates++;
    if (hopLimit !== this.#words[row + 3]) counts.routed++;
    else if (link !== this.#words[row + 2]) counts.relinked++;
    else counts.same++;
  }
}

/** Octets of a transport header that make a packet what it is; checksums among them stand for the rest. */
const transportBytes = 20;

const hashes = new Int32Array(2);

/** Addresses, identification, lengths and the transport header; nothing that a router or a switch changes. Two hashes side by side. */
function hash(packet: Packet, into: Int32Array): void {
  const { bytes, version, sourceAt, destinationAt, transportAt, capturedEnd } = packet;
  const size = version === 6 ? 16 : 4;
  const identity = packet.ipId ^ (packet.fragmentOffset << 16);
  const kind = packet.protocol ^ ((packet.packetEnd - transportAt) << 8);
  let first = mix(mix(0x9e37_79b1 | 0, identity), kind);
  let second = mix(mix(0x85eb_ca77 | 0, identity), kind);
  for (let i = 0; i < size; i += 4) {
    const [source, destination] = [word(bytes, sourceAt + i), word(bytes, destinationAt + i)];
    first = mix(mix(first, source), destination);
    second = mix(mix(second, source), destination);
  }
  const end = Math.min(capturedEnd, transportAt + transportBytes);
  let at = transportAt;
  for (; at + 4 <= end; at += 4) {
    const next = word(bytes, at);
    first = mix(first, next);
    second = mix(second, next);
  }
  for (; at < end; at++) {
    first = mix(first, bytes[at]!);
    second = mix(second, bytes[at]!);
  }
  into[0] = first ^ (first >>> 16);
  into[1] = second ^ (second >>> 16);
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
