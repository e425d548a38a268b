/**
 * Numbers keys of so many 32-bit words in the order in which they come: open addressing over typed arrays, so that looking one up makes
 * nothing. Full means full: a key beyond the last has no number.
 */
export class WordIndex {
  /** To be filled before `find` and `add`. */
  readonly key: Uint32Array;
  size = 0;
  readonly #words: number;
  readonly #most: number;
  readonly #seed: number;
  #keys: Uint32Array;
  #slots: Int32Array;

  /** @param seed of the hash: keys come from the network, and who knows it can make them collide */
  constructor(words: number, most: number, seed = 0) {
    this.#seed = seed;
    this.key = new Uint32Array(words);
    this.#words = words;
    this.#most = most;
    this.#keys = new Uint32Array(words * 64);
    this.#slots = new Int32Array(128).fill(-1);
  }

  /** Number of the key, -1 where it has none. */
  find(): number {
    return this.#slots[this.#slotOf()]!;
  }

  /** Number of the key, a new one where it had none; -1 where there are no more. */
  add(): number {
    const slot = this.#slotOf();
    const known = this.#slots[slot]!;
    if (known >= 0) return known;
    if (this.size === this.#most) return -1;
    const number = this.size++;
    if (this.#keys.length < this.size * this.#words) this.#grow();
    this.#keys.set(this.key, number * this.#words);
    this.#slots[this.#slotOf()] = number;
    return number;
  }

  /** Puts the key of that number into `key`. */
  read(number: number): void {
    for (let w = 0; w < this.#words; w++) this.key[w] = this.#keys[number * this.#words + w]!;
  }

  #slotOf(): number {
    const mask = this.#slots.length - 1;
    let slot = hash(this.key, this.#seed) & mask;
    for (;;) {
      const number = this.#slots[slot]!;
      if (number < 0 || this.#equals(number)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #equals(number: number): boolean {
    const at = number * this.#words;
    for (let w = 0; w < this.#words; w++) if (this.#keys[at + w] !== this.key[w]) return false;
    return true;
  }

  #grow(): void {
    const keys = new Uint32Array(2 * this.#keys.length);
    keys.set(this.#keys);
    this.#keys = keys;
    const wanted = this.key.slice();
    this.#slots = new Int32Array(2 * this.#slots.length).fill(-1);
    for (let number = 0; number < this.size - 1; number++) {
      this.read(number);
      this.#slots[this.#slotOf()] = number;
    }
    this.key.set(wanted);
  }
}

/** Mixes as MurmurHash3 does (Appleby, public domain). */
function hash(words: Uint32Array, seed: number): number {
  let h = seed | 0;
  for (let w = 0; w < words.length; w++) {
    let k = Math.imul(words[w]!, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    h ^= k;
    h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Writes an address as four words: IPv4 as RFC 4291 maps it. */
export function putAddress(key: Uint32Array, at: number, bytes: Uint8Array, from: number, version: 0 | 4 | 6): void {
  if (version === 6) {
    for (let w = 0; w < 4; w++) key[at + w] = wordAt(bytes, from + 4 * w);
    return;
  }
  key[at] = key[at + 1] = 0;
  key[at + 2] = 0xffff;
  key[at + 3] = version === 4 ? wordAt(bytes, from) : 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
