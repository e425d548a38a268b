import { describe, expect, test } from 'vitest';
import { networkOf, trace } from '../build.case.ts';
import { viewOf } from '../rule.ts';
import { path } from './path.ts';

const now = new Date('2026-01-02T03:04:05Z');

/** Traces of 40 ms behind hop 2, with a spread of a few tenths; hop 3 is slow for itself. */
function details(traces: number): string[] {
  const observations = Array.from({ length: traces }, (_, i) => {
    const noiseMs = (i % 5) / 10;
    return trace([
      [1, '10.0.0.1', 1 + noiseMs],
      [2, '10.0.0.2', 2 + noiseMs],
      [3, '10.0.0.3', 90 + 10 * noiseMs],
      [4, '10.0.0.4', 42 + noiseMs],
      [5, '10.0.0.5', 43 + noiseMs],
    ]);
  });
  const [finding] = path.judge(networkOf(), viewOf(observations), now);
  return finding!.details;
}

describe('rule path', () => {
  test('names where delay is added when the traces are enough, around a router that is slow for itself', () => {
    expect(details(12)[0]).toMatch(/^delay is added between hop 2 \(10\.0\.0\.2\) and hop 4 \(10\.0\.0\.4\): 40 ms \[/);
  });

  test('tells the largest step, and what is missing, when they are few', () => {
    expect(details(3)).toEqual([
      'the largest step is 40 ms, between hop 2 (10.0.0.2) and hop 4 (10.0.0.4); needs 7 answers of each hop, and hop 1 gave fewer',
    ]);
  });
});
