import { expect, test } from 'vitest';
import type { ObservationOf } from '../../model/observation.ts';
import type { LoadRtts } from '../../model/throughput.ts';
import { networkOf, now } from '../build.case.ts';
import { viewOf } from '../rule.ts';
import { bufferbloat } from './bufferbloat.ts';

function rtts(ms: number, count: number): LoadRtts {
  const same = { minMs: ms, medianMs: ms, p95Ms: ms, p99Ms: ms, maxMs: ms };
  return { sent: count, received: count, ...same, histogram: [{ lowMs: ms, highMs: ms, count }] };
}

function measured(idleMs: number | null, loadedMs: number, count: number): ObservationOf<'throughput'> {
  const idle = idleMs === null ? null : rtts(idleMs, 20);
  const increaseMs = idleMs === null ? null : loadedMs - idleMs;
  return {
    kind: 'throughput',
    at: '2026-11-23T11:50:00.000Z',
    from: 'here',
    to: 'e1',
    how: 'test',
    outcome: { kind: 'answered' },
    address: '192.0.2.1',
    port: 5201,
    test: {
      protocol: 'tcp',
      parallel: 1,
      blockBytes: 131_072,
      targetMbitPerS: null,
      omitS: 0,
      endedBy: 'time',
      server: 'iperf3',
      directions: [],
      latency: { method: 'icmp', how: 'test', idle, loaded: rtts(loadedMs, count), increaseMs, grade: 'C' },
      cpu: { local: 0, busiestThread: 0, remote: null },
    },
  };
}

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
