import { expect, test } from 'vitest';
import type { ObservationOf } from '../../model/observation.ts';
import { networkOf, now, underLoad as measured } from '../build.case.ts';
import { viewOf } from '../rule.ts';
import { bufferbloat } from './bufferbloat.ts';

const judge = (...observations: ObservationOf<'throughput'>[]) =>
  bufferbloat.judge(networkOf([{}]), viewOf(observations), now);

test('a queue that every round trip waits in fails, with what it costs and what to do', () => {
  const [found] = judge(measured(20, 200, 200));
  expect(found).toMatchObject({ verdict: 'fail', remedy: { gainMs: 180 } });
  expect(found?.claim).toContain('180 ms');
  expect(found?.details.join()).toContain('grade C');
});

test('a path whose round trips hardly grow passes', () => {
  expect(judge(measured(20, 21, 200))[0]).toMatchObject({ verdict: 'pass', coverage: 1 });
});

test('too few round trips under load are unknown, and how many are missing is said', () => {
  const [found] = judge(measured(20, 21, 10));
  expect(found).toMatchObject({ verdict: 'unknown' });
  expect(found?.claim).toMatch(/49|more/);
});

test('says nothing without throughput, without an idle round trip, or without a test', () => {
  expect(judge()).toEqual([]);
  expect(judge(measured(null, 200, 200))).toEqual([]);
  expect(judge({ ...measured(20, 200, 200), test: null })).toEqual([]);
});

test('the round trips of several tests are judged together', () => {
  const [found] = judge(measured(20, 21, 100), measured(20, 300, 100));
  expect(found).toMatchObject({ verdict: 'fail', evidence: [{ n: 200 }] });
});
