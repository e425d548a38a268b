import { CLOCK_REALTIME } from '../clock.ts';
import { check, libc, memory } from '../libc.ts';

/**
 * CLOCK_REALTIME, the clock of kernel stamps, in ms from a base near the start: so that the difference of two stamps keeps its
 * nanoseconds, which it would not if each were mapped to the monotonic clock by readings of its own.
 */
export interface Wall {
  nowMs(): number;
  toMs(sec: number, nsec: number): number;
}

export function openWall(): Wall {
  const timespec = memory(16);
  const words = new Uint32Array(timespec.buffer);
  const read = () => check(libc().clock_gettime(CLOCK_REALTIME, timespec), 'clock_gettime');
  const toMs = (sec: number, nsec: number) => (sec - baseSec) * 1e3 + nsec / 1e6;
  read();
  const baseSec = words[0]! + words[1]! * 2 ** 32;
  return {
    nowMs() {
      read();
      return toMs(words[0]! + words[1]! * 2 ** 32, words[2]!);
    },
    toMs,
  };
}
