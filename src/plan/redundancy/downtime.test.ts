import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { downtime } from './downtime.ts';
import { anyReach, downtimeByTrying, sparseReach } from './reach.case.ts';
import type { Reach } from './reduce.ts';

describe('downtime', () => {
  test('is exactly what trying every combination of risks gives, to the last bit', () => {
    fc.assert(
      fc.property(anyReach(), (reach) => {
        const truth = downtimeByTrying(reach);
        expect(downtime(reach)).toEqual({ low: truth, high: truth });
      }),
      { numRuns: 1500 },
    );
  });

  test('of ten nodes and fourteen risks is exactly what trying all 16,384 combinations gives', () => {
    fc.assert(
      fc.property(sparseReach({ nodes: 10, risks: 14 }), (reach) => {
        const truth = downtimeByTrying(reach);
        expect(downtime(reach)).toEqual({ low: truth, high: truth });
      }),
      { numRuns: 150 },
    );
  });

  test('of rare failures keeps all its digits', () => {
    fc.assert(
      fc.property(anyReach(), (reach) => {
        const rare = { ...reach, down: Array.from(reach.down, (p) => p * 1e-5) };
        const truth = downtimeByTrying(rare);
        const { low, high } = downtime(rare);
        expect(low).toBe(high);
        expect(Math.abs(low - truth)).toBeLessThanOrEqual(truth * 1e-13);
      }),
      { numRuns: 500 },
    );
  });

  test('with room for few states is an interval that holds the truth', () => {
    fc.assert(
      fc.property(anyReach(), fc.integer({ min: 1, max: 6 }), (reach, limit) => {
        const truth = downtimeByTrying(reach);
        const { low, high } = downtime(reach, limit);
        expect(low).toBeLessThanOrEqual(truth);
        expect(high).toBeGreaterThanOrEqual(truth);
      }),
      { numRuns: 500 },
    );
  });

  test('of a ladder of 40 rungs is what a walk along the ladder gives', () => {
    // Rungs never fail, rails fail with p each: every section is down when both of its rails are.
    const p = 0.01;
    const edges: Reach['edges'][number][] = [];
    for (let i = 0; i < 40; i++) {
      edges.push({ a: 2 * i, b: 2 * i + 1, risks: [] });
      if (i < 39)
        for (const side of [0, 1]) edges.push({ a: 2 * i + side, b: 2 * i + 2 + side, risks: [2 * i + side] });
    }
    const reach = {
      nodes: 80,
      source: 0,
      targets: [79],
      edges,
      risksOfNode: Array.from({ length: 80 }, () => []),
      down: Array.from({ length: 78 }, () => p),
    };
    expect(downtime(reach).low).toBeCloseTo(1 - (1 - p * p) ** 39, 14);
  });
});
