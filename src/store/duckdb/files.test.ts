import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { arbitrarySample, type Bare } from '../arbitrary.case.ts';
import { fileFormat } from '../../model/store-report.ts';
import { columnsOf } from '../columns.ts';
import { openStore } from '../open.ts';
import type { Store } from '../store.ts';

const folder = mkdtempSync(join(tmpdir(), 'inferpath-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let n = 0;
const open = () =>
  openStore(join(folder, `${n++}`), { clock: { wallMs: () => 1_700_000_000_000 } }, { memoryLimitMb: 256 });
const all = { fromMs: 0, toMs: 3e12, limit: 100_000 };
const everything = async (store: Store) => (await store.samples(all)).samples.sort((a, b) => (a.id < b.id ? -1 : 1));
const start = 1_700_000_000_000;
const bare = (change: Partial<Bare> = {}): Bare => ({
  atMs: start,
  endpoint: 'chat',
  kind: 'tcp',
  outcome: 'answered',
  verdict: 'ok',
  metrics: {},
  state: null,
  detail: null,
  ...change,
});

describe.each(fileFormat.options)('samples as %s', (format) => {
  test('come back as they were, ids included, and never twice', { timeout: 60_000 }, async () => {
    const [here, there] = [await open(), await open()];
    const samples = fc.sample(arbitrarySample(), { numRuns: 90, seed: n });
    samples.push(
      ...['=1+1', '@x', '-3', '+4', "'quoted", "''", '', '\t', '\r\n', 'a\0b', 'a,"b"', 'NULL'].map((text) =>
        bare({ endpoint: `e${text}`, state: text, detail: text }),
      ),
    );
    for (let i = 0; i < samples.length; i += 30)
      await here.store.append([
        {
          key: `-files-${format}-${i}`,
          agent: i === 0 ? '=agent' : 'oslo',
          columns: columnsOf(samples.slice(i, i + 30)),
        },
      ]);
    const path = join(folder, `it's all.${format}`);
    expect(await here.files.exportTo(path, format)).toBe(samples.length);
    expect(await there.files.importFrom(path, format)).toEqual({ samples: samples.length, batches: 4, duplicates: 0 });
    expect(await everything(there.store)).toEqual(await everything(here.store));
    expect(await there.files.importFrom(path, format)).toEqual({ samples: 0, batches: 4, duplicates: 4 });
    expect(await everything(there.store)).toHaveLength(samples.length);
    await there.store.maintain(start + 86_400_000);
    expect(await there.files.check()).toEqual([]);
    await here.close();
    await there.close();
  });

  test('can be chosen by time, endpoint, agent and kind, and keep their ids', async () => {
    const [here, there] = [await open(), await open()];
    const columns = columnsOf(
      [0, 1, 2, 3, 4, 5].map((i) => bare({ atMs: start + i, endpoint: `e${i % 2}`, kind: i < 4 ? 'tcp' : 'dns' })),
    );
    await here.store.append([
      { key: 'chosen-0001', agent: 'berlin', columns },
      { key: 'chosen-0002', agent: 'oslo', columns },
    ]);
    const path = join(folder, `chosen.${format}`);
    const query = { fromMs: start + 1, toMs: start + 5, endpoint: 'e1', agent: 'oslo', kind: 'tcp' as const };
    expect(await here.files.exportTo(path, format, query)).toBe(2);
    await there.files.importFrom(path, format);
    expect((await everything(there.store)).map(({ id }) => id)).toEqual(['chosen-0002/1', 'chosen-0002/3']);
    await here.close();
    await there.close();
  });
});

test('a spreadsheet finds no formula in a CSV file', async () => {
  const { store, files, close } = await open();
  await store.append([
    {
      key: 'formula-01',
      agent: '=a',
      columns: columnsOf([bare({ endpoint: '@e', state: '-1', detail: '+d', metrics: { clockOffsetMs: -2 } })]),
    },
  ]);
  const path = join(folder, 'formula.csv');
  await files.exportTo(path, 'csv');
  const [header, row] = readFileSync(path, 'utf8').split('\n');
  expect(header).toMatch(/^"?id"?,at,at_ms,/);
  for (const cell of ['"\'=a"', '"\'@e"', '"\'-1"', '"\'+d"', ',-2.0,']) expect(row).toContain(cell);
  await close();
});

test('importFrom() refuses what is no sample, and says which', async () => {
  const { store, files, close } = await open();
  const path = join(folder, 'bad.jsonl');
  const good = {
    id: 'good-batch/0',
    at_ms: start,
    agent: 'a',
    endpoint: 'e',
    kind: 'tcp',
    outcome: 'answered',
    verdict: 'ok',
  };
  const faults: [object, RegExp][] = [
    [{ id: 'nothing' }, /id/],
    [{ at_ms: null }, /at_ms/],
    [{ kind: 'telepathy' }, /kind is "telepathy"/],
    [{ outcome: 'won' }, /outcome is "won"/],
    [{ verdict: 'fine' }, /verdict/],
    [{ endpoint: null }, /endpoint/],
  ];
  for (const [change, words] of faults) {
    writeFileSync(path, `${JSON.stringify({ ...good, ...change })}\n`);
    await expect(files.importFrom(path, 'jsonl')).rejects.toThrow(words);
  }
  expect(await everything(store)).toEqual([]);
  writeFileSync(path, `${JSON.stringify(good)}\n`);
  expect(await files.importFrom(path, 'jsonl')).toEqual({ samples: 1, batches: 1, duplicates: 0 });
  await expect(files.importFrom(join(folder, 'none.parquet'), 'parquet')).rejects.toThrow(/none\.parquet/);
  await close();
});

test('info() says what is there, check() what contradicts itself', async () => {
  const { store, documents, files, close } = await open();
  expect(await files.info()).toMatchObject({ samples: 0, firstAt: null, documents: 0, format: 2 });
  await store.append([{ key: 'info-batch', agent: 'a', columns: columnsOf([bare(), bare({ atMs: start + 1000 })]) }]);
  await documents.commit([{ put: { collection: 'c', id: 'i', body: 1 }, version: 0 }]);
  expect(await files.info()).toMatchObject({
    samples: 2,
    batches: 1,
    notRolledUp: 2,
    firstAt: '2023-11-14T22:13:20.000Z',
    lastAt: '2023-11-14T22:13:21.000Z',
    agents: 1,
    endpoints: 1,
    documents: 1,
  });
  expect(await files.check()).toEqual([]);
  const { path } = await files.info();
  await close();
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run('INSERT INTO samples SELECT * FROM samples LIMIT 1');
  connection.closeSync();
  instance.closeSync();
  const again = await openStore(dirname(path), { clock: { wallMs: () => 0 } });
  expect(await again.files.check()).toEqual([
    '1 samples that are there twice',
    '1 batches with more samples than they came with',
  ]);
  await again.close();
});
