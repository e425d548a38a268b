import { check, libc, memory } from './libc.ts';

/**
 * Kernel packet stamps are on CLOCK_REALTIME, durations are on CLOCK_MONOTONIC. This maps one to the other: both clocks are
 * read back to back, and a stamp is as far before "now" on one as on the other. Both clocks are slewed alike by NTP, so the
 * distance between them moves only when somebody steps the wall clock, which is detected here.
 * Error of the mapping: half the time that the readings took, `uncertaintyMs`, normally below a microsecond.
 */
export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;

/** clock_gettime(2) as needed here: writes a struct timespec (two 64-bit integers). */
export type ReadTimespec = (clock: number, timespec: Buffer) => void;

/** What one reading cannot be better than, however small the bracket looks. */
const RESOLUTION_MS = 0.002;
const ATTEMPTS = 4;
const GOOD_BRACKET_MS = 0.005;

export class KernelClock {
  readonly #read: ReadTimespec;
  readonly #timespec = memory(16);
  /** Wall-clock seconds are counted from here, so that milliseconds keep their nanoseconds in a double. */
  #baseSec = 0;
  /** Wall clock (from base) − monotonic clock, ms. */
  #offsetMs = 0;
  #uncertaintyMs = 0;
  #largestStepMs = 0;

  /** @param read for tests; the C library's clock_gettime otherwise. @throws where there is no such call (not on Linux). */
  constructor(read: ReadTimespec = readTimespec) {
    this.#read = read;
    this.#read(CLOCK_REALTIME, this.#timespec);
    this.#baseSec = seconds(this.#timespec);
    this.#measure();
  }

  /** CLOCK_MONOTONIC in ms: the same scale as `io.clock.monoMs()` and `process.hrtime()`. */
  monoMs(): number {
    this.#read(CLOCK_MONOTONIC, this.#timespec);
    return seconds(this.#timespec) * 1e3 + this.#timespec.readUInt32LE(8) / 1e6;
  }

  /** CLOCK_REALTIME as it is now, in the parts that the kernel's stamps have. */
  realtime(): { sec: number; nsec: number } {
    this.#read(CLOCK_REALTIME, this.#timespec);
    return { sec: seconds(this.#timespec), nsec: this.#timespec.readUInt32LE(8) };
  }

  /**
   * Reads both clocks again; to be called about once per batch of stamps.
   * @returns how far the wall clock was stepped since the last call, in ms; 0 when the difference is within the reading error
   */
  sample(): number {
    const offsetMs = this.#offsetMs;
    const uncertaintyMs = this.#uncertaintyMs;
    this.#measure();
    const stepMs = this.#offsetMs - offsetMs;
    if (Math.abs(stepMs) <= uncertaintyMs + this.#uncertaintyMs + RESOLUTION_MS) return 0;
    if (Math.abs(stepMs) > Math.abs(this.#largestStepMs)) this.#largestStepMs = stepMs;
    return stepMs;
  }

  /** A CLOCK_REALTIME stamp (seconds, nanoseconds) on the monotonic scale, ms, by the last sample(). */
  toMonoMs(sec: number, nsec: number): number {
    return (sec - this.#baseSec) * 1e3 + nsec / 1e6 - this.#offsetMs;
  }

  /** Half the time that the last pair of readings took, ms: the bound on the error of toMonoMs(). */
  get uncertaintyMs(): number {
    return this.#uncertaintyMs;
  }

  /** The largest step of the wall clock that sample() has seen, signed, ms: stamps around it are void. */
  get largestStepMs(): number {
    return this.#largestStepMs;
  }

  /** monotonic, wall, monotonic: the wall reading lies between the two. Tried again when we were scheduled away in between. */
  #measure(): void {
    let best = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < ATTEMPTS && best > GOOD_BRACKET_MS; attempt++) {
      const before = this.monoMs();
      this.#read(CLOCK_REALTIME, this.#timespec);
      const wall = (seconds(this.#timespec) - this.#baseSec) * 1e3 + this.#timespec.readUInt32LE(8) / 1e6;
      const after = this.monoMs();
      if (after - before >= best) continue;
      best = after - before;
      this.#offsetMs = wall - (before + after) / 2;
      this.#uncertaintyMs = best / 2;
    }
  }
}

/** tv_sec of a struct timespec; 53 bits are enough for any clock that runs. */
function seconds(timespec: Buffer): number {
  return timespec.readUInt32LE(0) + timespec.readInt32LE(4) * 2 ** 32;
}

function readTimespec(clock: number, timespec: Buffer): void {
  check(libc().clock_gettime(clock, timespec), 'clock_gettime');
}
