/**
 * Holds `inferpath capture` against what really happened: streams over an emulated network, captured at both ends.
 *
 *   npx tsx bench/capture-truth/run.ts [--seeds 20] [--requests 40] [--only NAME[,NAME]] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Condition, conditions } from './conditions.ts';
import { record } from './record.ts';
import { recorded } from './recorded.ts';
import { type Counts, type Score, scoreOf, type TapScore } from './score.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    requests: { type: 'string', default: '40' },
    only: { type: 'string' },
    json: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    keep: { type: 'string' },
    from: { type: 'string' },
  },
});
const seeds = Number(values.seeds);
const requests = Number(values.requests);
const wanted = values.only?.split(',');
const root = fileURLToPath(new URL('../../', import.meta.url));
const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const cli = ['node', '--import', loader, `${root}src/cli/main.ts`];
const io = {
  env: process.env,
  cwd: root,
  clock: {
    monoMs: () => performance.now(),
    wallMs: () => Date.now(),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  },
};

const share = (part: number, whole: number) => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`);
const recall = (c: Counts) => share(c.hits, c.hits + c.missed);
const precision = (c: Counts) => share(c.hits, c.hits + c.wrong);
const add = (a: Counts, b: Counts): Counts => ({
  hits: a.hits + b.hits,
  wrong: a.wrong + b.wrong,
  missed: a.missed + b.missed,
});
const none: Counts = { hits: 0, wrong: 0, missed: 0 };

/** A run of a condition with a seed: its recording is made where there is none, and thrown away unless it is to be kept. */
async function run(condition: Condition, seed: number): Promise<Score> {
  const folder = values.from ?? values.keep ?? (await mkdtemp(join(tmpdir(), 'capture-truth-')));
  const own = join(folder, `${condition.name}-${seed}`);
  if (!values.from) await record(condition, { cli, requests, seed, io, folder: own });
  const score = scoreOf(await recorded(own));
  if (!values.from && !values.keep) await rm(folder, { recursive: true });
  return score;
}

const results: { condition: string; seed: number; score: Score }[] = [];
process.stdout.write(
  '| condition | tap | sent again (kernel) | ours: recall, precision | tshark: recall, precision | stalls right / wrong / unknown | TTFT error p50, p99; stated p50; inside (against the log alone) | chunks right | at once: said, were |\n|---|---|---|---|---|---|---|---|---|\n',
);
const todo = conditions
  .filter(({ name }) => !wanted || wanted.includes(name))
  .flatMap((condition) => Array.from({ length: seeds }, (_, i) => ({ condition, seed: i + 1 })));
let next = 0;
async function worker(): Promise<void> {
  for (let at = next++; at < todo.length; at = next++) {
    const { condition, seed } = todo[at]!;
    const score = await run(condition, seed);
    results.push({ condition: condition.name, seed, score });
    const scores = results.filter((one) => one.condition === condition.name).map((one) => one.score);
    if (scores.length === seeds)
      for (const tap of ['client', 'server'] as const) process.stdout.write(`${line(condition.name, tap, scores)}\n`);
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, node ${process.version}, ${seeds} seeds, ${requests} requests each, load ${loadavg()[0]?.toFixed(1)} at the end`;
process.stdout.write(`\n${machine}\n`);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 1)}\n`);

function line(name: string, tap: 'client' | 'server', scores: readonly Score[]): string {
  const taps: TapScore[] = scores.map((score) => score[tap]);
  const ours = taps.map((one) => one.ours).reduce(add, none);
  const tshark = taps.map((one) => one.tshark).reduce(add, none);
  const sum = (of: (one: TapScore) => number) => taps.reduce((total, one) => total + of(one), 0);
  const errors = taps.flatMap((one) => one.ttftErrorsMs).sort((a, b) => a - b);
  const stated = taps.flatMap((one) => one.statedMs).sort((a, b) => a - b);
  const at = (p: number) => errors[Math.min(errors.length - 1, Math.floor(p * errors.length))]?.toFixed(1) ?? '–';
  const wrong = taps.flatMap((one) => one.wrongStalls).slice(0, 5);
  const cells = [
    name,
    tap,
    `${scores.reduce((n, s) => n + s.retransmissions, 0)} (${scores.reduce((n, s) => n + s.kernelRetransmissions, 0)})`,
    `${recall(ours)}, ${precision(ours)}`,
    `${recall(tshark)}, ${precision(tshark)}`,
    `${sum((one) => one.stalls.right)} / ${sum((one) => one.stalls.wrong)} / ${sum((one) => one.stalls.unknown)}`,
    `${at(0.5)}, ${at(0.99)} ms; ± ${stated[stated.length >> 1]?.toFixed(1) ?? '–'} ms; ${share(
      sum((one) => one.ttftInside),
      errors.length,
    )} (${share(
      sum((one) => one.ttftInsideLog),
      errors.length,
    )})`,
    share(
      sum((one) => one.chunksRight),
      sum((one) => one.exchanges),
    ),
    `${sum((one) => one.overlapping.said)}, ${sum((one) => one.overlapping.were)}`,
  ];
  return [`| ${cells.join(' | ')} |`, ...wrong.map((text) => `<!-- ${text} -->`)].join('\n');
}
