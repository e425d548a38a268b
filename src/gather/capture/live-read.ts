import { type Frame, newFrame } from '../../wire/pcap/frame.ts';
import type { LiveCapture, LiveStatistics } from './live.ts';

export interface LiveRead {
  frames: number;
  /** Octets that the packets had on the wire. */
  octets: number;
  statistics: LiveStatistics;
  /** Why it ended, unless it was stopped: the interface went down, tcpdump ended. */
  ended: string | null;
}

export interface ReadLiveOptions {
  /** Ends the capture; what the kernel has by then is still read. */
  signal: AbortSignal;
  /** Called after every slice, and five times a second when nothing comes. */
  onProgress?: (progress: Omit<LiveRead, 'ended'>) => void;
}

/** Frames in one go: a few milliseconds, after which timers, signals and the terminal have their turn. */
const sliceFrames = 5000;
const waitMs = 200;
const lastFrames = 1_000_000;
/** The kernel hands over what it has within a tenth of a second: a round that finds something, and those that wait. */
const lastMs = 120;
const lastRounds = 3;

/** Hands every frame over as it comes, until `signal`, and closes the capture. `frame` is one object that is filled again and again. */
export async function readLive(
  live: LiveCapture,
  onFrame: (frame: Frame) => void,
  { signal, onProgress }: ReadLiveOptions,
): Promise<LiveRead> {
  const frame = newFrame();
  const read = { frames: 0, octets: 0 };
  /** @returns whether there may be more at once */
  const slice = (): boolean => {
    for (let i = 0; i < sliceFrames; i++) {
      if (!live.next(frame)) return false;
      read.frames += 1;
      read.octets += frame.originalLength;
      onFrame(frame);
    }
    return true;
  };
  try {
    while (!signal.aborted && live.ended() === null) {
      if (!slice()) await live.wait(waitMs);
      await turn();
      onProgress?.({ ...read, statistics: live.statistics() });
    }
    // What comes while this is read is of after the end: no more than a ring can hold.
    const most = read.frames + lastFrames;
    for (let round = 0; round < lastRounds; round++) {
      await live.wait(lastMs);
      while (read.frames < most && slice()) await turn();
    }
    return { ...read, ended: live.ended(), statistics: await live.close() };
  } finally {
    await live.close();
  }
}

/** Lets everything else that waits have its turn. */
const turn = () => new Promise<void>((done) => setImmediate(done));
