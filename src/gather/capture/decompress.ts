import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream';
import zlib from 'node:zlib';

/** Compressed octets that are not what they should be, or that this Node cannot read. */
export class DecompressError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DecompressError';
  }
}

/** Octets that come out at once, whatever went in: decompression bombs fill no memory. */
const pieceBytes = 1024 * 1024;

type Format = 'gzip' | 'zstd';

/** The same octets, or what is in them where they begin like gzip (RFC 1952) or Zstandard (RFC 8878). */
export async function* decompressed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    const head = await atLeast(iterator, 4);
    if (head.length === 0) return;
    const format = formatOf(head);
    const whole = joined(head, iterator);
    if (format === null) yield* whole;
    else yield* inflate(whole, format);
  } finally {
    await iterator.return?.(undefined);
  }
}

/** Whether these are the first octets of something compressed; four are enough. */
export const isCompressed = (head: Uint8Array): boolean => formatOf(head) !== null;

function formatOf(head: Uint8Array): Format | null {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head.length >= 4 && Buffer.from(head.subarray(0, 4)).readUInt32LE() === 0xfd2f_b528 ? 'zstd' : null;
}

/** A pipe may give one octet at first. */
async function atLeast(iterator: AsyncIterator<Uint8Array>, count: number): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < count) {
    const { done, value } = await iterator.next();
    if (done) break;
    head = head.length === 0 ? value : Buffer.concat([head, value]);
  }
  return head;
}

async function* joined(head: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  for (;;) {
    const { done, value } = await iterator.next();
    if (done) return;
    yield value;
  }
}

/** What Node 22.15 and 23.8 brought; the types of Node 20 do not have it. */
interface WithZstd {
  createZstdDecompress?: (options: { chunkSize: number }) => Transform;
}

function decoder(format: Format): Transform {
  if (format === 'gzip') return zlib.createGunzip({ chunkSize: pieceBytes });
  const { createZstdDecompress } = zlib as WithZstd;
  if (createZstdDecompress) return createZstdDecompress({ chunkSize: pieceBytes });
  throw new DecompressError(
    'is compressed by zstd, which Node reads from 22.15 on: decompress it first (zstd -dc FILE | inferpath capture -)',
  );
}

async function* inflate(chunks: AsyncIterable<Uint8Array>, format: Format): AsyncGenerator<Uint8Array> {
  const stream = decoder(format);
  let failure: Error | null = null;
  const source = Readable.from(chunks, { objectMode: true });
  // An error of the source itself is not one of the compression.
  source.on('error', (error: Error) => (failure ??= error));
  pipeline(source, stream, () => {});
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) yield piece;
  } catch (error) {
    if (failure !== null) throw failure as Error;
    throw new DecompressError(
      `the ${format} data cannot be read on: ${error instanceof Error ? error.message : 'unknown'}`,
    );
  }
}
