import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ServerReported } from '../../model/inference.ts';
import { eachReported } from './reported.ts';

const one = (more: Partial<ServerReported>): ServerReported => ({
  source: 'fireworks-server-time-to-first-token',
  covers: 'ttft',
  by: 'server',
  valueMs: 120,
  resolutionMs: 1,
  ...more,
});
function taken(detail: string): [string, number][] {
  const all: [string, number][] = [];
  eachReported(detail, (covers, valueMs) => all.push([covers, valueMs]));
  return all;
}
const detailWith = (reported: unknown) => JSON.stringify({ kind: 'inference', request: { server: { reported } } });

test('takes the intervals that the server itself has timed, each once', () => {
  expect(taken(detailWith([one({}), one({ covers: 'total', valueMs: 900 }), one({ valueMs: 7 })]))).toEqual([
    ['ttft', 120],
    ['total', 900],
  ]);
});

test('takes nothing that is another interval, or said by another', () => {
  const others = [one({ by: 'front-proxy' }), one({ covers: 'headers' }), one({ floor: true })];
  expect(taken(detailWith(others))).toEqual([]);
  expect(taken(detailWith([]))).toEqual([]);
  expect(taken('{}')).toEqual([]);
  // Inside of a string the quotes would be escaped.
  expect(taken(JSON.stringify({ model: '"reported":[{"by":"server"}]' }))).toEqual([]);
});

test('never throws, whatever an agent sends', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      taken(`"reported":[${text}`);
      taken(`"reported":[${text}]`);
      taken(detailWith(text));
    }),
    { numRuns: 3000 },
  );
});
