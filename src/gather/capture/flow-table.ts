import { viewOf } from '../../wire/view.ts';
import type { Packet } from '../../wire/packet/packet.ts';
import { WordIndex, wordAt } from './word-index.ts';

/** Words of a key: protocol and version, tunnel, both ports in one, two addresses of one word each, or of four. */
const headWords = 3;
const words = { four: headWords + 2, six: headWords + 8 } as const;

/**
 * Words of a key that waits to be looked up: its number, -1 where it has none, then protocol and version, both ports, and two addresses of
 * IPv4.
 */
export const keyWords = 5;
/** Keys that were found last, by a hash that is quick: who makes up packets that fall on one another here only makes it as slow as without. */
const recentBits = 12;

/**
 * Finds the conversation of a packet, both directions under one number, with no object per packet. Numbers that were removed are given
 * again.
 */
export class FlowTable {
  readonly #index: WordIndex;
  /** Whether the packet last looked up goes from the key's first end to its second. */
  forward = false;

  /** Numbers + 1. */
  readonly #recent = new Int32Array(1 << recentBits);

  constructor(seed = 0, slots = 1024) {
    this.#index = new WordIndex(words.six, Infinity, seed, slots);
  }

  get size(): number {
    return this.#index.size;
  }

  /** The packet's conversation, or -1. */
  find(packet: Packet): number {
    return this.#index.find(this.#setKey(packet));
  }

  /** The packet's conversation, a new one where it had none. */
  add(packet: Packet): number {
    return this.#index.add(this.#setKey(packet));
  }

  /** Writes the key of a packet of IPv4 outside of any tunnel behind the place for its number. */
  key(packet: Packet, into: Int32Array, at: number): void {
    const view = viewOf(packet.bytes);
    const source = view.getInt32(packet.sourceAt);
    const destination = view.getInt32(packet.destinationAt);
    const { sourcePort, destinationPort } = packet;
    const forward = source === destination ? sourcePort <= destinationPort : source >>> 0 < destination >>> 0;
    this.forward = forward;
    into[at + 1] = (packet.protocol << 8) | 4;
    into[at + 2] = forward ? (sourcePort << 16) | destinationPort : (destinationPort << 16) | sourcePort;
    into[at + 3] = forward ? source : destination;
    into[at + 4] = forward ? destination : source;
  }

  /** Finds the numbers of so many keys: in one go, so that they wait for memory together. */
  look(keys: Int32Array, count: number): void {
    const recent = this.#recent;
    for (let at = 0; at < count * keyWords; at += keyWords) {
      const slot = recentSlot(keys, at);
      let number = recent[slot]! - 1;
      if (number < 0 || !this.#index.is(number, 0, keys[at + 1]!) || !this.#isKey(number, keys, at)) {
        number = this.#index.find(this.#setKeyFrom(keys, at));
        if (number >= 0) recent[slot] = number + 1;
      }
      keys[at] = number;
    }
  }

  /** Number of such a key, a new one where it had none. */
  addKey(keys: Int32Array, at: number): number {
    return this.#index.add(this.#setKeyFrom(keys, at));
  }

  #isKey(number: number, keys: Int32Array, at: number): boolean {
    const index = this.#index;
    return (
      index.is(number, 1, 0) &&
      index.is(number, 2, keys[at + 2]!) &&
      index.is(number, headWords, keys[at + 3]!) &&
      index.is(number, headWords + 1, keys[at + 4]!)
    );
  }

  #setKeyFrom(keys: Int32Array, at: number): number {
    const { key } = this.#index;
    key[0] = keys[at + 1]!;
    key[1] = 0;
    key[2] = keys[at + 2]!;
    key[headWords] = keys[at + 3]!;
    key[headWords + 1] = keys[at + 4]!;
    return words.four;
  }

  remove(number: number): void {
    this.#index.remove(number);
  }

  /** @returns the words of the key that count */
  #setKey({ bytes, sourceAt, destinationAt, version, sourcePort, destinationPort, protocol, tunnel }: Packet): number {
    const { key } = this.#index;
    const octets = version === 6 ? 16 : 4;
    let order = 0;
    for (let i = 0; i < octets && order === 0; i++) order = bytes[sourceAt + i]! - bytes[destinationAt + i]!;
    const forward = order === 0 ? sourcePort <= destinationPort : order < 0;
    this.forward = forward;
    const [first, second] = forward ? [sourceAt, destinationAt] : [destinationAt, sourceAt];
    key[0] = (protocol << 8) | version;
    key[1] = tunnel;
    key[2] = forward ? (sourcePort << 16) | destinationPort : (destinationPort << 16) | sourcePort;
    let word = headWords;
    for (let i = 0; i < octets; i += 4) key[word++] = wordAt(bytes, first + i);
    for (let i = 0; i < octets; i += 4) key[word++] = wordAt(bytes, second + i);
    return word;
  }
}

function recentSlot(keys: Int32Array, at: number): number {
  const mixed =
    Math.imul(keys[at + 2]!, 0x9e37_79b1) +
    Math.imul(keys[at + 3]!, 0x85eb_ca6b) +
    Math.imul(keys[at + 4]!, 0xc2b2_ae35);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d) >>> (32 - recentBits);
}
