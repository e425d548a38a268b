import { expect, test } from 'vitest';
import type { Alert, AlertTransition } from '../model/alert.ts';
import type { CountsPoint } from '../store/store.ts';
import { createContext } from './context.ts';
import { Evaluation, type Outbox } from './evaluation.ts';
import { serveBench, type ServeBench, someNetwork } from './serve.case.ts';

const watched = () =>
  someNetwork({
    watch: {
      agents: [{ name: 'one' }, { name: 'two' }],
      schedule: [{ probe: 'tcp', every: '10s' }],
      slos: [{ name: 'up', indicator: 'availability', objective: 0.99, window: '1d' }],
    },
  });

/** From `sinceMs` on nobody reaches `chat`; before, and the other endpoint always, all is well. */
function outage(bench: ServeBench, sinceMs: number): void {
  bench.store.answers.runs = () => {
    const lastMs = bench.io.clock.wallMs();
    const failures = Math.max(0, Math.min(64, Math.floor((lastMs - sinceMs) / 10_000)));
    const badMs = Array.from({ length: failures }, (_, i) => lastMs - (failures - 1 - i) * 10_000);
    const runOf = (endpoint: string, agent: string) =>
      ({ endpoint, agent, kind: 'tcp', lastMs, badMs: endpoint === 'chat' ? badMs : [] }) as const;
    return Promise.resolve(['chat', 'rag'].flatMap((e) => ['one', 'two'].map((agent) => runOf(e, agent))));
  };
  bench.store.answers.counts = ({ fromMs, toMs, stepMs, endpoints, kind, by }) => {
    const points: CountsPoint[] = [];
    if (kind !== 'tcp') return Promise.resolve(points);
    const nowMs = bench.io.clock.wallMs();
    for (let atMs = Math.floor(fromMs / stepMs) * stepMs; atMs < Math.min(toMs, nowMs); atMs += stepMs)
      for (const endpoint of endpoints)
        for (const agent of by === 'endpoint' ? [null, null] : ['one', 'two']) {
          const endMs = Math.min(atMs + stepMs, nowMs);
          const count = (ms: number) => Math.max(0, Math.round(ms / 10_000));
          const n = count(endMs - atMs);
          const bad = endpoint === 'chat' ? Math.min(n, count(endMs - Math.max(atMs, sinceMs))) : 0;
          points.push({ atMs, endpoint, agent, good: n - bad, bad, unknown: 0 });
        }
    return Promise.resolve(points);
  };
}

/** Time passes; agents are heard of, and the evaluation has its turns. */
async function live(bench: ServeBench, evaluations: readonly Evaluation[], turns: number): Promise<AlertTransition[]> {
  const seen: AlertTransition[] = [];
  for (let i = 0; i < turns; i++) {
    bench.io.advance(5000);
    for (const agent of ['one', 'two']) bench.context.ingest.heard(agent);
    for (const transitions of await Promise.all(evaluations.map((e) => e.turn()))) seen.push(...(transitions ?? []));
  }
  return seen;
}

function outbox(): Outbox & { wakes: number } {
  const box = {
    wakes: 0,
    wake: () => void box.wakes++,
    writes: (transitions: readonly AlertTransition[]) =>
      Promise.resolve(
        transitions
          .filter((t) => t.notify !== null)
          .map(({ alert, notify }) => ({
            put: { collection: 'outbox', id: `${alert.incident} ${notify}`, body: {} },
            version: 0,
          })),
      ),
  };
  return box;
}

test('an outage that all agents see becomes one alert, its page in the same commit, and an event for whoever looks', async () => {
  const bench = await serveBench(watched());
  const box = outbox();
  const evaluation = new Evaluation(bench.context, box);
  outage(bench, bench.io.clock.wallMs() + 60_000);
  const seen = await live(bench, [evaluation], 120);
  const fired = seen.filter((t) => t.notify === 'fire').map((t) => `${t.alert.rule} ${t.alert.subject}`);
  expect(fired).toContain('slo-burn up/chat');
  expect(fired.every((f) => f.includes('chat'))).toBe(true);
  expect((await bench.documents.list('outbox')).length).toBe(fired.length);
  const response = await bench.ask('GET', '/api/v1/alerts?state=firing', { token: await bench.token('viewer') });
  const { alerts } = (await response.json()) as { alerts: Alert[] };
  expect(alerts.map((a) => a.subject)).toContain('up/chat');
  // The long window is counted anew when its answer is old enough, and then knows of the outage.
  bench.io.advance(3_600_000);
  await live(bench, [evaluation], 1);
  const left = new Map(evaluation.slos().map((s) => [`${s.slo}/${s.endpoint}`, s.left ?? Number.NaN]));
  expect(left.get('up/chat')).toBeLessThan(0);
  expect(left.get('up/rag')).toBe(1);
  expect(box.wakes).toBe(121);
});

test('of three nodes that evaluate at the same moment one commits: every page is in the outbox once', async () => {
  const bench = await serveBench(watched());
  const nodes = Array.from({ length: 3 }, () => new Evaluation(bench.context, outbox()));
  outage(bench, bench.io.clock.wallMs() + 60_000);
  const fired = (await live(bench, nodes, 60)).filter((t) => t.notify === 'fire');
  const incidents = fired.map((t) => t.alert.incident);
  expect(incidents.length).toBeGreaterThan(0);
  expect(new Set(incidents).size).toBe(incidents.length);
  expect((await bench.documents.list('outbox')).length).toBe(incidents.length);
});

test('a restart goes on where the last turn was: what has been told is not told again', async () => {
  const bench = await serveBench(watched());
  outage(bench, bench.io.clock.wallMs() + 60_000);
  const before = (await live(bench, [new Evaluation(bench.context, outbox())], 60)).filter((t) => t.notify === 'fire');
  expect(before.length).toBeGreaterThan(0);
  const context = createContext({ ...bench.context, stopping: bench.stop.signal });
  for (const agent of ['one', 'two']) context.ingest.heard(agent);
  const after = await live(bench, [new Evaluation(bench.context, outbox())], 20);
  expect(after.filter((t) => t.notify === 'fire')).toEqual([]);
});
