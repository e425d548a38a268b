import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { ArrivalStream, type ArrivalStreamHooks } from './arrival-stream.ts';
import type { Arrival } from './connection.ts';

function made(hooks: Partial<ArrivalStreamHooks> = {}): ArrivalStream {
  return new ArrivalStream({
    write: (_bytes, done) => done(),
    shutdown: () => undefined,
    destroyed: () => undefined,
    consumed: () => undefined,
    ...hooks,
  });
}

const arrivalAt = (endOffset: number): Arrival => ({
  endOffset,
  atMs: endOffset,
  readAtMs: endOffset,
  stamp: 'kernel',
});
const turn = () => new Promise((done) => setImmediate(done));

describe('ArrivalStream', () => {
  test('says with every chunk when it arrived, also when many are delivered at once', async () => {
    const stream = made();
    const seen: [string, number | undefined][] = [];
    stream.on('data', (bytes: Buffer) => seen.push([bytes.toString(), stream.arriving?.atMs]));
    for (let i = 1; i <= 5; i++) stream.deliver(Buffer.from(`${i}`), arrivalAt(i));
    stream.deliver(null, null);
    await once(stream, 'end');
    expect(seen).toEqual([
      ['1', 1],
      ['2', 2],
      ['3', 3],
      ['4', 4],
      ['5', 5],
    ]);
  });

  test('lets the ticks that a delivery causes run before the next one changes the arrival', async () => {
    const stream = made();
    const seen: (number | undefined)[] = [];
    stream.on('data', () => process.nextTick(() => queueMicrotask(() => seen.push(stream.arriving?.atMs))));
    for (let i = 1; i <= 3; i++) stream.deliver(Buffer.from('x'), arrivalAt(i));
    stream.deliver(null, null);
    await once(stream, 'end');
    expect(seen).toEqual([1, 2, 3]);
  });

  test('takes nothing more from the transport while its reader does not read', async () => {
    let consumed = 0;
    const stream = made({ consumed: (bytes) => (consumed += bytes) });
    for (let i = 1; i <= 100; i++) stream.deliver(Buffer.alloc(64 << 10), arrivalAt(i * (64 << 10)));
    for (let i = 0; i < 20; i++) await turn();
    expect(consumed).toBeLessThanOrEqual(128 << 10);
    let got = 0;
    stream.on('data', (bytes: Buffer) => (got += bytes.length));
    stream.deliver(null, null);
    await once(stream, 'end');
    expect([got, consumed]).toEqual([100 * (64 << 10), 100 * (64 << 10)]);
  });

  test('joins what was written at once, and ends the writing side alone', async () => {
    const written: string[] = [];
    let shutdowns = 0;
    const release: (() => void)[] = [];
    const stream = made({
      write: (bytes, done) => {
        written.push(Buffer.from(bytes).toString());
        release.push(() => done());
      },
      shutdown: () => shutdowns++,
    });
    stream.write('a');
    stream.write('b');
    stream.write('c');
    stream.end();
    while (release.length > 0) {
      release.shift()?.();
      await turn();
    }
    expect(written).toEqual(['a', 'bc']);
    expect([shutdowns, stream.destroyed, stream.readableEnded]).toEqual([1, false, false]);
  });

  test('tells of its destruction once, and is silent afterwards', async () => {
    let destroyed = 0;
    const stream = made({ destroyed: () => destroyed++ });
    const seen: unknown[] = [];
    stream.on('data', (bytes) => seen.push(bytes));
    stream.destroy();
    stream.destroy();
    stream.deliver(Buffer.from('late'), arrivalAt(4));
    await turn();
    expect([destroyed, seen]).toEqual([1, []]);
  });
});
