import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { openStore } from '../../src/store/open.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const ROWS = 40;
const all = { fromMs: 0, toMs: 2e12 };

export interface Rounds {
  promisedBatches: number;
  /** Stored without a promise: killed between both. */
  unpromisedBatches: number;
  commits: number;
  /** Longest time to open the store after a kill, ms. */
  openMsMax: number;
  faults: string[];
}

/**
 * Kills a process that stores (SIGKILL) again and again at moments of no design, opens the store after each, and holds what is there
 * against what was promised: every batch whole and once, roll-ups and samples the same, every commit of documents.
 */
export async function killRounds(
  folder: string,
  rounds: number,
  delayMs: (round: number) => number,
  monoMs: () => number,
): Promise<Rounds> {
  const writer = bundledWriter();
  const promised = new Set<string>();
  let counter = 0;
  const result: Rounds = { promisedBatches: 0, unpromisedBatches: 0, commits: 0, openMsMax: 0, faults: [] };
  for (let round = 0; round < rounds; round++) {
    const told = await oneLife(writer, folder, round, delayMs(round));
    for (const [, key] of told.matchAll(/^\+ (\S+)$/gm)) promised.add(key!);
    for (const [, n] of told.matchAll(/^= (\d+)$/gm)) counter = Math.max(counter, Number(n));
    for (const [fault] of told.matchAll(/^! .*$/gm)) result.faults.push(fault);
    const openedAt = monoMs();
    const { store, documents, close } = await openStore(folder, { clock: { wallMs: () => 1_700_000_000_000 } });
    result.openMsMax = Math.max(result.openMsMax, monoMs() - openedAt);
    const fault = (words: string) => result.faults.push(`round ${round}: ${words}`);

    const rows = await rowsPerBatch(store);
    for (const key of promised) if (!rows.has(key)) fault(`${key} is lost`);
    for (const [key, { size, ids }] of rows)
      if (ids !== ROWS || size !== ROWS) fault(`${key} has ${size} rows, ${ids} of them different`);
    result.unpromisedBatches = rows.size - promised.size;
    for (const stepMs of [60_000, 3_600_000]) {
      const points = await store.series({
        ...all,
        stepMs,
        kind: 'tcp',
        metric: 'rttMs',
        quantiles: [],
        by: 'endpoint',
      });
      const counted = points.reduce((sum, { ok }) => sum + ok, 0);
      if (counted !== rows.size * ROWS)
        fault(`${counted} samples in steps of ${stepMs} ms, ${rows.size * ROWS} stored`);
    }
    const [one, two] = [await documents.get('counter', 'one'), await documents.get('counter', 'two')];
    if (((one?.body as number | undefined) ?? 0) < counter)
      fault(`counter is ${String(one?.body)}, ${counter} was committed`);
    if (one?.body !== two?.body || one?.version !== two?.version) fault('half a commit');
    await close();
  }
  return { ...result, promisedBatches: promised.size, commits: counter };
}

/** One file, because a life is short: below node_modules, where the packages that it leaves out are found. */
function bundledWriter(): string {
  const outfile = here('../../node_modules/.cache/inferpath/store-writer.mjs');
  mkdirSync(here('../../node_modules/.cache/inferpath'), { recursive: true });
  buildSync({
    entryPoints: [fileURLToPath(new URL('store-writer.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return outfile;
}

async function oneLife(writer: string, folder: string, round: number, delayMs: number): Promise<string> {
  const child = spawn(process.execPath, [writer, folder, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    timer ??= setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  await once(child, 'close');
  // A line that the kill cut is no promise.
  return told.slice(0, told.lastIndexOf('\n') + 1);
}

async function rowsPerBatch(store: Awaited<ReturnType<typeof openStore>>['store']) {
  const rows = new Map<string, { size: number; ids: number }>();
  const seen = new Map<string, Set<string>>();
  let after: string | null = null;
  do {
    const page = await store.samples({ ...all, limit: 20_000, columnsOnly: true, ...(after !== null && { after }) });
    for (const { id } of page.samples) {
      const key = id.slice(0, id.lastIndexOf('/'));
      if (!seen.has(key)) seen.set(key, new Set());
      seen.get(key)!.add(id);
      rows.set(key, { size: (rows.get(key)?.size ?? 0) + 1, ids: seen.get(key)!.size });
    }
    after = page.next;
  } while (after !== null);
  return rows;
}
