/**
 * Bytes of a line or event that is not complete yet. Grows by doubling, so that a peer sending one byte per segment costs
 * linear time and no object per byte; never beyond `limitBytes`.
 */
export class LineBuffer {
  length = 0;
  #bytes = Buffer.allocUnsafe(0);
  readonly #limitBytes: number;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Appends a copy; false (and nothing kept) when the limit would be passed. */
  append(bytes: Uint8Array, from: number, to: number): boolean {
    const added = to - from;
    if (this.length + added > this.#limitBytes) {
      this.drop();
      return false;
    }
    if (this.length + added > this.#bytes.length) this.#grow(this.length + added);
    this.#bytes.set(bytes.subarray(from, to), this.length);
    this.length += added;
    return true;
  }

  /** The bytes gathered so far; valid until the next append. */
  take(): Buffer {
    const all = this.#bytes.subarray(0, this.length);
    this.length = 0;
    return all;
  }

  drop(): void {
    this.length = 0;
    this.#bytes = Buffer.allocUnsafe(0);
  }

  #grow(needBytes: number): void {
    const larger = Buffer.allocUnsafe(Math.min(this.#limitBytes, Math.max(needBytes, 256, this.#bytes.length * 2)));
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
  }
}

/** A view of the same memory with Node's fast decoding methods. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
