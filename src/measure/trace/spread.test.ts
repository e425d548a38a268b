import { expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import { missedAtRandom } from './spread.ts';

test.each([
  [2, 11],
  [4, 21],
  [16, 96],
])('missedAtRandom(%i, %i) is what flows at random do', (nodes, flows) => {
  const random = seededRandom(nodes);
  const runs = 20_000;
  let missed = 0;
  for (let run = 0; run < runs; run++) {
    // Node 0 balances in two: halves of its share.
    const seen = new Set(Array.from({ length: flows }, () => Math.floor(random() * 2 * nodes)));
    if (!seen.has(0) || !seen.has(1)) missed++;
  }
  const chance = missedAtRandom(nodes, flows);
  expect(Math.abs(missed / runs - chance)).toBeLessThan(4 * Math.sqrt((chance * (1 - chance)) / runs));
});
