import { describe, expect, it } from 'vitest';
import { findComb } from './comb.ts';
import { exponential, normal, seededRandom } from './random.ts';

describe('findComb()', () => {
  it('finds pairs that come 40 ms apart', () => {
    const random = seededRandom(1);
    const gaps = Array.from({ length: 200 }, (_, i) => (i % 2 ? random() : normal(random, 40.4, 0.5)));
    expect(findComb(gaps)).toMatchObject({ found: true, n: 200, together: 100, apart: 100 });
  });

  it('does not take a model that writes every 40 ms for a comb', () => {
    const random = seededRandom(2);
    expect(findComb(Array.from({ length: 200 }, () => normal(random, 40, 0.5)))).toMatchObject({
      found: false,
      together: 0,
    });
  });

  it('does not find one in bursts at random distances, for 200 seeds', () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = seededRandom(seed);
      const gaps = Array.from({ length: 200 }, (_, i) => (i % 2 ? random() : exponential(random, 40)));
      expect(findComb(gaps).found).toBe(false);
    }
  });

  it('finds nothing in too few gaps or none', () => {
    expect(findComb([40, 0, 40, 0]).found).toBe(false);
    expect(findComb([])).toEqual({ n: 0, together: 0, apart: 0, onTeeth: 0, found: false });
  });
});
