import { describe, expect, test } from 'vitest';
import { classification } from '../../../model/capture/pattern.ts';
import { classify } from './classify.ts';
import type { FlowContext } from './context.ts';
import { summaryOfTotals } from './totals.ts';
import { classesOf, kinds, traffic } from './traffic.case.ts';

/** Seeds that the thresholds were not looked at with. */
const heldOut = [7001, 7002, 7003];
const inside: FlowContext = { direction: 'east-west', hostBalance: null, fanOut: null };

describe('synthetic traffic', () => {
  test.each(kinds)('%s is found for what it is, and explained', (kind) => {
    for (const seed of heldOut) {
      const [flows] = traffic(seed, [kind]);
      const found = classesOf(flows!);
      for (const [i, pattern] of found.entries()) {
        classification.parse(pattern);
        expect(pattern.class, `${flows![i]!.kind}, seed ${seed}: ${pattern.why}`).toBe(flows![i]!.truth);
        if (pattern.class !== 'other') expect(pattern.evidence.length).toBeGreaterThan(2);
        for (const { value } of pattern.class === 'other' ? [] : pattern.evidence) expect(value).not.toBeNull();
      }
    }
  });

  test('a flow is the same whatever packets of other flows come in between', () => {
    const small = ['kv-tcp', 'inference', 'agent', 'rag', 'web', 'keyboard', 'queries', 'polling', 'backup', 'logs'];
    const flows = traffic(4711, small).flat();
    const alone = classesOf(flows, 'one-by-one').map((found) => found.class);
    expect(new Set(alone).size).toBeGreaterThan(4);
    expect(classesOf(flows, 'time').map((found) => found.class)).toEqual(alone);
    for (let seed = 0; seed < 3; seed++) expect(classesOf(flows, { seed }).map((found) => found.class)).toEqual(alone);
  });
});

describe('classify', () => {
  const totals = (over: object) =>
    summaryOfTotals({
      protocol: 6,
      clientPort: 40_000,
      serverPort: 20_000,
      firstMs: 0,
      lastMs: 60_000,
      octets: [2e9, 1e6],
      packets: [1e6, 1e5],
      ...over,
    });

  test('of totals it says only what totals can tell', () => {
    const found = [
      totals({}),
      totals({ serverPort: 5432, octets: [1e8, 1e5] }),
      totals({ serverPort: 443, octets: [3000, 80_000] }),
      totals({ protocol: 17, serverPort: 4791, octets: [5e9, 0] }),
      totals({ octets: [5e6, 5e6] }),
    ].map((flow) => classify(flow, inside));
    expect(found.map((one) => one.class)).toEqual(['checkpoint', 'replication', 'web', 'other', 'other']);
    for (const one of found) expect(one.notSeen).toEqual(['times and sizes of packets: only totals are known']);
  });

  test('the same copy is no east-west class where an end is outside', () => {
    const flow = totals({ serverPort: 5432, octets: [1e8, 1e5] });
    expect(classify(flow, { ...inside, direction: 'north-south' }).class).toBe('other');
  });

  test('what is nearly something says what it misses', () => {
    const [flows] = traffic(5, ['copy']);
    const [found] = classesOf(flows!);
    expect(found!.why).toMatch(/nearest is .*, which asks for /);
  });
});
