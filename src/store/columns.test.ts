import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitrarySample } from './arbitrary.case.ts';
import { columnsOf, faultOfColumns, samplesOf } from './columns.ts';

test('columnsOf() and samplesOf() undo each other', () => {
  fc.assert(
    fc.property(fc.array(arbitrarySample(), { maxLength: 20 }), (samples) => {
      const columns = JSON.parse(JSON.stringify(columnsOf(samples)));
      expect(faultOfColumns(columns)).toBeNull();
      const again = samplesOf({ key: 'k', agent: 'a', columns });
      // JSON knows no negative zero.
      const expected = samples.map((sample, i) => ({ id: `k/${i}`, agent: 'a', ...sample }));
      expect(again).toEqual(JSON.parse(JSON.stringify(expected)));
    }),
  );
});

test('columnsOf() leaves out what is no number, and mends half characters', () => {
  const columns = columnsOf([
    {
      atMs: 1,
      endpoint: 'a\ud800',
      kind: 'tcp',
      outcome: 'answered',
      verdict: 'ok',
      metrics: { rttMs: NaN, tcpMs: Infinity, dnsMs: 2 },
      state: null,
      detail: null,
    },
  ]);
  expect(columns.metrics).toEqual({ dnsMs: [2] });
  expect(columns.endpoints).toEqual(['a\ufffd']);
});

test('faultOfColumns() names the first thing that is wrong', () => {
  const good = columnsOf([
    {
      atMs: 1,
      endpoint: 'a',
      kind: 'tcp',
      outcome: 'answered',
      verdict: 'ok',
      metrics: { rttMs: 1 },
      state: 'x',
      detail: 'd',
    },
  ]);
  const faults: [object, string][] = [
    [{ atMs: [1, 2] }, 'atMs has 2 entries in place of 1'],
    [{ atMs: [null] }, 'atMs[0] is null, not a number'],
    [{ atMs: [Infinity] }, 'atMs[0] is Infinity, not a number'],
    [{ endpoint: [1] }, 'endpoint[0] is 1, not an index into 1 words'],
    [{ endpoint: [-1] }, 'endpoint[0] is -1, not an index into 1 words'],
    [{ kind: [0.5] }, 'kind[0] is 0.5, not an index into 1 words'],
    [{ outcome: [null] }, 'outcome[0] is null, not an index into 1 words'],
    [{ verdict: [3] }, 'verdict[0] is 3, not an index into 3 words'],
    [{ state: [9] }, 'state[0] is 9, not an index into 1 words'],
    [{ detail: [] }, 'detail has 0 entries in place of 1'],
    [{ metrics: { rttMs: [NaN] } }, 'metrics.rttMs[0] is NaN, not a number'],
    [{ metrics: { rttMs: [] } }, 'metrics.rttMs has 0 entries in place of 1'],
    [{ metrics: { toString: [1] } }, 'metrics.toString is not a metric'],
  ];
  expect(faultOfColumns(good)).toBeNull();
  for (const [change, fault] of faults) expect(faultOfColumns({ ...good, ...change })).toBe(fault);
});
