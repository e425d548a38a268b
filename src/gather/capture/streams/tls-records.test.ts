import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecordSink } from './record-header.ts';
import { RecordCutter } from './tls-records.ts';

interface Seen {
  type: number;
  length: number;
  atMs: number;
  offset: number;
}

/** Takes records down; a test's twin of an exchange tracker. */
class Notes implements RecordSink {
  readonly records: Seen[] = [];
  lostTimes = 0;
  record(_: 0 | 1, type: number, length: number, atMs: number, _wireMs: number, offset: number): void {
    this.records.push({ type, length, atMs, offset });
  }
  handshake(): void {}
  handshakeCut(): void {}
  wantsHandshake(): boolean {
    return true;
  }
  lost(): void {
    this.lostTimes++;
  }
}

const record = fc.record({
  type: fc.constantFrom(22, 23, 23, 23, 23),
  length: fc.oneof(fc.integer({ min: 17, max: 400 }), fc.integer({ min: 17, max: 16_640 })),
});
const records = fc.array(record, { minLength: 4, maxLength: 40 });

/** Octets of records; what is inside never looks like a header. */
function written(list: readonly { type: number; length: number }[]): Buffer {
  return Buffer.concat(
    list.map(({ type, length }) =>
      Buffer.concat([Buffer.from([type, 3, 3, length >> 8, length & 255]), Buffer.alloc(length, 0xa5)]),
    ),
  );
}

/** Pieces that cover the stream, by where they are cut. */
function pieces(total: number, cuts: readonly number[]): [from: number, to: number][] {
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (total + 1)), total])].sort((a, b) => a - b);
  return edges.slice(1).map((to, i) => [edges[i]!, to]);
}

function fed(stream: Buffer, list: readonly [from: number, to: number][], cutter: RecordCutter): void {
  for (const [from, to] of list) cutter.data(stream, from, to, 0, to, to, from);
}

test('the same records, however the stream is cut into segments, each when its last octet came', () => {
  fc.assert(
    fc.property(records, fc.array(fc.nat(), { maxLength: 200 }), (list, cuts) => {
      const stream = written(list);
      const parts = pieces(stream.length, cuts);
      const notes = new Notes();
      fed(stream, parts, new RecordCutter(notes, 1, false));
      let offset = 0;
      const expected = list.map(({ type, length }) => {
        const from = offset;
        offset += 5 + length;
        return { type, length, offset: from, atMs: parts.find(([, to]) => to >= offset)![1] };
      });
      expect(notes.records).toEqual(expected);
      expect(notes.lostTimes).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('one octet at a time gives the same records', () => {
  const list = [17, 300, 1, 80].map((length) => ({ type: 23, length }));
  const stream = written(list);
  const notes = new Notes();
  const each = Array.from({ length: stream.length }, (_, i): [number, number] => [i, i + 1]);
  fed(stream, each, new RecordCutter(notes, 0, false));
  expect(notes.records.map(({ length }) => length)).toEqual([17, 300, 1, 80]);
});

test('behind any hole every record comes again from the third header on, and none that is not there', () => {
  fc.assert(
    fc.property(records, fc.nat(), fc.nat(), fc.array(fc.nat(), { maxLength: 60 }), (list, a, b, cuts) => {
      const stream = written(list);
      const holeAt = a % stream.length;
      const holeEnd = Math.min(stream.length, holeAt + 1 + (b % 30_000));
      const notes = new Notes();
      const cutter = new RecordCutter(notes, 1, false);
      fed(stream, pieces(holeAt, cuts), cutter);
      cutter.gap(holeEnd - holeAt);
      const after = pieces(stream.length - holeEnd, cuts);
      fed(
        stream,
        after.map(([from, to]) => [from + holeEnd, to + holeEnd]),
        cutter,
      );

      let offset = 0;
      const real = new Map<number, number>();
      for (const { length } of list) {
        real.set(offset, length);
        offset += 5 + length;
      }
      for (const one of notes.records) expect(real.get(one.offset)).toBe(one.length);
      const offsets = notes.records.map((one) => one.offset);
      expect(offsets).toEqual([...new Set(offsets)].sort((x, y) => x - y));
      // What begins behind the hole, if it is long enough to be found again.
      const behind = [...real.keys()].filter((at) => at >= holeEnd);
      if (behind.length >= 3) expect(offsets.slice(-behind.length)).toEqual(behind);
    }),
    { numRuns: 300 },
  );
});

test('a hole inside of one record costs nothing but the octets', () => {
  const stream = written([80, 5000, 90].map((length) => ({ type: 23, length })));
  const notes = new Notes();
  const cutter = new RecordCutter(notes, 1, false);
  cutter.data(stream, 0, 1000, 0, 1, 1, 0);
  cutter.gap(2000);
  cutter.data(stream, 3000, stream.length, 0, 2, 2, 3000);
  expect(notes).toMatchObject({ lostTimes: 0, records: [{ atMs: 1 }, { length: 5000, atMs: 2 }, { atMs: 2 }] });
});

test('segments of which only the beginning was captured are enough where each begins with a record', () => {
  const list = [100, 900, 1400, 120].map((length) => ({ type: 23, length }));
  const stream = written(list);
  const notes = new Notes();
  const cutter = new RecordCutter(notes, 1, false);
  let offset = 0;
  for (const { length } of list) {
    cutter.data(stream, offset, offset + 30, length + 5 - 30, offset, offset, offset);
    offset += 5 + length;
  }
  expect(notes.records.map(({ length }) => length)).toEqual([100, 900, 1400, 120]);
});

test('noise is no TLS, and is given up', () => {
  const notes = new Notes();
  const cutter = new RecordCutter(notes, 1, true);
  let state = 1;
  const noise = Buffer.from(
    Array.from({ length: 65_536 }, () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state >> 16;
    }),
  );
  for (let i = 0; i < 10; i++) cutter.data(noise, 0, noise.length, 0, i, i, i * noise.length);
  expect(notes.records).toEqual([]);
  expect(cutter.isHopeless).toBe(true);
});
