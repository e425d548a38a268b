import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import type { OpenFile } from '../wire/io.ts';
import { openStdin } from './stdin.ts';

const folder = mkdtempSync(join(tmpdir(), 'inferpath-stdin-'));
afterAll(() => rmSync(folder, { recursive: true }));
const octets = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i + (i >>> 9)) & 255));
const file = join(folder, 'octets');
writeFileSync(file, octets);
const unused = { stdin: Readable.from([]) as unknown as NodeJS.Process['stdin'] };

/** All that comes, by memory of these sizes in turn. */
async function all(from: OpenFile, sizes: readonly number[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let i = 0; ; i++) {
    const memory = Buffer.alloc(sizes[i % sizes.length]!);
    const size = await from.read(memory);
    if (size === 0) break;
    pieces.push(memory.subarray(0, size));
  }
  expect(await from.read(Buffer.alloc(1))).toBe(0);
  return Buffer.concat(pieces);
}

test.skipIf(process.platform === 'win32')('a pipe, by memory smaller and larger than its pieces', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const sizes of [[1000, 7, 70_000], [262_144]]) {
    const fd = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    // The first octets come alone, so that a read has to wait for the others.
    const script = 'head -c 5 "$0"; sleep 0.1; tail -c +6 "$0"';
    const end = openSync(pipe, 'w');
    const writer = spawn('sh', ['-c', script, file], { stdio: ['ignore', end, 'ignore'] });
    closeSync(end);
    const stdin = openStdin(unused, fd);
    const over = once(writer, 'close');
    expect((await all(stdin, sizes)).equals(octets)).toBe(true);
    await stdin.close();
    expect(await over).toEqual([0, null]);
  }
});

test('a file from where it stands', async () => {
  const fd = openSync(file, 'r');
  expect((await all(openStdin(unused, fd), [1000, 99_999])).equals(octets)).toBe(true);
  closeSync(fd);
});

test('what is neither, as the stream gives it', async () => {
  const stdin = Readable.from([Buffer.from('ab'), Buffer.from('cde')]) as unknown as NodeJS.Process['stdin'];
  expect((await all(openStdin({ stdin }, -1), [2])).toString()).toBe('abcde');
});
