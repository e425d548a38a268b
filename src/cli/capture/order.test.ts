import { expect, test } from 'vitest';
import { fakeIo, openedOctets } from '../../../test/fakes/io.ts';
import { classicFile } from '../../wire/pcap/write.case.ts';
import { inOrderOfTime } from './order.ts';

const begunAt = (seconds: number) =>
  classicFile(
    [seconds, 1].map((of) => ({ bytes: Buffer.alloc(60), more: 0, seconds: of, nanoseconds: 5000 })),
    { little: true, nano: false, modified: false, link: 1 },
  );
const files: Record<string, Buffer | null> = {
  first: begunAt(100),
  second: begunAt(200),
  third: begunAt(300),
  empty: Buffer.alloc(0),
  none: Buffer.from('no capture at all'),
  pipe: null,
};
const { fs } = fakeIo();
const missing = () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' }));
const io = {
  fs: {
    ...fs,
    sizeOf: (path: string) => {
      const octets = files[path];
      return octets === undefined ? missing() : Promise.resolve(octets?.length ?? null);
    },
    openRead: (path: string) => (files[path] ? Promise.resolve(openedOctets(files[path])) : missing()),
  },
};

test('files come by the time of their first packet, what is none last, and as given where they are equal', async () => {
  expect(await inOrderOfTime(['third', 'first', 'second'], io)).toEqual(['first', 'second', 'third']);
  expect(await inOrderOfTime(['none', 'third', 'gone', 'first', 'empty'], io)).toEqual([
    'first',
    'third',
    'none',
    'gone',
    'empty',
  ]);
});

test('what can be read once only is not looked into, and all stay where they are', async () => {
  for (const once of ['pipe', '-'])
    expect(await inOrderOfTime(['third', once, 'first'], io)).toEqual(['third', once, 'first']);
  expect(await inOrderOfTime(['gone'], io)).toEqual(['gone']);
});
