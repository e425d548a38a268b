import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { handleSignals } from './io.ts';

/** A process that only hears signals, at times of our choosing; `exits` is what it was told to end with. */
function signalled(...arrivals: readonly [signal: 'SIGINT' | 'SIGTERM', atMs: number][]) {
  const exits: number[] = [];
  const exit = (code: number) => exits.push(code);
  const proc = Object.assign(new EventEmitter(), { exit }) as unknown as NodeJS.Process;
  const stop = new AbortController();
  let nowMs = 0;
  const { interrupted } = handleSignals(proc, stop, () => nowMs);
  for (const [signal, atMs] of arrivals) {
    nowMs = atMs;
    proc.emit(signal);
  }
  return { exits, interrupted };
}

describe('handleSignals()', () => {
  test('is quiet without a signal', () => {
    expect(signalled().interrupted.aborted).toBe(false);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s asks the run to stop and does not end the process', (signal) => {
    const { exits, interrupted } = signalled([signal, 0]);
    expect(interrupted.aborted).toBe(true);
    expect(interrupted.reason).toMatchObject({ name: 'AbortError' });
    expect(exits).toEqual([]);
  });

  test('an echo of the first signal is not a second one', () => {
    expect(signalled(['SIGINT', 1000], ['SIGINT', 1000], ['SIGTERM', 1299]).exits).toEqual([]);
  });

  test('a signal later than that ends the process at once', () => {
    expect(signalled(['SIGINT', 1000], ['SIGINT', 1300]).exits).toEqual([130]);
    expect(signalled(['SIGINT', 0], ['SIGINT', 5], ['SIGTERM', 5000]).exits).toEqual([130]);
  });

  test('a stream of echoes does not keep the process from ending', () => {
    expect(signalled(['SIGINT', 0], ['SIGINT', 150], ['SIGINT', 299], ['SIGINT', 449]).exits).toEqual([130]);
  });
});
