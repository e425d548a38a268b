import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openedOctets } from '../../test/fakes/io.ts';
import { chunksOf, fileOf, readAhead, withHead } from './open-file.ts';

async function* pieces(octets: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < octets.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield await Promise.resolve(octets.subarray(at, at + size));
    at += size;
  }
}

test('octets stay what they are, whatever the pieces and the memory', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), sizes, sizes, fc.nat(), async (octets, cut, rooms, at) => {
      const head = octets.subarray(0, at % (octets.length + 1));
      const whole = withHead(head, fileOf(pieces(octets.subarray(head.length), cut)));
      const file = at % 2 === 0 ? whole : readAhead(whole);
      const read: number[] = [];
      for (let i = 0; ; i++) {
        const memory = new Uint8Array(rooms[i % rooms.length]!);
        const size = await file.read(memory);
        if (size === 0) break;
        read.push(...memory.subarray(0, size));
      }
      expect(read).toEqual([...octets]);
    }),
  );
});

test('pieces are memory of their own, and the file is closed at their end or when nobody wants more', async () => {
  for (const wanted of [1, Infinity]) {
    let closed = 0;
    const file = {
      ...openedOctets(new Uint8Array(600_000).map((_, i) => i)),
      close: () => Promise.resolve(void closed++),
    };
    const kept: Uint8Array[] = [];
    for await (const piece of chunksOf(file)) if (kept.push(piece) >= wanted) break;
    expect([kept.length > 1, closed]).toEqual([wanted > 1, 1]);
    expect(Buffer.concat(kept).every((octet, i) => octet === (i & 255))).toBe(true);
  }
});

test('one piece is read ahead, and an error is told to who asks for what it concerns', async () => {
  const answers = [3, 2, new Error('gone')];
  let asked = 0;
  const file = readAhead({
    read: (memory) => {
      const answer = answers[asked++]!;
      if (typeof answer !== 'number') return Promise.reject(answer);
      memory.fill(asked, 0, answer);
      return Promise.resolve(answer);
    },
    close: () => Promise.resolve(),
  });
  const memory = new Uint8Array(2);
  const next = async () => [...memory.subarray(0, await file.read(memory))];
  expect(await next()).toEqual([1, 1]);
  expect(asked).toBe(2);
  expect(await next()).toEqual([1]);
  expect(await next()).toEqual([2, 2]);
  await expect(next()).rejects.toThrow('gone');
});
