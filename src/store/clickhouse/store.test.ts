import { afterAll, beforeAll, describe } from 'vitest';
import { clickServer, type ClickServers, PASSWORD, whyNoClickHouse } from '../../../test/fakes/clickhouse-server.ts';
import { memoryDocuments } from '../../../test/fakes/memory-store.ts';
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
});
