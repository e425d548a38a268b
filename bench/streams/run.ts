/**
 * How exactly, and at what cost, does one process follow many token streams? Reflectors in processes of their own write the
 * truth; this joins it with what a client stamped. The streams are doubled until something says that it cannot keep up.
 *
 *   npx tsx bench/streams/run.ts [--streams 300] [--rounds 3] [--seconds 6] [--most 4800]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ClientResult, quantile } from './arrivals.ts';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    most: { type: 'string', default: '4800' },
  },
});
const tokensPerS = 50;
const tokens = tokensPerS * Math.min(12, Number(values.seconds));
const rounds = Math.min(10, Number(values.rounds));
const most = Math.min(9600, Number(values.most));
/** Beyond this a reflector counts as late: its events bunch, whoever reads them. */
const reflectorLateMs = 20;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const tsx = import.meta.resolve('tsx');
const run = (script: string, args: string[]) =>
  spawn(process.execPath, ['--import', tsx, here(script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });

interface Truth {
  requestId: string;
  tokenMs: number[];
  scheduledMs: number[];
  backpressuredEvents: number[];
}

interface Outcome {
  client: ClientResult;
  /** Arrival minus truth, rising, ms. */
  errors: Float64Array;
  /** Write minus schedule of the reflector, rising, ms. */
  late: Float64Array;
  /** Tokens that the truth has and the client does not, or the other way round. */
  unmatched: number;
}

async function measureOnce(script: string, streams: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-streams-'));
  // One process writes about 25 000 events a second on a core; from 600 streams on two share the work.
  const count = streams > 600 ? 2 : 1;
  const truthFiles = Array.from({ length: count }, (_, i) => join(folder, `truth-${i}.jsonl`));
  const reflectors = truthFiles.map((file) =>
    run('../../src/cli/main.ts', [
      'reflect',
      '--json',
      '--listen',
      '127.0.0.1:0',
      '--truth',
      file,
      '--seed',
      '1',
      '--tokens',
      String(tokens),
      '--token-ms',
      String(1000 / tokensPerS),
      '--queue-ms',
      'uniform:0,1000',
    ]),
  );
  try {
    const urls = await Promise.all(reflectors.map(urlOf));
    const child = run(script, [String(streams), String(tokens), ...urls]);
    const client = JSON.parse(await textOf(child)) as ClientResult;
    await Promise.all(reflectors.map(stop));
    return joined(client, truthFiles.flatMap(truthOf));
  } finally {
    for (const reflector of reflectors) reflector.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function urlOf(reflector: ChildProcess): Promise<string> {
  const [line] = (await once(reflector.stdout as NonNullable<typeof reflector.stdout>, 'data')) as [Buffer];
  return (JSON.parse(line.toString().split('\n', 1)[0] as string) as { url: string }).url;
}

async function stop(reflector: ChildProcess): Promise<void> {
  const exited = once(reflector, 'exit');
  reflector.kill('SIGTERM');
  await exited;
}

async function textOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await once(child, 'close');
  return text;
}

function truthOf(file: string): Truth[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Truth);
}

function joined(client: ClientResult, truth: readonly Truth[]): Outcome {
  const errors: number[] = [];
  const late: number[] = [];
  let unmatched = 0;
  for (const row of truth) {
    const arrivals = client.arrivals[row.requestId] ?? [];
    unmatched += Math.abs(arrivals.length - row.tokenMs.length);
    const blocked = new Set(row.backpressuredEvents);
    row.tokenMs.forEach((ms, i) => {
      late.push(ms - (row.scheduledMs[i] as number));
      const atMs = arrivals[i];
      if (atMs !== undefined && !blocked.has(i)) errors.push(atMs - ms);
    });
  }
  return { client, errors: Float64Array.from(errors).sort(), late: Float64Array.from(late).sort(), unmatched };
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const ms = (value: number) => (value < 10 ? value.toFixed(3) : value.toFixed(0));
const cell = (o: Outcome) => {
  const { client, errors, late } = o;
  const row = [
    `${ms(quantile(errors, 0.5))} / ${ms(quantile(errors, 0.99))} / ${ms(quantile(errors, 0.999))}`,
    String(errors.length),
    `${ms(quantile(late, 0.5))} / ${ms(quantile(late, 0.99))}`,
    ((1000 * client.cpuMs) / client.events).toFixed(1),
    `${(100 * client.starved).toFixed(0)} %`,
    String(o.unmatched),
  ];
  return row.join(' | ');
};

say(
  `${cpus().length} × ${cpus()[0]?.model ?? '?'}, Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)}, ${tokens} tokens a stream at ${tokensPerS}/s`,
);
say(
  '| streams | client | stamp error p50 / p99 / p99.9 ms | n | reflector late p50 / p99 ms | CPU µs/event | starved | unmatched | bottleneck? |',
);
say('|---|---|---|---|---|---|---|---|---|');

const costs: { ours: number; plain: number }[] = [];
let streams = Number(values.streams);
for (let round = 0; round < rounds; round++) {
  const cost = { ours: 0, plain: 0 };
  // In turns, and who begins changes, so that what else the machine does hits both.
  for (const which of round % 2 === 0 ? (['ours', 'plain'] as const) : (['plain', 'ours'] as const)) {
    const outcome = await measureOnce(`./${which}.ts`, streams);
    cost[which] = (1000 * outcome.client.cpuMs) / outcome.client.events;
    tell(which, outcome);
  }
  costs.push(cost);
}
for (let level = streams * 2; level <= most; level *= 2) {
  streams = level;
  const outcome = await measureOnce('./ours.ts', streams);
  tell('ours', outcome);
  if (outcome.client.verdict?.bottleneck === true || quantile(outcome.late, 0.99) > 10 * reflectorLateMs) break;
}
const ratios = Float64Array.from(costs.map((c) => c.ours / c.plain)).sort();
if (ratios.length > 0)
  say(
    `\nCPU per event, ours against plain: ${quantile(ratios, 0.5).toFixed(2)} (${ratios[0]?.toFixed(2)} to ${ratios.at(-1)?.toFixed(2)}, ${ratios.length} rounds)`,
  );

function tell(who: string, outcome: Outcome): void {
  const { verdict } = outcome.client;
  const own = verdict
    ? verdict.bottleneck
      ? `yes: ${verdict.why}`
      : `no (read lag p99 ${ms(verdict.readLagP99Ms)} ms, parser ${ms(verdict.processingMaxMs)} ms)`
    : '–';
  const late = quantile(outcome.late, 0.99) > reflectorLateMs ? '; the reflector was late' : '';
  say(`| ${streams} | ${who} | ${cell(outcome)} | ${own}${late} |`);
}
