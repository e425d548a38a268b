import type { Libc } from '../libc.ts';
import { endedBy, type MoverSetup, streamField } from './layout.ts';

export const EINTR = 4;
export const EAGAIN = 11;

/** One stream as the worker's loop sees it. */
export interface Runner {
  fd: number;
  /** False after EAGAIN, until epoll says otherwise. */
  ready: boolean;
  /** Nothing more will come of it. */
  over?: true;
  /** How long until there is something to do although the socket is ready: pacing. */
  delayMs(nowMs: number): number;
  /** Moves some octets; false when it could not. */
  step(nowMs: number): boolean;
}

export interface RunnerContext {
  c: Libc;
  setup: MoverSetup;
  counters: Float64Array;
  /** Where the stream's counters begin. */
  offset: number;
  budget: BigInt64Array;
  /** Random octets that stay where they are. */
  filler: Buffer;
}

/** Marks the stream as ended, with the reason where the main thread can see it. */
export function endRunner(runner: Runner, { counters, offset }: RunnerContext, why: number, errno = 0): false {
  runner.ready = false;
  runner.over = true;
  counters[offset + streamField.errno] = errno;
  counters[offset + streamField.ended] = why;
  return false;
}

/** What a failed call means: not now, try again, or never again. */
export function callFailed(runner: Runner, context: RunnerContext, errno: number): boolean {
  if (errno === EINTR) return true;
  if (errno !== EAGAIN) return endRunner(runner, context, endedBy.error, errno);
  runner.ready = false;
  return false;
}
