import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { parsePmed } from '../../gather/topology/pmed.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { placeCentre, radiusOf } from './centre.ts';
import { coverProblem, settleCover } from './cover.ts';
import { coverageProblem } from './coverage.ts';
import { allDistances } from './distances.ts';
import { everySet, finish, smallInputs } from './placement.case.ts';
import { costOf, makePlacement, type Placement, type PlacementInput } from './problem.ts';
import { placeSites } from './search.ts';

const folder = sharedData('planning/pmed');

/** Distances with every allowed way kept. */
function distances({ clients, sites, cost, maxOpen }: PlacementInput): Placement {
  return makePlacement({ clients, sites, cost, maxOpen, unserved: new Float64Array(clients).fill(1e9) });
}

describe('placeCentre()', () => {
  it('finds the least radius that trying every set of sites finds', () => {
    fc.assert(
      fc.property(smallInputs, (input) => {
        const p = distances(input);
        let least = Infinity;
        for (const open of everySet(p.sites, p.maxOpen)) least = Math.min(least, radiusOf(p, open));
        const { open, radius, lowerBound } = finish(placeCentre(p));
        expect({ radius, lowerBound }).toEqual({ radius: least, lowerBound: least });
        expect(radiusOf(p, open)).toBe(radius);
        expect(open.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(p.maxOpen);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  it.skipIf(folder === null)('proves the recorded optima of pmed1 to pmed20', { timeout: 120_000 }, () => {
    const [, ...rows] = readFileSync(`${folder}/kcenter-optima.txt`, 'utf8').trim().split('\n');
    expect(rows).toHaveLength(20);
    for (const row of rows) {
      const [name, optimum] = row.trim().split(/\s+/);
      const parsed = parsePmed(readFileSync(`${folder}/${name}.txt`, 'utf8'));
      if (!parsed.ok) throw new Error(`${name} cannot be read`);
      const { nodes, medians } = parsed.value;
      const cost = allDistances(makeGraph(parsed.value));
      const { radius, lowerBound } = finish(
        placeCentre(distances({ clients: nodes, sites: nodes, cost, maxOpen: medians })),
      );
      expect({ name, radius, lowerBound }).toEqual({ name, radius: Number(optimum), lowerBound: Number(optimum) });
    }
  });
});

describe('settleCover()', () => {
  it('keeps a covering of the fewest sites', () => {
    fc.assert(
      fc.property(smallInputs, fc.nat(20), (input, radius) => {
        const p = { ...coverProblem(distances(input), radius), maxOpen: input.sites };
        const { state, isDone } = settleCover(p, new Uint8Array(p.sites));
        let [least, leastKept] = [Infinity, Infinity];
        for (const open of everySet(p.sites, p.sites)) {
          const total = costOf(p, open);
          least = Math.min(least, total);
          if (state.every((one, s) => one === 0 || (one === 1) === (open[s] === 1)))
            leastKept = Math.min(leastKept, total);
        }
        expect(leastKept).toBe(least);
        expect(isDone).toHaveLength(p.clients);
      }),
      { numRuns: 1000, seed: 2 },
    );
  });
});

describe('coverageProblem()', () => {
  it('leaves out as little weight as trying every set of sites does', () => {
    fc.assert(
      fc.property(
        smallInputs,
        fc.nat(20),
        fc.array(fc.nat(9), { minLength: 12, maxLength: 12 }),
        (input, radius, weight) => {
          const p = distances(input);
          let least = Infinity;
          for (const open of everySet(p.sites, p.maxOpen)) {
            let outside = 0;
            for (let c = 0; c < p.clients; c++)
              if (!open.some((one, s) => one && input.cost[c * p.sites + s]! <= radius)) outside += weight[c]!;
            least = Math.min(least, outside);
          }
          const { total, lowerBound } = finish(placeSites(coverageProblem(p, radius, weight)));
          expect({ total, lowerBound }).toEqual({ total: least, lowerBound: least });
        },
      ),
      { numRuns: 500, seed: 3 },
    );
  });
});
