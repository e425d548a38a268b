import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { columnsOf, packed } from '../columns.ts';
import { Journal, type Promised } from './journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'inferpath-journal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let prefix = '';
let journals = 0;
beforeEach(() => void (prefix = join(folder, `${journals++}.journal`)));

const row = (atMs: number) => ({
  atMs,
  endpoint: 'chat',
  kind: 'tcp' as const,
  outcome: 'answered' as const,
  verdict: 'ok' as const,
  metrics: { rttMs: atMs / 7 },
  state: atMs % 2 === 0 ? 'even' : null,
  detail: null,
});
const promised = (no: number, rows = 3): Promised => ({
  no,
  receivedMs: 1000 + no,
  batch: {
    key: `key-${no}`,
    agent: 'berlin',
    columns: packed(columnsOf(Array.from({ length: rows }, (_, i) => row(no * 10 + i)))),
  },
});
const paths = () =>
  readdirSync(folder)
    .filter((name) => name.startsWith(`${prefix.slice(folder.length + 1)}.`))
    .map((name) => join(folder, name));

/** A journal of some batches, as octets. */
async function written(numbers: readonly number[]): Promise<{ path: string; octets: Buffer }> {
  const { journal } = await Journal.open(prefix);
  for (const no of numbers) await journal.write([promised(no)]);
  await journal.close();
  const [path = ''] = paths();
  return { path, octets: readFileSync(path) };
}

test('what has been written is found again, over several files, until it is dropped', async () => {
  const { journal, found } = await Journal.open(prefix);
  expect(found).toEqual([]);
  await journal.write([promised(1), promised(2)]);
  const first = await journal.turn();
  await journal.write([promised(5, 40)]);
  expect(journal.size).toBe(paths().reduce((sum, path) => sum + readFileSync(path).length, 0));
  expect((await Journal.open(prefix)).found).toEqual([promised(1), promised(2), promised(5, 40)]);
  await journal.drop(first);
  await journal.close();
  const again = await Journal.open(prefix);
  expect(again.found).toEqual([promised(5, 40)]);
  await again.journal.drop(await again.journal.turn());
  expect(again.journal.size).toBe(0);
  expect((await Journal.open(prefix)).found).toEqual([]);
});

test('cut anywhere, it has what is whole', async () => {
  const { path, octets } = await written([1, 2, 3]);
  const ends = [1, 2, 3].map((n) => (octets.length / 3) * n);
  for (let length = 0; length <= octets.length; length += length % 50 === 0 ? 1 : 7) {
    writeFileSync(path, octets.subarray(0, length));
    const { found } = await Journal.open(prefix);
    expect(found.map(({ no }) => no)).toEqual([1, 2, 3].slice(0, ends.filter((end) => end <= length).length));
  }
});

test('damaged anywhere, it has nothing that was not written', async () => {
  const { path, octets } = await written([1, 2, 3]);
  const whole = [promised(1), promised(2), promised(3)];
  await fc.assert(
    fc.asyncProperty(fc.nat(octets.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const damaged = Buffer.from(octets);
      damaged[at]! ^= flip;
      writeFileSync(path, damaged);
      const { found } = await Journal.open(prefix);
      expect(found).toEqual(whole.slice(0, found.length));
      expect(found.length).toBe(Math.floor((3 * at) / octets.length));
    }),
    { numRuns: 300 },
  );
});

test('what a refused write left behind its successor is not taken for promised', async () => {
  const { path, octets } = await written([1, 2, 3]);
  const { octets: later } = await (async () => {
    prefix = join(folder, `${journals++}.journal`);
    return written([4]);
  })();
  // As if 1 to 3 had been refused, could not be cut off, and 4 had been written over 1.
  writeFileSync(path, Buffer.concat([later, octets.subarray(later.length)]));
  prefix = path.slice(0, path.lastIndexOf('.'));
  expect((await Journal.open(prefix)).found.map(({ no }) => no)).toEqual([4]);
});
