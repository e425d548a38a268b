import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { planOf } from '../../judge/watch/plan.ts';
import { columnsOf } from '../../store/columns.ts';
import { arbitrarySample } from '../../store/arbitrary.case.ts';
import { openStore } from '../../store/open.ts';
import type { Sample } from '../../model/sample.ts';
import { someNetwork } from '../serve.case.ts';
import { eachGap } from './gaps.ts';
import { lineFamilies } from './line-families.ts';
import { Meter } from './meter.ts';

const watch = {
  agents: [{ name: 'a' }, { name: 'b' }],
  slos: [
    { name: 'up', indicator: 'availability', objective: 0.99 },
    { name: 'first-token', indicator: 'ttft', objective: 0.95, thresholdMs: 500 },
    { name: 'gap', indicator: 'token-gap', objective: 0.95, thresholdMs: 80, method: 'timeslices', endpoints: ['rag'] },
  ],
};
const hourMs = 3_600_000;
const fromMs = 1_700_000_000_000 - (1_700_000_000_000 % hourMs);

describe('Meter', () => {
  test('counts good and bad events as the counts that the judge reads from the store do, and each batch once', async () => {
    const network = someNetwork({ watch });
    const meter = new Meter();
    meter.configure(network);
    const folder = mkdtempSync(join(tmpdir(), 'inferpath-meter-'));
    const opened = await openStore(folder, fakeIo({ wallMs: fromMs }));
    try {
      const arbitrary = arbitrarySample({
        fromMs,
        endpoints: ['chat', 'rag', 'gone'],
        values: fc.double({ min: 0, max: 1000, noNaN: true }),
      });
      const samples = fc.sample(arbitrary, { numRuns: 6000, seed: 7 });
      for (let i = 0; i < samples.length; i += 500) {
        const agent = i % 1000 === 0 ? 'a' : 'b';
        const columns = columnsOf(samples.slice(i, i + 500));
        const [result] = await opened.store.append([{ key: `batch-${i}`, agent, columns }]);
        if (result === 'stored') meter.add(columns, agent, fromMs);
      }
      const counted = [...meter.slos()];
      // Two agents: both objectives of two endpoints, the last one of one.
      expect(counted).toHaveLength(10);
      for (const { slo, endpoint, indicator } of planOf(network).promises)
        for (const agent of ['a', 'b']) {
          const points = await opened.store.counts({
            fromMs,
            toMs: fromMs + 3 * hourMs,
            stepMs: hourMs,
            kind: indicator.kind,
            endpoints: [endpoint.name],
            ...(indicator.limit ? { limit: indicator.limit } : {}),
          });
          const mine = points.filter((point) => point.agent === agent);
          const sum = (of: 'good' | 'bad') => mine.reduce((n, point) => n + point[of], 0);
          expect(sum('good')).toBeGreaterThan(0);
          expect(counted).toContainEqual({
            slo: slo.name,
            endpoint: endpoint.name,
            agent,
            good: sum('good'),
            bad: sum('bad'),
          });
        }
    } finally {
      await opened.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const tcp = (atMs: number, verdict: Sample['verdict'], rttMs?: number) => ({
    atMs,
    endpoint: 'chat',
    kind: 'tcp' as const,
    outcome: verdict === 'ok' ? ('answered' as const) : ('lost' as const),
    verdict,
    metrics: rttMs === undefined ? {} : { rttMs },
    state: null,
    detail: null,
  });
  const exposed = (meter: Meter, name: string, nowMs = fromMs) => {
    const found = [...lineFamilies(meter, nowMs)].find((family) => family.name === name);
    return [...(found?.samples ?? [])];
  };

  test('begins every expected series at 0, so that the first bad event is an increase', () => {
    const meter = new Meter();
    meter.configure(someNetwork({ watch }));
    expect([...meter.slos()].every(({ good, bad }) => good === 0 && bad === 0)).toBe(true);
    expect(exposed(meter, 'inferpath_slo_events_total')).toContainEqual({
      labels: { slo: 'up', endpoint: 'chat', agent: 'b', result: 'bad' },
      value: 0,
    });
    // One that the file does not name is known from its first question on.
    meter.expect('c', [{ endpoint: 'chat', probe: 'tcp', everyMs: 10_000 }]);
    expect([...meter.slos()]).toContainEqual({ slo: 'up', endpoint: 'chat', agent: 'c', good: 0, bad: 0 });
  });

  test('leaves out maintenance and endpoints that are not in the file, and goes on counting after a reload', () => {
    const meter = new Meter();
    const iso = (ms: number) => new Date(ms).toISOString();
    const maintenance = [{ from: iso(fromMs), to: iso(fromMs + 1000), reason: 'new switch' }];
    meter.configure(someNetwork({ watch: { ...watch, maintenance } }));
    meter.add(columnsOf([tcp(fromMs, 'bad'), tcp(fromMs + 999, 'bad'), tcp(fromMs + 1000, 'bad')]), 'a', fromMs);
    const up = () => [...meter.slos()].find((e) => e.slo === 'up' && e.endpoint === 'chat' && e.agent === 'a');
    expect(up()).toMatchObject({ good: 0, bad: 1 });
    meter.configure(someNetwork({ watch: { ...watch, slos: watch.slos.slice(0, 1) } }));
    expect(up()).toMatchObject({ good: 0, bad: 1 });
    expect([...meter.slos()].map(({ slo }) => slo)).not.toContain('gap');
    meter.add(columnsOf([{ ...tcp(fromMs, 'ok', 1), endpoint: 'gone' }]), 'a', fromMs);
    expect([...meter.lines()].map(({ endpoint }) => endpoint)).not.toContain('gone');
  });

  test('gauges are of the newest sample, whatever comes late, and end when it is old', () => {
    const meter = new Meter();
    meter.configure(someNetwork());
    const nowMs = fromMs + hourMs;
    meter.add(columnsOf([tcp(nowMs, 'ok', 5), tcp(nowMs - 1000, 'bad')]), 'local', nowMs);
    meter.add(columnsOf([tcp(nowMs - hourMs, 'bad')]), 'local', nowMs + 1000);
    const labels = { endpoint: 'chat', agent: 'local', probe: 'tcp' };
    expect(exposed(meter, 'probe_success', nowMs)).toEqual([{ labels, value: 1 }]);
    expect(exposed(meter, 'probe_duration_seconds', nowMs)).toEqual([{ labels, value: 0.005 }]);
    expect(exposed(meter, 'probe_success', nowMs + 299_999)).toHaveLength(1);
    expect(exposed(meter, 'probe_success', nowMs + 300_000)).toEqual([]);
    // A fault of ours is neither success nor failure.
    meter.add(columnsOf([tcp(nowMs + 1, 'unknown')]), 'local', nowMs);
    expect(exposed(meter, 'probe_success', nowMs)).toEqual([]);
    const results = exposed(meter, 'inferpath_probe_results_total', nowMs).filter(
      ({ labels: l }) => l['probe'] === 'tcp' && l['endpoint'] === 'chat',
    );
    expect(results.map((sample) => [sample.labels['result'], 'value' in sample && sample.value])).toEqual([
      ['ok', 1],
      ['bad', 2],
      ['unknown', 1],
    ]);
  });

  test('what was newest before a restart is shown, and counts as nothing', () => {
    const meter = new Meter();
    meter.configure(someNetwork({ watch }));
    meter.restore([{ ...tcp(fromMs, 'ok', 2), id: 'x/0', agent: 'a' }]);
    expect(exposed(meter, 'probe_success')).toHaveLength(1);
    expect([...meter.slos()].every(({ good, bad }) => good + bad === 0)).toBe(true);
  });
});

describe('eachGap()', () => {
  test('finds the same gaps as a parser of the whole text, and no others', () => {
    const gaps = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(gaps, fc.string(), fc.string(), (list, before, after) => {
        const found: number[] = [];
        const text = JSON.stringify({ note: before, [`"gaps":[${after}`]: after, request: { gaps: list, after } });
        eachGap(text, (gap) => found.push(gap));
        expect(found).toEqual(list.map((gap) => gap + 0));
      }),
    );
  });

  test('takes any text, and from a broken one only numbers', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        eachGap(`"gaps":[${text}`, (gap) => expect(gap >= 0 && Number.isFinite(gap)).toBe(true));
      }),
    );
    const found: number[] = [];
    eachGap('{"gaps":[1,-2,x,,1e999,{"a":1},3]', (gap) => found.push(gap));
    expect(found).toContain(3);
    expect(found).toContain(1);
  });
});
