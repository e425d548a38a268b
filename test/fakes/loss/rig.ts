import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type SmallDisk, smallDisk } from './disk.ts';
import { account, type Account, Promised } from './ledger.ts';
import { type Crash, Supervised } from './process.ts';
import { type WallClock, wallClock } from './wall-clock.ts';
import { type Way, wayTo } from './way.ts';
import { freePort } from '../../fixtures/free-port.ts';

const cli = fileURLToPath(new URL('../../../dist/cli/inferpath.cjs', import.meta.url));
const run = promisify(execFile);
const agentName = 'edge';

/** A real server and a real agent (the built command), what lies between them and under them, and what was promised. */
export interface LossRig {
  server: Supervised;
  agent: Supervised;
  way: Way;
  /** Of the server and of the agent; null where nothing can be mounted. */
  disks: { server: SmallDisk; agent: SmallDisk } | null;
  /** Null without libfaketime. */
  clocks: { server: WallClock; agent: WallClock } | null;
  promised: Promised;
  crashes: Crash[];
  /** What a receiver was sent. Nothing that is done here is a trouble of the endpoint. */
  pages: string[];
  /** Asks the server's web door with the token of its own user. */
  ask(path: string): Promise<{ status: number; text: string }>;
  /** Everything is mended, the spool empties, both end in peace, and the store is held against what was promised. */
  settle(): Promise<Account>;
  close(): Promise<void>;
}

export interface RigOptions {
  /** YAML of `watch:`, on one line. */
  watch?: string;
  serverMib?: number;
  agentMib?: number;
  serverArgs?: readonly string[];
  agentArgs?: readonly string[];
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

export async function lossRig(options: RigOptions = {}): Promise<LossRig> {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-loss-'));
  const serverDisk = smallDisk(join(folder, 'server'), options.serverMib ?? 128);
  const agentDisk = smallDisk(join(folder, 'agent'), options.agentMib ?? 16);
  const disks = serverDisk && agentDisk && { server: serverDisk, agent: agentDisk };
  const serverClock = wallClock(join(folder, 'clock-server'));
  const agentClock = wallClock(join(folder, 'clock-agent'));
  const clocks = serverClock && agentClock && { server: serverClock, agent: agentClock };
  const data = join(folder, 'server', 'data');
  const state = join(folder, 'agent', 'state');
  mkdirSync(data, { recursive: true });
  const target = createServer((socket) => socket.on('error', () => undefined).end()).listen(0, '127.0.0.1');
  await once(target, 'listening');
  const endpoint = `{ name: api, url: 'http://127.0.0.1:${(target.address() as AddressInfo).port}/' }`;
  const pages: string[] = [];
  const receiver = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      pages.push(Buffer.concat(chunks).toString());
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const hook = `{ name: hook, type: webhook, url: 'http://127.0.0.1:${(receiver.address() as AddressInfo).port}/', secretEnv: HOOK_SECRET }`;
  const watch =
    options.watch ??
    `{ agents: [{ name: ${agentName} }], schedule: [{ probe: tcp, every: 100ms }], receivers: [${hook}] }`;
  const network = join(folder, 'network.yaml');
  writeFileSync(network, `version: 1\nendpoints: [${endpoint}]\nwatch: ${watch}\n`);
  const agentsPort = await freePort();
  const way = await wayTo(agentsPort);
  const crashes: Crash[] = [];
  const onCrash = (crash: Crash) => crashes.push(crash);
  const server = new Supervised(
    'server',
    () => [
      cli,
      'serve',
      network,
      '--listen',
      '127.0.0.1:0',
      '--agents',
      `127.0.0.1:${agentsPort}`,
      '--data',
      data,
      '--json',

      ...(options.serverArgs ?? []),
    ],
    {
      onCrash,
      env: {
        ...clocks?.server.env,
        HOOK_SECRET: `whsec_${Buffer.alloc(24, 1).toString('base64')}`,
        INFERPATH_RECEIVER_ALLOW: '127.0.0.0/8',
      },
    },
  );
  const through = `https://127.0.0.1:${way.port}`;
  const agent = new Supervised(
    'agent',
    () => [
      cli,
      'agent',
      '--state',
      state,
      '--allow',
      '127.0.0.0/8',
      '--server',
      through,
      '--json',
      ...(options.agentArgs ?? []),
    ],
    { onCrash, env: clocks?.agent.env ?? {} },
  );
  await server.start();
  await enrolled(data, state);
  const promised = new Promised(join(state, 'spool'));
  await agent.start();
  const rig: LossRig = {
    server,
    agent,
    way,
    disks,
    clocks,
    promised,
    crashes,
    pages,
    ask: async (path) => {
      const { url, token } = JSON.parse(readFileSync(join(data, 'control.json'), 'utf8')) as {
        url: string;
        token: string;
      };
      const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
      return { status: answer.status, text: await answer.text() };
    },
    settle: async () => {
      disks?.server.free();
      disks?.agent.free();
      clocks?.server.set(0);
      clocks?.agent.set(0);
      way.mend();
      const before = promised.batches.size;
      await until(() => promised.batches.size > before, 20_000);
      await until(() => promised.waiting() === 0, 180_000);
      await agent.kill('SIGTERM');
      await server.kill('SIGTERM');
      promised.stop();
      return account(join(data, 'store'), agentName, promised.batches);
    },
    close: async () => {
      promised.stop();
      await Promise.all([server.kill(), agent.kill()]);
      way.close();
      target.close();
      receiver.close();
      disks?.server.unmount();
      disks?.agent.unmount();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return rig;
}

async function enrolled(data: string, state: string): Promise<void> {
  const { stdout } = await run(process.execPath, [cli, 'agents', 'invite', agentName, '--data', data, '--json']);
  const { token, pin, server } = JSON.parse(stdout) as { token: string; pin: string; server: string };
  const args = ['--server', server, '--name', agentName, '--token', token, '--pin', pin, '--state', state];
  await run(process.execPath, [cli, 'agent', 'enroll', ...args]);
}

/** @returns whether it came to be in time */
export async function until(isSo: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  const endMs = performance.now() + ms;
  while (!(await isSo())) {
    if (performance.now() > endMs) return false;
    await sleep(50);
  }
  return true;
}
