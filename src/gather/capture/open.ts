import type { Io, OpenFile } from '../../wire/io.ts';
import { CaptureError, type Frame, newFrame } from '../../wire/pcap/frame.ts';
import { type CaptureEnd, captureReader } from '../../wire/pcap/reader.ts';
import { readAhead } from '../../wire/open-file.ts';
import { DecompressError, decompressed } from './decompress.ts';

/** Octets that are read at once: small enough to be looked at before they leave the nearest memory. */
const pieceBytes = 256 * 1024;
/** What a pipe of Linux gives at once. */
const pipeBytes = 64 * 1024;
/** A pipe that gives nothing for so long is silent: busy ones take turns with us much faster. */
const silentMs = 20;

/** Where the octets of a capture come from. Who reads it closes the file. */
export interface CaptureSource {
  /** As errors call it. */
  name: string;
  file: OpenFile;
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
  return path === '-' ? { name: 'stdin', file: terminal.openInput(), totalBytes: null } : fileSource({ fs }, path);
}

/** Rejects with the error of the file system. */
export async function fileSource({ fs }: Pick<Io, 'fs'>, path: string): Promise<CaptureSource> {
  const totalBytes = await fs.sizeOf(path);
  return { name: path, file: await fs.openRead(path), totalBytes };
}

/** Takes the octets of one capture into memory of its own. */
export interface PieceTaker {
  /** Memory for the octets that follow; the same once so many of them lie there. */
  room(): Buffer;
  /**
   * So many lie there.
   * @throws CaptureError where the file cannot be read on
   */
  took(octets: number): void | Promise<void>;
  /** No more come for the moment: what is there may be looked at. */
  idle(): void | Promise<void>;
  /** There are no more. @throws CaptureError as well */
  end(): CaptureEnd | Promise<CaptureEnd>;
  /** To be called whatever happened: what was taken has been looked at when this is done. */
  close?(): Promise<void>;
  readonly frames: number;
  readonly format: 'pcap' | 'pcapng' | null;
  readonly drops: number;
}

/**
 * Looks ahead in a pipe, of which nobody knows how much will come: what it brings within so long from its first octets on, up to so many,
 * is held back and then stands at the begin of what it returns.
 */
export async function lookAhead(
  source: CaptureSource,
  { octets, ms, signal }: { octets: number; ms: number; signal?: AbortSignal },
): Promise<{ source: CaptureSource; isMore: boolean }> {
  const head: Uint8Array[] = [];
  let held = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = () => {};
  const late = new Promise<null>((done) => (stop = () => done(null)));
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  /** What has been asked for and has not come: the next octets, whoever waits for them. */
  let asked: { piece: Buffer; size: Promise<number> } | null = null;
  while (held < octets) {
    const piece = Buffer.allocUnsafe(pieceBytes);
    asked = { piece, size: source.file.read(piece) };
    const size = await Promise.race([asked.size, late]);
    if (size === null) break;
    asked = null;
    if (size === 0) break;
    head.push(piece.subarray(0, size));
    held += size;
    timer ??= setTimeout(stop, ms);
  }
  clearTimeout(timer);
  signal?.removeEventListener('abort', stop);
  const file: OpenFile = {
    read: async (memory) => {
      if (head.length === 0 && asked) {
        head.push(asked.piece.subarray(0, await asked.size));
        asked = null;
      }
      const piece = head[0];
      if (!piece) return source.file.read(memory);
      const size = Math.min(piece.length, memory.length);
      memory.set(piece.subarray(0, size));
      if (size < piece.length) head[0] = piece.subarray(size);
      else head.shift();
      return size;
    },
    close: () => source.file.close(),
  };
  return { source: { ...source, file }, isMore: held >= octets };
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
  let memory = Buffer.alloc(0);
  return {
    room: () => {
      if (memory.length < reader.rest + 2 * pieceBytes) {
        onPiece?.();
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
      while (reader.next(frame)) {
        frames++;
        onFrame(frame);
      }
    },
    idle: () => onPiece?.(),
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
  const counted: OpenFile = {
    read: async (memory) => {
      const octets = await source.file.read(memory);
      read.doneBytes += octets;
      return octets;
    },
    close: () => source.file.close(),
  };
  let file = counted;
  try {
    file = (await orAborted(decompressed(counted), signal)) ?? counted;
    if (source.totalBytes !== null) file = readAhead(file);
    const took = async (octets: number) => {
      read.captureBytes += octets;
      const taking = taker.took(octets);
      if (taking) await taking;
      read.frames = taker.frames;
      onProgress?.(read);
    };
    // Of a pipe that has nothing for the moment what came is looked at meanwhile; so what comes next has to lie elsewhere first.
    const between = source.totalBytes === null ? Buffer.allocUnsafeSlow(pipeBytes) : null;
    for (;;) {
      if (signal?.aborted) break;
      const reading = file.read(between ?? taker.room());
      if (between && !(await isSoon(reading))) {
        await taker.idle();
        onProgress?.(read);
      }
      const octets = await orAborted(reading, signal);
      if (octets === null || octets === 0) break;
      if (between)
        for (let at = 0; at < octets;) {
          const size = between.copy(taker.room(), 0, at, octets);
          at += size;
          await took(size);
        }
      else await took(octets);
    }
    if (!signal?.aborted) read.end = await taker.end();
  } catch (error) {
    if (error instanceof CaptureError) read.end = { kind: 'corrupt', offset: error.offset, what: error.message };
    else if (error instanceof DecompressError)
      read.end = {
        kind: 'corrupt',
        offset: read.captureBytes,
        // Where in the compressed file is not told more exactly.
        what: error.inData ? `${error.message} (within its first ${read.doneBytes} octets)` : error.message,
      };
    else throw error;
  } finally {
    await taker.close?.();
    await file.close();
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

/** Whether it comes before who writes seems to have nothing more for the moment. */
async function isSoon(reading: Promise<number>): Promise<boolean> {
  const here = () => true;
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<false>((done) => (timer = setTimeout(() => done(false), silentMs)));
  return Promise.race([reading.then(here, here), late]).finally(() => clearTimeout(timer));
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
