import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { columnsOf } from '../columns.ts';
import { StoreFullError } from '../full.ts';
import { openStore } from '../open.ts';
import type { Batch, Store } from '../store.ts';
import { StoreBusyError } from './database.ts';

const folder = mkdtempSync(join(tmpdir(), 'inferpath-medium-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const MIB = 2 ** 20;
const start = 1_700_000_000_000;
const io = { clock: { wallMs: () => start } };
const all = { fromMs: 0, toMs: 2e12 };

/** A disk of its own, if that can be had here. */
const disk = join(folder, 'disk');
mkdirSync(disk);
const mounted =
  process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]).status === 0;
afterAll(() => void (mounted && spawnSync('umount', ['-l', disk])));

let keys = 0;
/** Text that no compression makes smaller: the disk fills as fast as it looks. */
function batch(rows: number): Batch {
  const key = `medium-key-${keys++}`;
  const noise = () =>
    Buffer.from(Array.from({ length: 700 }, () => Math.floor(Math.random() * 256))).toString('base64');
  const samples = Array.from({ length: rows }, (_, row) => ({
    atMs: start + row,
    endpoint: 'chat',
    kind: 'tcp' as const,
    outcome: 'answered' as const,
    verdict: 'ok' as const,
    metrics: { rttMs: row },
    state: null,
    detail: noise(),
  }));
  return { key, agent: 'berlin', columns: columnsOf(samples) };
}

async function rowsByKey(store: Store): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  const { samples } = await store.samples({ ...all, limit: 1_000_000, columnsOnly: true });
  for (const { id } of samples) {
    const key = id.slice(0, id.lastIndexOf('/'));
    rows[key] = (rows[key] ?? 0) + 1;
  }
  return rows;
}

test.skipIf(!mounted)(
  `a full disk: append() and commit() reject, nothing is half stored, and all goes on when there is space again${mounted ? '' : ' (needs root, to mount a small disk)'}`,
  { timeout: 60_000 },
  async () => {
    const path = join(disk, 'data');
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(12 * 2 ** 20));
    const { store, documents, close } = await openStore(path, io, { memoryLimitMb: 128, reserveBytes: 0 });
    const stored: string[] = [];
    const rejected: Batch[] = [];
    const fill = async () => {
      for (let i = 0; i < 60 && rejected.length < 3; i++) {
        const next = batch(500);
        const answer = await store.append([next]).catch((error: unknown) => String(error));
        if (Array.isArray(answer)) {
          stored.push(next.key);
        } else {
          expect(answer).toMatch(/no space|not enough|disk|full|write/i);
          rejected.push(next);
        }
      }
    };
    await fill();
    expect(rejected).toHaveLength(3);
    expect(stored.length).toBeGreaterThan(0);
    // Readers do not mind.
    for (const [key, rows] of Object.entries(await rowsByKey(store))) expect([key, rows]).toEqual([key, 500]);
    const put = (body: string, version: number) => ({ put: { collection: 'c', id: 'a', body }, version });
    const committed = await documents.commit([put('x'.repeat(2 ** 21), 0)]).catch((error: unknown) => String(error));
    expect(committed === true || /space|disk|full|write/i.test(String(committed))).toBe(true);

    await store
      .maintain(start + 500)
      .catch((error: unknown) => expect(String(error)).toMatch(/space|disk|full|write/i));

    rmSync(ballast);
    for (const late of rejected) {
      expect(['stored', 'duplicate']).toContain((await store.append([late]))[0]);
      stored.push(late.key);
    }
    expect(await documents.commit([put('small', committed === true ? 1 : 0)])).toBe(true);
    await store.maintain(start + 1000);
    expect(await rowsByKey(store)).toEqual(Object.fromEntries(stored.map((key) => [key, 500])));
    await close();

    const again = await openStore(path, io);
    expect(await rowsByKey(again.store)).toEqual(Object.fromEntries(stored.map((key) => [key, 500])));
    expect((await again.documents.get('c', 'a'))?.body).toBe('small');
    const points = await again.store.series({
      ...all,
      stepMs: 60_000,
      kind: 'tcp',
      metric: 'rttMs',
      quantiles: [],
      by: 'endpoint',
    });
    expect(points.reduce((sum, { ok }) => sum + ok, 0)).toBe(stored.length * 500);
    await again.close();
    rmSync(path, { recursive: true });
  },
);

test.skipIf(!mounted)(
  `samples leave room on the disk in which documents and roll-ups go on${mounted ? '' : ' (needs root, to mount a small disk)'}`,
  { timeout: 60_000 },
  async () => {
    const path = join(disk, 'reserve');
    const { store, documents, room, close } = await openStore(path, io, { memoryLimitMb: 128, reserveBytes: 4 * MIB });
    const stored: string[] = [];
    const fill = async (): Promise<unknown> => {
      for (let i = 0; i < 60; i++) {
        const next = batch(500);
        const error = await store.append([next]).then(
          () => null,
          (failure: unknown) => failure,
        );
        if (error !== null) return error;
        stored.push(next.key);
      }
      return null;
    };
    const error = await fill();
    expect(error).toBeInstanceOf(StoreFullError);
    expect(String(error)).toContain('4 MiB are kept');
    const left = await room();
    expect(left?.reservedBytes).toBe(4 * MIB);
    expect(left?.freeBytes).toBeGreaterThan(0);
    expect(await documents.commit([{ put: { collection: 'alert', id: 'a', body: 'fires' }, version: 0 }])).toBe(true);
    await store.maintain(start + 61_000);
    expect(await rowsByKey(store)).toEqual(Object.fromEntries(stored.map((key) => [key, 500])));
    await close();
    rmSync(path, { recursive: true });
  },
);

test('a second process is told who has the store', { timeout: 60_000 }, async () => {
  const path = join(folder, 'busy');
  const open = fileURLToPath(new URL('../open.ts', import.meta.url));
  const script = `const { openStore } = await import(${JSON.stringify(open)});
    await openStore(${JSON.stringify(path)}, { clock: { wallMs: () => 0 } });
    console.log('open');
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
  });
  try {
    await once(holder.stdout, 'data');
    const error = await openStore(path, io).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(StoreBusyError);
    expect((error as StoreBusyError).holderPid).toBe(holder.pid);
    expect((error as StoreBusyError).message).toContain(`process ${holder.pid}`);
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'close');
  }
  const { store, close } = await openStore(path, io);
  expect(await store.append([batch(1)])).toEqual(['stored']);
  await close();
});

test('what is no database is left alone, and named', async () => {
  const path = join(folder, 'garbage');
  mkdirSync(path);
  writeFileSync(join(path, 'inferpath.duckdb'), 'this is no database at all, but it is somebody’s');
  await expect(openStore(path, io)).rejects.toThrow(/inferpath\.duckdb/);
});
