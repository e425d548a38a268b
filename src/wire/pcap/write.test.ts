import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Frame, newFrame } from './frame.ts';
import { captureReader } from './reader.ts';
import { captureHeader, recordLength, writeRecord } from './write.ts';

test('what is written is what the reader reads', () => {
  const one = fc.record({
    octets: fc.uint8Array({ maxLength: 200 }),
    more: fc.nat(2000),
    seconds: fc.nat(0xffff_ffff),
    nanoseconds: fc.nat(999_999_999),
  });
  fc.assert(
    fc.property(fc.array(one), fc.constantFrom(1, 101, 276), (frames, linkType) => {
      const target = Buffer.alloc(100_000);
      let at = captureHeader(linkType, 65_535).copy(target);
      for (const { octets, more, seconds, nanoseconds } of frames) {
        // Somewhere in a larger buffer, as a ring has it.
        const bytes = Buffer.concat([Buffer.alloc(7, 9), octets]);
        const frame: Frame = { ...newFrame(), bytes, start: 7, end: bytes.length, seconds, nanoseconds };
        frame.originalLength = octets.length + more;
        const before = at;
        at = writeRecord(target, at, frame);
        expect(at - before).toBe(recordLength(frame));
      }
      const reader = captureReader();
      reader.push(target.subarray(0, at));
      const read: object[] = [];
      for (const frame = newFrame(); reader.next(frame);) {
        const { bytes, start, end, seconds, nanoseconds, originalLength } = frame;
        expect(frame.linkType).toBe(linkType);
        const octets = Uint8Array.from(bytes.subarray(start, end));
        read.push({ octets, more: originalLength - octets.length, seconds, nanoseconds });
      }
      expect(read).toEqual(frames);
      expect(reader.end()).toEqual({ kind: 'complete' });
    }),
  );
});
