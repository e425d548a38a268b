import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import type { Io, Log } from '../wire/io.ts';
import { makeCounters, readCounters, type LabStats } from './counters.ts';
import { exitStatus } from './exit-status.ts';
import { startForwarder } from './forwarder-thread.ts';
import { planOf, type Plan } from './plan.ts';
import { awaitPort } from './ready.ts';
import { topologyProblems } from './topology-problems.ts';
import { topologySchema, type TopologyInput } from './topology.ts';

export interface LabOptions {
  io: Pick<Io, 'env' | 'cwd' | 'clock'>;
  /** Where the services' own output goes, line by line as debug. */
  log?: Log;
}

export interface LabSpawnOptions extends Pick<SpawnOptions, 'stdio' | 'cwd'> {
  /** Added to the environment that `io` gives. */
  env?: Readonly<Record<string, string>>;
}

export interface LabResult {
  /** Exit code, or 128 + signal number as a shell would say. */
  code: number;
  stdout: string;
  stderr: string;
}

/** A running emulated network. It lives in this process alone: however the process ends, the network is gone with it. */
export interface Lab {
  plan: Plan;
  /** Address of a host or router. @throws RangeError for a name that is not in the topology */
  addressOf(name: string, family?: 4 | 6): string;
  /**
   * Starts a command inside a host. `{name}`, `{name.4}` and `{name.6}` in its words become addresses. It is killed when this
   * process dies and by stop(). @throws RangeError for a host that is not in the topology, Error after stop()
   */
  spawn(host: string, command: readonly string[], options?: LabSpawnOptions): ChildProcess;
  /** Runs a command to its end (at most `timeoutMs`, default 60 s, then killed) and returns what it wrote. */
  run(host: string, command: readonly string[], options?: LabSpawnOptions & { timeoutMs?: number }): Promise<LabResult>;
  /** Counts so far; packets that the kernel dropped before the lab saw them are known after stop() only. */
  stats(): LabStats;
  /** Why the forwarder died, should it ever do so by itself. */
  ended: Promise<string | undefined>;
  /** Ends the lab's commands (SIGTERM, after a second SIGKILL), then the network. Safe to call twice. */
  stop(): Promise<LabStats>;
}

const TERM_GRACE_MS = 1000;
const READY_TIMEOUT_MS = 15_000;
const RUN_TIMEOUT_MS = 60_000;
const MAX_OUTPUT_CHARACTERS = 4_000_000;

/**
 * Builds the network, starts the services of its hosts and waits until they listen.
 * @throws RangeError for a topology that does not hold together, Error when the privilege is missing or a service dies
 */
export async function startLab(topology: TopologyInput, { io, log }: LabOptions): Promise<Lab> {
  const checked = topologySchema.parse(topology);
  const [problem] = topologyProblems(checked);
  if (problem) throw new RangeError(`Topology ${problem.path.join('.')}: ${problem.message}`);
  const plan = planOf(checked);
  const counters = makeCounters(plan);
  const forwarder = await startForwarder(plan, counters);
  const children = new Set<ChildProcess>();
  let stopping: Promise<LabStats> | undefined;

  const addressOf: Lab['addressOf'] = (name, family = 4) => {
    const node = plan.nodes.find((one) => one.name === name);
    if (!node)
      throw new RangeError(
        `Cannot find "${name}" in the lab: there are ${plan.nodes.map((one) => one.name).join(', ')}`,
      );
    return family === 4 ? node.v4 : node.v6;
  };

  const spawnIn: Lab['spawn'] = (host, command, { env, ...options } = {}) => {
    if (stopping) throw new Error('Cannot start a command in a lab that is stopped');
    const index = plan.nodes.findIndex((node) => node.name === host && node.kind === 'host');
    if (index < 0) throw new RangeError(`Cannot find host "${host}" in the lab`);
    const namespace = `/proc/${process.pid}/fd/${forwarder.namespaces[index]}`;
    const words = command.map((word) => fillAddresses(word, plan));
    // setpriv: the kernel kills the command when this process dies in whatever way; it survives the execs that follow.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'nsenter', `--net=${namespace}`, '--', ...words], {
      cwd: io.cwd,
      ...options,
      env: { ...io.env, ...env },
    });
    children.add(child);
    child.once('close', () => children.delete(child));
    child.once('error', () => children.delete(child));
    return child;
  };

  const lab: Lab = {
    plan,
    addressOf,
    spawn: spawnIn,
    run: (host, command, options = {}) =>
      collect(
        spawnIn(host, command, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }),
        options.timeoutMs ?? RUN_TIMEOUT_MS,
      ),
    stats: () => readCounters(counters, plan),
    ended: forwarder.ended,
    stop: () =>
      (stopping ??= (async () => {
        await Promise.all([...children].map(end));
        await forwarder.stop();
        return readCounters(counters, plan);
      })()),
  };
  try {
    await startServices(lab, checked.hosts, io, log);
    return lab;
  } catch (error) {
    await lab.stop();
    throw error;
  }
}

type Hosts = ReturnType<typeof topologySchema.parse>['hosts'];

async function startServices(lab: Lab, hosts: Hosts, io: LabOptions['io'], log: Log | undefined): Promise<void> {
  const started = hosts.flatMap(({ name, command, env, readyPort }) => {
    if (!command) return [];
    const child = lab.spawn(name, command, { stdio: ['ignore', 'pipe', 'pipe'], ...(env ? { env } : {}) });
    const tail = followOutput(child, (line) => log?.debug(`${name}: ${line}`));
    return [{ name, child, readyPort, tail }];
  });
  await Promise.all(
    started.map(async ({ name, child, readyPort, tail }) => {
      if (readyPort === undefined) return;
      const failure = await awaitPort(child, readyPort, io.clock, READY_TIMEOUT_MS);
      if (failure !== undefined) throw new Error(`Cannot start the service of "${name}": ${failure}. ${tail()}`.trim());
    }),
  );
}

/** Hands on every line, and keeps the last 500 characters for an error message. */
function followOutput(child: ChildProcess, line: (text: string) => void): () => string {
  let tail = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-500);
      for (const one of text.split('\n')) if (one !== '') line(one);
    });
  child.on('error', (error) => (tail = error.message));
  return () => tail.trim();
}

/** Only text inside braces that names a node is replaced, so JSON and shell words pass through. */
function fillAddresses(word: string, plan: Plan): string {
  return word.replaceAll(/\{([a-z][a-z0-9-]*)(?:\.([46]))?\}/g, (whole, name: string, family: string | undefined) => {
    const node = plan.nodes.find((one) => one.name === name);
    if (!node) return whole;
    return family === '6' ? node.v6 : node.v4;
  });
}

function collect(child: ChildProcess, timeoutMs: number): Promise<LabResult> {
  return new Promise((resolve, reject) => {
    const result = { stdout: '', stderr: '' };
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        if (result[name].length < MAX_OUTPUT_CHARACTERS) result[name] += text;
      });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ ...result, code: exitStatus(code, signal) });
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), TERM_GRACE_MS);
  await closed;
  clearTimeout(timer);
}
