/**
 * A Bloom filter over the hashes of batch keys: says for certain that a key is new, which is the answer almost always, so that
 * millions of known keys need neither an index nor a scan. Ten bits a key; at most one new key in a hundred is looked up in vain.
 */
export class KeyFilter {
  #bits: Uint32Array<ArrayBuffer>;
  #count = 0;

  constructor(capacity: number) {
    this.#bits = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(1024, capacity) * 10)) / 32);
  }

  /** True when the filter holds more keys than it was made for: time to make a larger one. */
  get full(): boolean {
    return this.#count * 10 > this.#bits.length * 32;
  }

  get count(): number {
    return this.#count;
  }

  add(hash: number): void {
    this.#count++;
    for (const bit of this.#places(hash)) this.#bits[bit >>> 5]! |= 1 << (bit & 31);
  }

  mayHave(hash: number): boolean {
    return this.#places(hash).every((bit) => (this.#bits[bit >>> 5]! & (1 << (bit & 31))) !== 0);
  }

  /** Seven places by double hashing from the two halves of the hash. */
  #places(hash: number): number[] {
    const mask = this.#bits.length * 32 - 1;
    const low = hash >>> 0;
    const step = Math.imul(Math.floor(hash / 2 ** 32) + 1, 0x9e3779b1) | 1;
    return Array.from({ length: 7 }, (_, i) => (((low + Math.imul(i, step)) >>> 0) & mask) >>> 0);
  }
}

/** 53 bits of a text: two 32-bit FNV-1a hashes with different seeds, as an integer that a double holds. */
export function hashOf(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
  }
  return ((high ^ (high >>> 15)) & 0x1fffff) * 2 ** 32 + ((low ^ (low >>> 13)) >>> 0);
}
