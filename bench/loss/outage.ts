// `npm run build && npx tsx bench/loss/outage.ts [--factor 20] [--spool-kib N]`, as root: an hour without a network, with 1,000 targets that are measured
// every minute, in an hour / factor. Every time of the agent is divided by the factor: intervals of targets, batches, health, polls and back-off; so the
// backlog is that of the hour, batch by batch. Time-outs of HTTP and TCP stay what they are. Counts every promised result by its id.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { account, Promised } from '../../test/fakes/loss/ledger.ts';
import { serverAddress, twoNetworks } from '../../test/fakes/loss/two-networks.ts';

const { values } = parseArgs({
  options: {
    factor: { type: 'string', default: '20' },
    targets: { type: 'string', default: '1000' },
    'spool-kib': { type: 'string', default: String(256 << 10) },
  },
});
const factor = Number(values.factor);
const targets = Number(values.targets);
const hourMs = 3_600_000 / factor;
const minuteMs = 60_000 / factor;

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const program = fileURLToPath(new URL('outage-agent.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'inferpath-outage-'));
const data = join(folder, 'data');
const state = join(folder, 'state');
const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const networks = await twoNetworks();

/** A program at one end; resolves with its first line. */
async function start(end: 'server' | 'agent', args: readonly string[], isSilent = false) {
  const [command = '', ...words] = [...networks.at(end), process.execPath, ...args];
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'], cwd: folder });
  if (!isSilent) await once(child.stdout, 'data');
  return child;
}

const endpoint = (n: number) =>
  `  - { name: t${n}, url: 'http://127.1.${Math.floor(n / 250)}.${1 + (n % 250)}:8000/' }\n`;
const every = `${Math.round(minuteMs)}ms`;
writeFileSync(
  join(folder, 'network.yaml'),
  `version: 1\nendpoints:\n${Array.from({ length: targets }, (_, n) => endpoint(n)).join('')}watch: { schedule: [{ probe: tcp, every: ${every} }] }\n`,
);
const listener =
  "require('net').createServer((s) => s.on('error', () => {}).end()).listen(8000, '0.0.0.0', 1024, () => console.log('up'))";
const target = await start('agent', ['-e', listener]);
const doors = ['--listen', '127.0.0.1:7100', '--agents', `${serverAddress}:7101`, '--data', data, '--json'];
const server = await start('server', [cli, 'serve', 'network.yaml', ...doors]);
server.stdout.resume();
let isEnding = false;
server.on('exit', (code, signal) => {
  if (isEnding) return;
  process.stderr.write(`the server ended by itself: ${code ?? signal}; ${folder} is kept\n`);
  networks.close();
  process.exit(2);
});
const ask = (end: 'server' | 'agent', args: readonly string[]) => {
  const [command = '', ...words] = [...networks.at(end), process.execPath, cli, ...args];
  return execFileSync(command, words, { encoding: 'utf8', cwd: folder });
};
const invitation = ask('server', ['agents', 'invite', 'edge', '--data', data, '--json']);
const { token, pin, server: url } = JSON.parse(invitation) as { token: string; pin: string; server: string };
const words = ['--server', url, '--name', 'edge', '--token', token, '--pin', pin, '--state', state];
ask('agent', ['agent', 'enroll', ...words]);
const promised = new Promised(join(state, 'spool'));
const fast = ['--import', 'tsx', program, state, String(factor), values['spool-kib'] ?? ''];
const [nsenter = '', ...before] = networks.at('agent');
const agent = spawn(nsenter, [...before, process.execPath, ...fast], {
  stdio: ['ignore', 'pipe', 'inherit'],
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
});
let health = '';
agent.stdout.setEncoding('utf8').on('data', (text: string) => (health += text));

/** What the server knows, several times a second. */
let seen = { atMs: 0, rows: 0, newestMs: 0, arrivalMs: 0 };
const control = JSON.parse(readFileSync(join(data, 'control.json'), 'utf8')) as { url: string; token: string };
const poll = `const look = async () => {
  const answer = await fetch('${control.url}/api/v1/agents', { headers: { authorization: 'Bearer ${control.token}' } });
  const edge = (await answer.json()).agents.find((a) => a.name === 'edge');
  console.log(JSON.stringify({ atMs: Date.now(), rows: edge.rows, newestMs: edge.newestSampleMs ?? 0, arrivalMs: edge.lastArrivalMs ?? 0 }));
};
setInterval(() => look().catch(() => {}), 200);`;
const poller = await start('server', ['-e', poll], true);
createInterface(poller.stdout).on('line', (line) => (seen = JSON.parse(line) as typeof seen));
const say = (text: string) => process.stderr.write(`${((performance.now() - beganMs) / 1000).toFixed(1)} s: ${text}\n`);
const until = async (isSo: () => boolean, ms: number) => {
  const endMs = performance.now() + ms;
  while (!isSo() && performance.now() < endMs) await sleep(50);
  return isSo();
};
interface Status {
  scheduleLagP99Ms: number;
  health: { spool: { batches: number; samples: number; bytes: number; droppedSamples: number } };
}
const status = () => {
  const path = join(state, 'status.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Status) : null;
};

const beganMs = performance.now();
await until(() => seen.rows > 2 * targets, 60_000);
say(`${seen.rows} results stored, the newest ${seen.atMs - seen.newestMs} ms old`);

networks.link('down');
const cutMs = performance.now();
let mostBytes = 0;
while (performance.now() - cutMs < hourMs) {
  await sleep(200);
  mostBytes = Math.max(mostBytes, status()?.health.spool.bytes ?? 0);
}
await sleep(500);
const kept = status()!;
const rowsAtCut = seen.rows;
const { spool } = kept.health;
say(
  `${spool.samples} results in ${spool.batches} batches wait, ${spool.droppedSamples} dropped; starts are late by ${kept.scheduleLagP99Ms.toFixed(0)} ms (p99)`,
);

networks.link('up');
const upMs = performance.now();
await until(() => seen.rows > rowsAtCut, 120_000);
const firstMs = performance.now() - upMs;
say('first batch after the cut');
// From here on: how old is the newest result that the server knows, while the backlog comes?
const ages: number[] = [];
const isBacklog = () => promised.waiting() > 5;
await sleep(300);
while (isBacklog() && performance.now() - upMs < 600_000) {
  ages.push(seen.atMs - seen.newestMs);
  await sleep(200);
}
const caughtUpMs = performance.now() - upMs;
say('caught up');
await sleep(2 * minuteMs);
agent.kill('SIGTERM');
await once(agent, 'exit');
promised.look();
const left = promised.waiting();
isEnding = true;
server.kill('SIGTERM');
await once(server, 'exit');
promised.stop();
poller.kill('SIGKILL');
target.kill('SIGKILL');
const sums = await account(join(data, 'store'), 'edge', promised.batches);
const { server: told, spool: last } = JSON.parse(health) as {
  server: { duplicates: number };
  spool: { droppedSamples: number };
};
ages.sort((a, b) => a - b);
const result = {
  factor,
  targets,
  backlog: { results: spool.samples, batches: spool.batches, mostBytes },
  firstBatchAfterS: round(firstMs / 1000),
  caughtUpAfterS: round(caughtUpMs / 1000),
  resultsPerS: Math.round(spool.samples / ((caughtUpMs - firstMs) / 1000)),
  newestIsOldMs: { p50: ages[ages.length >> 1], most: ages.at(-1), looks: ages.length },
  promised: sums.promised,
  stored: sums.stored,
  dropped: last.droppedSamples,
  lost: sums.lost.length,
  doubled: sums.doubled.length,
  sentTwice: told.duplicates,
  counted: sums.counted,
  leftInSpool: left,
};
console.log(JSON.stringify(result, null, 2));
networks.close();
rmSync(folder, { recursive: true, force: true });
const isWhole = sums.lost.length === last.droppedSamples && sums.doubled.length === 0 && left === 0;
process.exitCode = isWhole ? 0 : 1;

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
