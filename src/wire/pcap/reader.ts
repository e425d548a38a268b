import { classicHeaderBytes, classicReader, isClassic } from './classic.ts';
import { CaptureError, type FormatReader, type Frame } from './frame.ts';
import { pcapngReader, sectionMagic } from './pcapng.ts';

/** How the octets ended. */
export type CaptureEnd =
  | { kind: 'complete' }
  /** In the middle of a record: what came before holds. */
  | { kind: 'cut'; offset: number; missing: string };

export interface CaptureReader {
  /** Octets that follow those of before. Frames that were taken earlier do not hold any longer. */
  push(chunk: Uint8Array): void;
  /** What is pushed lies in this from now on, behind what is not read yet, which moves there. */
  moveTo(memory: Buffer): void;
  /** Where octets may be put that follow; `took` says how many were. Frames that were taken earlier still hold. */
  room(): Buffer;
  took(octets: number): void;
  /** Octets that were pushed and are not read yet. */
  readonly rest: number;
  /**
   * The next packet, into `frame`. False: octets are needed.
   * @throws CaptureError where the file cannot be read on
   */
  next(frame: Frame): boolean;
  /** To be asked when there are no more octets and `next` gives nothing. */
  end(): CaptureEnd;
  readonly format: 'pcap' | 'pcapng' | null;
  /** Packets that the capture says it lost. */
  readonly drops: number;
}

/** Beginnings of what is often taken for a capture. */
const others: readonly (readonly [start: string, what: string])[] = [
  ['1f8b', 'is compressed by gzip inside of what was opened already'],
  ['28b52ffd', 'is compressed by zstd inside of what was opened already'],
  ['04224d18', 'is compressed by lz4; decompress it first'],
  ['736e6f6f70000000', 'is a capture of snoop (RFC 1761); convert it with editcap'],
  ['76657273696f6e20', 'is a pointer of Git LFS and not the file itself; run git lfs pull'],
  ['58435000', 'is a capture of NetXRay; convert it with editcap'],
];

/**
 * Reads pcap and pcapng from octets in pieces of any size; memory is that of one piece and one packet. What is no capture is an
 * error that says what it looks like.
 */
export function captureReader(): CaptureReader {
  let buffer: Buffer = Buffer.alloc(0);
  let [at, end] = [0, 0];
  /** Where `buffer[0]` stands in the file. */
  let base = 0;
  let format: 'pcap' | 'pcapng' | null = null;
  let inner: FormatReader | null = null;
  let skip = 0;

  const push = (chunk: Uint8Array) => {
    const rest = end - at;
    if (rest + chunk.length > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(rest + chunk.length, 64 * 1024));
      buffer.copy(larger, 0, at, end);
      buffer = larger;
    } else buffer.copyWithin(0, at, end);
    buffer.set(chunk, rest);
    base += at;
    at = 0;
    end = rest + chunk.length;
  };

  const open = (): FormatReader | null => {
    if (end - at < 4) return null;
    if (buffer.readUInt32LE(at) === sectionMagic) {
      format = 'pcapng';
      return pcapngReader();
    }
    if (!isClassic(buffer, at)) throw new CaptureError(foreign(buffer.subarray(at, end)), base);
    if (end - at < classicHeaderBytes) return null;
    format = 'pcap';
    const reader = classicReader(buffer.subarray(at, at + classicHeaderBytes));
    at += classicHeaderBytes;
    return reader;
  };

  const next = (frame: Frame): boolean => {
    inner ??= open();
    if (!inner) return false;
    for (;;) {
      const passed = Math.min(skip, end - at);
      at += passed;
      skip -= passed;
      if (skip > 0) return false;
      const used = inner.step(buffer, at, end, base + at, frame);
      if (used === 0) return false;
      at += used;
      skip = inner.skipBytes;
      inner.skipBytes = 0;
      if (inner.hasFrame) return true;
    }
  };

  const moveTo = (memory: Buffer) => {
    buffer.copy(memory, 0, at, end);
    buffer = memory;
    base += at;
    end -= at;
    at = 0;
  };

  return {
    push,
    moveTo,
    room: () => buffer.subarray(end),
    took: (octets) => {
      end += octets;
    },
    get rest() {
      return end - at;
    },
    next,
    end: () => {
      if (base + end === 0) throw new CaptureError('is empty', 0);
      if (!inner && end - at < 4) throw new CaptureError(foreign(buffer.subarray(at, end)), 0);
      if (!inner)
        return {
          kind: 'cut',
          offset: base + at,
          missing: `${classicHeaderBytes - (end - at)} octets of the file header`,
        };
      if (at === end && skip === 0) return { kind: 'complete' };
      return {
        kind: 'cut',
        offset: base + at,
        missing: skip > 0 ? `${skip} octets of a block` : 'the rest of a packet',
      };
    },
    get format() {
      return format;
    },
    get drops() {
      return inner?.drops ?? 0;
    },
  };
}

function foreign(head: Buffer): string {
  const hex = head.subarray(0, 8).toString('hex');
  const known = others.find(([start]) => hex.startsWith(start));
  return known?.[1] ?? `begins with ${hex || 'nothing'}, which is neither pcap nor pcapng`;
}
