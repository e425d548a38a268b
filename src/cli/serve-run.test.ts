import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { serve } from './commands/serve.ts';
import { storeCommand } from './commands/store.ts';
import { exitCode } from './command.ts';
import { runCli } from './run.ts';

const cwd = mkdtempSync(join(tmpdir(), 'inferpath-serve-run-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const files = { 'network.yaml': 'version: 1\nendpoints: [{ name: a, url: "http://127.0.0.1:1/" }]\n' };

async function refused(argv: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const io = fakeIo({ cwd, files, env });
  expect(await runCli(argv, io, [serve, storeCommand])).toBe(exitCode.usage);
  expect(io.stdout()).toBe('');
  return io.stderr();
}

const stores: [address: string, says: string][] = [
  ['mysql://host/db', '--store: found "mysql://host/db"'],
  ['clickhouse://', '"clickhouse://" is no address of a ClickHouse server'],
  ['clickhouse:///db', 'is no address of a ClickHouse server'],
  ['clickhouse://host:port/db', '"host:port" is no host:port'],
  ['clickhouse://one,,two/db', '"" is no host:port'],
  ['clickhouse://host/db/more', 'is no address of a ClickHouse server'],
  ['clickhouse://host/a-b', 'the database "a-b" is no plain name'],
  ['clickhouse://host/db?cluster=a;b', 'the cluster "a;b" is no plain name'],
  ['clickhouse://host/db?shards=2', 'found the option "shards"; allowed: cluster'],
  ['clickhouse://me:hunter2@host/db', 'a password belongs into INFERPATH_CLICKHOUSE_PASSWORD'],
];
const documents = [
  'zk1:2181/inferpath',
  'zookeeper://zk1:2181',
  'zookeeper://zk1:99999/inferpath',
  'zookeeper://zk1,/inferpath',
  'zookeeper://zk1/zookeeper',
  'zookeeper://zk1/a/../b',
];

describe('addresses of samples and documents that cannot be', () => {
  test.each(stores)('--store %s, of serve and of store', async (address, says) => {
    for (const command of [
      ['serve', 'network.yaml', '--store', address],
      ['store', 'info', '--store', address],
    ]) {
      const words = await refused(command);
      expect(words).toContain(says);
      expect(words).not.toContain('hunter2');
    }
    const byVariable = await refused(['serve', 'network.yaml'], { INFERPATH_STORE: address });
    expect(byVariable).toContain(says.replace('--store', 'INFERPATH_STORE'));
  });

  test.each(documents)('--documents %s, of serve and of store', async (address) => {
    for (const command of [
      ['serve', 'network.yaml', '--documents', address],
      ['store', 'info', '--store', 'clickhouse://127.0.0.1:1/db', '--documents', address],
    ])
      expect(await refused(command)).toContain('allowed: zookeeper://HOST:PORT,…/PATH');
  });

  test('--documents without --store, where there are none', async () => {
    expect(await refused(['store', 'check', '--documents', 'zookeeper://127.0.0.1:1/x'])).toContain(
      'found without --store',
    );
  });

  test('servers that do not answer, and a password file that is not there', async () => {
    const store = ['--store', 'clickhouse://127.0.0.1:1,127.0.0.1:2/db'];
    expect(await refused(['serve', 'network.yaml', ...store])).toMatch(/--store: ClickHouse at .*ECONNREFUSED/);
    expect(await refused(['store', 'export', 'x.csv', ...store])).toMatch(/--store: ClickHouse at .*ECONNREFUSED/);
    const missing = { INFERPATH_CLICKHOUSE_PASSWORD_FILE: join(cwd, 'nowhere') };
    expect(await refused(['serve', 'network.yaml', ...store], missing)).toMatch(/PASSWORD_FILE: cannot read .*nowhere/);
  });

  test('which roll-ups count, where nobody tells', async () => {
    const words = await refused(['store', 'info', '--store', 'clickhouse://127.0.0.1:1/db']);
    expect(words).toMatch(/--data: there is no store in[\s\S]*--documents/);
  });
});
