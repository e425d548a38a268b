import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Textfile } from './textfile.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'inferpath-textfile-'));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

test('a reader at any moment sees a whole text, old or new, and nothing else that ends in .prom', async () => {
  const file = await Textfile.open('--textfile', folder, 'it');
  const path = join(folder, 'it.prom');
  const whole = (n: number) => `a ${n}\n`.repeat(20_000);
  await file.write(whole(0));
  const state = { isWriting: true };
  const writes = Promise.all(Array.from({ length: 40 }, (_, n) => file.write(whole(n + 1)))).then(
    () => (state.isWriting = false),
  );
  const seen = new Set<string>();
  while (state.isWriting) {
    const text = readFileSync(path, 'utf8');
    const [first = ''] = text.split('\n', 1);
    expect(text === whole(Number(first.slice(2)))).toBe(true);
    seen.add(first);
    expect(readdirSync(folder).filter((name) => name.endsWith('.prom'))).toEqual(['it.prom']);
    await new Promise((done) => setImmediate(done));
  }
  await writes;
  expect(readFileSync(path, 'utf8') === whole(40)).toBe(true);
  expect(seen.size).toBeGreaterThan(1);
  expect(statSync(path).mode & 0o777).toBe(0o644);
  await file.remove();
  expect(readdirSync(folder)).toEqual([]);
});

test('a text that cannot be written fails alone', async () => {
  const file = await Textfile.open('--textfile', folder, 'it');
  mkdirSync(join(folder, 'it.prom'));
  writeFileSync(join(folder, 'it.prom', 'x'), '');
  await expect(file.write('a 1\n')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  rmSync(join(folder, 'it.prom'), { recursive: true });
  await file.write('a 2\n');
  expect(readFileSync(join(folder, 'it.prom'), 'utf8')).toBe('a 2\n');
});

test('a directory that is none is refused at once', async () => {
  const gone = join(folder, 'gone');
  await expect(Textfile.open('--textfile', gone, 'it')).rejects.toThrow(`--textfile: cannot write to ${gone}: ENOENT`);
  writeFileSync(gone, '');
  await expect(Textfile.open('--textfile', gone, 'it')).rejects.toThrow(`cannot write to ${gone}: it is no directory`);
  expect(existsSync(join(folder, 'it.prom'))).toBe(false);
});
