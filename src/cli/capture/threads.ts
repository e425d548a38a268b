import { availableParallelism } from 'node:os';
import { type CaptureSource, captureSource, lookAhead } from '../../gather/capture/open.ts';
import type { Io } from '../../wire/io.ts';

/** From here on the start of threads is repaid. */
const largeBytes = 32e6;
/** A pipe that brings so much so soon is large; one that an interface feeds is not. */
const fast = { octets: 16e6, ms: 500 } as const;
/** Each thread reads all of the capture: more of them than this gain nothing. */
const mostThreads = 8;

export interface Pipe {
  source: CaptureSource;
  isMore: boolean;
}

/** The capture on stdin, where that is the only one, and whether there is much of it. */
export async function pipeOf(places: readonly string[], io: Io): Promise<Pipe | null> {
  return places.length === 1 && places[0] === '-' ? lookAhead(await captureSource(io, '-'), fast) : null;
}

/** How many threads are to look at packets: one for what is small and for interfaces. */
export async function threadsFor(
  places: readonly string[],
  pipe: Pipe | null,
  asked: number | undefined,
  io: Pick<Io, 'fs'>,
): Promise<number> {
  const sizeOf = async (place: string) => (place === '-' ? 0 : io.fs.sizeOf(place).catch(() => -1));
  const sizes = await Promise.all(places.map(sizeOf));
  // What is no file is an interface, or an error.
  if (sizes.every((size) => size < 0)) return 1;
  if (asked !== undefined) return asked;
  const isLarge = pipe ? pipe.isMore : sizes.reduce((sum, size) => sum + Math.max(0, size), 0) >= largeBytes;
  const processors = availableParallelism();
  // With few, the thread that reads does not need one for itself.
  return isLarge ? Math.min(mostThreads, processors > 2 ? processors - 1 : processors) : 1;
}
