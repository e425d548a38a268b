import { expect, test } from 'vitest';
import type { ObservationOf } from '../../model/observation.ts';
import { networkOf, now, rpmDirection as direction, rpmSeen as seen } from '../build.case.ts';
import { viewOf } from '../rule.ts';
import { responsiveness } from './responsiveness.ts';

const judge = (...observations: ObservationOf<'responsiveness'>[]) =>
  responsiveness.judge(networkOf([{}]), viewOf(observations), now);

test('a load that makes requests wait fails, tells RPM of each direction, and what the queue costs', () => {
  const [found] = judge(seen([direction([300, 310, 290, 300]), direction([2900], { direction: 'upload' })]));
  expect(found).toMatchObject({ verdict: 'fail', remedy: { gainMs: 180 } });
  expect(found?.claim).toContain('during a download a round trip takes 180 ms');
  expect(found?.details).toHaveLength(2);
  expect(found?.details[0]).toContain('300 RPM at 94 Mbit/s');
  expect(found?.evidence).toContainEqual(expect.objectContaining({ unit: 'RPM', value: 300, n: 140 }));
});

test('a load that hardly adds to a request passes', () => {
  expect(judge(seen([direction([2400, 2500, 2450, 2500])]))[0]).toMatchObject({ verdict: 'pass', coverage: 1 });
});

test('averages on both sides of the limit decide nothing', () => {
  expect(judge(seen([direction([900, 1400, 1000, 1500])]))[0]).toMatchObject({ verdict: 'unknown' });
});

test('a run that was cut short decides nothing', () => {
  const short = direction([300], { confidence: { goodput: 'low', responsiveness: 'low' } });
  expect(judge(seen([short]))[0]).toMatchObject({ verdict: 'unknown', claim: expect.stringContaining('too short') });
});

test('a client that was late itself does not get the path blamed, but may still praise it', () => {
  const late = { eventLoopLagP99Ms: 45 };
  expect(judge(seen([direction([300, 300])], late))[0]).toMatchObject({
    verdict: 'unknown',
    claim: expect.stringContaining('this client'),
  });
  expect(judge(seen([direction([2900, 2900])], late))[0]).toMatchObject({ verdict: 'pass' });
});

test('says nothing without a result or without an idle round trip', () => {
  expect(judge()).toEqual([]);
  expect(judge(seen([direction([])]))).toEqual([]);
  expect(judge(seen([direction([300])], { idle: null }))).toEqual([]);
});
