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
