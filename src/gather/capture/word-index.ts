/** Half SipHash's constants (Aumasson and Bernstein, public domain). */
const [sip2, sip3] = [0x6c79_6765, 0x7465_6462] as const;

/** What the key of a removed number begins with. */
const noKey = 0xffff_ffff;

/**
 * Numbers keys of so many 32-bit words in the order in which they come: open addressing over typed arrays, so that looking one up makes
 * nothing. Full means full: a key beyond the last has no number. Numbers of keys that were removed are given again.
 *
 * Keys come from the network, and who could guess where they fall would make one search as long as the table; so their place is a keyed hash
 * (HalfSipHash-1-3).
 */
export class WordIndex {
  /** To be filled before `find` and `add`. */
  readonly key: Uint32Array;
  size = 0;
  readonly #words: number;
  readonly #most: number;
  readonly #k0: number;
  readonly #k1: number;
  #keys: Uint32Array;
  /** Per slot the number + 1, 0 where it is free, and the hash. */
  #slots: Int32Array;
  #hash = 0;
  /** By number. */
  #hashes: Int32Array;
  /** Numbers below have been given before. */
  #given = 0;
  readonly #free: number[] = [];

  constructor(words: number, most: number, seed = 0, slots = 128) {
    this.#k0 = seed | 0;
    this.#k1 = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b);
    this.key = new Uint32Array(words);
    this.#words = words;
    this.#most = most;
    this.#keys = new Uint32Array(words * (slots >> 1));
    this.#hashes = new Int32Array(slots >> 1);
    this.#slots = new Int32Array(2 * slots);
  }

  /**
   * Number of the key, -1 where it has none.
   * @param words how many of its words count: of keys of different length a word among the first has to tell it
   */
  find(words = this.#words): number {
    this.#setHash(words);
    return this.#slots[this.#slotOf(words)]! - 1;
  }

  /** Number of the key, a new one where it had none; -1 where there are no more. */
  add(words = this.#words): number {
    this.#setHash(words);
    const known = this.#slots[this.#slotOf(words)]! - 1;
    if (known >= 0) return known;
    if (this.size === this.#most) return -1;
    const number = this.#free.pop() ?? this.#given++;
    this.size += 1;
    if (4 * this.size > this.#slots.length) this.#grow();
    this.#keys.set(this.key, number * this.#words);
    this.#hashes[number] = this.#hash;
    const slot = this.#slotOf(words);
    this.#slots[slot] = number + 1;
    this.#slots[slot + 1] = this.#hash;
    return number;
  }

  /** Forgets the key of a number; the slots behind it move up, so that searches need no marks of what was. */
  remove(number: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#slotOfNumber(number);
    this.size -= 1;
    this.#free.push(number);
    this.#keys[number * this.#words] = noKey;
    for (let slot = (hole + 2) & mask; slots[slot] !== 0; slot = (slot + 2) & mask) {
      const home = (slots[slot + 1]! << 1) & mask;
      // It may move to the hole where its home does not lie between the hole and itself.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = slots[slot]!;
      slots[hole + 1] = slots[slot + 1]!;
      hole = slot;
    }
    slots[hole] = 0;
  }

  /** Whether a word of the key of that number is this one; all ones is the first one of a number that was removed. */
  is(number: number, at: number, word: number): boolean {
    return this.#keys[number * this.#words + at]! === word >>> 0;
  }

  /** Puts the key of that number into `key`. */
  read(number: number): void {
    for (let w = 0; w < this.#words; w++) this.key[w] = this.#keys[number * this.#words + w]!;
  }

  #slotOf(words: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const hash = this.#hash;
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const number = slots[slot]!;
      if (number === 0 || (slots[slot + 1] === hash && this.#equals(number - 1, words))) return slot;
    }
  }

  #slotOfNumber(number: number): number {
    const mask = this.#slots.length - 1;
    let slot = (this.#hashes[number]! << 1) & mask;
    while (this.#slots[slot] !== number + 1) slot = (slot + 2) & mask;
    return slot;
  }

  #equals(number: number, words: number): boolean {
    const { key } = this;
    const keys = this.#keys;
    const at = number * this.#words;
    for (let w = 0; w < words; w++) if (keys[at + w] !== key[w]) return false;
    return true;
  }

  /** Half of the slots may be taken, and there is room for as many keys. */
  #grow(): void {
    const keys = new Uint32Array(2 * this.#keys.length);
    keys.set(this.#keys);
    this.#keys = keys;
    const hashes = new Int32Array(2 * this.#hashes.length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const old = this.#slots;
    const slots = new Int32Array(2 * old.length);
    const mask = slots.length - 1;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from] === 0) continue;
      let slot = (old[from + 1]! << 1) & mask;
      while (slots[slot] !== 0) slot = (slot + 2) & mask;
      slots[slot] = old[from]!;
      slots[slot + 1] = old[from + 1]!;
    }
    this.#slots = slots;
  }

  #setHash(words: number): void {
    const { key } = this;
    let v0 = this.#k0;
    let v1 = this.#k1;
    let v2 = sip2 ^ v0;
    let v3 = sip3 ^ v1;
    // The words, their number, and three rounds more.
    for (let w = 0; w < words + 4; w++) {
      const word = w < words ? key[w]! | 0 : w === words ? words << 26 : 0;
      if (w === words + 1) v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.#hash = v1 ^ v3;
  }
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

export function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
