import { describe, expect, test } from 'vitest';
import { deadlineOf } from './deadline.ts';

describe('deadlineOf()', () => {
  test('aborts with a TimeoutError in time, also when nothing but the listener keeps it', async () => {
    const reason = await new Promise<unknown>((done) => {
      const { signal } = deadlineOf(new AbortController().signal, 20);
      signal.addEventListener('abort', () => done(signal.reason), { once: true });
    });
    expect(reason).toMatchObject({ name: 'TimeoutError' });
  });

  test('aborts with the reason of the outer signal, also when that is aborted already', () => {
    const controller = new AbortController();
    const { signal, clear } = deadlineOf(controller.signal, 10_000);
    const reason = new Error('stopped');
    controller.abort(reason);
    expect(signal.reason).toBe(reason);
    clear();
    const late = deadlineOf(controller.signal, 10_000);
    expect(late.signal.reason).toBe(reason);
    late.clear();
  });

  test('does nothing once cleared', async () => {
    const controller = new AbortController();
    const { signal, clear } = deadlineOf(controller.signal, 5);
    clear();
    controller.abort();
    await new Promise((done) => setTimeout(done, 20));
    expect(signal.aborted).toBe(false);
  });
});
