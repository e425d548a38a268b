import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Block, coverAddresses } from './cover.ts';

const text = ({ first, size }: Block) => `${first}+${size}`;
const has = (blocks: readonly Block[], address: bigint) =>
  blocks.some(({ first, size }) => address >= first && address < first + size);

/** Every set of aligned blocks of a tiny space, tried one by one: the fewest blocks, and of those the least slack. */
function twin(wanted: ReadonlySet<number>, bits: number, slack: number, allowed: (block: Block) => boolean) {
  const best = (first: number, size: number): Map<number, number> => {
    // Number of blocks → least slack, for what is wanted in this range.
    const inside = [...wanted].filter((one) => one >= first && one < first + size).length;
    if (inside === 0) return new Map([[0, 0]]);
    const found = new Map<number, number>();
    const offer = (blocks: number, cost: number) => found.set(blocks, Math.min(found.get(blocks) ?? Infinity, cost));
    if (inside === size || allowed({ first: BigInt(first), size: BigInt(size) })) offer(1, size - inside);
    if (size > 1) {
      const [a, b] = [best(first, size / 2), best(first + size / 2, size / 2)];
      for (const [i, x] of a) for (const [j, y] of b) offer(i + j, x + y);
    }
    return found;
  };
  const [blocks, cost] = [...best(0, 2 ** bits)].filter(([, cost]) => cost <= slack).sort(([a], [b]) => a - b)[0]!;
  return { blocks, cost };
}

describe('coverAddresses()', () => {
  it('joins what is whole and adds nothing without slack', () => {
    const { blocks, slack } = coverAddresses([4n, 5n, 6n, 7n, 9n, 5n], 32, { slack: 0 });
    expect(blocks.map(text)).toEqual(['4+4', '9+1']);
    expect(slack).toBe(0n);
  });

  it('spends slack where it saves most', () => {
    // One address more makes a block of two; the far one would cost hundreds.
    const { blocks, slack } = coverAddresses([4n, 5n, 6n, 1000n], 32, { slack: 5 });
    expect(blocks.map(text)).toEqual(['4+4', '1000+1']);
    expect(slack).toBe(1n);
  });

  it('works on IPv6 up to the whole space', () => {
    const far = (1n << 128n) - 1n;
    expect(coverAddresses([0n, far], 128, { slack: 1_000_000 }).blocks).toHaveLength(2);
    expect(coverAddresses([far, far - 1n], 128, { slack: 0 }).blocks).toEqual([{ first: far - 1n, size: 2n }]);
  });

  it('says when there were too many to weigh all with all', () => {
    const every = Array.from({ length: 2500 }, (_, i) => BigInt(4 * i));
    const { blocks, slack, isLeast } = coverAddresses(every, 32, { slack: 10 });
    expect(isLeast).toBe(false);
    expect(slack).toBeLessThanOrEqual(10n);
    expect(every.every((one) => has(blocks, one))).toBe(true);
  });

  it('is as small as the best of all sets of blocks, holds what is wanted and stays in what is allowed', () => {
    const bits = 5;
    const addresses = fc.uniqueArray(fc.nat(2 ** bits - 1), { minLength: 1, maxLength: 14 });
    fc.assert(
      fc.property(addresses, fc.nat(12), fc.uniqueArray(fc.nat(31), { maxLength: 3 }), (wanted, slack, closed) => {
        const forbidden = closed.filter((one) => !wanted.includes(one)).map(BigInt);
        const allowed = (block: Block) => !forbidden.some((one) => has([block], one));
        const cover = coverAddresses(wanted.map(BigInt), 32, { slack, allowed });
        const expected = twin(new Set(wanted), bits, slack, allowed);
        expect(cover.blocks.length).toBe(expected.blocks);
        expect(Number(cover.slack)).toBe(expected.cost);
        const held = Array.from({ length: 2 ** bits }, (_, i) => i).filter((one) => has(cover.blocks, BigInt(one)));
        expect(held.length - wanted.length).toBe(expected.cost);
        expect(wanted.every((one) => held.includes(one))).toBe(true);
        expect(held.some((one) => forbidden.includes(BigInt(one)))).toBe(false);
      }),
      { numRuns: 3000, seed: 63 },
    );
  });
});
