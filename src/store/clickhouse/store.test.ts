import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clickServer, type ClickServers, PASSWORD, whyNoClickHouse } from '../../../test/fakes/clickhouse-server.ts';
import { memoryDocuments } from '../../../test/fakes/memory-store.ts';
import { arbitrarySample } from '../arbitrary.case.ts';
import { columnsOf } from '../columns.ts';
import { clickCases, clock, forever } from './click.case.ts';
import { ClickFiles } from './files.ts';
import { Server } from './server.ts';
import { ClickStore } from './store.ts';

/** Never skipped in CI, where a missing server is the failure. */
const missing = process.env['CI'] === 'true' ? undefined : whyNoClickHouse();
if (missing) process.stderr.write(`tests against ClickHouse are skipped: ${missing}\n`);

describe.skipIf(missing)("Debian's ClickHouse", () => {
  let servers: ClickServers;
  beforeAll(async () => void (servers = await clickServer()), 60_000);
  afterAll(() => servers?.close());
  const access = () => ({
    urls: servers.nodes.map(({ host }) => `http://${host}`),
    user: 'inferpath',
    password: PASSWORD,
  });

  clickCases('ClickHouse, one server', access, 2);

  test(
    'roll-ups of which the documents know nothing are refused, told by check, and made anew by repair',
    { timeout: 60_000 },
    async () => {
      const server = await Server.open({ ...access(), database: 'lost', cluster: null });
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
});
