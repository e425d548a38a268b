// `npm run build && npx tsx bench/scaling/measure.ts`: what one agent costs, and what a connection of an agent costs the server. Real processes
// on loopback; prints JSON for constants.ts. The rest comes from bench/watch-load.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { AgentsResult } from '../watch-load/agents.ts';
import { prepare } from '../watch-load/prepare.ts';
import { body } from '../watch-load/workload.ts';

const cli = fileURLToPath(new URL('../../dist/cli/inferpath.cjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'inferpath-scaling-'));
const targets = 200;
const seconds = 20;
const connections = 1000;
const children: ChildProcess[] = [];

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const rssKb = (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** CPU seconds of all threads so far. */
function cpuOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** CPU seconds of the first thread, which runs the JavaScript, and of all others. */
function threadsOf(pid: number): { main: number; others: number } {
  const used = (task: string) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  const main = used(String(pid));
  return { main, others: readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + used(task), 0) - main };
}

async function start(args: readonly string[]): Promise<{ pid: number; line: string }> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'], cwd: folder });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { pid: child.pid ?? 0, line: line.toString() };
}

interface Status {
  health: { server: { acknowledgedSamples: number } };
}
const acknowledged = () =>
  (JSON.parse(readFileSync(join(folder, 'agent/status.json'), 'utf8')) as Status).health.server.acknowledgedSamples;

/** What batches of one size cost a server that does nothing else; of CPU, so that other work on the machine shows little. */
async function ingest(): Promise<unknown[]> {
  const place = join(folder, 'load');
  const agents = 50;
  const { identities, authorities } = await prepare(place, { agents, historyAgents: 0, nowMs: Date.now() });
  const server = await start([
    'serve',
    join(place, 'network.yaml'),
    '--listen=127.0.0.1:0',
    '--agents=127.0.0.1:0',
    `--data=${join(place, 'data')}`,
    '--json',
  ]);
  const port = Number(new URL((JSON.parse(server.line) as { agents: string }).agents).port);
  await sleep(5000);
  const idleBefore = threadsOf(server.pid);
  await sleep(10_000);
  const idle = threadsOf(server.pid);
  const points: unknown[] = [{ idle: { main: (idle.main - idleBefore.main) / 10 } }];
  for (const [rows, perSecond] of [
    [5, 1000],
    [200, 20_000],
    [2000, 40_000],
    [2000, 0],
  ] as const) {
    const task = {
      port,
      identities,
      authorities,
      rows,
      rowsPerSecond: perSecond,
      seconds: 8,
      life: `m${rows}-${perSecond}`,
    };
    writeFileSync(join(folder, 'task.json'), JSON.stringify(task), { mode: 0o600 });
    const before = threadsOf(server.pid);
    const script = fileURLToPath(new URL('../watch-load/agents.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, join(folder, 'task.json')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child, 'close');
    const after = threadsOf(server.pid);
    const sent = JSON.parse(output) as AgentsResult;
    const ack = [...sent.ackMs].sort((a, b) => a - b);
    points.push({
      rows,
      offered: perSecond,
      rowsPerSec: Math.round(sent.rows / sent.seconds),
      batches: sent.batches,
      seconds: sent.seconds,
      jsSec: after.main - before.main,
      otherSec: after.others - before.others,
      ackP50Ms: Math.round(ack[Math.floor(ack.length / 2)] ?? 0),
      ackP99Ms: Math.round(ack[Math.floor(ack.length * 0.99)] ?? 0),
    });
  }
  return points;
}

/** Octets of a batch as it travels, without HTTP and TLS. */
const zipped = (rows: number) => gzipSync(JSON.stringify(body(rows, 0, 1, () => 1_795_000_000_000))).length;

// A target that accepts and says nothing: what is measured is the agent, not a model.
const target = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
await once(target, 'listening');
const { port } = target.address() as { port: number };
writeFileSync(
  join(folder, 'network.yaml'),
  JSON.stringify({
    version: 1,
    endpoints: Array.from({ length: targets }, (_, k) => ({
      name: `t${k}`,
      url: `http://127.0.0.1:${port}/v1/chat/completions`,
      model: 'none',
    })),
    watch: { agents: [{ name: 'one' }], schedule: [{ probe: 'tcp', every: '1s' }] },
  }),
);
try {
  const points = await ingest();
  const server = await start(['serve', 'network.yaml', '--listen=127.0.0.1:0', '--agents=127.0.0.1:0', '--json']);
  const { agents } = JSON.parse(server.line) as { agents: string };
  const invitation = JSON.parse(
    execFileSync(process.execPath, [cli, 'agents', 'invite', 'one', '--json'], { cwd: folder, encoding: 'utf8' }),
  ) as { token: string; pin: string };
  const enrolment = ['--server', agents, '--name=one', '--token', invitation.token, '--pin', invitation.pin];
  const agent = await start(['agent', '--state=agent', '--allow=127.0.0.0/8', '--json', ...enrolment]);
  await sleep(17_000); // the first list of jobs, and a status that counts the warm-up
  const [cpuBefore, before, from] = [cpuOf(agent.pid), acknowledged(), performance.now()];
  await sleep(seconds * 1000);
  const cpuSec = cpuOf(agent.pid) - cpuBefore;
  const elapsedSec = (performance.now() - from) / 1000;
  const figures = {
    probesPerSec: Math.round((acknowledged() - before) / elapsedSec),
    agentCpuShare: cpuSec / elapsedSec,
    agentRssMb: Math.round(rssKb(agent.pid) / 1000),
  };
  const rssBefore = rssKb(server.pid);
  const sockets: TLSSocket[] = [];
  for (let k = 0; k < connections; k++) {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(agents).port), rejectUnauthorized: false });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    sockets.push(socket);
  }
  await sleep(1000);
  const connectionKb = (rssKb(server.pid) - rssBefore) / connections;
  for (const socket of sockets) socket.destroy();
  process.stdout.write(
    `${JSON.stringify({ ...figures, connectionKb, octets: { 5: zipped(5), 2000: zipped(2000) }, points }, null, 1)}\n`,
  );
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.filter(({ exitCode }) => exitCode === null).map((child) => once(child, 'exit')));
  target.close();
  rmSync(folder, { recursive: true, force: true });
}
