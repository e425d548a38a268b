import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { storeReport } from '../../src/model/store-report.ts';
import { columnsOf } from '../../src/store/columns.ts';
import { migrate } from '../../src/store/clickhouse/schema.ts';
import { Server } from '../../src/store/clickhouse/server.ts';
import { ClickStore } from '../../src/store/clickhouse/store.ts';
import { storeCases } from '../../src/store/store.case.ts';
import type { Batch } from '../../src/store/store.ts';
import { clickCluster, type ClickServers, PASSWORD, whyNoClickHouse } from '../fakes/clickhouse-server.ts';
import { memoryDocuments } from '../fakes/memory-store.ts';
import { serveCluster } from '../fakes/serve-cluster.ts';
import { idsOf } from '../fakes/store-ids.ts';
import { whyNoZookeeper, zookeeperServer, type ZookeeperServer } from '../fakes/zookeeper-server.ts';

const missing = process.env['CI'] === 'true' ? undefined : (whyNoClickHouse() ?? whyNoZookeeper());
if (missing) process.stderr.write(`tests against a cluster of ClickHouse are skipped: ${missing}\n`);
/** More by hand. */
const ROUNDS = Number(process.env['CLICKHOUSE_KILL_ROUNDS'] ?? 4);
const ROWS = 40;
const start = 1_700_000_000_000;
const day = 86_400_000;
const retention = { rawMs: 1e4 * day, minutesMs: 1e4 * day, hoursMs: 1e4 * day };

const batch = (n: number): Batch => ({
  key: `cluster-${n}`,
  agent: `agent-${n % 5}`,
  columns: columnsOf(
    Array.from({ length: ROWS }, (_, i) => ({
      atMs: start + 1000 * n + i,
      endpoint: `endpoint-${i % 3}`,
      kind: 'tcp' as const,
      outcome: 'answered' as const,
      verdict: 'ok' as const,
      metrics: { rttMs: i },
      state: null,
      detail: null,
    })),
  ),
});

describe.skipIf(missing)('two shards of two replicas, and ZooKeeper', () => {
  let zookeeper: ZookeeperServer;
  let clickhouse: ClickServers;
  beforeAll(async () => {
    zookeeper = await zookeeperServer();
    clickhouse = await clickCluster(zookeeper.port);
    // Before any node is killed: one that dies while it makes a replicated table has its replica in ZooKeeper and no table.
    for (const database of ['inferpath', 'watch']) {
      const server = await Server.open(addressOf(database));
      await migrate(server, start);
      await server.close();
    }
  }, 120_000);
  afterAll(async () => {
    await clickhouse?.close();
    await zookeeper?.close();
  });
  const addressOf = (database: string) => ({
    urls: clickhouse.nodes.map(({ host }) => `http://${host}`),
    user: 'inferpath',
    password: PASSWORD,
    database,
    cluster: 'inferpath',
  });

  // By hand: tables are made on four nodes for each part of it, which takes minutes.
  if (process.env['CLICKHOUSE_SUITE'] !== undefined) {
    let databases = 0;
    storeCases('ClickHouse, two shards of two replicas', {
      runs: 2,
      open: async (kept = retention) => {
        const server = await Server.open(addressOf(`suite_${databases++}`));
        const options = { retention: kept, clock: { wallMs: () => start }, documents: memoryDocuments() };
        const store = await ClickStore.open(server, options);
        return { store, close: async () => (await store.close(), await server.close()) };
      },
    });
    return;
  }

  // Both at once: the nodes that the one kills are those that the other works on.
  test.concurrent(
    'a node that is killed at any moment loses and doubles nothing that was acknowledged',
    { timeout: 30 * 60_000 },
    async ({ expect }) => {
      const server = await Server.open(addressOf('inferpath'));
      const store = await ClickStore.open(server, {
        retention,
        clock: { wallMs: () => start },
        documents: memoryDocuments(),
      });
      const acknowledged = new Set<string>();
      let n = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const victim = clickhouse.nodes[round % clickhouse.nodes.length]!;
        const over = new AbortController();
        const lane = async () => {
          while (!over.signal.aborted) {
            const next = batch(n++);
            // As an agent does: again until it is acknowledged.
            while (!(await store.append([next]).catch(() => null))) await pause(50);
            acknowledged.add(next.key);
          }
        };
        const lanes = [lane(), lane(), lane()];
        await pause(20 + Math.random() * 400);
        await victim.kill();
        await pause(Math.random() * 500);
        await victim.start();
        over.abort();
        await Promise.all(lanes);
      }
      const expected = acknowledged.size * ROWS;
      const rows = async (host: string) => {
        const one = await Server.open({ ...server.address, urls: [`http://${host}`] });
        const answer = await one.ask(
          `SELECT toFloat64(count()), toFloat64(uniqExact(batch, row)) FROM inferpath.samples FINAL`,
        );
        await one.close();
        return [answer.numbers(0)[0], answer.numbers(1)[0]];
      };
      // Replicas catch up.
      await expect
        .poll(() => Promise.all(clickhouse.nodes.map(({ host }) => rows(host))), { timeout: 30_000, interval: 200 })
        .toEqual(clickhouse.nodes.map(() => [expected, expected]));
      // The names of batches are a table of their own, which replicas catch up with by itself: until then their samples are not told.
      await expect.poll(async () => (await idsOf(store)).size, { timeout: 60_000, interval: 500 }).toBe(expected);
      const ids = await idsOf(store);
      expect([...ids].filter(([, times]) => times !== 1)).toEqual([]);
      for (const key of acknowledged)
        for (let i = 0; i < ROWS; i++) if (!ids.has(`${key}/${i}`)) throw new Error(`${key}/${i} is lost`);
      expect(ids.size).toBe(expected);
      const series = { fromMs: 0, toMs: 2e12, stepMs: 60_000, kind: 'tcp', metric: 'rttMs', by: 'endpoint' } as const;
      for (const nowMs of [start, start + 7_200_000]) {
        await store.maintain(nowMs);
        const points = await store.series({ ...series, quantiles: [0.5] });
        expect(points.reduce((sum, { ok }) => sum + ok, 0)).toBe(expected);
      }
      await store.close();
      await server.close();
      process.stderr.write(
        `${ROUNDS} rounds: ${acknowledged.size} batches acknowledged, each of ${expected} samples there once\n`,
      );
    },
  );

  test.concurrent(
    'of three serve nodes the one that judges is killed: each incident is paged once, each sample stored once',
    { timeout: 180_000 },
    async ({ expect }) => {
      const shared = { clickhouse, cluster: 'inferpath', zookeeperPort: zookeeper.port, database: 'watch' };
      const cluster = await serveCluster(shared, { endpoints: 3, every: '250ms', random: Math.random });
      try {
        const { nodes, receiver, command } = cluster;
        let judge = -1;
        while (judge < 0 || cluster.promised.size - cluster.waiting() < 3) {
          judge = (await Promise.all(nodes.map((node) => node.evaluations()))).findIndex((n) => n > 0);
          await pause(100);
        }
        await cluster.failEndpoint(0);
        await nodes[judge]!.kill();
        await pause(1000);
        await cluster.failEndpoint(1);
        await nodes[judge]!.start();
        await expect.poll(() => [...receiver.abouts.values()].sort(), { timeout: 120_000 }).toHaveLength(2);
        // One evaluation more of each.
        await pause(6000);
        expect([...receiver.abouts.values()].sort()).toEqual(['endpoint-down e0', 'endpoint-down e1']);
        expect([...receiver.keys.values()].map((keys) => keys.size)).toEqual([1, 1]);
        await expect.poll(() => cluster.waiting(), { timeout: 30_000 }).toBe(0);
        await cluster.stopAgent();

        const server = await Server.open(addressOf('watch'));
        const options = { retention, clock: { wallMs: Date.now }, documents: memoryDocuments(), allowLostLedger: true };
        const store = await ClickStore.open(server, options);
        const promised = [...cluster.promised].flatMap(([key, samples]) =>
          Array.from({ length: samples }, (_, i) => `edge/${key}/${i}`),
        );
        // Replicas catch up here, too.
        const missing = async () => {
          const found = await idsOf(store);
          return promised.filter((id) => !found.has(id));
        };
        await expect.poll(missing, { timeout: 60_000, interval: 500 }).toEqual([]);
        const ids = await idsOf(store);
        await store.close();
        await server.close();
        expect([...ids.values()].filter((times) => times !== 1)).toEqual([]);

        // From beside, while the nodes run.
        const checked = await command(['store', 'check', ...cluster.places, '--json']);
        expect(storeReport.parse(JSON.parse(checked.stdout))).toMatchObject({ faults: [] });
        const { stdout } = await command(['store', 'info', ...cluster.places, '--json']);
        expect(storeReport.parse(JSON.parse(stdout))).toMatchObject({ info: { samples: ids.size, agents: 1 } });
        // Without its documents nobody works on this database.
        const [, , ...withoutDocuments] = cluster.places;
        const refused = await command([
          'serve',
          cluster.network,
          ...withoutDocuments,
          '--data',
          `${cluster.folder}/other`,
        ]);
        expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('these documents know nothing') });
        expect(refused.stderr).toContain('inferpath store repair');
      } catch (error) {
        process.stderr.write(cluster.said());
        throw error;
      } finally {
        await cluster.close();
      }
    },
  );
});
