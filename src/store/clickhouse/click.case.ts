import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoryDocuments } from '../../../test/fakes/memory-store.ts';
import { arbitrarySample } from '../arbitrary.case.ts';
import { columnsOf } from '../columns.ts';
import { openStore } from '../open.ts';
import { storeCases } from '../store.case.ts';
import type { SeriesPoint } from '../store.ts';
import { Server } from './server.ts';
import { ClickStore } from './store.ts';

const DAY = 86_400_000;
export const forever = { rawMs: 1e4 * DAY, minutesMs: 1e4 * DAY, hoursMs: 1e4 * DAY };
export const clock = { wallMs: () => 1_700_000_000_000 };

/** Points without the order among those of one time, and sums to the precision that no order of adding changes. */
const inOrder = (points: readonly SeriesPoint[]) =>
  points
    .map((point) => ({ ...point, mean: point.mean === null ? null : Number(point.mean.toPrecision(9)) }))
    .sort((a, b) => a.atMs - b.atMs || (`${a.endpoint} ${a.agent}` < `${b.endpoint} ${b.agent}` ? -1 : 1));

export type Access = () => { urls: string[]; user: string; password: string };

/** What every server must do, whatever its age. */
export function clickCases(name: string, access: Access, runs: number): void {
  let databases = 0;

  storeCases(name, {
    runs,
    open: async (retention = forever) => {
      const database = `suite_${databases++}`;
      const server = await Server.open({ ...access(), database, cluster: null });
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
    const clickhouse = { ...access(), database: 'files', cluster: null };
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
    await here.store.maintain(clock.wallMs() + 7_200_000);
    for (const stepMs of [10_000, 60_000, 3_600_000])
      for (const by of ['endpoint', 'endpoint-agent'] as const) {
        const query = {
          fromMs: 0,
          toMs: 3e12,
          stepMs,
          kind: 'tcp',
          metric: 'rttMs',
          quantiles: [0.5, 0.95],
          by,
        } as const;
        const answers = await Promise.all([here, there].map(({ store }) => store.series(query)));
        expect(inOrder(answers[1]!)).toEqual(inOrder(answers[0]!));
      }
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
}
