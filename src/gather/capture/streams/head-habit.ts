/** Heads of one server differ by this much: lengths and counters in them. */
const differBytes = 24;

/**
 * Whether a server sends heads alone or with the first chunk, as the answers of one connection showed it where it could be told. Two
 * figures, and only while the connection lives.
 */
export class HeadHabit {
  #aloneBytes = NaN;
  #withChunkBytes = NaN;

  /** A first record of this size was a head alone. */
  isAlone(bytes: number): void {
    this.#aloneBytes = bytes;
  }

  /** A first record of this size had a chunk in it. */
  isWithChunk(bytes: number): void {
    this.#withChunkBytes = bytes;
  }

  /** What a first record of this size is; null: nothing like it was seen, or both. */
  knows(bytes: number, chunkBytes: number): 'alone' | 'with-chunk' | null {
    const isAlone = Math.abs(bytes - this.#aloneBytes) <= differBytes;
    const isWithChunk =
      Math.abs(bytes - this.#withChunkBytes) <= differBytes + chunkBytes / 4 ||
      // As much larger than a head alone as a chunk is.
      Math.abs(bytes - this.#aloneBytes - chunkBytes) <= differBytes + chunkBytes / 4;
    return isAlone === isWithChunk ? null : isAlone ? 'alone' : 'with-chunk';
  }
}
