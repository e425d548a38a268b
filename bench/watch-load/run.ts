// `npm run build && npx tsx bench/watch-load/run.ts [--seconds S] [--rate ROWS] [--agents N]`: one server as it is shipped, 50 agents over
// mutual TLS, and a dashboard that asks for a day of 1,000 targets, all on this machine. Prints Markdown; README.md tells the figures.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import type { AgentsResult, AgentsTask } from './agents.ts';
import { prepare } from './prepare.ts';
import { table } from './table.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '102000' },
    agents: { type: 'string', default: '50' },
    rows: { type: 'string', default: '2000' },
    'history-agents': { type: 'string', default: '1' },
    'ask-every': { type: 'string', default: '500' },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const DAY = 86_400_000;
const cli = fileURLToPath(new URL('../../dist/cli/inferpath.cjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'inferpath-watch-load-'));
const note = (text: string) => process.stderr.write(`${text}\n`);
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
let failed = 0;

/** CPU seconds of a process so far: its first thread, which runs the JavaScript, and all others. */
function cpuOf(pid: number): { main: number; others: number } {
  const used = (task: string) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  const tasks = readdirSync(`/proc/${pid}/task`);
  const main = used(String(pid));
  return { main, others: tasks.reduce((sum, task) => sum + used(task), 0) - main };
}

const rssMb = (pid: number) =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1000);

/** One question, until its last octet is here. */
function ask(agent: Agent, url: string, token: string): Promise<{ ms: number; octets: number }> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      let octets = 0;
      response.on('data', (chunk: Buffer) => (octets += chunk.length));
      response.on('end', () => {
        if (response.statusCode === 200) resolve({ ms: performance.now() - from, octets });
        else reject(new Error(`HTTP ${response.statusCode}`));
      });
    }).on('error', reject);
  });
}

async function startServer(): Promise<{ child: ChildProcess; web: string; agentsPort: number }> {
  const args = ['serve', join(folder, 'network.yaml'), '--listen', '127.0.0.1:0', '--agents', '127.0.0.1:0'];
  const profile = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
  const child = spawn(process.execPath, [...profile, cli, ...args, '--data', join(folder, 'data'), '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.once('exit', (code, signal) => {
    note(`the server ended: ${code ?? signal}`);
    // By itself: there is nothing left to measure, and the folder is what tells why.
    if (!child.killed) {
      note(`kept: ${folder}`);
      process.exit(2);
    }
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url, agents } = JSON.parse(line.toString()) as { url: string; agents: string };
  return { child, web: url, agentsPort: Number(new URL(agents).port) };
}

/** What is in the store against what was acknowledged: each batch whole and once. */
async function count(keys: readonly string[], rows: number): Promise<{ lost: number; doubled: number; total: number }> {
  const instance = await DuckDBInstance.create(join(folder, 'data/store/inferpath.duckdb'), {
    access_mode: 'READ_ONLY',
  });
  const connection = await instance.connect();
  const found = await connection.runAndReadAll(
    `SELECT key, count(*)::INTEGER, count(DISTINCT row)::INTEGER FROM samples JOIN batches ON no = batch
      WHERE key LIKE 'agent-%' GROUP BY key`,
  );
  const total = Number((await connection.runAndReadAll('SELECT count(*) FROM samples')).getRows()[0]![0]);
  connection.closeSync();
  instance.closeSync();
  const stored = new Map(found.getRows().map(([key, n, distinct]) => [String(key), [Number(n), Number(distinct)]]));
  const lost = keys.filter((key) => stored.get(key)?.[1] !== rows).length;
  const doubled = [...stored.values()].filter(([n, distinct]) => n !== distinct).length;
  return { lost, doubled, total };
}

note('preparing a day of history');
const nowMs = Date.now();
const agents = Number(values.agents);
const rows = Number(values.rows);
const { identities, authorities, token, historyRows } = await prepare(folder, {
  agents,
  historyAgents: Number(values['history-agents']),
  nowMs,
});
const { child, web, agentsPort } = await startServer();
const pid = child.pid!;
const task: AgentsTask = {
  port: agentsPort,
  identities,
  authorities,
  rows,
  rowsPerSecond: Number(values.rate),
  seconds,
  life: `load-${nowMs.toString(36)}`,
};
writeFileSync(join(folder, 'task.json'), JSON.stringify(task), { mode: 0o600 });
const loadBefore = loadavg().map((x) => Math.round(x * 10) / 10);
note(`${seconds} s of ingest`);
const cpuBefore = cpuOf(pid);
const ownBefore = process.cpuUsage();
const generator = spawn(
  process.execPath,
  ['--import', 'tsx', fileURLToPath(new URL('agents.ts', import.meta.url)), join(folder, 'task.json')],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
let output = '';
generator.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
const isOver = new AbortController();
const rss: number[] = [];
const dashboardMs: number[] = [];
const oneMs: number[] = [];
let dashboardOctets = 0;

async function watchMemory(): Promise<void> {
  while (!isOver.signal.aborted) {
    rss.push(rssMb(pid));
    await sleep(1000);
  }
}
async function dashboard(): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const question = (step: number, more = '') => {
    const from = new Date(Date.now() - DAY).toISOString();
    const to = new Date().toISOString();
    return `${web}/api/v1/series?from=${from}&to=${to}&kind=tcp&metric=rttMs&step=${step}&quantiles=0.5,0.95,0.99${more}`;
  };
  while (!isOver.signal.aborted) {
    try {
      const all = await ask(agent, question(3_600_000), token);
      dashboardMs.push(all.ms);
      dashboardOctets = all.octets;
      oneMs.push((await ask(agent, question(300_000, '&endpoints=endpoint-7'), token)).ms);
    } catch (error) {
      // Told and counted: one question that fails must not hide what became of the batches.
      failed++;
      note(`the dashboard was not answered: ${String(error)}`);
    }
    await sleep(Number(values['ask-every']));
  }
  agent.destroy();
}
const watching = [watchMemory(), dashboard()];
await once(generator, 'close');
const cpuAfter = cpuOf(pid);
const own = process.cpuUsage(ownBefore);
isOver.abort();
await Promise.all(watching);
const sent = JSON.parse(output) as AgentsResult;
child.kill('SIGTERM');
await once(child, 'exit');
const store = join(folder, 'data/store/inferpath.duckdb');
const bytes = statSync(store).size;
const counted = await count(sent.acknowledged, rows);
const result = {
  machine: `${cpus().length} x ${cpus()[0]!.model}, Node ${process.version}`,
  loadBefore,
  seconds: sent.seconds,
  agents,
  batchRows: rows,
  offeredPerSecond: task.rowsPerSecond,
  rowsPerSecond: Math.round(sent.rows / sent.seconds),
  slowestSecond: Math.min(...sent.perSecond.slice(2, -2)),
  refused: sent.refused,
  ackMs: sent.ackMs,
  lateMs: sent.lateMs,
  dashboardMs,
  dashboardOctets,
  oneMs,
  unanswered: failed,
  rss,
  bytesPerRow: bytes / counted.total,
  storedRows: counted.total,
  historyRows,
  lostBatches: counted.lost,
  doubledBatches: counted.doubled,
  cpu: {
    serverMain: (cpuAfter.main - cpuBefore.main) / sent.seconds,
    serverOthers: (cpuAfter.others - cpuBefore.others) / sent.seconds,
    agents: sent.cpuSeconds / sent.seconds,
    dashboard: (own.user + own.system) / 1e6 / sent.seconds,
  },
};
if (values.keep) note(`kept: ${folder}`);
else rmSync(folder, { recursive: true });
process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
if (counted.lost + counted.doubled > 0) process.exitCode = 1;
