import * as fc from 'fast-check';
import { costOf, type Placement, type PlacementInput } from './problem.ts';

/** Problems small enough that every set of sites can be tried. */
export const smallInputs: fc.Arbitrary<PlacementInput> = fc
  .record({ clients: fc.integer({ min: 1, max: 12 }), sites: fc.integer({ min: 1, max: 9 }), whole: fc.boolean() })
  .chain(({ clients, sites, whole }) => {
    const number = whole ? fc.nat(20) : fc.double({ min: 0, max: 20, noNaN: true });
    const way = fc.oneof({ weight: 6, arbitrary: number }, { weight: 1, arbitrary: fc.constant(Infinity) });
    const list = (one: fc.Arbitrary<number>, length: number) => fc.array(one, { minLength: length, maxLength: length });
    return fc.record(
      {
        clients: fc.constant(clients),
        sites: fc.constant(sites),
        cost: list(way, clients * sites),
        unserved: list(fc.oneof(number, fc.constant(30)), clients),
        siteCost: list(fc.oneof(fc.constant(0), number), sites),
        maxOpen: fc.integer({ min: 0, max: sites }),
      },
      { requiredKeys: ['clients', 'sites', 'cost', 'maxOpen'] },
    );
  });

/** Every set of at most `most` of so many sites. */
export function* everySet(sites: number, most: number): Generator<Uint8Array> {
  for (let bits = 0; bits < 2 ** sites; bits++) {
    const open = Uint8Array.from({ length: sites }, (_, s) => (bits >> s) & 1);
    if (open.reduce((sum, one) => sum + one, 0) <= most) yield open;
  }
}

/** The least total, by trying all. */
export function leastTotal(p: Placement): number {
  let least = Infinity;
  for (const open of everySet(p.sites, p.maxOpen)) least = Math.min(least, costOf(p, open));
  return least;
}

/** Runs a search to its end. */
export function finish<T>(search: Generator<unknown, T>): T {
  for (;;) {
    const step = search.next();
    if (step.done) return step.value;
  }
}
