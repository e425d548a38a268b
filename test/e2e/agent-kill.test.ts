import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseBatchName } from '../../src/serve/agent/batch-file.ts';
import { openStore } from '../../src/store/open.ts';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const run = promisify(execFile);
/** More by hand: KILL_ROUNDS=200. */
const rounds = Number(process.env['KILL_ROUNDS'] ?? 4);

const folder = mkdtempSync(join(tmpdir(), 'inferpath-kill-'));
const data = join(folder, 'data');
const state = join(folder, 'state');
let target: Server;
let agentsPort = 0;
/** The way from the agent to the server, which can be cut. */
let way: Server;
let wayPort = 0;
let isCut = false;
let refusedByCut = 0;
const onTheWay = new Set<Socket>();
const running = new Map<'agent' | 'server', ChildProcess>();

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return port;
}

async function start(who: 'agent' | 'server'): Promise<void> {
  const serve = [
    'serve',
    join(folder, 'network.yaml'),
    '--listen',
    '127.0.0.1:0',
    '--agents',
    `127.0.0.1:${agentsPort}`,
    '--data',
    data,
  ];
  const through = `https://127.0.0.1:${wayPort}`;
  const agent = ['agent', '--state', state, '--allow', '127.0.0.0/8', '--server', through];
  const child = spawn(process.execPath, [cli, ...(who === 'server' ? serve : agent), '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.set(who, child);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)));
  // The first line says that it runs.
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${who} ended: ${errors}`);
  });
  ended.catch(() => undefined);
  await Promise.race([once(child.stdout, 'data'), ended]);
  child.stdout.resume();
}

/** Both ends of each connection go down together; while it is cut, whatever is under way is lost and nothing new gets through. */
function carry(socket: Socket): void {
  if (isCut) {
    refusedByCut++;
    socket.destroy();
    return;
  }
  const onward = connect(agentsPort, '127.0.0.1');
  for (const [one, other] of [
    [socket, onward],
    [onward, socket],
  ] as const) {
    onTheWay.add(one);
    one.on('error', () => undefined);
    one.on('close', () => {
      onTheWay.delete(one);
      other.destroy();
    });
    one.pipe(other);
  }
}

/** For so long, and until somebody has noticed. */
async function cutFor(ms: number): Promise<void> {
  const before = refusedByCut;
  isCut = true;
  for (const socket of onTheWay) socket.destroy();
  await new Promise((done) => setTimeout(done, ms));
  for (let i = 0; i < 200; i++) {
    if (refusedByCut > before) break;
    await new Promise((done) => setTimeout(done, 100));
  }
  isCut = false;
}

async function end(who: 'agent' | 'server', signal: NodeJS.Signals): Promise<void> {
  const child = running.get(who);
  running.delete(who);
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

/** Every batch that ever was promised: a file under its final name is one. Looked at often, as they go when they are acknowledged. */
const promised = new Map<string, number>();
const spool = join(state, 'spool');
function look(): void {
  for (const name of existsSync(spool) ? readdirSync(spool) : []) {
    const batch = parseBatchName(name);
    if (batch) promised.set(batch.key, batch.samples);
  }
}

beforeAll(async () => {
  target = createServer((socket) => socket.end());
  await new Promise<void>((done) => target.listen(0, '127.0.0.1', done));
  const { port } = target.address() as AddressInfo;
  agentsPort = await freePort();
  way = createServer(carry);
  await new Promise<void>((done) => way.listen(0, '127.0.0.1', done));
  wayPort = (way.address() as AddressInfo).port;
  const endpoints = `endpoints: [{ name: api, url: 'http://127.0.0.1:${port}/' }]`;
  writeFileSync(
    join(folder, 'network.yaml'),
    `version: 1\n${endpoints}\nwatch: { schedule: [{ probe: tcp, every: 100ms }] }\n`,
  );
});
afterAll(async () => {
  await end('agent', 'SIGKILL');
  await end('server', 'SIGKILL');
  target.close();
  way.close();
  rmSync(folder, { recursive: true, force: true });
});

test(
  `agent and server killed and the way between them cut at any moment, ${rounds} times: every promised result is in the store once, by its id`,
  { timeout: 60_000 + rounds * 20_000 },
  async () => {
    await start('server');
    const { stdout } = await run(process.execPath, [cli, 'agents', 'invite', 'edge', '--data', data, '--json']);
    const { token, pin, server } = JSON.parse(stdout) as { token: string; pin: string; server: string };
    await run(process.execPath, [
      cli,
      'agent',
      'enroll',
      '--server',
      server,
      '--name',
      'edge',
      '--token',
      token,
      '--pin',
      pin,
      '--state',
      state,
    ]);
    await start('agent');
    const watching = setInterval(look, 5);
    for (let round = 0; round < rounds; round++) {
      await new Promise((done) => setTimeout(done, 2200 + ((round * 733) % 1900)));
      const who =
        round % 3 === 2
          ? (['agent', 'server'] as const)
          : round % 2 === 0
            ? (['agent'] as const)
            : (['server'] as const);
      for (const one of who) await end(one, 'SIGKILL');
      look();
      for (const one of who.toReversed()) await start(one);
      // Every other round the network goes, too, in the midst of whatever is being sent again.
      if (round % 2 === 1) await cutFor(1500 + ((round * 389) % 1500));
    }
    // Until all has left the spool, and then a clean end.
    for (let i = 0; i < 900; i++) {
      await new Promise((done) => setTimeout(done, 100));
      if (i > 30 && readdirSync(spool).filter((name) => parseBatchName(name)).length === 0) break;
    }
    look();
    await end('agent', 'SIGTERM');
    clearInterval(watching);
    await end('server', 'SIGTERM');

    const { store, close } = await openStore(join(data, 'store'), { clock: { wallMs: () => Date.now() } });
    const ids = new Map<string, number>();
    let after: string | undefined;
    for (;;) {
      const page = await store.samples({
        fromMs: 0,
        toMs: Date.now() + 1e6,
        limit: 5000,
        columnsOnly: true,
        ...(after !== undefined && { after }),
      });
      for (const { id } of page.samples) ids.set(id, (ids.get(id) ?? 0) + 1);
      if (page.next === null) break;
      after = page.next;
    }
    await close();
    expect(promised.size).toBeGreaterThan(rounds);
    if (rounds > 2) expect(refusedByCut).toBeGreaterThan(0);
    for (const [key, samples] of promised)
      for (let i = 0; i < samples; i++) expect(ids.get(`edge/${key}/${i}`), `edge/${key}/${i}`).toBe(1);
    expect([...ids.values()].every((times) => times === 1)).toBe(true);
    const waiting = readdirSync(spool).filter((name) => parseBatchName(name));
    expect(waiting).toEqual([]);
    process.stderr.write(
      `agent-kill: ${promised.size} batches promised, ${ids.size} results stored, ${rounds} kills\n`,
    );
  },
);
