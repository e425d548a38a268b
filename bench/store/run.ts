// `npx tsx bench/store/run.ts [--seconds S] [--agents N] [--dir DIR]`: the embedded store under load. A day of history, then ingest as
// fast as it goes with a dashboard beside it, then memory, disk and reopening. Prints one JSON object; README.md tells the figures.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openStore } from '../../src/store/open.ts';
import type { SampleColumns } from '../../src/store/columns.ts';
import { seededRandom } from '../../src/stats/random.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    agents: { type: 'string', default: '50' },
    'history-agents': { type: 'string', default: '2' },
    rows: { type: 'string', default: '2000' },
    dir: { type: 'string' },
    pace: { type: 'string', default: '0' },
  },
});
const SECONDS = Number(values.seconds);
const AGENTS = Number(values.agents);
const HISTORY_AGENTS = Number(values['history-agents']);
const ROWS = Number(values.rows);
/** Rows per second to offer; 0: as fast as it goes. */
const PACE = Number(values.pace);
const TARGETS = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const random = seededRandom(4);
const folder = values.dir ?? mkdtempSync(join(tmpdir(), 'inferpath-bench-store-'));
const endpoints = Array.from({ length: TARGETS }, (_, i) => `endpoint-${i}`);
const nowMs = Math.floor(1_767_225_600_000 / HOUR) * HOUR;
let clockMs = nowMs;
const io = { clock: { wallMs: () => clockMs } };

/** A round trip that a network might have: a floor per target, and a tail. */
const rtt = (target: number) => 2 + (target % 97) + -Math.log(1 - random()) * 3;

function columnsOfRows(rows: number, atMs: (row: number) => number, target: (row: number) => number): SampleColumns {
  const endpoint = Array.from({ length: rows }, (_, row) => target(row));
  return {
    count: rows,
    endpoints,
    kinds: ['tcp'],
    outcomes: ['answered', 'timedOut'],
    states: [],
    atMs: Array.from({ length: rows }, (_, row) => atMs(row)),
    endpoint,
    kind: Array<number>(rows).fill(0),
    outcome: Array.from({ length: rows }, (_, row) => (row % 500 === 0 ? 1 : 0)),
    verdict: Array.from({ length: rows }, (_, row) => (row % 500 === 0 ? 1 : 0)),
    state: Array<null>(rows).fill(null),
    metrics: {
      rttMs: endpoint.map((at, row) => (row % 500 === 0 ? null : Math.round(rtt(at) * 1000) / 1000)),
      retransmits: endpoint.map((_, row) => (row % 500 === 0 ? null : 0)),
    },
  };
}

const ms = () => performance.now();
const rssMb = () => Math.round(process.memoryUsage.rss() / 1e6);
const round = (x: number) => Math.round(x * 10) / 10;
const quantile = (sorted: number[], p: number) =>
  round(sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? NaN);
const figures = (list: number[]) => {
  const sorted = [...list].sort((a, b) => a - b);
  return { n: sorted.length, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) };
};
const diskBytes = () =>
  ['', '.wal'].reduce(
    (sum, end) => sum + (statSync(join(folder, `inferpath.duckdb${end}`), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );

const result: Record<string, unknown> = { node: process.version, loadBefore: loadavg().map(round) };
let opened = await openStore(folder, io);
let key = 0;
const nextKey = () => `bench-${String(key++).padStart(8, '0')}`;

// A day of one probe a minute to each target from each of a few agents.
const historyFrom = ms();
let historyRows = 0;
for (let minute = 0; minute < 1440; minute += 30) {
  const at = nowMs - DAY + minute * 60_000;
  clockMs = at;
  const columns = columnsOfRows(
    TARGETS * 30,
    (row) => at + Math.floor(row / TARGETS) * 60_000 + (row % TARGETS) * 60,
    (row) => row % TARGETS,
  );
  const batches = Array.from({ length: HISTORY_AGENTS }, (_, i) => ({ key: nextKey(), agent: `agent-${i}`, columns }));
  await opened.store.append(batches);
  historyRows += TARGETS * 30 * HISTORY_AGENTS;
  await opened.store.maintain(at + 30 * 60_000);
}
await opened.store.maintain(nowMs);
result['history'] = { rows: historyRows, seconds: round((ms() - historyFrom) / 1000), rssMb: rssMb() };

const query = {
  fromMs: nowMs - DAY,
  toMs: nowMs + HOUR,
  kind: 'tcp',
  metric: 'rttMs',
  quantiles: [0.5, 0.95, 0.99],
  by: 'endpoint',
} as const;
const ask = {
  'day x 1000 targets, 1 h points': () => opened.store.series({ ...query, stepMs: HOUR }),
  'day x 1 target, 5 min points': () => opened.store.series({ ...query, stepMs: 300_000, endpoints: ['endpoint-7'] }),
  'hour x 1000 targets, 5 min points': () => opened.store.series({ ...query, fromMs: nowMs - HOUR, stepMs: 300_000 }),
  'budget: counts of 100 targets over 6 h with a limit': () =>
    opened.store.counts({
      fromMs: nowMs - 6 * HOUR,
      toMs: nowMs + HOUR,
      stepMs: 60_000,
      kind: 'tcp',
      endpoints: endpoints.slice(0, 100),
      limit: { metric: 'rttMs', max: 50 },
    }),
  'latest of all': () => opened.store.latest(nowMs - 300_000),
};
async function measureQueries(rounds: number, until = Infinity): Promise<Record<string, object>> {
  const times: Record<string, number[]> = {};
  for (let i = 0; i < rounds && ms() < until; i++)
    for (const [name, run] of Object.entries(ask)) {
      const from = ms();
      await run();
      (times[name] ??= []).push(ms() - from);
    }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, figures(list)]));
}
result['quietQueriesMs'] = await measureQueries(15);

// Ingest, maintenance and a dashboard at the same time. Batches are made beforehand: what is measured is the store.
const made = Array.from({ length: 8 }, () =>
  columnsOfRows(
    ROWS,
    (row) => nowMs + row,
    () => Math.floor(random() * TARGETS),
  ),
);
const until = ms() + SECONDS * 1000;
const begun = ms();
let stored = 0;
const appendMs: number[] = [];
const rssOverTime: number[] = [];
async function lane(lane: number): Promise<void> {
  for (let i = 0; ms() < until; i++) {
    if (PACE > 0 && stored > ((ms() - begun) / 1000) * PACE) {
      await new Promise((done) => setTimeout(done, 5));
      continue;
    }
    const columns = made[(i + lane) % made.length]!;
    const shift = Math.floor(ms() - begun);
    const from = ms();
    await opened.store.append([
      {
        key: nextKey(),
        agent: `agent-${lane}`,
        columns: { ...columns, atMs: Array.from(columns.atMs, (at) => at + shift) },
      },
    ]);
    appendMs.push(ms() - from);
    stored += columns.count;
  }
}
async function tend(): Promise<void> {
  const times: number[] = [];
  while (ms() < until) {
    clockMs = nowMs + Math.floor(ms() - begun);
    const from = ms();
    await opened.store.maintain(clockMs);
    times.push(ms() - from);
    rssOverTime.push(rssMb());
    await new Promise((done) => setTimeout(done, 2000));
  }
  result['maintainMs'] = figures(times);
}
const [underLoad] = await Promise.all([
  measureQueries(Infinity, until),
  tend(),
  ...Array.from({ length: AGENTS }, (_, i) => lane(i)),
]);
const seconds = (ms() - begun) / 1000;
result['ingest'] = {
  rows: stored,
  rowsPerSecond: Math.round(stored / seconds),
  batchRows: ROWS,
  agents: AGENTS,
  appendMs: figures(appendMs),
};
result['queriesWhileIngestingMs'] = underLoad;
result['rssMbOverTime'] = rssOverTime.filter((_, i) => i % Math.ceil(rssOverTime.length / 20) === 0);

const closeFrom = ms();
await opened.close();
result['closeMs'] = round(ms() - closeFrom);
result['disk'] = { bytes: diskBytes(), bytesPerRow: round(diskBytes() / (stored + historyRows)) };
const openFrom = ms();
opened = await openStore(folder, io);
result['openMs'] = round(ms() - openFrom);
await opened.close();
result['loadAfter'] = loadavg().map(round);
result['cpu'] = execFileSync('sh', ['-c', "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2; nproc"], {
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .map((s) => s.trim());
if (values.dir === undefined) rmSync(folder, { recursive: true });
console.log(JSON.stringify(result, null, 2));
