import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newFrame } from '../../wire/pcap/frame.ts';
import { captureReader } from '../../wire/pcap/reader.ts';
import { readProgram } from './live-filter.ts';
import { countsIn } from './live-tcpdump.ts';
import { rotatingCapture, type RotateOptions } from './rotate.ts';

describe('readProgram()', () => {
  test('takes what tcpdump -ddd prints', () => {
    expect(readProgram('4\n40 0 0 12\n21 0 1 2048\n6 0 0 262144\n6 0 0 0\n')).toEqual([
      [40, 0, 0, 12],
      [21, 0, 1, 2048],
      [6, 0, 0, 262_144],
      [6, 0, 0, 0],
    ]);
  });

  test.each(['', '0\n', '2\n6 0 0 0\n', '1\n6 0 0\n', '1\n6 0 0 x\n', '1\n6 0 0 -1\n', 'tcpdump: syntax error'])(
    'refuses %j',
    (text) => expect(readProgram(text)).toBeNull(),
  );
});

test('countsIn() reads the counts that tcpdump ends with', () => {
  const said = 'listening on v0\n40 packets captured\n42 packets received by filter\n1 packet dropped by kernel\n';
  expect(countsIn(said)).toEqual({ packets: 42, drops: 1, freezes: null });
  expect(countsIn('listening on v0')).toEqual({ packets: null, drops: null, freezes: null });
});

describe('rotatingCapture()', () => {
  const bytes = Buffer.alloc(100, 5);

  /** Writes so many frames, one each second, and gives names and numbers of frames of the files that stay. */
  function write(count: number, options: Partial<RotateOptions>) {
    const folder = mkdtempSync(join(tmpdir(), 'inferpath-rotate-'));
    try {
      const rotation = rotatingCapture({
        folder,
        prefix: 'eth0',
        linkType: 1,
        snapLength: 128,
        fileBytes: 1e9,
        files: 3,
        ...options,
      });
      for (let i = 0; i < count; i++)
        rotation.write({ ...newFrame(), bytes, end: 100, originalLength: 1500, seconds: 1_700_000_000 + i });
      const names = rotation.close();
      expect(
        readdirSync(folder)
          .map((name) => join(folder, name))
          .sort(),
      ).toEqual(names);
      const files = names.map((name) => {
        expect(statSync(name).mode & 0o777).toBe(0o600);
        const reader = captureReader();
        reader.push(readFileSync(name));
        const seconds: number[] = [];
        for (const frame = newFrame(); reader.next(frame);) seconds.push(frame.seconds - 1_700_000_000);
        expect(reader.end()).toEqual({ kind: 'complete' });
        return { name: name.slice(folder.length + 1), seconds };
      });
      return { files, written: rotation.written };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test('begins a new file before the old one gets too large, and deletes the oldest', () => {
    const { files, written } = write(11, { fileBytes: 24 + 2 * 116 });
    expect(files.map(({ seconds }) => seconds)).toEqual([[6, 7], [8, 9], [10]]);
    expect(files[0]!.name).toBe('eth0-20231114T221326Z-00004.pcap');
    expect(written).toEqual({ frames: 11, bytes: 6 * 24 + 11 * 116, deletedFiles: 3 });
  });

  test('begins a new file after some time', () => {
    expect(write(7, { fileSeconds: 3 }).files.map(({ seconds }) => seconds)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });

  test('a frame that is larger than a file may be has one of its own, and none makes no file', () => {
    expect(write(2, { fileBytes: 10 }).files).toHaveLength(2);
    expect(write(0, {}).files).toEqual([]);
  });

  test('writes more than its buffer holds', () => {
    const { files } = write(30_000, { files: 1 });
    expect(files[0]!.seconds).toHaveLength(30_000);
  });
});
