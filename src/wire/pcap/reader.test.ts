import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CaptureError, newFrame } from './frame.ts';
import { captureReader, type CaptureEnd } from './reader.ts';
import { split } from './ticks.ts';
import { classicFile, nextGenerationFile, type Written } from './write.case.ts';

interface Read {
  packets: { bytes: Buffer; original: number; seconds: number; nanoseconds: number; link: number; at: number }[];
  end: CaptureEnd | null;
  error: CaptureError | null;
  drops: number;
}

/** Reads octets in pieces of the given sizes, again and again. */
function read(file: Buffer, sizes: readonly number[] = [file.length]): Read {
  const reader = captureReader();
  const frame = newFrame();
  const out: Read = { packets: [], end: null, error: null, drops: 0 };
  try {
    for (let at = 0, k = 0; at < file.length; k++) {
      const size = Math.max(1, sizes[k % sizes.length]!);
      reader.push(file.subarray(at, at + size));
      at += size;
      while (reader.next(frame))
        out.packets.push({
          bytes: Buffer.from(frame.bytes.subarray(frame.start, frame.end)),
          original: frame.originalLength,
          seconds: frame.seconds,
          nanoseconds: frame.nanoseconds,
          link: frame.linkType,
          at: frame.offset,
        });
    }
    out.end = reader.end();
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    out.error = error;
  }
  out.drops = reader.drops;
  return out;
}

const packet = fc.record({
  bytes: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  more: fc.integer({ min: 0, max: 2000 }),
  seconds: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
});
const packets: fc.Arbitrary<Written[]> = fc.array(packet, { maxLength: 12 });
const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });

describe('captures', () => {
  test('classic ones of both orders of octets, microseconds and nanoseconds, in pieces of any size', () => {
    fc.assert(
      fc.property(
        packets,
        sizes,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (written, pieces, little, nano, modified) => {
          const found = read(classicFile(written, { little, nano, modified: modified && !nano, link: 113 }), pieces);
          expect(found.error).toBeNull();
          expect(found.end).toEqual({ kind: 'complete' });
          expect(found.packets.map(({ at: _, ...rest }) => rest)).toEqual(
            written.map(({ bytes, more, seconds, nanoseconds }) => ({
              bytes,
              original: bytes.length + more,
              seconds,
              nanoseconds: nano ? nanoseconds : Math.floor(nanoseconds / 1000) * 1000,
              link: 113,
            })),
          );
        },
      ),
    );
  });

  test('next generation: sections of either order, interfaces of any clock, unknown blocks between', () => {
    const section = fc.record({
      little: fc.boolean(),
      resolution: fc.constantFrom(undefined, 3, 6, 9, 0x80 | 10, 0x80 | 30),
      offsetSeconds: fc.constantFrom(0, 3600, -7),
      unknown: fc.boolean(),
      packets,
    });
    fc.assert(
      fc.property(fc.array(section, { minLength: 1, maxLength: 3 }), sizes, (sections, pieces) => {
        const file = Buffer.concat(sections.map((one) => nextGenerationFile(one.packets, { ...one, link: 1 })));
        const found = read(file, pieces);
        expect(found.error).toBeNull();
        expect(found.packets.map(({ bytes, original }) => ({ bytes, original }))).toEqual(
          sections.flatMap((one) => one.packets.map(({ bytes, more }) => ({ bytes, original: bytes.length + more }))),
        );
        const all = sections.flatMap((one) => one.packets.map((p) => ({ ...p, ...one })));
        for (const [i, { seconds, nanoseconds, resolution = 6, offsetSeconds }] of all.entries()) {
          const units = resolution & 0x80 ? 2n ** BigInt(resolution & 0x7f) : 10n ** BigInt(resolution);
          const count = BigInt(seconds) * units + (BigInt(nanoseconds) * units) / 1_000_000_000n;
          expect(found.packets[i]!.seconds).toBe(Number(count / units) + offsetSeconds);
          expect(found.packets[i]!.nanoseconds).toBe(Number(((count % units) * 1_000_000_000n) / units));
        }
      }),
    );
  });

  test('time stamps of 64 bits are divided exactly', () => {
    const rates = [1, 1000, 1e6, 1e9, 1e12, 2 ** 10, 2 ** 30, 2 ** 36];
    fc.assert(
      fc.property(
        fc.nat({ max: 2 ** 32 - 1 }),
        fc.nat({ max: 2 ** 32 - 1 }),
        fc.constantFrom(...rates),
        (high, low, rate) => {
          const into = { seconds: 0, nanoseconds: 0 };
          split(high, low, rate, into);
          const units = (BigInt(high) << 32n) | BigInt(low);
          expect(into.seconds).toBe(Number(units / BigInt(rate)));
          expect(into.nanoseconds).toBe(Number(((units % BigInt(rate)) * 1_000_000_000n) / BigInt(rate)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a cut file gives what was whole, and says where it ends', () => {
    const written = [0, 1, 2].map((i) => ({ bytes: Buffer.alloc(60, i), more: 0, seconds: i, nanoseconds: 0 }));
    for (const file of [
      classicFile(written, { little: true, nano: false, modified: false, link: 1 }),
      nextGenerationFile(written, { little: false, resolution: 9, offsetSeconds: 0, unknown: true, link: 1 }),
    ]) {
      const whole = read(file);
      for (let length = 4; length < file.length; length++) {
        const found = read(file.subarray(0, length), [50]);
        expect(found.error).toBeNull();
        expect(found.packets).toEqual(whole.packets.filter(({ at }) => at < length).slice(0, found.packets.length));
        if (found.end!.kind === 'cut') expect(found.end!.offset).toBeLessThanOrEqual(length);
      }
    }
  });

  test('what a capture says that it lost is counted: statistics since the last ones, options and counts of packets', () => {
    const file = nextGenerationFile([], {
      little: true,
      resolution: 6,
      offsetSeconds: 0,
      unknown: false,
      link: 1,
      lost: [3, 10, 10],
    });
    expect(read(file).drops).toBe(10);
  });

  test.each([
    ['1f8b0800000000000003', /gzip/],
    ['28b52ffd00000000', /zstd/],
    ['736e6f6f7000000000000002', /snoop/],
    ['76657273696f6e2068747470', /Git LFS/],
    ['deadbeef', /neither pcap nor pcapng/],
    ['d4', /neither pcap nor pcapng/],
    ['d4c3b2a10100040000000000000000000000000001000000', /version 1\.4/],
  ])('%s is no capture, and the error says what it looks like', (hex, words) => {
    const found = read(Buffer.from(hex, 'hex'));
    expect(found.error?.message).toMatch(words);
  });

  test('an empty file is an error', () => {
    expect(() => captureReader().end()).toThrow(CaptureError);
  });

  test('a length that lies ends the reading at its offset, and no memory is taken for it', () => {
    const file = classicFile([{ bytes: Buffer.alloc(60), more: 0, seconds: 1, nanoseconds: 0 }], {
      little: true,
      nano: false,
      modified: false,
      link: 1,
    });
    const liar = Buffer.concat([file, Buffer.alloc(8), Buffer.from('ffffffe8ffffffe8', 'hex')]);
    const found = read(liar);
    expect(found.packets).toHaveLength(1);
    expect(found.error).toMatchObject({ offset: file.length });
    expect(found.error!.message).toContain('262144 are the most');
  });

  test('whatever comes, it ends: changed octets of real files are read, refused or cut, never more', () => {
    const written = Array.from({ length: 6 }, (_, i) => ({
      bytes: Buffer.alloc(40 + i, i),
      more: i,
      seconds: i,
      nanoseconds: 5,
    }));
    const files = [
      classicFile(written, { little: true, nano: true, modified: false, link: 1 }),
      nextGenerationFile(written, { little: true, resolution: 9, offsetSeconds: 0, unknown: true, link: 1, lost: [1] }),
      nextGenerationFile(written, { little: false, resolution: undefined, offsetSeconds: 1, unknown: false, link: 1 }),
    ];
    const change = fc.tuple(fc.nat({ max: 2000 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        sizes,
        (file, changes, pieces) => {
          const copy = Buffer.from(file);
          for (const [at, value] of changes) copy[at % copy.length] = value;
          const found = read(copy, pieces);
          expect(found.packets.length).toBeLessThanOrEqual(copy.length / 12);
          expect(found.packets.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(copy.length);
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
