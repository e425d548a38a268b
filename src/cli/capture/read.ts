import { FilterError } from '../../gather/capture/live-filter.ts';
import { readLive } from '../../gather/capture/live-read.ts';
import { openInterface } from '../../gather/capture/live.ts';
import { captureSource, describeEnd } from '../../gather/capture/open.ts';
import { deadlineOf } from '../../wire/deadline.ts';
import type { CaptureReport } from '../../model/capture/report.ts';
import { printable } from '../../model/outcome.ts';
import { SystemCallError } from '../../wire/libc.ts';
import type { Io } from '../../wire/io.ts';
import type { Frame } from '../../wire/pcap/frame.ts';
import { UsageError } from '../command.ts';
import type { CaptureProgressLine } from './progress.ts';
import type { CaptureSession } from './session.ts';
import type { Pipe } from './threads.ts';
import { packetFiles, type WriteFlags } from './write-files.ts';

/** Who takes the frames. */
type Taker = Pick<CaptureSession, 'frame' | 'read'>;
type Source = CaptureReport['sources'][number];

/** What is asked of an interface. */
export interface LiveFlags extends WriteFlags {
  bpf?: string | undefined;
  duration?: number | undefined;
}

export interface ReadPlaces {
  sources: Source[];
  recordedDrops: number;
  /** Places that could not be read at all, with the reason. */
  mistakes: string[];
}

export interface ReadHow {
  /** Null: files only. */
  live: LiveFlags | null;
  /** Stdin, where it has been opened already. */
  pipe: Pipe | null;
}

/** Reads captures one behind the other, or one interface, until their end or Ctrl-C. */
export async function readPlaces(
  places: readonly string[],
  { live, pipe }: ReadHow,
  session: Taker,
  progress: CaptureProgressLine,
  io: Io,
): Promise<ReadPlaces> {
  const read: ReadPlaces = { sources: [], recordedDrops: 0, mistakes: [] };
  for (const place of places) {
    if (io.signals.interrupted.aborted) break;
    try {
      const how = { live: places.length === 1 ? live : null, pipe };
      const { drops, ...source } = await readPlace(place, how, session, progress, io);
      read.recordedDrops += drops;
      read.sources.push(source);
    } catch (error) {
      read.mistakes.push(cannotRead(place, error));
    }
  }
  progress.end();
  return read;
}

/** A file or, where there is none of that name, an interface. */
async function readPlace(
  place: string,
  { live, pipe }: ReadHow,
  session: Taker,
  progress: CaptureProgressLine,
  io: Io,
): Promise<Source & { drops: number }> {
  const source =
    pipe?.source ??
    (await captureSource(io, place).catch((error: NodeJS.ErrnoException) => {
      if (live && error.code === 'ENOENT' && /^[\w.:@-]{1,15}$/.test(place)) return null;
      throw error;
    }));
  if (source && live?.write !== undefined)
    throw new UsageError(`--write: keeps what an interface shows, and "${printable(place, 200)}" is a file`);
  if (!source) return readInterface(place, live!, session, progress, io);
  const read = await session.read(source, {
    signal: io.signals.interrupted,
    onProgress: (of) => progress.file(source.name, of),
  });
  const problem = read.end.kind === 'interrupted' ? null : describeEnd(source.name, read);
  return {
    name: source.name,
    format: read.format,
    packets: read.frames,
    octets: read.captureBytes,
    problem,
    drops: read.drops,
  };
}

async function readInterface(
  name: string,
  flags: LiveFlags,
  session: Taker,
  progress: CaptureProgressLine,
  io: Io,
): Promise<Source & { drops: number }> {
  const { bpf, snaplen, duration } = flags;
  const live = await openInterface(name, { snapLength: snaplen, ...(bpf === undefined ? {} : { filter: bpf }) }, io);
  const until = duration === undefined ? '; Ctrl-C ends it' : ` for ${duration} s`;
  io.terminal.err(`listening on ${printable(name, 20)}${until}\n`);
  const files = packetFiles(flags, io);
  const take = (frame: Frame) => {
    files?.frame(frame);
    session.frame(frame);
  };
  const { interrupted } = io.signals;
  const deadline = duration === undefined ? null : deadlineOf(interrupted, duration * 1000);
  const read = await readLive(live, take, {
    signal: deadline?.signal ?? interrupted,
    onProgress: (of) => {
      files?.flush();
      progress.live(name, of);
    },
  }).finally(() => deadline?.clear());
  if (files) {
    progress.end();
    io.terminal.err(files.end());
  }
  const { statistics } = read;
  return {
    name: `${name} (${live.how})`,
    format: null,
    packets: read.frames,
    octets: read.octets,
    problem: read.ended,
    drops: statistics.drops ?? 0,
  };
}

export function cannotRead(place: string, error: unknown): string {
  const name = printable(place, 200);
  if (error instanceof UsageError) return error.message;
  if (error instanceof FilterError) return `--bpf: ${error.message}`;
  if (error instanceof SystemCallError) return `There is no file "${name}", and as an interface: ${error.message}`;
  return `Cannot read "${name}": ${error instanceof Error ? error.message : String(error)}`;
}
