import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clickCluster, type ClickServers, PASSWORD, whyNoClickHouse } from '../../../test/fakes/clickhouse-server.ts';
import { memoryDocuments } from '../../../test/fakes/memory-store.ts';
import { whyNoZookeeper, zookeeperServer, type ZookeeperServer } from '../../../test/fakes/zookeeper-server.ts';
import { columnsOf } from '../columns.ts';
import type { Batch } from '../store.ts';
import { Server } from './server.ts';
import { ClickStore } from './store.ts';

const missing = process.env['CI'] === 'true' ? undefined : (whyNoClickHouse() ?? whyNoZookeeper());
if (missing) process.stderr.write(`tests against a cluster of ClickHouse are skipped: ${missing}\n`);
const ROUNDS = Number(process.env['CLICKHOUSE_KILL_ROUNDS'] ?? 4);
const ROWS = 40;
const start = 1_700_000_000_000;
const all = { fromMs: 0, toMs: 2e12 };
const day = 86_400_000;
const retention = { rawMs: 1e4 * day, minutesMs: 1e4 * day, hoursMs: 1e4 * day };

describe.skipIf(missing)('two shards of two replicas', () => {
  let zookeeper: ZookeeperServer;
  let servers: ClickServers;
  let server: Server;
  let store: ClickStore;
  beforeAll(async () => {
    zookeeper = await zookeeperServer();
    servers = await clickCluster(zookeeper.port);
    const urls = servers.nodes.map(({ host }) => `http://${host}`);
    const address = { urls, user: 'inferpath', password: PASSWORD, database: 'inferpath', cluster: 'inferpath' };
    server = await Server.open(address);
    store = await ClickStore.open(server, {
      retention,
      clock: { wallMs: () => start },
      documents: memoryDocuments(),
    });
  }, 120_000);
  afterAll(async () => {
    await store?.close();
    await server?.close();
    await servers?.close();
    await zookeeper?.close();
  });

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

  test(
    'a node that is killed at any moment loses and doubles nothing that was acknowledged',
    { timeout: 30 * 60_000 },
    async () => {
      const acknowledged = new Set<string>();
      let n = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const victim = servers.nodes[round % servers.nodes.length]!;
        const over = new AbortController();
        const lane = async () => {
          while (!over.signal.aborted) {
            const next = batch(n++);
            // As an agent does: again until it is acknowledged.
            for (;;) {
              const answer = await store.append([next]).catch(() => null);
              if (answer) break;
              await new Promise((resolve) => setTimeout(resolve, 50));
            }
            acknowledged.add(next.key);
          }
        };
        const lanes = [lane(), lane(), lane()];
        await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 400));
        await victim.kill();
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 500));
        await victim.start();
        over.abort();
        await Promise.all(lanes);
      }
      const expected = acknowledged.size * ROWS;
      // Replicas catch up.
      const counts = async () =>
        Promise.all(
          servers.nodes.map(async ({ host }) => {
            const one = await Server.open({ ...server.address, urls: [`http://${host}`] });
            const answer = await one.ask(
              `SELECT toFloat64(count()), toFloat64(uniqExact(batch, row)) FROM inferpath.samples FINAL`,
            );
            await one.close();
            return [answer.numbers(0)[0], answer.numbers(1)[0]];
          }),
        );
      const wanted = servers.nodes.map(() => [expected, expected]);
      for (let i = 0; i < 100 && JSON.stringify(await counts()) !== JSON.stringify(wanted); i++)
        await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await counts()).toEqual(wanted);
      const ids = new Map<string, number>();
      let after: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof store.samples>> = await store.samples({
          ...all,
          limit: 20_000,
          columnsOnly: true,
          ...(after !== null && { after }),
        });
        for (const { id } of page.samples) ids.set(id, (ids.get(id) ?? 0) + 1);
        after = page.next;
      } while (after !== null);
      expect([...ids].filter(([, times]) => times !== 1)).toEqual([]);
      for (const key of acknowledged)
        for (let i = 0; i < ROWS; i++) if (!ids.has(`${key}/${i}`)) throw new Error(`${key}/${i} is lost`);
      expect(ids.size).toBe(expected);
      for (const nowMs of [start, start + 7_200_000]) {
        await store.maintain(nowMs);
        const points = await store.series({
          ...all,
          stepMs: 60_000,
          kind: 'tcp',
          metric: 'rttMs',
          quantiles: [0.5],
          by: 'endpoint',
        });
        expect(points.reduce((sum, { ok }) => sum + ok, 0)).toBe(expected);
      }
      process.stderr.write(
        `${ROUNDS} rounds: ${acknowledged.size} batches acknowledged, each of ${expected} samples there once\n`,
      );
    },
  );
});
