import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arbitrarySample } from '../arbitrary.case.ts';
import { clickServer, type ClickServers, PASSWORD, whyNoClickHouse } from '../../../test/fakes/clickhouse-server.ts';
import { memoryDocuments } from '../../../test/fakes/memory-store.ts';
import { columnsOf } from '../columns.ts';
import { openStore } from '../open.ts';
import { ClickFiles } from './files.ts';
import { storeCases } from '../store.case.ts';
import { Server } from './server.ts';
import { ClickStore } from './store.ts';

/** Never skipped in CI, where a missing server is the failure. */
const missing = process.env['CI'] === 'true' ? undefined : whyNoClickHouse();
if (missing) process.stderr.write(`tests against ClickHouse are skipped: ${missing}\n`);

const DAY = 86_400_000;
const forever = { rawMs: 1e4 * DAY, minutesMs: 1e4 * DAY, hoursMs: 1e4 * DAY };
const clock = { wallMs: () => 1_700_000_000_000 };

describe.skipIf(missing)("Debian's ClickHouse", () => {
  let servers: ClickServers;
  beforeAll(async () => void (servers = await clickServer()), 60_000);
  afterAll(() => servers.close());
  let databases = 0;

  storeCases('ClickHouse, one server', {
    runs: 4,
    open: async (retention = forever) => {
      const database = `suite_${databases++}`;
      const urls = servers.nodes.map(({ host }) => `http://${host}`);
      const server = await Server.open({ urls, user: 'inferpath', password: PASSWORD, database, cluster: null });
      const store = await ClickStore.open(server, { retention, clock, documents: memoryDocuments() });
      return {
        store,
        close: async () => {
          await store.close();
          await server.run(`DROP DATABASE ${database}`);
          await server.close();
        },
      };
    },
  });

  test(
    'roll-ups of which the documents know nothing are refused, told by check, and made anew by repair',
    { timeout: 60_000 },
    async () => {
      const urls = servers.nodes.map(({ host }) => `http://${host}`);
      const server = await Server.open({
        urls,
        user: 'inferpath',
        password: PASSWORD,
        database: 'lost',
        cluster: null,
      });
      const counted = () => ({ ...memoryDocuments(), count: () => Promise.resolve(0) });
      const [first, other] = [counted(), counted()];
      const samples = fc.sample(arbitrarySample(), { numRuns: 40, seed: 5 });
      const batches = [0, 1, 2].map((i) => ({ key: `lost-${i}`, agent: 'berlin', columns: columnsOf(samples) }));
      const open = (documents: ReturnType<typeof counted>) =>
        ClickStore.open(server, { retention: forever, clock, documents });
      const ask = { fromMs: 0, toMs: 3e12, stepMs: 3_600_000, kind: 'tcp', metric: 'rttMs', by: 'endpoint' } as const;
      const store = await open(first);
      await store.append(batches.slice(0, 2));
      for (let i = 0; i < 3; i++) await store.maintain(clock.wallMs() + i * 7_200_000);
      const before = await store.series({ ...ask, quantiles: [0.5] });
      expect(before.length).toBeGreaterThan(0);

      await expect(open(other)).rejects.toThrow('these documents know nothing');
      const looking = await ClickStore.open(server, {
        retention: forever,
        clock,
        documents: other,
        allowLostLedger: true,
      });
      const files = new ClickFiles(server, looking, other);
      expect(await files.check()).toContainEqual(expect.stringContaining('know nothing'));
      expect(await files.repair()).toContain('count no more');
      expect(await files.repair()).toBeNull();
      const again = await open(other);
      expect(await again.series({ ...ask, quantiles: [0.5] })).toEqual(before);
      expect(await again.append(batches)).toEqual(['duplicate', 'duplicate', 'stored']);
      for (let i = 0; i < 3; i++) await again.maintain(clock.wallMs() + (10 + i) * 7_200_000);
      const after = await again.series({ ...ask, quantiles: [0.5] });
      expect(after.map(({ ok, bad, unknown, n }) => [ok, bad, unknown, n])).toEqual(
        before.map(({ ok, bad, unknown, n }) => [ok, bad, unknown, n].map((count) => count * 1.5)),
      );
      expect(await files.check()).toEqual([]);
      // An old copy of the documents of before is as bad as none.
      await expect(open(first)).rejects.toThrow('these documents know nothing');
      for (const one of [store, looking, again]) await one.close();
      await server.run('DROP DATABASE lost');
      await server.close();
    },
  );

  test('files of ClickHouse and of the embedded store are the same files', { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inferpath-click-files-'));
    const urls = servers.nodes.map(({ host }) => `http://${host}`);
    const clickhouse = { urls, user: 'inferpath', password: PASSWORD, database: 'files', cluster: null };
    const there = await openStore(join(folder, 'documents'), { clock }, { clickhouse, retention: forever });
    const here = await openStore(join(folder, 'embedded'), { clock });
    const samples = fc.sample(arbitrarySample(), { numRuns: 60, seed: 4 });
    for (const [i, agent] of ['berlin', "o'slo"].entries())
      await there.store.append([
        { key: `files-${i}-batch`, agent, columns: columnsOf(samples.slice(30 * i, 30 * i + 30)) },
      ]);
    await there.store.maintain(clock.wallMs() + 7_200_000);
    const all = { fromMs: 0, toMs: 3e12, limit: 1000 };
    const sorted = async ({ store }: typeof here) =>
      (await store.samples(all)).samples.sort((a, b) => (a.id < b.id ? -1 : 1));
    const path = join(folder, 'all.parquet');
    expect(await there.files.exportTo(path, 'parquet')).toBe(60);
    expect(await here.files.importFrom(path, 'parquet')).toEqual({ samples: 60, batches: 2, duplicates: 0 });
    expect(await sorted(here)).toEqual(await sorted(there));
    expect(await there.files.importFrom(path, 'parquet')).toEqual({ samples: 0, batches: 2, duplicates: 2 });
    expect(await there.files.info()).toMatchObject({
      samples: 60,
      batches: 2,
      notRolledUp: 0,
      agents: 2,
      documents: 1,
    });
    expect(await there.files.check()).toEqual([]);
    await there.close();
    await here.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
