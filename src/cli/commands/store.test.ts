import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { storeReport } from '../../model/store-report.ts';
import { columnsOf } from '../../store/columns.ts';
import { openStore } from '../../store/open.ts';
import { runCli } from '../run.ts';
import { storeCommand } from './store.ts';

const cwd = mkdtempSync(join(tmpdir(), 'inferpath-store-command-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

/** The command on real folders below `cwd`. */
async function run(...argv: string[]) {
  const plain = fakeIo({ cwd });
  const io = { ...plain, fs: { ...plain.fs, exists: (path: string) => Promise.resolve(existsSync(path)) } };
  const lazy = { name: 'store', load: () => Promise.resolve(storeCommand) };
  const code = await runCli(['store', ...argv], io, [lazy]);
  return { code, out: plain.stdout(), err: plain.stderr() };
}

const sample = (endpoint: string) => ({
  atMs: 1_700_000_000_000,
  endpoint,
  kind: 'tcp' as const,
  outcome: 'answered' as const,
  verdict: 'ok' as const,
  metrics: { rttMs: 1.5 },
  state: null,
  detail: null,
});
const open = (data: string) => openStore(join(cwd, data, 'store'), fakeIo());

describe('inferpath store', () => {
  test('takes samples from one data folder to another, once', { timeout: 60_000 }, async () => {
    const { store, close } = await open('one');
    const columns = columnsOf([sample('chat'), sample('other')]);
    await store.append([{ key: 'batch-of-test', agent: 'berlin', columns }]);
    await close();
    expect(await run('export', 'all.csv', '--data', 'one')).toMatchObject({ code: 0, err: '' });
    expect(readFileSync(join(cwd, 'all.csv'), 'utf8')).toContain('"batch-of-test/1",2023-11-14T22:13:20.000Z,');
    const imported = await run('import', 'all.csv', '--data', 'two', '--json');
    expect(storeReport.parse(JSON.parse(imported.out))).toMatchObject({ samples: 2, batches: 1, duplicates: 0 });
    expect((await run('import', 'all.csv', '--data', 'two')).out).toBe(
      '0 samples of 0 batches stored; 1 batches were there already.\n',
    );
    const info = await run('info', '--data', 'two', '--json');
    expect(storeReport.parse(JSON.parse(info.out))).toMatchObject({ info: { samples: 2, endpoints: 2, agents: 1 } });
    expect((await run('info', '--data', 'two')).out).toMatch(/^samples +2 in 1 batches/m);
    expect(await run('check', '--data', 'two')).toMatchObject({ code: 0, out: 'Nothing contradicts itself.\n' });
    const some = await run('export', 'some.jsonl', '--data', 'two', '--endpoint', 'other', '--json');
    expect(storeReport.parse(JSON.parse(some.out))).toMatchObject({ samples: 1, format: 'jsonl' });
  });

  test('says which process has the store open, and what to do', async () => {
    const { close } = await open('busy');
    const busy = await run('info', '--data', 'busy');
    expect(busy.code).toBe(2);
    expect(busy.err).toMatch(/has it open/);
    expect(busy.err).toContain('stop the server first');
    await close();
  });

  test.each([
    [['dance'], /found "dance"; allowed: info, check, repair, export, import/],
    [['export'], /<file>: is required; the file to write/],
    [['info', 'x.csv'], /"x.csv": unexpected argument; allowed: none/],
    [['export', 'x.txt', '--data', 'one'], /--format: the name "x.txt" does not tell/],
    [['info', '--data', 'nowhere'], /there is no store in "nowhere"/],
    [['import', 'nowhere.csv', '--data', 'one'], /there is no "/],
  ])('refuses %j', async (argv, words) => {
    const { code, err } = await run(...argv);
    expect(code).toBe(2);
    expect(err).toMatch(words);
    expect(existsSync(join(cwd, 'nowhere'))).toBe(false);
  });
});
