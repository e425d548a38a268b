import type { Packet } from '../../wire/packet/packet.ts';
import { WordIndex, wordAt } from './word-index.ts';

/** Words of a key: protocol and version, tunnel, both ports in one, two addresses of one word each, or of four. */
const headWords = 3;
const words = { four: headWords + 2, six: headWords + 8 } as const;

/**
 * Finds the conversation of a packet, both directions under one number, with no object per packet. Numbers that were removed are given
 * again.
 */
export class FlowTable {
  readonly #index: WordIndex;
  /** Whether the packet last looked up goes from the key's first end to its second. */
  forward = false;

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
