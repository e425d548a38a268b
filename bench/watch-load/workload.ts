import type { BatchBody } from '../../src/model/agent-protocol.ts';
import { seededRandom } from '../../src/stats/random.ts';

export const TARGETS = 1000;
export const endpoints = Array.from({ length: TARGETS }, (_, i) => `endpoint-${i}`);

/** One row in ten is a whole inference with five numbers, the others are connects. */
const isInference = (row: number) => row % 10 === 9;
const isLost = (row: number) => row % 500 === 0;

/** A batch of `rows` results that go round the targets, from `first` on; times that a network might have: a floor per target, and a tail. */
export function body(rows: number, first: number, seed: number, atMs: (row: number) => number): BatchBody {
  const random = seededRandom(seed);
  const list = <T>(value: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => value(row));
  const target = (row: number) => (first + row) % TARGETS;
  const tail = (scaleMs: number) => Math.round(-Math.log(1 - random()) * scaleMs * 1000) / 1000;
  const only = (is: (row: number) => boolean, value: (row: number) => number) =>
    list((row) => (is(row) && !isLost(row) ? value(row) : null));
  const isConnect = (row: number) => !isInference(row);
  const floorMs = (row: number) => 2 + (target(row) % 97);
  return {
    version: 1,
    key: 'replaced',
    count: rows,
    // As a real agent does: what no row names is not in it.
    endpoints: rows < TARGETS ? list((row) => endpoints[target(row)] ?? '') : endpoints,
    kinds: ['tcp', 'inference'],
    outcomes: ['answered', 'timedOut'],
    states: [],
    atMs: list(atMs),
    endpoint: list((row) => (rows < TARGETS ? row : target(row))),
    kind: list((row) => (isInference(row) ? 1 : 0)),
    outcome: list((row) => (isLost(row) ? 1 : 0)),
    verdict: list((row) => (isLost(row) ? 1 : 0)),
    state: list(() => null),
    metrics: {
      rttMs: only(isConnect, (row) => floorMs(row) + tail(3)),
      retransmits: only(isConnect, () => 0),
      ttftMs: only(isInference, (row) => floorMs(row) + 80 + tail(60)),
      totalMs: only(isInference, () => 1500 + tail(700)),
      tpotMs: only(isInference, () => 12 + tail(4)),
      gapMaxMs: only(isInference, () => 30 + tail(30)),
      outputTokens: only(isInference, () => 128),
    },
  };
}
