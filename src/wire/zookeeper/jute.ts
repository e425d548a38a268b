/** Jute, the encoding of ZooKeeper's protocol: big-endian integers, and text and octets with their length before them. */

/** Octets that are not what the protocol says. */
export class JuteError extends Error {
  override readonly name = 'JuteError';
}

export type Jute = Uint8Array;

export function int(value: number): Jute {
  const octets = Buffer.alloc(4);
  octets.writeInt32BE(value);
  return octets;
}

export function long(value: bigint): Jute {
  const octets = Buffer.alloc(8);
  octets.writeBigInt64BE(value);
  return octets;
}

export const bool = (value: boolean): Jute => Buffer.from([value ? 1 : 0]);
export const buffer = (octets: Uint8Array): Jute => Buffer.concat([int(octets.length), octets]);
export const text = (value: string): Jute => buffer(Buffer.from(value, 'utf8'));
export const vector = (...items: readonly Jute[]): Jute => Buffer.concat([int(items.length), ...items]);

/** Reads one message from its begin; every length is checked against what is there. */
export class JuteReader {
  readonly #octets: Buffer;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  }

  get left(): number {
    return this.#octets.length - this.#at;
  }

  int(): number {
    return this.#octets.readInt32BE(this.#take(4));
  }

  long(): bigint {
    return this.#octets.readBigInt64BE(this.#take(8));
  }

  bool(): boolean {
    const octet = this.#octets[this.#take(1)];
    if (octet !== 0 && octet !== 1) throw new JuteError(`expected a boolean, found ${octet}`);
    return octet === 1;
  }

  /** A view, not a copy; -1 as length is how Java writes "null", and means none here. */
  buffer(): Uint8Array {
    const length = this.int();
    if (length === -1) return this.#octets.subarray(0, 0);
    const from = this.#take(length);
    return this.#octets.subarray(from, from + length);
  }

  text(): string {
    return Buffer.from(this.buffer()).toString('utf8');
  }

  vector<T>(read: () => T): T[] {
    const count = this.int();
    if (count === -1) return [];
    // An item has one octet at least: no count can make us reserve what is not there.
    if (count < 0 || count > this.left) throw new JuteError(`expected a count of up to ${this.left}, found ${count}`);
    return Array.from({ length: count }, read);
  }

  #take(length: number): number {
    if (length < 0 || length > this.left)
      throw new JuteError(`expected ${length} octets at ${this.#at}, found ${this.left}`);
    const from = this.#at;
    this.#at += length;
    return from;
  }
}
