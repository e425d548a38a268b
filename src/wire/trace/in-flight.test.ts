import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checksumAdd, checksumFold } from '../ip.ts';
import { flowLabelOf } from './header6.ts';
import { counterweight, InFlight } from './in-flight.ts';

test('counterweight() makes the checksum of anything come out as wanted', () => {
  const mark = fc.integer({ min: 1, max: 0xfffe });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 200 }), mark, (bytes, wanted) => {
      const whole = Buffer.alloc(2 * Math.ceil(bytes.length / 2) + 2);
      whole.set(bytes);
      whole.writeUInt16BE(counterweight(checksumAdd(whole, 0, whole.length), wanted), whole.length - 2);
      expect(checksumFold(checksumAdd(whole, 0, whole.length))).toBe(wanted);
    }),
  );
});

describe('InFlight', () => {
  test('knows each probe by its mark until it is forgotten', () => {
    const probes = new InFlight();
    const [a, b] = [probes.add(7, 1), probes.add(8, 2)];
    expect([probes.byMark(a), probes.byMark(b)]).toEqual([
      { id: 7, flow: 1 },
      { id: 8, flow: 2 },
    ]);
    probes.forget(7);
    expect([probes.byMark(a), probes.byMark(null)]).toEqual([undefined, undefined]);
  });

  test('gives an answer without a mark to the only probe of the flow, and to none of several', () => {
    const probes = new InFlight();
    probes.add(1, 5);
    expect(probes.soleOf(5)).toEqual({ id: 1, flow: 5 });
    probes.add(2, 5);
    expect(probes.soleOf(5)).toBeUndefined();
    expect(probes.soleOf(6)).toBeUndefined();
  });

  test('goes round in marks that fit 16 bits and are never zero, and the newest probe wins', () => {
    const probes = new InFlight();
    const marks = Array.from({ length: 65_540 }, (_, id) => probes.add(id, 0));
    expect(Math.min(...marks.slice(0, 100))).toBe(1);
    expect(marks.every((mark) => mark > 0 && mark < 0xffff)).toBe(true);
    expect(probes.byMark(marks.at(-1)!)).toEqual({ id: 65_539, flow: 0 });
    // The probe that had this mark before is gone, and forgetting it does not take the mark from its new owner.
    probes.forget(65_539 - 65_534);
    expect(probes.byMark(marks.at(-1)!)).toEqual({ id: 65_539, flow: 0 });
  });
});

test('flowLabelOf() is different for every flow that may be used, and never zero', () => {
  const labels = Array.from({ length: 512 }, (_, flow) => flowLabelOf(flow));
  expect(new Set(labels).size).toBe(512);
  expect(labels.every((label) => label > 0 && label < 2 ** 20)).toBe(true);
});
