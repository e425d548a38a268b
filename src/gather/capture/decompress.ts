import type { Transform } from 'node:stream';
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

/** Octets that go in at once: what a bomb makes of them is bounded. */
const sliceBytes = 16 * 1024;

/** Slice by slice: an error in one, or that there are no more, must not cost what came out before it, as it does in a pipeline. */
async function* inflate(chunks: AsyncIterable<Uint8Array>, format: Format): AsyncGenerator<Uint8Array> {
  const stream = decoder(format);
  const out: Buffer[] = [];
  const state: { failure: Error | null; wake: () => void } = { failure: null, wake: () => {} };
  stream.on('data', (piece: Buffer) => out.push(piece));
  stream.on('end', () => state.wake());
  stream.on('error', (error) => {
    state.failure = error;
    state.wake();
  });
  const done = (start: (wake: () => void) => void) =>
    new Promise<void>((wake) => {
      state.wake = wake;
      start(wake);
    });
  try {
    for await (const chunk of chunks)
      for (let at = 0; at < chunk.length && !state.failure; at += sliceBytes) {
        await done((wake) => stream.write(chunk.subarray(at, at + sliceBytes), () => wake()));
        yield* out.splice(0);
      }
    if (!state.failure) await done(() => stream.end());
    yield* out.splice(0);
    if (state.failure)
      throw new DecompressError(`the ${format} data cannot be read on: ${state.failure.message}`, true);
  } finally {
    stream.destroy();
  }
}
