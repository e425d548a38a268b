/**
 * Holds `inferpath capture` against what really happened: streams over an emulated network, captured at both ends.
 *
 *   npx tsx bench/capture-truth/run.ts [--seeds 20] [--requests 40] [--only NAME[,NAME]] [--json FILE] [--jobs 1] [--built]
 *     [--keep FOLDER | --from FOLDER]
 *
 * --jobs: so many runs at once; they wait most of the time. --built: the CLI of `npm run build`, which starts faster. --keep: recordings
 * stay in a folder, and a run that has one already is not made again. --from: only scores what is there.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Condition, conditions } from './conditions.ts';
import { noGo } from './go-server.ts';
import { record } from './record.ts';
import { peersOf } from './peers.ts';
import { isRecorded, recorded } from './recorded.ts';
import { type Score, scoreOf } from './score.ts';
import { tableHead, tableLine } from './table.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    requests: { type: 'string', default: '40' },
    only: { type: 'string' },
    json: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    keep: { type: 'string' },
    from: { type: 'string' },
    built: { type: 'boolean', default: false },
  },
});
const seeds = Number(values.seeds);
const requests = Number(values.requests);
const wanted = values.only?.split(',');
const root = fileURLToPath(new URL('../../', import.meta.url));
const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const cli = values.built
  ? ['node', `${root}dist/cli/inferpath.cjs`]
  : ['node', '--import', loader, `${root}src/cli/main.ts`];
const io = {
  env: process.env,
  cwd: root,
  clock: {
    monoMs: () => performance.now(),
    wallMs: () => Date.now(),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  },
};

/** A run of a condition with a seed: its recording is made where there is none, and thrown away unless it is to be kept. */
async function run(condition: Condition, seed: number): Promise<Score> {
  const folder = values.from ?? values.keep ?? (await mkdtemp(join(tmpdir(), 'capture-truth-')));
  const own = join(folder, `${condition.name}-${seed}`);
  if (!values.from && !(await isRecorded(own))) await record(condition, { cli, requests, seed, io, folder: own });
  const left = await recorded(own);
  const score = scoreOf(left, await peersOf(left, own));
  if (!values.from && !values.keep) await rm(folder, { recursive: true });
  return score;
}

const results: { condition: string; seed: number; score: Score }[] = [];
const withoutGo = values.from ? null : await noGo();
for (const { name, server } of conditions)
  if (server && withoutGo) process.stderr.write(`${name} is skipped: ${withoutGo}\n`);
const chosen = conditions.filter(({ name, server }) => (!wanted || wanted.includes(name)) && !(server && withoutGo));
// Seed by seed, so that whatever is there when it is broken off is there for all conditions.
const todo = Array.from({ length: seeds }, (_, i) => chosen.map((condition) => ({ condition, seed: i + 1 }))).flat();
let next = 0;
async function worker(): Promise<void> {
  for (let at = next++; at < todo.length; at = next++) {
    const { condition, seed } = todo[at]!;
    const score = await run(condition, seed);
    results.push({ condition: condition.name, seed, score });
    process.stderr.write(`${condition.name}, seed ${seed}: ${results.length} of ${todo.length} done\n`);
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
process.stdout.write(`${tableHead}\n`);
for (const { name } of chosen) {
  const scores = results.filter((one) => one.condition === name).map((one) => one.score);
  for (const tap of ['client', 'server'] as const) process.stdout.write(`${tableLine(name, tap, scores)}\n`);
}
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, node ${process.version}, ${seeds} seeds, ${requests} requests each, load ${loadavg()[0]?.toFixed(1)} at the end`;
process.stdout.write(`\n${machine}\n`);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 1)}\n`);
