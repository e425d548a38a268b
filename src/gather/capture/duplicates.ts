import { viewOf } from '../../wire/view.ts';
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

/** Slots of the window; a newer packet takes the place of an older one. At a million packets per second they hold 32 ms. */
const slotBits = 15;
const slots = 1 << slotBits;
/** A row: two hashes, the link's with the hop limit, and the time in microseconds, which go round in 71 minutes. */
const rowWords = 4;
/** A mark has that, and flags. */
const markWords = 5;
const flag = { hasTime: 1, hasId: 2, hasPayload: 4, isCopy: 8 } as const;
/** A copy comes that soon. By its identification it is the same packet, for a retransmission gets a new one. */
const identifiedUs = 10_000;
/** Without an identification, the octets alone say it: sooner than any retransmission over a network comes. */
const unidentifiedUs = 1000;

/** What is needed of packets to tell which are copies. */
export class Marks {
  readonly words: Int32Array;
  #startSeconds = Number.NaN;

  constructor(packets: number) {
    this.words = new Int32Array(packets * markWords);
  }

  set(index: number, frame: Frame, packet: Packet): void {
    const { words } = this;
    const at = index * markWords;
    // Without times nothing is soon.
    if (packet.version === 0 || !frame.hasTime) {
      words[at + 4] = 0;
      return;
    }
    if (Number.isNaN(this.#startSeconds)) this.#startSeconds = frame.seconds;
    const view = viewOf(packet.bytes);
    hash(view, packet, words, at);
    words[at + 2] = linkHash(view, frame, packet);
    words[at + 3] = (frame.seconds - this.#startSeconds) * 1e6 + frame.nanoseconds / 1000;
    words[at + 4] = flag.hasTime | (packet.ipId > 0 ? flag.hasId : 0) | (packet.payloadBytes > 0 ? flag.hasPayload : 0);
  }

  isCopy(index: number): boolean {
    return (this.words[index * markWords + 4]! & flag.isCopy) !== 0;
  }
}

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
  /** Small, since each packet looks at another row: what does not fit into the nearest memory takes longer than everything else here. */
  readonly #words = new Int32Array(slots * rowWords);

  /** What comes is from another tap: there each packet passes once more. */
  forget(): void {
    this.#words.fill(0);
  }

  /** Says in the first `packets` marks which are copies. */
  look({ words: marks }: Marks, packets: number): void {
    const words = this.#words;
    for (let at = 0; at < packets * markWords; at += markWords) {
      const flags = marks[at + 4]!;
      if ((flags & flag.hasTime) === 0) continue;
      this.counts.packets += 1;
      const first = marks[at]!;
      const row = (first >>> (32 - slotBits)) * rowWords;
      if (words[row] === first && words[row + 1] === marks[at + 1] && this.#isCopy(marks, at, row)) {
        marks[at + 4] = flags | flag.isCopy;
        continue;
      }
      words[row] = first;
      words[row + 1] = marks[at + 1]!;
      words[row + 2] = marks[at + 2]!;
      words[row + 3] = marks[at + 3]!;
    }
  }

  #isCopy(marks: Int32Array, at: number, row: number): boolean {
    const words = this.#words;
    const flags = marks[at + 4]!;
    const link = marks[at + 2]!;
    const before = words[row + 2]!;
    const ageUs = Math.abs((marks[at + 3]! - words[row + 3]!) | 0);
    if (ageUs > ((flags & flag.hasId) === 0 ? unidentifiedUs : identifiedUs)) return false;
    if ((flags & (flag.hasId | flag.hasPayload)) === 0 && link === before) return false;
    const { counts } = this;
    counts.duplicates += 1;
    if ((link & 0xff) !== (before & 0xff)) counts.routed += 1;
    else if (link !== before) counts.relinked += 1;
    else counts.same += 1;
    return true;
  }
}

/** Octets of a transport header that make a packet what it is; checksums among them stand for the rest. */
const transportBytes = 20;

/**
 * Addresses, identification, lengths and the transport header; nothing that a router or a switch changes. Two hashes side by side: sums of
 * products with odd numbers, so that no word has to wait for the one before, mixed at the end.
 */
function hash(view: DataView, packet: Packet, into: Int32Array, intoAt: number): void {
  const { version, sourceAt, destinationAt, transportAt, capturedEnd } = packet;
  const size = version === 6 ? 16 : 4;
  const identity = packet.ipId ^ (packet.fragmentOffset << 16);
  const kind = packet.protocol ^ ((packet.packetEnd - transportAt) << 8);
  let first = (Math.imul(identity, firstFactors[0]!) + Math.imul(kind, firstFactors[1]!)) | 0;
  let second = (Math.imul(identity, secondFactors[0]!) + Math.imul(kind, secondFactors[1]!)) | 0;
  let factor = 2;
  for (let i = 0; i < size; i += 4) {
    const source = view.getInt32(sourceAt + i);
    const destination = view.getInt32(destinationAt + i);
    first = (first + Math.imul(source, firstFactors[factor]!) + Math.imul(destination, firstFactors[factor + 1]!)) | 0;
    second =
      (second + Math.imul(source, secondFactors[factor]!) + Math.imul(destination, secondFactors[factor + 1]!)) | 0;
    factor += 2;
  }
  const end = Math.min(capturedEnd, transportAt + transportBytes);
  let at = transportAt;
  for (; at + 4 <= end; at += 4, factor++) {
    const next = view.getInt32(at);
    first = (first + Math.imul(next, firstFactors[factor]!)) | 0;
    second = (second + Math.imul(next, secondFactors[factor]!)) | 0;
  }
  for (; at < end; at++, factor++) {
    const next = view.getUint8(at);
    first = (first + Math.imul(next, firstFactors[factor]!)) | 0;
    second = (second + Math.imul(next, secondFactors[factor]!)) | 0;
  }
  into[intoAt] = finished(first);
  into[intoAt + 1] = finished(second);
}

/** Everything before the addresses, as far as it is the link's, and where it was seen; the hop limit in the last octet. */
function linkHash(view: DataView, { start, interfaceId }: Frame, { sourceAt, version, hopLimit }: Packet): number {
  const end = sourceAt - (version === 6 ? 8 : 12);
  let value = Math.imul(interfaceId, 0x9e37_79b1) + (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) value = Math.imul(value ^ view.getInt32(at), 0x85eb_ca6b);
  for (; at < end; at++) value = Math.imul(value ^ view.getUint8(at), 0x85eb_ca6b);
  return (finished(value) & ~0xff) | hopLimit;
}

function finished(value: number): number {
  const mixed = Math.imul(value ^ (value >>> 15), 0x2c1b_3c6d);
  return mixed ^ (mixed >>> 13);
}

/** As many as there are words at most: two, ten of IPv6, and 20 octets one by one where they are not captured whole. */
const [firstFactors, secondFactors] = [0x9e37_79b1, 0xc2b2_ae35].map((start) => {
  let state = start | 0;
  return Int32Array.from({ length: 2 + 8 + transportBytes }, () => {
    state = finished(Math.imul(state, 0x0019_660d) + 0x3c6e_f35f);
    return state | 1;
  });
}) as [Int32Array, Int32Array];
