import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedData } from '../../../../test/shared-data.ts';
import { parseCflp } from '../../../gather/topology/cflp.ts';
import { everySet, finish } from '../placement.case.ts';
import { type Capacitated, siteCosts } from './problem.ts';
import { placeCapacitated } from './search.ts';
import { transport } from './transport.ts';

const folder = sharedData('planning/cflp');

const small: fc.Arbitrary<Capacitated> = fc
  .record({ clients: fc.integer({ min: 1, max: 7 }), sites: fc.integer({ min: 1, max: 6 }) })
  .chain(({ clients, sites }) => {
    const list = (one: fc.Arbitrary<number>, length: number) =>
      fc.array(one, { minLength: length, maxLength: length }).map((values) => Float64Array.from(values));
    const way = fc.oneof({ weight: 6, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.constant(Infinity) });
    return fc.record({
      clients: fc.constant(clients),
      sites: fc.constant(sites),
      demand: list(fc.integer({ min: 1, max: 5 }), clients),
      capacity: list(fc.nat(12), sites),
      siteCost: list(fc.nat(15), sites),
      cost: list(way, clients * sites),
      maxOpen: fc.integer({ min: 0, max: sites }),
    });
  });

/** The cheapest way to serve whole units, client after client, by trying every site for each: exact, as demands and capacities are whole. */
function cheapestByTrying(p: Capacitated, open: Uint8Array): number {
  const known = new Map<string, number>();
  const from = (client: number, left: number, room: readonly number[]): number => {
    if (client === p.clients) return 0;
    const key = `${client} ${left} ${room.join(' ')}`;
    let least = known.get(key) ?? -1;
    if (least >= 0) return least;
    least = Infinity;
    for (let s = 0; s < p.sites; s++) {
      const each = p.cost[client * p.sites + s]! / p.demand[client]!;
      if (!open[s] || room[s]! < 1 || each === Infinity) continue;
      const rest = room.map((one, at) => (at === s ? one - 1 : one));
      const isServed = left === 1;
      least = Math.min(
        least,
        each + from(isServed ? client + 1 : client, isServed ? (p.demand[client + 1] ?? 0) : left - 1, rest),
      );
    }
    known.set(key, least);
    return least;
  };
  return from(0, p.demand[0]!, [...p.capacity]);
}

describe('transport()', () => {
  it('serves all demand within the capacities as cheaply as trying everything does', () => {
    const tiny = small.filter((p) => p.clients <= 4 && p.sites <= 4);
    fc.assert(
      fc.property(tiny, (p) => {
        const open = new Uint8Array(p.sites).fill(1);
        const { cost, served } = transport(p, open);
        const least = cheapestByTrying(p, open);
        expect(cost === Infinity).toBe(least === Infinity);
        if (least === Infinity) return;
        expect(cost).toBeCloseTo(least, 6);
        for (let s = 0; s < p.sites; s++) {
          let load = 0;
          for (let c = 0; c < p.clients; c++) load += served[c * p.sites + s]!;
          expect(load).toBeLessThanOrEqual(p.capacity[s]! + 1e-6);
        }
        for (let c = 0; c < p.clients; c++)
          expect(served.subarray(c * p.sites, (c + 1) * p.sites).reduce((sum, one) => sum + one, 0)).toBeCloseTo(
            p.demand[c]!,
            6,
          );
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

describe('placeCapacitated()', () => {
  it('is never worse than trying every set of sites, and never claims a bound above the best', () => {
    fc.assert(
      fc.property(small, (p) => {
        let least = Infinity;
        for (const open of everySet(p.sites, p.maxOpen))
          least = Math.min(least, transport(p, open).cost + siteCosts(p, open));
        for (const { lowerBound } of placeCapacitated(p)) expect(lowerBound).toBeLessThanOrEqual(least + 1e-6);
        const { open, total, lowerBound } = finish(placeCapacitated(p));
        expect(total === Infinity).toBe(least === Infinity);
        if (least === Infinity) return;
        expect(total).toBeCloseTo(least, 6);
        expect(lowerBound).toBeCloseTo(least, 6);
        expect(transport(p, open).cost + siteCosts(p, open)).toBeCloseTo(total, 9);
        expect(open.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(p.maxOpen);
      }),
      { numRuns: 500, seed: 2 },
    );
  });

  it.skipIf(folder === null)('proves the published optima', { timeout: 120_000 }, () => {
    const [, ...rows] = readFileSync(`${folder}/optima.txt`, 'utf8').trim().split('\n');
    expect(rows).toHaveLength(5);
    for (const row of rows) {
      const [name, optimum] = row.trim().split(/\s+/);
      const parsed = parseCflp(readFileSync(`${folder}/${name}.txt`, 'utf8'));
      if (!parsed.ok) throw new Error(`${name} cannot be read`);
      const { total, lowerBound } = finish(placeCapacitated({ ...parsed.value, maxOpen: parsed.value.sites }));
      expect([total, lowerBound].map((one) => one.toFixed(2))).toEqual([
        Number(optimum).toFixed(2),
        Number(optimum).toFixed(2),
      ]);
    }
  });
});
