import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { type CaptureSource, captureSource, fileSource, lookAhead } from '../../gather/capture/open.ts';
import { sampleOf } from '../../gather/capture/sample.ts';
import type { Told } from '../../gather/capture/whole-flows.ts';
import type { Io } from '../../wire/io.ts';

/** Smaller ones are read before threads have started. */
const largeBytes = 32e6;
/** A pipe that brings so much so soon is large; one that an interface feeds is not. */
const fast = { octets: 16e6, ms: 500 } as const;
/** One thread reads and sorts for all: more of them than this wait for it. */
const mostThreads = 8;
/**
 * Packets of one conversation with which threads gain more than they cost: what is found of each is handed from thread to thread, all of it
 * or what adds up.
 */
const leastPerConversation = { all: 50, worst: 15 } as const;
/** Each thread compiles for itself, a second or so: with fewer packets that is more than it saves. */
const leastPackets = 1.5e6;

/**
 * What is kept of conversations lives long enough to be moved to the old part of the heap, and is then of no more use. V8 lets that part
 * grow to four times of what is in use before it looks; by this, of all threads, to twice as much, which takes little more time.
 */
export function keepHeapsSmall(): void {
  setFlagsFromString('--heap-growing-percent=100');
}

export interface Pipe {
  source: CaptureSource;
  isMore: boolean;
}

/** The capture on stdin, where that is the only one, and whether there is much of it. */
export async function pipeOf(places: readonly string[], io: Io): Promise<Pipe | null> {
  return places.length === 1 && places[0] === '-'
    ? lookAhead(await captureSource(io, '-'), { ...fast, signal: io.signals.interrupted })
    : null;
}

/** How many threads are to look at packets: one for what is small and for interfaces. */
export async function threadsFor(
  places: readonly string[],
  pipe: Pipe | null,
  { asked, told }: { asked: number | undefined; told: Told },
  io: Pick<Io, 'fs'>,
): Promise<number> {
  const sizeOf = async (place: string) => (place === '-' ? 0 : ((await io.fs.sizeOf(place).catch(() => -1)) ?? 0));
  const sizes = await Promise.all(places.map(sizeOf));
  // What is no file is an interface, or an error.
  if (sizes.every((size) => size < 0)) return 1;
  if (asked !== undefined) return asked;
  const isLarge = pipe ? pipe.isMore : sizes.reduce((sum, size) => sum + Math.max(0, size), 0) >= largeBytes;
  const largest = places[sizes.indexOf(Math.max(...sizes))]!;
  if (!isLarge || (!pipe && !(await isWorthThreads(largest, told, io)))) return 1;
  const processors = availableParallelism();
  // With few, the thread that reads does not need one for itself.
  return Math.min(mostThreads, processors > 2 ? processors - 1 : processors);
}

/** Whether a file has many packets, in conversations that are not small. */
async function isWorthThreads(place: string, told: Told, { fs }: Pick<Io, 'fs'>): Promise<boolean> {
  try {
    const { packets, packetsPerConversation } = await sampleOf(await fileSource({ fs }, place));
    return packets >= leastPackets && packetsPerConversation >= leastPerConversation[told === 'all' ? 'all' : 'worst'];
  } catch {
    // It is read again, and then told what is wrong with it.
    return false;
  }
}
