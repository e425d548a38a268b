import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../fixtures/free-port.ts';

const jars = '/usr/share/java/zookeeper.jar';

/** Why there is no ZooKeeper to test against; undefined where there is one, as Debian packages it. */
export const whyNoZookeeper = (): string | undefined =>
  existsSync(jars) && existsSync('/usr/bin/java') ? undefined : 'wants the package zookeeper';

export interface ZookeeperServer {
  port: number;
  process(): ChildProcess;
  /** Ends it without warning. */
  kill(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Debian's ZooKeeper on loopback, with a folder and a port of its own and a small heap. */
export async function zookeeperServer(
  settings: Record<string, string | number> = {},
  id?: number,
): Promise<ZookeeperServer> {
  const folder = mkdtempSync(join(tmpdir(), 'inferpath-zookeeper-'));
  const [port = 0] = await freePorts(1);
  if (id !== undefined) writeFileSync(join(folder, 'myid'), `${id}\n`);
  const config = {
    tickTime: 500,
    dataDir: folder,
    clientPort: port,
    clientPortAddress: '127.0.0.1',
    'admin.enableServer': false,
    maxClientCnxns: 0,
    ...settings,
  };
  const file = join(folder, 'zoo.cfg');
  writeFileSync(
    file,
    Object.entries(config)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  let running = await started(file, port);
  const kill = async () => {
    if (running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  };
  return {
    port,
    process: () => running,
    kill,
    start: async () => void (running = await started(file, port)),
    close: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Several that agree, any of which may be killed and started again. `modes` tells of each: `leader`, `follower`, or `` while it is neither. */
export async function zookeeperEnsemble(
  count: number,
): Promise<{ servers: readonly ZookeeperServer[]; modes(): Promise<string[]>; close(): Promise<void> }> {
  const ports = await freePorts(2 * count);
  const members = Array.from({ length: count }, (_, i) => [
    `server.${i + 1}`,
    `127.0.0.1:${ports[2 * i]}:${ports[2 * i + 1]}`,
  ]);
  const servers = await Promise.all(
    members.map((_, i) =>
      zookeeperServer(
        { initLimit: 20, syncLimit: 10, '4lw.commands.whitelist': 'srvr', ...Object.fromEntries(members) },
        i + 1,
      ),
    ),
  );
  const modes = () => Promise.all(servers.map(({ port }) => modeOf(port)));
  return { servers, modes, close: async () => void (await Promise.all(servers.map((server) => server.close()))) };
}

/** `leader` or `follower`; empty while it is neither. */
function modeOf(port: number): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.end('srvr'));
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    socket.on('error', () => resolve(''));
    socket.on('close', () => resolve(/^Mode: (\w+)$/m.exec(said)?.[1] ?? ''));
  });
}

async function started(file: string, port: number): Promise<ChildProcess> {
  const flags = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${jars}:/usr/share/java/*`];
  const java = spawn('java', [...flags, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [java.stdout, java.stderr])
    stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
  for (let i = 0; i < 300; i++) {
    if (java.exitCode !== null) throw new Error(`ZooKeeper ended:\n${said}`);
    if (await listens(port)) return java;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  java.kill('SIGKILL');
  throw new Error(`ZooKeeper did not listen within 30 s:\n${said}`);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => (socket.destroy(), resolve(true)));
    socket.on('error', () => resolve(false));
  });
}
