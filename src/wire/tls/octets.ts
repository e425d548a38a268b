/** Octets from a peer that are not the TLS that was expected, or more of it than anybody needs. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
}

/** Reads the presentation language of TLS (RFC 8446 §3) from the front; every read beyond the end throws `TlsError`. */
export class Octets {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw new TlsError(`cut: ${length} octets announced, ${this.left} there`);
    const from = this.#at;
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }

  u8(): number {
    return this.take(1)[0]!;
  }

  u16(): number {
    const [high, low] = this.take(2) as unknown as [number, number];
    return (high << 8) | low;
  }

  u24(): number {
    return (this.u8() << 16) | this.u16();
  }

  /** A vector of octets with a length of one, two or three octets before it. */
  vector8(): Octets {
    return new Octets(this.take(this.u8()));
  }

  vector16(): Octets {
    return new Octets(this.take(this.u16()));
  }

  vector24(): Octets {
    return new Octets(this.take(this.u24()));
  }

  /** What is left. */
  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** @throws TlsError when something is left */
  end(what: string): void {
    if (this.left > 0) throw new TlsError(`${this.left} octets behind the end of ${what}`);
  }
}

export const u8 = (value: number): Buffer => Buffer.from([value]);
export const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
export const u24 = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]);

/** Parts behind one another, with their length before them. */
export const vector8 = (...parts: readonly Uint8Array[]): Buffer => withLength(u8, 0xff, parts);
export const vector16 = (...parts: readonly Uint8Array[]): Buffer => withLength(u16, 0xff_ff, parts);
export const vector24 = (...parts: readonly Uint8Array[]): Buffer => withLength(u24, 0xff_ff_ff, parts);

function withLength(write: (value: number) => Buffer, most: number, parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > most) throw new RangeError(`Cannot write a vector of ${length} octets: at most ${most}`);
  return Buffer.concat([write(length), ...parts]);
}
