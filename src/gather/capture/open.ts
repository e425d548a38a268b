import type { Io } from '../../wire/io.ts';
import { CaptureError, type Frame, newFrame } from '../../wire/pcap/frame.ts';
import { type CaptureEnd, captureReader } from '../../wire/pcap/reader.ts';
import { DecompressError, decompressed } from './decompress.ts';

/** Where the octets of a capture come from. */
export interface CaptureSource {
  /** As errors call it. */
  name: string;
  chunks: AsyncIterable<Uint8Array>;
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
  if (path === '-') return { name: 'stdin', chunks: terminal.input(), totalBytes: null };
  // First: what reads opens at once, and an error of it would find nobody who waits.
  const totalBytes = await fs.sizeOf(path);
  return { name: path, chunks: fs.readChunks(path), totalBytes };
}

/** Takes the octets of one capture in pieces. */
export interface PieceTaker {
  /**
   * The piece is done with when this is.
   * @throws CaptureError where the file cannot be read on
   */
  take(piece: Uint8Array): void | Promise<void>;
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

/** Takes octets and hands on frames. @param onPiece called before octets of frames that were handed over may be overwritten */
export function framesOf(onFrame: (frame: Frame) => void, onPiece?: () => void): PieceTaker {
  const reader = captureReader();
  const frame = newFrame();
  let frames = 0;
  return {
    take: (piece) => {
      reader.push(piece);
      while (reader.next(frame)) {
        frames++;
        onFrame(frame);
      }
      onPiece?.();
    },
    end: () => reader.end(),
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
  const counted = untilAborted(source.chunks, signal, (octets) => {
    read.doneBytes += octets;
  });
  try {
    for await (const chunk of decompressed(counted)) {
      read.captureBytes += chunk.length;
      const taking = taker.take(chunk);
      if (taking) await taking;
      read.frames = taker.frames;
      onProgress?.(read);
    }
    if (!signal?.aborted) read.end = await taker.end();
  } catch (error) {
    if (error instanceof CaptureError) read.end = { kind: 'corrupt', offset: error.offset, what: error.message };
    else if (error instanceof DecompressError)
      read.end = { kind: 'corrupt', offset: read.captureBytes, what: error.message };
    else throw error;
  } finally {
    await taker.close?.();
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

/** The pieces, counted; ends at once when the signal aborts, also while it waits for a pipe. */
async function* untilAborted(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
  count: (octets: number) => void,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  let stop: (ended: null) => void = () => undefined;
  const onAbort = () => stop(null);
  signal?.addEventListener('abort', onAbort);
  try {
    for (;;) {
      if (signal?.aborted) return;
      // A promise of its own for each piece: one for all would remember every race.
      const stopped = new Promise<null>((done) => (stop = done));
      const next = await Promise.race([iterator.next(), stopped]);
      if (next === null || next.done) return;
      count(next.value.length);
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Not awaited: a pipe that nobody writes to would never let go.
    iterator.return?.()?.catch(() => {});
  }
}
