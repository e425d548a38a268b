/** One series with its newest value. */
export interface WriteSeries {
  /** With `__name__`; sorted by name, each once, none of them empty. */
  labels: readonly (readonly [name: string, value: string])[];
  /** stale: it has ended, so that no query goes on showing its last value for five minutes. */
  value: number | 'stale';
}

export interface WriteMetadata {
  family: string;
  type: keyof typeof metadataTypes;
  help: string;
}

const metadataTypes = { counter: 1, gauge: 2, histogram: 3, info: 6 } as const;
/** The one NaN of many that Prometheus reads as an end (model/value/value.go, StaleNaN). */
const staleNaN = 0x7ff0_0000_0000_0002n;

const [varint, fixed64, delimited] = [0, 1, 2];
const tag = (field: number, wire: number) => (field << 3) | wire;

/**
 * `prometheus.WriteRequest` of remote-write 1.0 in Protocol Buffers: timeseries (1) of labels (1) and one sample (2), and metadata
 * (3). Each series has its value at the same instant.
 */
export function encodeWriteRequest(
  series: readonly WriteSeries[],
  atMs: number,
  metadata: readonly WriteMetadata[] = [],
): Buffer {
  const sampleSize = 1 + 8 + 1 + varintSize(atMs);
  const all = series.map(({ labels, value }) => {
    const sizes = labels.map(([name, text]) => fieldSize(Buffer.byteLength(name)) + fieldSize(Buffer.byteLength(text)));
    return { labels, value, sizes, size: sizes.reduce((sum, size) => sum + fieldSize(size), fieldSize(sampleSize)) };
  });
  const heads = metadata.map(({ family, type, help }) => ({
    family,
    help,
    type: metadataTypes[type],
    size: 2 + fieldSize(Buffer.byteLength(family)) + fieldSize(Buffer.byteLength(help)),
  }));
  const out = new Writer([...all, ...heads].reduce((sum, { size }) => sum + fieldSize(size), 0));
  for (const { labels, value, sizes, size } of all) {
    out.head(1, size);
    for (const [i, [name, text]] of labels.entries()) {
      out.head(1, sizes[i]!);
      out.text(1, name);
      out.text(2, text);
    }
    out.head(2, sampleSize);
    out.varint(tag(1, fixed64));
    out.double(value);
    out.varint(tag(2, varint));
    out.varint(atMs);
  }
  for (const { family, help, type, size } of heads) {
    out.head(3, size);
    out.varint(tag(1, varint));
    out.varint(type);
    out.text(2, family);
    out.text(4, help);
  }
  return out.bytes;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Octets of a field with a number below 16 that holds so many. */
const fieldSize = (size: number): number => 1 + varintSize(size) + size;

/** Writes into exactly as many octets as were counted before. */
class Writer {
  readonly bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.bytes = Buffer.alloc(size);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.bytes[this.#at++] = (rest % 0x80) | 0x80;
    this.bytes[this.#at++] = rest;
  }

  head(field: number, size: number): void {
    this.varint(tag(field, delimited));
    this.varint(size);
  }

  text(field: number, text: string): void {
    this.head(field, Buffer.byteLength(text));
    this.#at += this.bytes.write(text, this.#at);
  }

  double(value: number | 'stale'): void {
    this.#at =
      value === 'stale' ? this.bytes.writeBigUInt64LE(staleNaN, this.#at) : this.bytes.writeDoubleLE(value, this.#at);
  }
}
