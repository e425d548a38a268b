import { setTimeout as pause } from 'node:timers/promises';
import { createIo } from '../../src/cli/io.ts';
import { network as networkSchema } from '../../src/model/network.ts';
import { Cluster } from '../../src/serve/cluster/cluster.ts';
import { whileHeld } from '../../src/serve/cluster/turn.ts';
import { Configuration } from '../../src/serve/configuration.ts';
import { createContext } from '../../src/serve/context.ts';
import { type Delivery, startDelivery } from '../../src/serve/deliver/delivery.ts';
import { outboxWrites } from '../../src/serve/deliver/outbox.ts';
import type { CountsPoint, CountsQuery, Run, Store } from '../../src/store/store.ts';
import { ZookeeperDocuments } from '../../src/store/zookeeper/documents.ts';
import type { Io } from '../../src/wire/io.ts';
import type { ClusterPlan } from './cluster.ts';

/**
 * One node of a cluster: documents in a real ZooKeeper; membership, lease, evaluation, outbox and delivery are those of `serve`. Its
 * samples are a function of the plan and the time, so that every node sees the same as in a shared store. Its clock is faster than the wall.
 */
const plan = JSON.parse(process.argv[2] ?? '') as ClusterPlan;
const { io: real } = createIo(process);
const io: Io = {
  ...real,
  clock: {
    monoMs: () => real.clock.monoMs() * plan.speed,
    wallMs: () => plan.beganMs + (Date.now() - plan.beganMs) * plan.speed,
    sleep: (ms, signal) => real.clock.sleep(ms / plan.speed, signal),
  },
};
const endpoints = Array.from({ length: plan.failAtMs.length + plan.healthy }, (_, i) => `e${i}`);
const network = networkSchema.parse({
  version: 1,
  endpoints: endpoints.map((name) => ({ name, url: `http://127.0.0.1/${name}` })),
  watch: {
    agents: [{ name: 'one' }],
    schedule: [{ probe: 'tcp', every: '10s' }],
    receivers: [{ name: 'pager', type: 'webhook', url: plan.receiver }],
    routes: [{ severity: ['page'], receivers: ['pager'], resolved: false }],
  },
});
const failAtMs = new Map(endpoints.map((name, i) => [name, plan.failAtMs[i] ?? Infinity]));

function counts({ endpoints, fromMs, toMs, stepMs, kind, by }: CountsQuery): CountsPoint[] {
  if (kind !== 'tcp') return [];
  const points: CountsPoint[] = [];
  const untilMs = Math.min(toMs, io.clock.wallMs());
  for (const endpoint of endpoints)
    for (let atMs = Math.floor(fromMs / stepMs) * stepMs; atMs < untilMs; atMs += stepMs) {
      const point = { atMs, endpoint, agent: by === 'endpoint' ? null : 'one', good: 0, bad: 0, unknown: 0 };
      for (
        let probeMs = Math.ceil(atMs / 10_000) * 10_000;
        probeMs < Math.min(atMs + stepMs, untilMs);
        probeMs += 10_000
      )
        if (probeMs >= (failAtMs.get(endpoint) ?? Infinity)) point.bad++;
        else point.good++;
      if (point.good + point.bad > 0) points.push(point);
    }
  return points;
}

function runs(sinceMs: number): Run[] {
  const lastMs = Math.floor(io.clock.wallMs() / 10_000) * 10_000;
  return endpoints.map((endpoint) => {
    const fromMs = Math.max(sinceMs, failAtMs.get(endpoint) ?? Infinity, lastMs - 600_000);
    const badMs: number[] = [];
    for (let ms = Math.ceil(fromMs / 10_000) * 10_000; ms <= lastMs; ms += 10_000) badMs.push(ms);
    return { endpoint, agent: 'one', kind: 'tcp', lastMs, badMs };
  });
}

const none = () => Promise.resolve([]);
const store: Store = {
  about: 'a function of the time',
  append: none,
  samples: () => Promise.resolve({ samples: [], next: null }),
  series: none,
  counts: (query) => Promise.resolve(counts(query)),
  changes: none,
  latest: none,
  runs: (sinceMs) => Promise.resolve(runs(sinceMs)),
  newest: none,
  maintain: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

const documents = await ZookeeperDocuments.open({
  servers: [{ host: '127.0.0.1', port: plan.zookeeperPort }],
  root: '/pages',
  auth: null,
  random: io.random,
  sessionMs: 4000,
});
const cluster = new Cluster(documents, io);
const configuration = await Configuration.open(documents, () => Promise.resolve(network));
const stop = new AbortController();
let delivery: Delivery | null = null;
const context = createContext({
  io,
  version: '0.0.0',
  documents,
  store,
  configuration,
  authorities: null,
  agentsUrl: null,
  stopping: stop.signal,
  cluster,
  outbox: {
    writes: (transitions) => outboxWrites(documents, transitions, network),
    wake: () => delivery?.wake(),
  },
});

async function often(everyMs: number, work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    await work().catch((error: unknown) => io.log.warn(String(error)));
    await pause(everyMs / plan.speed);
  }
}

await cluster.beat();
process.stdout.write('ready\n');
await Promise.all([
  often(3000, () => cluster.beat()),
  often(3000, () => Promise.resolve(context.ingest.heard('one'))),
  often(15_000, () => context.arrivals.share()),
  context.evaluation.run(stop.signal),
  whileHeld(
    {
      start: () => {
        const receivers = () => network.watch?.receivers ?? [];
        delivery = startDelivery({ documents, receivers, io, allow: ['127.0.0.0/8'] });
      },
      stop: async () => {
        const ending = delivery;
        delivery = null;
        await ending?.stop();
      },
    },
    { cluster, task: 'watch' },
    io,
    stop.signal,
  ),
]);
