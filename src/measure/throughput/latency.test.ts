import { expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { gradeOf } from './grade.ts';
import { LatencyMeter } from './latency.ts';
import type { RttProbe } from './rtt-probes.ts';

/** A path whose round trip is what `rttMs` says at the time of sending; null loses the probe. */
function path(io: ReturnType<typeof fakeIo>, rttMs: () => number | null): RttProbe & { sent: number; closed: boolean } {
  const flying = new Map<number, { due: number; rtt: number }>();
  const probe = {
    method: 'icmp' as const,
    how: 'a fake path',
    sent: 0,
    closed: false,
    send: (sequence: number) => {
      probe.sent++;
      const rtt = rttMs();
      if (rtt !== null) flying.set(sequence, { due: io.clock.monoMs() + rtt, rtt });
      return true;
    },
    poll: (report: (sequence: number, rttMs: number) => void) => {
      for (const [sequence, { due, rtt }] of flying)
        if (io.clock.monoMs() >= due && flying.delete(sequence)) report(sequence, rtt);
    },
    forget: (sequence: number) => void flying.delete(sequence),
    close: () => {
      probe.closed = true;
    },
  };
  return probe;
}

async function measured(idleMs: number, loadedMs: () => number | null) {
  const io = fakeIo();
  let loaded = false;
  const probe = path(io, () => (loaded ? loadedMs() : idleMs));
  const meter = new LatencyMeter(probe, io, 50);
  const untilMs = async (ms: number) => {
    while (io.clock.monoMs() < ms) await new Promise((resolve) => setImmediate(resolve));
  };
  meter.start();
  await untilMs(1000);
  meter.enter('omitted');
  loaded = true;
  await untilMs(2000);
  meter.enter('loaded');
  await untilMs(6000);
  meter.enter('omitted');
  await meter.stop(3000);
  return { result: meter.result(), probe };
}

test('LatencyMeter tells idle from loaded round trips, and grades the increase', async () => {
  const { result, probe } = await measured(20, () => 120);
  expect(result.idle).toMatchObject({ medianMs: 20, maxMs: 20 });
  expect(result.loaded).toMatchObject({ medianMs: 120, p95Ms: 120 });
  expect(result.increaseMs).toBe(100);
  expect(result.grade).toBe('C');
  expect(result.idle!.received).toBeGreaterThan(15);
  expect(result.loaded!.received).toBeGreaterThan(70);
  expect(result.loaded!.received).toBe(result.loaded!.sent);
  expect(probe.closed).toBe(true);
});

test('LatencyMeter counts what is never answered as lost, and what is on its way at the end not at all', async () => {
  let n = 0;
  const { result } = await measured(1, () => (n++ % 2 === 0 ? null : 1));
  expect(result.loaded!.sent - result.loaded!.received).toBeGreaterThan(30);
  expect(result.grade).toBe('A+');
});

test('LatencyMeter gives no grade without an answer', async () => {
  const { result } = await measured(1, () => null);
  expect(result).toMatchObject({ loaded: null, increaseMs: null, grade: null });
});

test.each([
  [0, 'A+'],
  [4.99, 'A+'],
  [5, 'A'],
  [30, 'B'],
  [60, 'C'],
  [199.9, 'C'],
  [200, 'D'],
  [400, 'F'],
  [Infinity, 'F'],
])('gradeOf(%d) is %s', (ms, grade) => {
  expect(gradeOf(ms)).toBe(grade);
});
