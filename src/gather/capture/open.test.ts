import { gzipSync } from 'node:zlib';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fileOf } from '../../wire/open-file.ts';
import { classicFile, type Written } from '../../wire/pcap/write.case.ts';
import { fakeIo } from '../../../test/fakes/io.ts';
import { type CaptureRead, type CaptureSource, captureSource, describeEnd, lookAhead, readCapture } from './open.ts';

const packets: Written[] = Array.from({ length: 40 }, (_, i) => ({
  bytes: Buffer.alloc(30 + i, i),
  more: 0,
  seconds: i,
  nanoseconds: 0,
}));
const file = classicFile(packets, { little: true, nano: false, modified: false, link: 1 });

async function* pieces(octets: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, k = 0; at < octets.length; k++) {
    const size = Math.max(1, sizes[k % sizes.length]!);
    yield octets.subarray(at, at + size);
    at += size;
  }
}

const source = (octets: Buffer, sizes: readonly number[] = [4096]): CaptureSource => ({
  name: 'a.pcap',
  file: fileOf(pieces(octets, sizes)),
  totalBytes: octets.length,
});

async function read(from: CaptureSource): Promise<{ result: CaptureRead; lengths: number[] }> {
  const lengths: number[] = [];
  const result = await readCapture(from, (frame) => lengths.push(frame.end - frame.start));
  return { result, lengths };
}

describe('opening captures', () => {
  test('plain and compressed, in pieces of any size, members of gzip one after the other', async () => {
    const gzipped = Buffer.concat([gzipSync(file.subarray(0, 700)), gzipSync(file.subarray(700))]);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(file, gzipSync(file), gzipped),
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 4 }),
        async (octets, sizes) => {
          const { result, lengths } = await read(source(octets, sizes));
          expect(lengths).toEqual(packets.map(({ bytes }) => bytes.length));
          expect(result).toMatchObject({
            format: 'pcap',
            frames: 40,
            doneBytes: octets.length,
            totalBytes: octets.length,
            captureBytes: file.length,
            end: { kind: 'complete' },
          });
          expect(describeEnd('a.pcap', result)).toBeNull();
        },
      ),
      { numRuns: 60 },
    );
  });

  test('zstd where Node has it, and else a word on how to read it', async () => {
    const compress = (zlib as { zstdCompressSync?: (octets: Buffer) => Buffer }).zstdCompressSync;
    const zstd = compress ? compress(file) : Buffer.from('28b52ffd00000000', 'hex');
    const { result } = await read(source(zstd));
    if (compress) expect(result).toMatchObject({ frames: 40, end: { kind: 'complete' } });
    else expect(describeEnd('a.pcap.zst', result)).toContain('zstd -dc FILE | inferpath capture -');
  });

  test('a file cut in the middle keeps what was whole and says where', async () => {
    const { result } = await read(source(file.subarray(0, 500)));
    expect(result.end.kind).toBe('cut');
    expect(result.frames).toBeGreaterThan(5);
    expect(describeEnd('a.pcap', result)).toMatch(/^"a.pcap" ends at octet 500 .* packets before are counted$/);
  });

  test('cut gzip keeps what came before, broken gzip says so', async () => {
    const incompressible = packets.map((packet, i) => ({
      ...packet,
      bytes: Buffer.from(Array.from({ length: 3000 }, (_, k) => (k * k * (i + 3) + (k >>> 3) * 31) & 255)),
    }));
    const large = gzipSync(classicFile(incompressible, { little: true, nano: false, modified: false, link: 1 }));
    const cut = await read(source(large.subarray(0, Math.floor(large.length * 0.9))));
    expect(cut.result.end).toMatchObject({ kind: 'corrupt', what: expect.stringContaining('gzip') });
    const broken = Buffer.from(gzipSync(file));
    broken.fill(0xff, 12, 60);
    const { result } = await read(source(broken));
    expect(result.end.kind).toBe('corrupt');
    expect(describeEnd('a.pcap', result)).toMatch(/gzip data cannot be read on: .* \(within its first \d+ octets\)/);
  });

  test('no capture at all, and nothing at all', async () => {
    expect(describeEnd('x', (await read(source(Buffer.from('hello world')))).result)).toMatch(
      /^"x" begins with .* neither pcap nor pcapng; no packet was read$/,
    );
    expect(describeEnd('x', (await read(source(Buffer.alloc(0)))).result)).toBe('"x" is empty; no packet was read');
  });

  test('a record that lies is named with its offset', async () => {
    const liar = Buffer.concat([file, Buffer.alloc(8), Buffer.from('ffffffe8ffffffe8', 'hex')]);
    const { result } = await read(source(liar));
    expect(describeEnd('a.pcap', result)).toContain(`cannot be read on at octet ${file.length}: `);
    expect(result.frames).toBe(40);
  });

  test('a bomb is passed piece by piece', async () => {
    const one = classicFile([{ bytes: Buffer.alloc(200_000), more: 0, seconds: 1, nanoseconds: 0 }], {
      little: true,
      nano: false,
      modified: false,
      link: 1,
    });
    const bomb = gzipSync(Buffer.concat([one, ...Array.from({ length: 400 }, () => one.subarray(24))]), { level: 9 });
    let largest = 0;
    let before = 0;
    const result = await readCapture(source(bomb), () => {}, {
      onProgress: ({ captureBytes }) => {
        largest = Math.max(largest, captureBytes - before);
        before = captureBytes;
      },
    });
    expect(bomb.length).toBeLessThan(200_000);
    expect(result).toMatchObject({ frames: 401, end: { kind: 'complete' } });
    expect(largest).toBeLessThanOrEqual(1024 * 1024);
  });

  test('an abort ends it between two pieces, also while a pipe is silent', async () => {
    const abort = new AbortController();
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield file;
      await new Promise(() => {});
    }
    const result = await readCapture({ name: 'stdin', file: fileOf(silent()), totalBytes: null }, () => {}, {
      signal: abort.signal,
      onProgress: () => setImmediate(() => abort.abort()),
    });
    expect(result).toMatchObject({ frames: 40, end: { kind: 'interrupted' } });
  });

  test('what the source rejects with is passed on, also behind gzip', async () => {
    async function* failing(first: Buffer): AsyncGenerator<Uint8Array> {
      yield first;
      throw new Error('EIO: the disk is gone');
    }
    for (const first of [file, gzipSync(file).subarray(0, 50)])
      await expect(readCapture({ name: 'x', file: fileOf(failing(first)), totalBytes: 1 }, () => {})).rejects.toThrow(
        'EIO',
      );
  });

  test('stdin for -, a file by its path, and an absent one is the error of the file system', async () => {
    const io = fakeIo({ stdin: file, files: { 'a.pcap': 'hello world' } });
    expect(await read(await captureSource(io, '-'))).toMatchObject({ result: { frames: 40, totalBytes: null } });
    expect((await read(await captureSource(io, 'a.pcap'))).result).toMatchObject({ totalBytes: 11, frames: 0 });
    await expect(captureSource(io, 'b.pcap')).rejects.toThrow('b.pcap');
  });
});

describe('looking ahead', () => {
  const opened = (chunks: AsyncIterable<Uint8Array>): CaptureSource => ({
    name: 'stdin',
    file: fileOf(chunks),
    totalBytes: null,
  });

  test('whatever came until then, all octets come in their order', async () => {
    async function* slow(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < file.length; at += 200) {
        yield file.subarray(at, at + 200);
        if (at === 400) await new Promise((done) => setTimeout(done, 30));
      }
    }
    for (const [octets, ms, isMore] of [
      [1e6, 5000, false],
      [1e6, 5, false],
      [300, 5000, true],
    ] as const) {
      const ahead = await lookAhead(opened(slow()), { octets, ms });
      expect(ahead.isMore).toBe(isMore);
      expect((await read(ahead.source)).result).toMatchObject({ frames: 40, doneBytes: file.length });
    }
  });

  test('its time begins with the first octets, and an abort ends a wait for them', async () => {
    async function* late(): AsyncGenerator<Uint8Array> {
      await new Promise((done) => setTimeout(done, 50));
      yield* pieces(file, [100]);
    }
    expect(await lookAhead(opened(late()), { octets: 1000, ms: 20 })).toMatchObject({ isMore: true });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 10);
    const never = (async function* () {
      await new Promise(() => {});
      yield new Uint8Array(1);
    })();
    expect(await lookAhead(opened(never), { octets: 1000, ms: 5, signal: abort.signal })).toMatchObject({
      isMore: false,
    });
  });
});
