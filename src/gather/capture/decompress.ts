import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream';
import zlib from 'node:zlib';
import type { OpenFile } from '../../wire/io.ts';
import { chunksOf, fileOf, withHead } from '../../wire/open-file.ts';

/** Compressed octets that are not what they should be, or that this Node cannot read. */
export class DecompressError extends Error {
  /** It is the octets that came so far, not the format. */
  readonly inData: boolean;

  constructor(message: string, inData: boolean) {
    super(message);
    this.inData = inData;
    this.name = 'DecompressError';
  }
}

/** Octets that come out at once, whatever went in: decompression bombs fill no memory. */
const pieceBytes = 1024 * 1024;

type Format = 'gzip' | 'zstd';

/** The same octets, or what is in them where they begin like gzip (RFC 1952) or Zstandard (RFC 8878). */
export async function decompressed(file: OpenFile): Promise<OpenFile> {
  const head = await headOf(file);
  const whole = withHead(head, file);
  const format = formatOf(head);
  return format === null ? whole : fileOf(inflate(chunksOf(whole), format));
}

function formatOf(head: Uint8Array): Format | null {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head.length >= 4 && Buffer.from(head).readUInt32LE() === 0xfd2f_b528 ? 'zstd' : null;
}

/** The first four octets, or all where there are fewer. A pipe may give one at first. */
async function headOf(file: OpenFile): Promise<Uint8Array> {
  const head = Buffer.alloc(4);
  let filled = 0;
  while (filled < head.length) {
    const octets = await file.read(head.subarray(filled));
    if (octets === 0) break;
    filled += octets;
  }
  return head.subarray(0, filled);
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
    false,
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
      true,
    );
  }
}
