import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trafficMatrix } from '../../../model/capture/pattern.ts';
import { Matrix, type MatrixFlow } from './matrix.ts';

const hourMs = 3_600_000;
const flow = (over: Partial<MatrixFlow>): MatrixFlow => ({
  from: 'a',
  to: 'b',
  class: 'web',
  direction: 'east-west',
  octets: [600, 400],
  firstMs: 0,
  lastMs: 0,
  ...over,
});

describe('Matrix', () => {
  test('puts octets into the hours of the day that a flow lies in', () => {
    const matrix = new Matrix(23.5 * hourMs);
    matrix.add(flow({ firstMs: 0, lastMs: hourMs }));
    const { cells, hoursSeen, startedAt } = matrix.report();
    expect(cells[0]!.hours[23]).toBeCloseTo(500);
    expect(cells[0]!.hours[0]).toBeCloseTo(500);
    expect(hoursSeen).toEqual([0, 23]);
    expect(startedAt).toBe('1970-01-01T23:30:00.000Z');
  });

  test('loses nothing: hours and pairs add up to what went in, listed or not', () => {
    const flows = fc.array(
      fc.record({
        from: fc.constantFrom('a', 'b', 'outside'),
        to: fc.constantFrom('a', 'c', 'outside'),
        class: fc.constantFrom('web' as const, 'training' as const),
        octets: fc.tuple(fc.nat({ max: 1e9 }), fc.nat({ max: 1e9 })),
        firstMs: fc.nat({ max: 5 * 24 * hourMs }),
        lengthMs: fc.nat({ max: 5 * 24 * hourMs }),
      }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(flows, fc.nat({ max: 10 }), fc.nat({ max: 1e12 }), (list, most, startMs) => {
        const matrix = new Matrix(startMs);
        for (const one of list) matrix.add(flow({ ...one, lastMs: one.firstMs + one.lengthMs }));
        const report = trafficMatrix.parse(matrix.report(most));
        const parts = [...report.cells, ...(report.rest ? [report.rest] : [])];
        const sum = (of: (part: (typeof parts)[number]) => number) => parts.reduce((all, part) => all + of(part), 0);
        const octets = list.reduce((all, one) => all + one.octets[0] + one.octets[1], 0);
        expect(report.cells.length).toBeLessThanOrEqual(most);
        expect(sum((part) => part.flows)).toBe(list.length);
        expect(sum((part) => part.forthBytes + part.backBytes)).toBe(octets);
        expect(Math.abs(sum((part) => part.hours.reduce((a, b) => a + b, 0)) - octets)).toBeLessThanOrEqual(
          1e-6 * octets,
        );
        for (const part of parts)
          for (const [hour, n] of part.hours.entries()) if (n > 0) expect(report.hoursSeen).toContain(hour);
      }),
      { numRuns: 40 },
    );
  });

  test('has room for so many pairs, and says when there were more', () => {
    const matrix = new Matrix(0);
    for (let i = 0; i < 5000; i++) matrix.add(flow({ from: `s${i}` }));
    const report = matrix.report();
    expect(report.cells.length).toBe(100);
    expect(report.rest?.flows).toBe(4900);
    expect(report.how.join()).toMatch(/904 flows/);
  });

  test('knows no hours where packets have no times', () => {
    const matrix = new Matrix(null);
    matrix.add(flow({}));
    const { startedAt, hoursSeen, cells } = matrix.report();
    expect([startedAt, hoursSeen]).toEqual([null, []]);
    expect(cells[0]!.hours.every((octets) => octets === 0)).toBe(true);
  });
});
