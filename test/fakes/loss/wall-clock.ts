import { existsSync, writeFileSync } from 'node:fs';

const library = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

/**
 * The wall clock of processes that are started with `env`, which can be set while they run: libfaketime (Debian's package faketime)
 * between them and the C library, so that Node, OpenSSL and the database see the same time. CLOCK_MONOTONIC stays what it is.
 * A time namespace shifts monotonic clocks alone, and the clock of this machine is not ours.
 */
export interface WallClock {
  env: NodeJS.ProcessEnv;
  offsetS: number;
  set(offsetS: number): void;
}

/** @returns null without libfaketime */
export function wallClock(file: string): WallClock | null {
  if (library === undefined) return null;
  const clock: WallClock = {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      // Seconds; read at every call it would cost more than the program.
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    offsetS: 0,
    set: (offsetS) => {
      clock.offsetS = offsetS;
      writeFileSync(file, `${offsetS < 0 ? '' : '+'}${offsetS}\n`);
    },
  };
  clock.set(0);
  return clock;
}
