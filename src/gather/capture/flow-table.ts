import type { Packet } from '../../wire/packet/packet.ts';

/** Words of one key: two addresses of four words, both ports in one, protocol and tunnel. */
const keyWords = 11;

/**
 * Finds the flow of a packet, both directions under one number: open addressing over one `Int32Array`, with no object per packet.
 * A slot holds the key and the flow's number; the numbers are given by the caller and are free to be used again after `remove`.
 */
export class FlowTable {
  #mask: number;
  /** Flow number + 1 by slot; 0: free. */
  #flows: Int32Array;
  #keys: Int32Array;
  #count = 0;
  readonly #key = new Int32Array(keyWords);
  /** Whether the packet last looked up goes from the key's first end to its second. */
  forward = false;

  constructor(slots = 1024) {
    this.#mask = slots - 1;
    this.#flows = new Int32Array(slots);
    this.#keys = new Int32Array(slots * keyWords);
  }

  get size(): number {
    return this.#count;
  }

  /** The packet's flow, or -1. The key stays set for `add`, also when others are removed meanwhile. */
  find(packet: Packet): number {
    this.#setKey(packet);
    const slot = this.#slotOf(this.#key, 0);
    return this.#flows[slot]! - 1;
  }

  /** Files `flow` under the packet that `find` was last asked for. */
  add(flow: number): void {
    if (2 * (this.#count + 1) > this.#mask) this.#grow();
    const slot = this.#slotOf(this.#key, 0);
    if (this.#flows[slot] === 0) this.#count += 1;
    this.#flows[slot] = flow + 1;
    this.#keys.set(this.#key, slot * keyWords);
  }

  /** The key of the packet last looked up, for `remove`. */
  lastKey(): Int32Array {
    return this.#key.slice();
  }

  /** Forgets a flow; the slots behind it move up, so that searches need no marks of what was. */
  remove(key: Int32Array): void {
    let hole = this.#slotOf(key, 0);
    if (this.#flows[hole] === 0) return;
    this.#count -= 1;
    for (let slot = (hole + 1) & this.#mask; this.#flows[slot] !== 0; slot = (slot + 1) & this.#mask) {
      const home = hashOf(this.#keys, slot * keyWords) & this.#mask;
      // It may move to the hole where its home does not lie between the hole and itself.
      if (((slot - home) & this.#mask) < ((slot - hole) & this.#mask)) continue;
      this.#flows[hole] = this.#flows[slot]!;
      this.#keys.copyWithin(hole * keyWords, slot * keyWords, (slot + 1) * keyWords);
      hole = slot;
    }
    this.#flows[hole] = 0;
  }

  #setKey(packet: Packet): void {
    const { bytes, sourceAt, destinationAt, version, sourcePort, destinationPort } = packet;
    const octets = version === 6 ? 16 : 4;
    let order = 0;
    for (let i = 0; i < octets && order === 0; i++) order = bytes[sourceAt + i]! - bytes[destinationAt + i]!;
    this.forward = order === 0 ? sourcePort <= destinationPort : order < 0;
    const key = this.#key;
    setAddress(key, 0, bytes, this.forward ? sourceAt : destinationAt, version);
    setAddress(key, 4, bytes, this.forward ? destinationAt : sourceAt, version);
    key[8] = this.forward ? (sourcePort << 16) | destinationPort : (destinationPort << 16) | sourcePort;
    key[9] = (packet.protocol << 8) | version;
    key[10] = packet.tunnel;
  }

  #slotOf(key: Int32Array, at: number): number {
    let slot = hashOf(key, at) & this.#mask;
    while (this.#flows[slot] !== 0 && !this.#same(key, slot * keyWords)) slot = (slot + 1) & this.#mask;
    return slot;
  }

  #same(key: Int32Array, at: number): boolean {
    const keys = this.#keys;
    for (let i = 0; i < keyWords; i++) if (keys[at + i] !== key[i]) return false;
    return true;
  }

  #grow(): void {
    const [flows, keys] = [this.#flows, this.#keys];
    const slots = 2 * (this.#mask + 1);
    this.#mask = slots - 1;
    this.#flows = new Int32Array(slots);
    this.#keys = new Int32Array(slots * keyWords);
    for (let old = 0; old < flows.length; old++) {
      if (flows[old] === 0) continue;
      let slot = hashOf(keys, old * keyWords) & this.#mask;
      while (this.#flows[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#flows[slot] = flows[old]!;
      this.#keys.set(keys.subarray(old * keyWords, (old + 1) * keyWords), slot * keyWords);
    }
  }
}

function setAddress(key: Int32Array, word: number, bytes: Buffer, at: number, version: number): void {
  for (let i = 0; i < 4; i++) {
    const from = at + 4 * i;
    key[word + i] =
      version === 6 || i === 0
        ? (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!
        : 0;
  }
}

/** Murmur's mixing over the words. */
function hashOf(words: Int32Array, at: number): number {
  let hash = 0x5bd1e995;
  for (let i = 0; i < keyWords; i++) {
    hash = Math.imul(hash ^ words[at + i]!, 0xcc9e2d51);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash, 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
