/**
 * ClickHouse's Native format, as it goes over HTTP: blocks of columns. Numbers lie in memory as they lie on the wire (little endian),
 * so that a column is copied and not formatted; no other format of servers as old as 18.16 keeps every double and every octet of a text.
 * https://clickhouse.com/docs/interfaces/formats/Native
 */

export type Column =
  | { type: 'Float64'; values: Float64Array }
  | { type: 'Int32'; values: Int32Array }
  | { type: 'UInt32'; values: Uint32Array }
  | { type: 'UInt64'; values: BigUint64Array }
  | { type: 'UInt8'; values: Uint8Array }
  | { type: 'String'; values: readonly string[] }
  | { type: 'Nullable(String)'; values: readonly (string | null)[] };

/** One block of named columns, all of the same length. */
export function encodeBlock(rows: number, columns: Readonly<Record<string, Column>>): Buffer[] {
  const names = Object.keys(columns);
  const parts: Buffer[] = [varint(names.length), varint(rows)];
  for (const name of names) {
    const column = columns[name]!;
    parts.push(text(name), text(column.type), ...octetsOf(column));
  }
  return parts;
}

function octetsOf(column: Column): Buffer[] {
  switch (column.type) {
    case 'String':
      return [texts(column.values)];
    case 'Nullable(String)':
      return [Buffer.from(column.values.map((value) => (value === null ? 1 : 0))), texts(column.values)];
    default: {
      const { buffer, byteOffset, byteLength } = column.values;
      return [Buffer.from(buffer, byteOffset, byteLength)];
    }
  }
}

function texts(values: readonly (string | null)[]): Buffer {
  const sizes = values.map((value) => (value === null ? 0 : Buffer.byteLength(value)));
  const octets = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size + 5, 0));
  let at = 0;
  values.forEach((value, i) => {
    at = writeVarint(octets, at, sizes[i]!);
    if (value !== null) at += octets.write(value, at);
  });
  return octets.subarray(0, at);
}

const text = (value: string) => Buffer.concat([varint(Buffer.byteLength(value)), Buffer.from(value)]);

function varint(value: number): Buffer {
  const octets = Buffer.alloc(8);
  return octets.subarray(0, writeVarint(octets, 0, value));
}

function writeVarint(octets: Buffer, at: number, value: number): number {
  for (; value >= 0x80; value = Math.floor(value / 128)) octets[at++] = (value % 128) | 0x80;
  octets[at++] = value;
  return at;
}

/** A column of an answer: what a query asks for is cast to one of these types. */
export type Values = Float64Array | BigUint64Array | (string | null)[] | number[][];

/** An answer, its blocks put together. */
export class Answer {
  readonly rows: number;
  readonly #columns: readonly Values[];

  constructor(rows: number, columns: readonly Values[]) {
    this.rows = rows;
    this.#columns = columns;
  }

  numbers(column: number): Float64Array {
    const values = this.#columns[column] ?? new Float64Array(0);
    if (values instanceof Float64Array) return values;
    throw new TypeError(`Column ${column} of the answer does not hold numbers`);
  }

  numbers64(column: number): BigUint64Array {
    const values = this.#columns[column] ?? new BigUint64Array(0);
    if (values instanceof BigUint64Array) return values;
    throw new TypeError(`Column ${column} of the answer does not hold 64-bit integers`);
  }

  texts(column: number): (string | null)[] {
    return (this.#columns[column] ?? []) as (string | null)[];
  }

  lists(column: number): number[][] {
    return (this.#columns[column] ?? []) as number[][];
  }
}

/** @throws RangeError for octets that are no blocks */
export function decodeAnswer(octets: Buffer): Answer {
  const reader = new Reader(octets);
  const blocks: Values[][] = [];
  let rows = 0;
  while (!reader.atEnd) {
    const width = reader.varint();
    const count = reader.varint();
    if (width === 0 && count > 0) throw new RangeError('The server sent rows without columns');
    const block: Values[] = [];
    for (let i = 0; i < width; i++) {
      reader.text();
      block.push(readColumn(reader, reader.text(), count));
    }
    // A block without rows tells names and types.
    if (count > 0) blocks.push(block);
    rows += count;
  }
  const [first = []] = blocks;
  return new Answer(rows, blocks.length === 1 ? first : first.map((_, i) => joined(blocks.map((block) => block[i]!))));
}

function joined(parts: readonly Values[]): Values {
  const [first] = parts;
  if (first instanceof Float64Array) {
    const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts as Float64Array[]) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
  if (first instanceof BigUint64Array) return BigUint64Array.from((parts as BigUint64Array[]).flatMap((p) => [...p]));
  return (parts as (string | null)[][]).flat();
}

function readColumn(reader: Reader, type: string, rows: number): Values {
  switch (type) {
    case 'Float64':
      return new Float64Array(reader.copy(rows * 8));
    case 'UInt64':
      return new BigUint64Array(reader.copy(rows * 8));
    case 'String':
      return Array.from({ length: rows }, () => reader.text());
    case 'Nullable(String)': {
      const isNull = new Uint8Array(reader.copy(rows));
      return Array.from(isNull, (no) => {
        const value = reader.text();
        return no === 1 ? null : value;
      });
    }
    case 'Array(Float64)': {
      const ends = new BigUint64Array(reader.copy(rows * 8));
      const all = new Float64Array(reader.copy(Number(ends.at(-1) ?? 0n) * 8));
      return Array.from(ends, (end, i) => Array.from(all.subarray(Number(ends[i - 1] ?? 0n), Number(end))));
    }
    default:
      throw new RangeError(`The server sent a column of type ${type}, which no query asks for`);
  }
}

class Reader {
  readonly #octets: Buffer;
  #at = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  get atEnd(): boolean {
    return this.#at >= this.#octets.length;
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 49; factor *= 128) {
      const octet = this.#octets[this.#at++];
      if (octet === undefined) throw cut();
      value += (octet & 0x7f) * factor;
      if (octet < 0x80) return value;
    }
    throw new RangeError('The server sent a length that is none');
  }

  text(): string {
    const size = this.varint();
    const from = this.#take(size);
    return this.#octets.toString('utf8', from, from + size);
  }

  /** A copy, for numbers in memory stand at multiples of their size. */
  copy(size: number): ArrayBuffer {
    const from = this.#take(size);
    const copy = new Uint8Array(size);
    copy.set(this.#octets.subarray(from, from + size));
    return copy.buffer;
  }

  #take(size: number): number {
    const from = this.#at;
    if (!(size <= this.#octets.length - from)) throw cut();
    this.#at += size;
    return from;
  }
}

const cut = () => new RangeError('The answer of the server ends in the middle of a block');
