import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseBatchName } from '../../src/serve/agent/batch-file.ts';
import { type ClickServers, PASSWORD } from './clickhouse-server.ts';
import { type PageReceiver, pageReceiver } from './page-receiver.ts';
import { freePorts } from '../fixtures/free-port.ts';

const cli = fileURLToPath(new URL('../../dist/cli/inferpath.cjs', import.meta.url));
const run = promisify(execFile);

/** What several `serve` nodes share. */
export interface Shared {
  clickhouse: ClickServers;
  cluster: string | null;
  zookeeperPort: number;
  database: string;
}

/** What goes in front of the agents' doors: gets their ports, says where agents connect. */
export type Front = (ports: readonly number[]) => Promise<{ port: number; close(): Promise<void> }>;

export interface ServeNode {
  /** SIGKILL, and gone when this resolves. */
  kill(): Promise<void>;
  start(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Evaluations that this process has made, by its own metrics: the others only follow. */
  evaluations(): Promise<number>;
}

export interface ServeCluster {
  nodes: readonly ServeNode[];
  receiver: PageReceiver;
  /** Batches that the agent has ever promised, by their keys, with their number of samples. */
  promised: ReadonlyMap<string, number>;
  /** Batches that are promised and not acknowledged yet. */
  waiting(): number;
  /** From now on nothing listens at this endpoint. */
  failEndpoint(i: number): Promise<void>;
  stopAgent(): Promise<void>;
  /** Below which everything of it lies. */
  folder: string;
  network: string;
  /** Flags that name documents and samples. */
  places: readonly string[];
  /** Runs the CLI as the nodes are run, to its end. */
  command(words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** The last that the processes said on stderr. */
  said(): string;
  close(): Promise<void>;
}

/**
 * Three `inferpath serve` as they are built, on one ClickHouse and one ZooKeeper, and an enrolled `inferpath agent` that reaches them
 * through something in front. Endpoints are ports of this process.
 */
export async function serveCluster(
  { clickhouse, cluster, zookeeperPort, database }: Shared,
  {
    endpoints,
    every,
    random,
    front = ownFront,
  }: { endpoints: number; every: string; random: () => number; front?: Front },
): Promise<ServeCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-serve-cluster-'));
  const cleanUp: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const one of cleanUp.toReversed()) await one();
  };
  let errors = '';
  const hear = (child: ChildProcess) =>
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-8000)));
  try {
    const receiver = await pageReceiver(random);
    cleanUp.push(() => receiver.close());
    const targets = await Promise.all(Array.from({ length: endpoints }, target));
    cleanUp.push(() => Promise.all(targets.map((one) => one.close())));
    const network = join(folder, 'network.yaml');
    writeFileSync(
      network,
      networkText(
        targets.map(({ port }) => port),
        every,
        receiver.url,
      ),
    );
    for (const [name, text] of [
      ['key', 'a key of a test, long enough to pass for one'],
      ['auth', 'inferpath:secret'],
    ] as const)
      writeFileSync(join(folder, name), text);
    const hosts = clickhouse.nodes.map(({ host }) => host).join(',');
    const env = {
      ...process.env,
      INFERPATH_RECEIVER_ALLOW: '127.0.0.0/8',
      INFERPATH_CLICKHOUSE_PASSWORD: PASSWORD,
      INFERPATH_CLUSTER_KEY_FILE: join(folder, 'key'),
      INFERPATH_ZOOKEEPER_AUTH_FILE: join(folder, 'auth'),
    };
    const samples = `clickhouse://inferpath@${hosts}/${database}${cluster === null ? '' : `?cluster=${cluster}`}`;
    const places = ['--documents', `zookeeper://127.0.0.1:${zookeeperPort}/${database}`, '--store', samples];
    const command: ServeCluster['command'] = (words) =>
      run(process.execPath, [cli, ...words], { env, timeout: 60_000 }).then(
        (out) => ({ code: 0, ...out }),
        ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
      );
    const ports = await freePorts(6);
    const nodes = [0, 1, 2].map((i) => {
      const data = join(folder, `node-${i}`);
      const words = ['serve', network, '--data', data, '--listen', `127.0.0.1:${ports[i]}`];
      words.push('--agents', `127.0.0.1:${ports[3 + i]}`, ...places);
      return serveNode(words, { env, data, hear });
    });
    cleanUp.push(() => Promise.all(nodes.map((node) => node.kill())));
    // The first makes tables and keys, as an operator would let it.
    await nodes[0]!.start();
    await Promise.all(nodes.slice(1).map((node) => node.start()));
    const before = await front(ports.slice(3));
    cleanUp.push(() => before.close());

    const state = join(folder, 'agent');
    const invited = await run(process.execPath, [
      cli,
      'agents',
      'invite',
      'edge',
      '--data',
      join(folder, 'node-1'),
      '--json',
    ]);
    const { token, pin } = JSON.parse(invited.stdout) as { token: string; pin: string };
    const server = ['--server', `https://127.0.0.1:${before.port}`, '--state', state];
    await run(process.execPath, [cli, 'agent', 'enroll', ...server, '--name', 'edge', '--token', token, '--pin', pin]);
    const agent = await started(['agent', ...server, '--allow', '127.0.0.0/8', '--json'], env, hear);
    cleanUp.push(() => ended(agent, 'SIGKILL'));

    // A file under its final name is a promise. Looked at often, as it goes when it is acknowledged.
    const spool = join(state, 'spool');
    const names = () => (existsSync(spool) ? readdirSync(spool) : []).flatMap((name) => parseBatchName(name) ?? []);
    const promised = new Map<string, number>();
    const look = () => names().forEach(({ key, samples }) => promised.set(key, samples));
    const looking = setInterval(look, 5);
    cleanUp.push(async () => clearInterval(looking));
    return {
      nodes,
      receiver,
      folder,
      network,
      places,
      command,
      promised,
      waiting: () => names().length,
      failEndpoint: (i) => targets[i]!.close(),
      stopAgent: () => ended(agent, 'SIGTERM'),
      said: () => errors,
      close,
    };
  } catch (error) {
    await close();
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${errors}`, { cause: error });
  }
}

function networkText(ports: readonly number[], every: string, receiver: string): string {
  const endpoints = ports.map((port, i) => `  - { name: e${i}, url: 'http://127.0.0.1:${port}/' }\n`).join('');
  return `version: 1
endpoints:
${endpoints}watch:
  agents: [{ name: edge }]
  schedule: [{ probe: tcp, every: ${every} }]
  receivers: [{ name: pager, type: webhook, url: '${receiver}' }]
  routes: [{ severity: [page], receivers: [pager], resolved: false }]
`;
}

function serveNode(
  words: readonly string[],
  { env, data, hear }: { env: NodeJS.ProcessEnv; data: string; hear: (child: ChildProcess) => void },
): ServeNode {
  let child: ChildProcess | undefined;
  return {
    signal: (signal) => void child?.kill(signal),
    kill: () => (child ? ended(child, 'SIGKILL') : Promise.resolve()),
    start: async () => void (child = await started([...words, '--json'], env, hear)),
    evaluations: async () => {
      const { url, token } = JSON.parse(readFileSync(join(data, 'control.json'), 'utf8')) as Record<string, string>;
      const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
      const [, count = '0'] = /^inferpath_evaluations_total\{result="done"\} (\d+)/m.exec(await answer.text()) ?? [];
      return Number(count);
    },
  };
}

/** Until it has said its first line. */
async function started(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  hear: (child: ChildProcess) => void,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [cli, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
  hear(child);
  const over = once(child, 'exit').then(() => {
    throw new Error(`${words[0]} ended`);
  });
  over.catch(() => undefined);
  await Promise.race([once(child.stdout, 'data'), over]);
  child.stdout.resume();
  return child;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

interface Listener {
  port: number;
  close(): Promise<void>;
}

const target = () => listener((server) => server.on('connection', (socket) => socket.end()));

/** To each door in turn, and to the next when one is shut: what a balancer of TCP connections does. */
const ownFront: Front = (ports) => {
  let turn = 0;
  return listener((server) =>
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      const knock = (left: number): void => {
        const onward = connect(ports[turn++ % ports.length]!, '127.0.0.1');
        let isThrough = false;
        onward.once('connect', () => {
          isThrough = true;
          onward.on('close', () => socket.destroy());
          socket.on('close', () => onward.destroy());
          socket.pipe(onward).pipe(socket);
        });
        onward.on('error', () => (isThrough || left === 0 ? socket.destroy() : knock(left - 1)));
      };
      knock(ports.length - 1);
    }),
  );
};

async function listener(prepare: (server: TcpServer) => TcpServer): Promise<Listener> {
  const server = prepare(createServer()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let isOpen = true;
  return {
    port,
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      server.close();
      await pause(0);
    },
  };
}
