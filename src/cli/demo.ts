import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { startLab } from '../lab/lab.ts';
import { canRunLab } from '../lab/privilege.ts';
import { selfSignedCertificate } from '../lab/reflect/certificate.ts';
import type { TopologyInput } from '../lab/topology.ts';
import type { Io } from '../wire/io.ts';
import { type ExitCode, exitCode } from './command.ts';

/** One reflector of the quickstart: how far, over what path, and how its server behaves. */
interface Scene {
  name: string;
  port: number;
  link: Omit<NonNullable<TopologyInput['links']>[number], 'a' | 'b'>;
  /** The round trip that the link makes, ms; goes into the server where there is no link. */
  distanceMs: number;
  /** Time to first token at the server: median in ms and sigma of a lognormal distribution. */
  queue: readonly [medianMs: number, sigma: number];
}

const scenes: readonly Scene[] = [
  { name: 'edge', port: 7041, link: { delayMs: 4 }, distanceMs: 8, queue: [90, 0.2] },
  {
    name: 'far',
    port: 7042,
    link: { delayMs: 38, jitterMs: 4, loss: 0.03 },
    distanceMs: 76,
    queue: [90, 0.2],
  },
  { name: 'busy', port: 7043, link: { delayMs: 6 }, distanceMs: 12, queue: [650, 0.3] },
];

const file = fileURLToPath(new URL('../../examples/quickstart.yaml', import.meta.url));
/** Reflectors on loopback end by themselves should this process be killed. */
const loopbackLifeS = 600;
const insideMarker = 'INFERPATH_DEMO_INSIDE';

/**
 * Assesses examples/quickstart.yaml against three reflectors started here: in an emulated network where TUN devices may be
 * had, else on loopback with the distance put into the servers. The verdicts are meant to differ, so the exit code is 0
 * whatever they are.
 * @param given flags for the assessment, as words
 */
export async function runDemo(given: readonly string[], io: Io): Promise<ExitCode> {
  const able = canRunLab();
  if (!able.ok && able.viaUnshare && io.env[insideMarker] === undefined) return again(io);
  const directory = await mkdtemp(join(tmpdir(), 'inferpath-demo-'));
  try {
    const certificate = selfSignedCertificate(
      scenes.map((s) => hostOf(s)),
      io.clock.wallMs(),
      90,
    );
    const paths = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
    await writeFile(paths.cert, certificate.cert);
    await writeFile(paths.key, certificate.key, { mode: 0o600 });
    return await (able.ok ? inLab(given, paths, io) : onLoopback(given, paths, able.reason, io));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface CertificatePaths {
  cert: string;
  key: string;
}

async function inLab(given: readonly string[], paths: CertificatePaths, io: Io): Promise<ExitCode> {
  const ahead = realtime();
  const topology: TopologyInput = {
    seed: 7,
    hosts: [
      { name: 'laptop' },
      ...scenes.map((s) => ({
        name: s.name,
        command: [...ahead, ...self('reflect', ...reflectArgs(s, '0.0.0.0', 0, paths))],
        readyPort: s.port,
      })),
    ],
    routers: [{ name: 'gateway' }],
    links: [{ a: 'laptop', b: 'gateway' }, ...scenes.map((s) => ({ a: 'gateway', b: s.name, ...s.link }))],
  };
  io.terminal.err('starting three reflectors in an emulated network …\n');
  const lab = await startLab(topology, { io, log: io.log });
  try {
    if (io.signals.interrupted.aborted) return exitCode.interrupted;
    const words = assessArgs(given, paths, (s) => lab.addressOf(s.name));
    return await follow(lab.spawn('laptop', [...ahead, ...self(...words)], { stdio: 'inherit' }), io);
  } finally {
    const stats = await lab.stop();
    const { medianMs, p99Ms } = stats.delayError;
    io.terminal.err(
      `emulated network: its own delay error was ${medianMs.toFixed(3)} ms (median), ${p99Ms.toFixed(3)} ms (p99)\n`,
    );
  }
}

/**
 * The command that starts another ahead of whatever else this machine does, where that is allowed: server, network and client
 * of the emulation share its few cores, and a server that waits for one looks like a slow model.
 */
function realtime(): string[] {
  const chrt = ['chrt', '--rr', '1'];
  return spawnSync('chrt', [...chrt.slice(1), 'true']).status === 0 ? chrt : [];
}

/** Without the privilege for a network: the servers wait out the distance themselves, so everything will look like server. */
async function onLoopback(
  given: readonly string[],
  paths: CertificatePaths,
  reason: string,
  io: Io,
): Promise<ExitCode> {
  io.terminal.err(
    `no emulated network: ${reason}.\n` +
      'The reflectors run on loopback and wait out the distances themselves: loss and distance will show as server time.\n',
  );
  const servers = scenes.map((s) => {
    const bounded = ['--duration', String(loopbackLifeS)];
    const [command = '', ...words] = self('reflect', ...reflectArgs(s, '127.0.0.1', s.distanceMs, paths), ...bounded);
    return spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  });
  try {
    await Promise.all(servers.map(listening));
    if (io.signals.interrupted.aborted) return exitCode.interrupted;
    const [command = '', ...words] = self(...assessArgs(given, paths, () => '127.0.0.1'));
    return await follow(spawn(command, words, { stdio: 'inherit' }), io);
  } finally {
    for (const server of servers) server.kill();
    const running = servers.filter((s) => s.exitCode === null && s.signalCode === null);
    await Promise.all(running.map((s) => once(s, 'close')));
  }
}

/** A reflector says on stdout when it listens. @throws when it ends instead */
async function listening(server: ChildProcessByStdio<null, Readable, null>): Promise<void> {
  const ended = once(server, 'exit').then(() => {
    throw new Error('a reflector of the demo ended before it listened');
  });
  await Promise.race([once(server.stdout, 'data'), ended]);
  ended.catch(() => undefined);
}

/** Waits for the assessment; it hears Ctrl-C itself, prints what it has and ends. */
async function follow(child: ChildProcess, io: Io): Promise<ExitCode> {
  const code = await endOf(child, io);
  if (io.signals.interrupted.aborted || code === exitCode.interrupted) return exitCode.interrupted;
  // Verdicts are meant to differ; only a demo that could not run is a failure.
  return code === exitCode.ready || code === exitCode.notReady || code === exitCode.couldNotMeasure
    ? exitCode.ready
    : exitCode.couldNotMeasure;
}

/** Waits for a child and passes an interruption on to it. @returns its exit code; null when a signal ended it */
async function endOf(child: ChildProcess, io: Io): Promise<number | null> {
  const { interrupted } = io.signals;
  const pass = () => child.kill('SIGTERM');
  interrupted.addEventListener('abort', pass, { once: true });
  if (interrupted.aborted) pass();
  const [code] = (await once(child, 'close')) as [number | null];
  interrupted.removeEventListener('abort', pass);
  return code;
}

/** As an ordinary user: the same once more inside a user namespace, where TUN devices may be had. */
async function again(io: Io): Promise<ExitCode> {
  const child = spawn('unshare', ['-rn', ...self(...process.argv.slice(2))], {
    stdio: 'inherit',
    env: { ...io.env, [insideMarker]: '1' },
  });
  const code = await endOf(child, io);
  return code === null ? exitCode.interrupted : (code as ExitCode);
}

function reflectArgs(scene: Scene, host: string, addedMs: number, paths: CertificatePaths): string[] {
  const [medianMs, sigma] = scene.queue;
  const queue = `lognormal:${medianMs + addedMs},${sigma}`;
  return [
    '--listen',
    `${host}:${scene.port}`,
    '--queue-ms',
    queue,
    '--token-ms',
    '25',
    '--tokens',
    '12',
    '--seed',
    '7',
    '--tls',
    '--cert',
    paths.cert,
    '--key',
    paths.key,
  ];
}

/** What the quickstart asks for unless the user does: few streams at once, so that the emulation does not starve them. */
const ownFlags = ['--concurrency=10', '--ping-interval=50'];

function assessArgs(given: readonly string[], paths: CertificatePaths, addressOf: (scene: Scene) => string): string[] {
  const own = ownFlags.filter((word) => !given.some((other) => other.split('=')[0] === word.split('=')[0]));
  const resolve = scenes.flatMap((s) => ['--resolve', `${hostOf(s)}:${s.port}:${addressOf(s)}`]);
  return ['assess', file, '--ca', paths.cert, ...own, ...resolve, ...given];
}

function hostOf(scene: Scene): string {
  return `${scene.name}.quickstart.test`;
}

/** This program once more, however it was started: built, or from source with a loader. */
function self(...words: readonly string[]): string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] as string, ...words];
}
