import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  COS_BYTES,
  findSizeTlv,
  readCos,
  readSizeTlv,
  readTlvs,
  SIZE_STATUS,
  TLV_FLAG,
  TLV_TYPE,
  writeCos,
  writePadding,
  writeSizeTlv,
  writeTlv,
} from './stamp-tlv.ts';

describe('the TLVs of RFC 8972', () => {
  test('are found as they were written', () => {
    const one = fc.record({ type: fc.integer({ min: 0, max: 255 }), length: fc.integer({ min: 0, max: 40 }) });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 10 }), (list) => {
        const bytes = Buffer.alloc(1000);
        let at = 44;
        for (const { type, length } of list) at = writeTlv(bytes, at, type, length) + length;
        const found = readTlvs(bytes, 44, at);
        expect(found.map(({ type, length }) => ({ type, length }))).toEqual(list);
        for (const { flags, malformed } of found)
          expect({ flags, malformed }).toEqual({ flags: TLV_FLAG.U, malformed: false });
      }),
    );
  });

  test('one that claims more than there is, is malformed and the last', () => {
    const bytes = Buffer.alloc(60);
    writeTlv(bytes, 44, TLV_TYPE.EXTRA_PADDING, 12);
    bytes.writeUInt16BE(500, 46);
    expect(readTlvs(bytes, 44, 60)).toEqual([
      { at: 44, type: 1, flags: TLV_FLAG.U, valueAt: 48, length: 12, malformed: true },
    ]);
  });

  test('of any octets never reach beyond them, and are bounded in number', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 500 }),
        (octets, from, to) => {
          const bytes = Buffer.from(octets);
          const found = readTlvs(bytes, from, to);
          expect(found.length).toBeLessThanOrEqual(64);
          for (const tlv of found) {
            expect(tlv.valueAt + tlv.length).toBeLessThanOrEqual(Math.min(to, bytes.length));
            readCos(bytes, tlv);
            readSizeTlv(bytes, tlv);
          }
          findSizeTlv(bytes, from, to);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  test('padding makes a packet exactly as long as wanted, or says that it cannot', () => {
    for (let to = 44; to < 80; to++) {
      const bytes = Buffer.alloc(100, 0xaa);
      if (to > 44 && to < 48) {
        expect(() => writePadding(bytes, 44, to)).toThrow(RangeError);
        continue;
      }
      writePadding(bytes, 44, to);
      expect(readTlvs(bytes, 44, to).map(({ malformed }) => malformed)).toEqual(to === 44 ? [] : [false]);
      expect(bytes[to]).toBe(0xaa);
    }
  });

  test('class of service is read as it was written', () => {
    const six = fc.integer({ min: 0, max: 63 });
    const two = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(fc.record({ wantedDscp: six, receivedDscp: six, receivedEcn: two, refused: two }), (cos) => {
        const bytes = Buffer.alloc(60);
        writeCos(bytes, writeTlv(bytes, 44, TLV_TYPE.CLASS_OF_SERVICE, COS_BYTES), cos);
        expect(readCos(bytes, readTlvs(bytes, 44, 52)[0]!)).toEqual(cos);
      }),
    );
  });

  test("our reply size is read as it was written; somebody else's experiment of the same type is not ours", () => {
    const bytes = Buffer.alloc(100);
    const cookie = Buffer.from('0123456789abcdef');
    const end = writeSizeTlv(bytes, 48, { status: SIZE_STATUS.ASKED, replyBytes: 1400, cookie });
    writeTlv(bytes, 44, 2, 0);
    expect(end).toBe(76);
    expect(findSizeTlv(bytes, 44, end)).toEqual({ status: 0, replyBytes: 1400, cookie, recognised: false });
    bytes.writeUInt8(0, 48);
    expect(findSizeTlv(bytes, 44, end)?.recognised).toBe(true);
    bytes.writeUInt8(0x58, 52);
    expect(findSizeTlv(bytes, 44, end)).toBeNull();
    expect(findSizeTlv(bytes, 44, 50)).toBeNull();
  });
});
