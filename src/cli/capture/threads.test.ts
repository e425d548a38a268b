import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { fakeIo, openedOctets } from '../../../test/fakes/io.ts';
import { scan } from '../../gather/capture/scan.case.ts';
import type { Told } from '../../gather/capture/whole-flows.ts';
import { type Pipe, pipeOf, threadsFor } from './threads.ts';

const processors = availableParallelism();
const all = Math.min(8, processors > 2 ? processors - 1 : processors);

/** Files that begin so and are said to be of this size. */
function files(of: Record<string, { octets: Uint8Array; bytes: number }>) {
  const { fs } = fakeIo();
  const known = (path: string) =>
    of[path] ? Promise.resolve(of[path]) : Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' }));
  return {
    fs: {
      ...fs,
      sizeOf: async (path: string) => (await known(path)).bytes,
      openRead: async (path: string) => openedOctets((await known(path)).octets),
    },
  };
}

const long = Buffer.concat([...scan(6000, 20)]);
const middling = Buffer.concat([...scan(6000, 250)]);
const short = Buffer.concat([...scan(6000, 3000)]);

test('threads are for what is large and has many packets in a conversation', async () => {
  const io = files({
    long: { octets: long, bytes: 1e9 },
    middling: { octets: middling, bytes: 1e9 },
    short: { octets: short, bytes: 1e9 },
    small: { octets: long, bytes: 1e6 },
    // Large packets: much to read, little to look at.
    few: { octets: long, bytes: 40e6 },
    broken: { octets: Buffer.from('no capture'), bytes: 1e9 },
  });
  const of = (places: string[], asked?: number, told: Told = 'all') => threadsFor(places, null, { asked, told }, io);
  expect(await of(['long'])).toBe(all);
  expect(await of(['small', 'long'])).toBe(all);
  for (const name of ['short', 'small', 'few', 'broken']) expect([name, await of([name])]).toEqual([name, 1]);
  // What they hand over costs more where all of it is wanted.
  expect([await of(['middling']), await of(['middling'], undefined, 10)]).toEqual([1, all]);
  expect(await of(['small'], 3)).toBe(3);
  // What is no file is an interface, which one thread reads whatever is asked.
  expect(await of(['eth0'], 3)).toBe(1);
});

test('of a pipe, what it brings at once says how much there may be', async () => {
  const io = fakeIo({ stdin: long });
  expect(await pipeOf(['-', 'more'], io)).toBeNull();
  const pipe = await pipeOf(['-'], io);
  expect(pipe).toMatchObject({ isMore: false });
  expect(await threadsFor(['-'], pipe, { asked: undefined, told: 10 }, io)).toBe(1);
  const much: Pipe = { ...pipe!, isMore: true };
  expect(await threadsFor(['-'], much, { asked: undefined, told: 10 }, io)).toBe(all);
});
