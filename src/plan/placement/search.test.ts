import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { parsePmed } from '../../gather/topology/pmed.ts';
import { seededRandom } from '../../stats/random.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { allDistances } from './distances.ts';
import { finish, leastTotal, smallInputs } from './placement.case.ts';
import { costOf, makePlacement, type Placement } from './problem.ts';
import { reduce } from './reduce.ts';
import { placeSites } from './search.ts';
import { bestMove, descend, makeMove, makeSwapSearch, openSites, shake, startFrom, totalOf } from './swap.ts';

const folder = sharedData('planning/pmed');

describe('placeSites()', () => {
  it('is never worse than trying every set of sites, and says that nothing is better', () => {
    fc.assert(
      fc.property(smallInputs, (input) => {
        const p = makePlacement(input);
        const { open, total, lowerBound } = finish(placeSites(p));
        expect(total).toBeCloseTo(leastTotal(p), 6);
        expect(costOf(p, open)).toBe(total);
        expect(open.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(p.maxOpen);
        expect(lowerBound).toBe(total);
      }),
      { numRuns: 1000, seed: 5 },
    );
  });

  it('never claims a bound above the optimum on its way, and never loses a better answer', () => {
    fc.assert(
      fc.property(smallInputs, fc.integer(), (input, seed) => {
        const p = makePlacement(input);
        const least = leastTotal(p);
        let last = Infinity;
        for (const { total, lowerBound } of placeSites(p, { seed })) {
          expect(lowerBound).toBeLessThanOrEqual(least + 1e-6);
          expect(total).toBeLessThanOrEqual(last);
          last = total;
        }
      }),
      { numRuns: 500, seed: 6 },
    );
  });

  it('starts from the hint that it is given', () => {
    const p = randomPlane(60, 8, 3);
    const best = finish(placeSites(p));
    const hint = [...best.open.keys()].filter((s) => best.open[s]);
    expect(placeSites(p, { hint }).next().value.total).toBe(best.total);
  });

  it('answers whether a total can be had without going further', () => {
    fc.assert(
      fc.property(smallInputs, fc.integer({ min: -2, max: 2 }), (input, off) => {
        const p = makePlacement(input);
        const least = leastTotal(p);
        const enough = least + off;
        const { total, lowerBound } = finish(placeSites(p, { enough }));
        expect(total <= enough + 1e-6).toBe(off >= 0);
        if (off < 0) expect(lowerBound).toBeGreaterThan(enough);
        expect(lowerBound).toBeLessThanOrEqual(least + 1e-6);
      }),
      { numRuns: 500, seed: 10 },
    );
  });

  it('gives the same answer for the same input', () => {
    const p = randomPlane(80, 5, 4);
    expect(finish(placeSites(p))).toEqual(finish(placeSites(p)));
  });

  it.skipIf(folder === null)('proves the published optima of pmed1 to pmed20', { timeout: 120_000 }, () => {
    const [, ...rows] = readFileSync(`${folder}/pmedopt.txt`, 'utf8').trim().split('\n');
    expect(rows).toHaveLength(20);
    for (const row of rows) {
      const [name, optimum] = row.trim().split(/\s+/);
      const parsed = parsePmed(readFileSync(`${folder}/${name}.txt`, 'utf8'));
      if (!parsed.ok) throw new Error(`${name} cannot be read`);
      const cost = allDistances(makeGraph(parsed.value));
      const { nodes, medians } = parsed.value;
      const { total, lowerBound } = finish(
        placeSites(makePlacement({ clients: nodes, sites: nodes, cost, maxOpen: medians })),
      );
      expect({ name, total, lowerBound }).toEqual({ name, total: Number(optimum), lowerBound: Number(optimum) });
    }
  });
});

describe('the swap search', () => {
  it('knows what each move brings', () => {
    fc.assert(
      fc.property(smallInputs, fc.integer(), (input, seed) => {
        const p = makePlacement(input);
        const search = makeSwapSearch(p);
        startFrom(search, []);
        shake(search, 4, seededRandom(seed));
        const before = totalOf(search);
        const move = bestMove(search);
        expect(move.change).toBeGreaterThanOrEqual(leastNeighbour(p, openSites(search)) - before - 1e-6);
        if (move.site < 0 && move.slot < 0) return;
        makeMove(search, move);
        expect(totalOf(search) - before).toBeCloseTo(move.change, 6);
      }),
      { numRuns: 500, seed: 7 },
    );
  });

  it('ends where no single move is better', () => {
    fc.assert(
      fc.property(smallInputs, (input) => {
        const p = makePlacement(input);
        const search = makeSwapSearch(p);
        startFrom(search, [0, 1]);
        descend(search);
        expect(leastNeighbour(p, openSites(search))).toBeGreaterThanOrEqual(totalOf(search) - 1e-6);
      }),
      { numRuns: 500, seed: 8 },
    );
  });
});

describe('reduce()', () => {
  it('leaves a problem whose solutions cost what they cost in the whole', () => {
    const states = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(
        smallInputs,
        states,
        fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
        (input, states, picks) => {
          const p = makePlacement(input);
          const state = Uint8Array.from(states.slice(0, p.sites));
          const { problem, siteOf } = reduce(p, state);
          const whole = state.map((one) => (one === 1 ? 1 : 0));
          const part = Uint8Array.from(siteOf, (_, at) => (picks[at] ? 1 : 0));
          for (const [at, site] of siteOf.entries()) whole[site] = part[at]!;
          expect(costOf(problem, part)).toBeCloseTo(costOf(p, whole), 6);
        },
      ),
      { numRuns: 500, seed: 9 },
    );
  });
});

/** The least total of the sets that one opening, closing or swap away. */
function leastNeighbour(p: Placement, open: Uint8Array): number {
  let least = Infinity;
  for (let a = 0; a < p.sites; a++)
    for (let b = 0; b < p.sites; b++) {
      const next = open.slice();
      next[a] = 1 - next[a]!;
      if (a !== b) next[b] = 1 - next[b]!;
      const [before, after] = [open, next].map((set) => set.reduce((sum, one) => sum + one, 0)) as [number, number];
      if (after <= p.maxOpen && (a === b || after === before)) least = Math.min(least, costOf(p, next));
    }
  return least;
}

/** Clients that are sites as well, by lot in a square. */
function randomPlane(points: number, maxOpen: number, seed: number): Placement {
  const random = seededRandom(seed);
  const at = Array.from({ length: points }, () => [random(), random()] as const);
  const cost = at.flatMap(([x, y]) => at.map(([u, v]) => Math.hypot(x - u, y - v)));
  return makePlacement({ clients: points, sites: points, cost, maxOpen });
}
