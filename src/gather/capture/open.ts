import type { Io, OpenFile } from '../../wire/io.ts';
import { CaptureError, type Frame, newFrame } from '../../wire/pcap/frame.ts';
import { type CaptureEnd, captureReader } from '../../wire/pcap/reader.ts';
import { DecompressError, decompressed, isCompressed } from './decompress.ts';

/** Octets that are read at once: small enough to be looked at before they leave the nearest memory. */
const pieceBytes = 256 * 1024;

/** Where the octets of a capture come from. */
export interface CaptureSource {
  /** As errors call it. */
  name: string;
  chunks: AsyncIterable<Uint8Array>;
  /** Where they come from a file: the same octets, into memory of who reads. One of both is to be used. */
  file?: OpenFile;
  /** Octets as they lie on the disk; null where nobody knows (a pipe). */
  totalBytes: number | null;
}

export interface CaptureProgress {
  /** Octets taken from the source, before decompression. */
  doneBytes: number;
  totalBytes: number | null;
  /** Octets of the capture itself. */
  captureBytes: number;
  frames: number;
}

export interface CaptureRead extends CaptureProgress {
  format: 'pcap' | 'pcapng' | null;
  /** Packets that the capture says it lost. */
  drops: number;
  /** Whatever it was that ended it: the frames before hold. */
  end: CaptureEnd | { kind: 'corrupt'; offset: number; what: string } | { kind: 'interrupted' };
}

export interface ReadOptions {
  /** Called after each piece of the source, about a megabyte. */
  onProgress?: (progress: CaptureProgress) => void;
  /** Ends the reading between two pieces. */
  signal?: AbortSignal;
}

/** A file by its path, or stdin for `-`. Rejects with the error of the file system. */
export async function captureSource(
  { fs, terminal }: Pick<Io, 'fs' | 'terminal'>,
  path: string,
): Promise<CaptureSource> {
  return path === '-' ? { name: 'stdin', chunks: terminal.input(), totalBytes: null } : fileSource({ fs }, path);
}

/** Rejects with the error of the file system. */
export async function fileSource({ fs }: Pick<Io, 'fs'>, path: string): Promise<CaptureSource> {
  // First: what reads opens at once, and an error of it would find nobody who waits.
  const totalBytes = await fs.sizeOf(path);
  const file = await fs.openRead(path);
  return { name: path, chunks: piecesOf(file), file, totalBytes };
}

/** Pieces of memory of their own. */
async function* piecesOf(file: OpenFile, ahead: Uint8Array = new Uint8Array(0)): AsyncGenerator<Uint8Array> {
  try {
    if (ahead.length > 0) yield ahead;
    for (;;) {
      const piece = Buffer.allocUnsafe(pieceBytes);
      const octets = await file.read(piece);
      if (octets === 0) return;
      yield piece.subarray(0, octets);
    }
  } finally {
    await file.close();
  }
}

/** Takes the octets of one capture in pieces. */
export interface PieceTaker {
  /**
   * The piece is done with when this is.
   * @throws CaptureError where the file cannot be read on
   */
  take(piece: Uint8Array): void | Promise<void>;
  /** Memory for the octets that follow; the same once so many of them lie there. */
  room(): Buffer;
  took(octets: number): void | Promise<void>;
  /** There are no more. @throws CaptureError as well */
  end(): CaptureEnd | Promise<CaptureEnd>;
  /** To be called whatever happened: what was taken has been looked at when this is done. */
  close?(): Promise<void>;
  readonly frames: number;
  readonly format: 'pcap' | 'pcapng' | null;
  readonly drops: number;
}

/**
 * Looks ahead in a pipe, of which nobody knows how much will come: what it brings within so long, up to so many octets, is held back and
 * then stands at the begin of what it returns.
 */
export async function lookAhead(
  source: CaptureSource,
  { octets, ms }: { octets: number; ms: number },
): Promise<{ source: CaptureSource; isMore: boolean }> {
  const iterator = source.chunks[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let held = 0;
  let next: Promise<IteratorResult<Uint8Array>> | null = null;
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<null>((done) => (timer = setTimeout(() => done(null), ms)));
  while (held < octets) {
    next ??= iterator.next();
    const came = await Promise.race([next, late]);
    if (came === null || came.done) break;
    next = null;
    head.push(came.value);
    held += came.value.length;
  }
  clearTimeout(timer!);
  const chunks = async function* () {
    try {
      for (let piece = head.shift(); piece; piece = head.shift()) yield piece;
      for (;;) {
        const came = await (next ?? iterator.next());
        next = null;
        if (came.done) return;
        yield came.value;
      }
    } finally {
      await iterator.return?.();
    }
  };
  return { source: { ...source, chunks: chunks() }, isMore: held >= octets };
}

/**
 * Hands every frame of a capture over, plain or compressed by gzip or zstd, in the order of the file. Memory is that of one piece and
 * one packet, whatever the file says or becomes when it is decompressed. `frame` is one object that is filled again and again.
 *
 * Rejects only with what the source itself rejects with, and with what `onFrame` throws.
 */
export async function readCapture(
  source: CaptureSource,
  onFrame: (frame: Frame) => void,
  options: ReadOptions = {},
): Promise<CaptureRead> {
  return readPieces(source, framesOf(onFrame), options);
}

/** Octets that are looked at together. */
const togetherBytes = 1024 * 1024;

/** Takes octets and hands on frames. @param onPiece called before octets of frames that were handed over may be overwritten */
export function framesOf(onFrame: (frame: Frame) => void, onPiece?: () => void): PieceTaker {
  const reader = captureReader();
  const frame = newFrame();
  let frames = 0;
  let memory: Buffer | null = null;
  const readFrames = () => {
    while (reader.next(frame)) {
      frames++;
      onFrame(frame);
    }
  };
  return {
    take: (piece) => {
      memory = null;
      reader.push(piece);
      readFrames();
      onPiece?.();
    },
    room: () => {
      if (memory === null || memory.length < reader.rest + 2 * pieceBytes) {
        memory = Buffer.allocUnsafeSlow(Math.max(togetherBytes, 2 * reader.rest) + 2 * pieceBytes);
        reader.moveTo(memory);
      } else if (reader.room().length < pieceBytes) {
        onPiece?.();
        reader.moveTo(memory);
      }
      return reader.room().subarray(0, pieceBytes);
    },
    took: (octets) => {
      reader.took(octets);
      readFrames();
    },
    end: () => {
      onPiece?.();
      return reader.end();
    },
    get frames() {
      return frames;
    },
    get format() {
      return reader.format;
    },
    get drops() {
      return reader.drops;
    },
  };
}

/** The same for who takes octets. Rejects only with what the source or the taker rejects with. */
export async function readPieces(
  source: CaptureSource,
  taker: PieceTaker,
  { onProgress, signal }: ReadOptions = {},
): Promise<CaptureRead> {
  const read: CaptureRead = {
    doneBytes: 0,
    totalBytes: source.totalBytes,
    captureBytes: 0,
    frames: 0,
    format: null,
    drops: 0,
    end: { kind: 'interrupted' },
  };
  const took = async (octets: number, take: () => void | Promise<void>) => {
    read.captureBytes += octets;
    const taking = take();
    if (taking) await taking;
    read.frames = taker.frames;
    onProgress?.(read);
  };
  try {
    const { file } = source;
    const head = file ? await headOf(file) : null;
    if (file && head && !isCompressed(head)) {
      read.doneBytes += head.length;
      await took(head.length, () => taker.take(head));
      for (;;) {
        const octets = signal?.aborted ? null : await orAborted(file.read(taker.room()), signal);
        if (octets === null || octets === 0) break;
        read.doneBytes += octets;
        await took(octets, () => taker.took(octets));
      }
    } else {
      const chunks = file && head ? piecesOf(file, head) : source.chunks;
      const counted = untilAborted(chunks, signal, (octets) => {
        read.doneBytes += octets;
      });
      for await (const chunk of decompressed(counted)) await took(chunk.length, () => taker.take(chunk));
    }
    if (!signal?.aborted) read.end = await taker.end();
  } catch (error) {
    if (error instanceof CaptureError) read.end = { kind: 'corrupt', offset: error.offset, what: error.message };
    else if (error instanceof DecompressError)
      read.end = { kind: 'corrupt', offset: read.captureBytes, what: error.message };
    else throw error;
  } finally {
    await taker.close?.();
    await source.file?.close();
  }
  read.frames = taker.frames;
  read.format = taker.format;
  read.drops = taker.drops;
  return read;
}

/** One sentence about an end that was not the end of the capture; null where all of it was read. */
export function describeEnd(name: string, { end, frames, captureBytes }: CaptureRead): string | null {
  const kept = frames === 0 ? 'no packet was read' : `the ${frames} packets before are counted`;
  switch (end.kind) {
    case 'complete':
      return null;
    case 'cut':
      return `"${name}" ends at octet ${captureBytes} in the middle of a record that begins at ${end.offset} (${end.missing} missing); ${kept}`;
    case 'corrupt':
      return `"${name}" ${end.offset === 0 ? '' : `cannot be read on at octet ${end.offset}: `}${end.what}; ${kept}`;
    case 'interrupted':
      return `"${name}" was read up to octet ${captureBytes}; ${kept}`;
  }
}

/** The beginning: four octets at least, or all where there are fewer. */
async function headOf(file: OpenFile): Promise<Uint8Array> {
  const head = Buffer.allocUnsafe(pieceBytes);
  let filled = 0;
  while (filled < 4) {
    const octets = await file.read(head.subarray(filled));
    if (octets === 0) break;
    filled += octets;
  }
  return head.subarray(0, filled);
}

/** Null as soon as the signal aborts, also while it waits for a pipe. */
async function orAborted<T>(doing: Promise<T>, signal: AbortSignal | undefined): Promise<T | null> {
  if (!signal) return doing;
  let onAbort = () => {};
  const stopped = new Promise<null>((done) => {
    onAbort = () => done(null);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) done(null);
  });
  try {
    return await Promise.race([doing, stopped]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The pieces, counted; ends at once when the signal aborts, also while it waits for a pipe. */
async function* untilAborted(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
  count: (octets: number) => void,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      if (signal?.aborted) return;
      const next = await orAborted(iterator.next(), signal);
      if (next === null || next.done) return;
      count(next.value.length);
      yield next.value;
    }
  } finally {
    // Not awaited: a pipe that nobody writes to would never let go.
    iterator.return?.()?.catch(() => {});
  }
}
