import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constantDistribution, parseDistribution } from './distribution.ts';
import { planAnswer, type PlanOptions } from './plan.ts';
import { seededUniform } from './random.ts';

const base: PlanOptions = {
  queueMs: constantDistribution(30),
  prefillMsPer1kTokens: constantDistribution(100),
  tokenMs: constantDistribution(20),
  stall: undefined,
  tokensPerEvent: 1,
};

describe('planAnswer()', () => {
  test('puts the first token after queue and prefill and the others on an exact grid', () => {
    const plan = planAnswer(base, 500, 4, seededUniform(1));
    expect([...plan.dueMs]).toEqual([80, 100, 120, 140]);
    expect(plan).toMatchObject({ queueMs: 30, prefillMs: 50, tokens: 4, stalls: [] });
  });

  test('groups tokens into events that are due with their last token', () => {
    const plan = planAnswer({ ...base, tokensPerEvent: 3 }, 0, 7, seededUniform(1));
    expect([...plan.counts]).toEqual([3, 3, 1]);
    expect([...plan.dueMs]).toEqual([30 + 40, 30 + 100, 30 + 120]);
  });

  test('shifts everything behind a stall and says where it was', () => {
    const stall = { probability: 1, durationMs: constantDistribution(200) };
    const plan = planAnswer({ ...base, stall }, 0, 3, seededUniform(1));
    expect([...plan.dueMs]).toEqual([30, 250, 470]);
    expect(plan.stalls).toEqual([
      { beforeToken: 1, beforeEvent: 1, ms: 200 },
      { beforeToken: 2, beforeEvent: 2, ms: 200 },
    ]);
  });

  test('keeps its invariants for any options', () => {
    const durations = fc.constantFrom('0', '5', 'exp:20', 'normal:20,30', 'lognormal:10,1', 'pareto:1,1.1');
    fc.assert(
      fc.property(
        durations,
        durations,
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer(),
        (tokenMs, stallMs, tokens, tokensPerEvent, probability, seed) => {
          const options = {
            ...base,
            tokenMs: parseDistribution(tokenMs),
            tokensPerEvent,
            stall: { probability, durationMs: parseDistribution(stallMs) },
          };
          const plan = planAnswer(options, 100, tokens, seededUniform(seed));
          expect(plan.counts.reduce((sum, n) => sum + n, 0)).toBe(tokens);
          expect(plan.dueMs.every((due, i) => due >= (plan.dueMs[i - 1] ?? plan.queueMs + plan.prefillMs))).toBe(true);
          expect(plan.stalls.every(({ beforeEvent }) => beforeEvent > 0 && beforeEvent < plan.dueMs.length)).toBe(true);
          expect(planAnswer(options, 100, tokens, seededUniform(seed))).toEqual(plan);
        },
      ),
    );
  });

  test('does not accumulate rounding over a long answer', () => {
    const plan = planAnswer({ ...base, tokenMs: constantDistribution(0.1) }, 0, 100_000, seededUniform(1));
    expect(plan.dueMs.at(-1)).toBe(30 + 99_999 * 0.1);
  });
});
