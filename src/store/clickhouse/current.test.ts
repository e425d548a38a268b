import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chdbServer, whyNoChdb } from '../../../test/fakes/chdb-server.ts';
import { clickCases } from './click.case.ts';
import { decodeAnswer, encodeBlock } from './native.ts';
import { migrate } from './schema.ts';
import { Server } from './server.ts';

const noChdb = whyNoChdb();
if (noChdb) process.stderr.write(`tests against the engine of a current ClickHouse are skipped: ${noChdb}\n`);

describe.skipIf(noChdb)('the engine of a current ClickHouse', () => {
  let engine: Awaited<ReturnType<typeof chdbServer>>;
  beforeAll(async () => void (engine = await chdbServer()), 60_000);
  afterAll(() => engine?.close());
  const address = () => ({ urls: [engine.url], user: 'default', password: '' });
  clickCases('ClickHouse, current engine', address, 1);

  test('is one that has all that we ask servers of its age for, and knows the statements of a cluster', async () => {
    const server = await Server.open({ ...address(), database: 'parsed', cluster: null });
    expect(server.isAtLeast(24, 1)).toBe(true);
    // It has no ZooKeeper, so that nothing more than reading them can be tried.
    const statements: string[] = [];
    const inCluster = Object.create(server, {
      address: { value: { ...server.address, cluster: 'inferpath' } },
      run: { value: async (sql: string) => void statements.push(sql) },
      insert: { value: async () => undefined },
      askEach: { value: async () => [] },
      ask: {
        value: async () =>
          decodeAnswer(Buffer.concat(encodeBlock(1, { v: { type: 'Float64', values: Float64Array.of(0) } }))),
      },
    }) as Server;
    await migrate(inCluster, 0);
    expect(statements.filter((sql) => sql.includes('Replicated')).length).toBeGreaterThan(5);
    expect(statements.filter((sql) => sql.includes('Distributed')).length).toBeGreaterThan(5);
    for (const sql of statements) await server.run(`EXPLAIN AST ${sql}`);
    await server.close();
  });
});
