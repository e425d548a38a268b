import { randomUUID } from 'node:crypto';
import type { ReflectorIo } from './reflector.ts';

/** The real clock and a real random source, for tests and benches that start a reflector without the CLI. */
export function plainIo(): ReflectorIo {
  return {
    cwd: process.cwd(),
    clock: {
      monoMs: () => Number(process.hrtime.bigint()) / 1e6,
      wallMs: () => performance.timeOrigin + performance.now(),
      sleep: (ms) => new Promise((done) => void setTimeout(done, ms)),
    },
    random: { next: Math.random, uuid: randomUUID },
  };
}
