import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { LabStats } from '../../lab/counters.ts';
import { exitStatus } from '../../lab/exit-status.ts';
import { startLab, type Lab } from '../../lab/lab.ts';
import { planOf } from '../../lab/plan.ts';
import { canRunLab } from '../../lab/privilege.ts';
import type { LabCheck, LabReport } from '../../lab/report.ts';
import { readTopology, TopologyError } from '../../lab/topology-file.ts';
import type { Topology } from '../../lab/topology.ts';
import type { Io } from '../../wire/io.ts';
import { defineCommand, exitCode, UsageError, type ExitCode } from '../command.ts';

/** How long an interrupted command may tidy up before it is ended. */
const INTERRUPT_GRACE_MS = 2000;
/** Set for the copy of ourselves inside a user namespace, so that a second failure is not tried a third time. */
const INSIDE = 'INFERPATH_LAB_INSIDE';

export const lab = defineCommand({
  name: 'lab',
  summary: 'Run a command inside an emulated network',
  about:
    'Builds the network that a topology file describes (hosts, routers, links with delay, jitter, loss, reordering, rate and MTU) ' +
    'and runs a command on one of its hosts. The network lives in this process only: nothing of the system is changed, nothing is left behind.\n\n' +
    'Needs Linux and either root or user namespaces; as an ordinary user it starts itself again inside `unshare -rn`. ' +
    'In the command, {name}, {name.4} and {name.6} become the address of a host or router. The exit code is the command’s own.',
  positionals: { name: 'run|check topology.yaml', about: 'What to do, and the topology file.', min: 2, max: 2 },
  flags: {
    from: {
      schema: z.string().optional(),
      about: 'Host to run the command on; default: the first host without a service of its own.',
      value: 'HOST',
    },
    json: {
      schema: z.boolean().default(false),
      about: 'Print what happened in the network as one JSON document; the command’s output goes to stderr.',
    },
  },
  examples: [
    {
      line: 'inferpath lab run examples/labs/two-sites.yaml -- ping -c 5 {server}',
      about: 'Ping across 40 ms of emulated distance.',
    },
    {
      line: 'inferpath lab check examples/labs/two-sites.yaml',
      about: 'Name every mistake in a topology file, or show its addresses.',
    },
  ],
  acceptsRest: true,
  async run({ flags, positionals, rest, io }): Promise<ExitCode> {
    const [action = '', file = ''] = positionals;
    if (action !== 'run' && action !== 'check')
      throw new UsageError(`Unknown action "${action}"`, 'Use `lab run` or `lab check`.');
    const topology = await readTopologyFile(file, io);
    if (action === 'check') return check(topology, file, flags.json, io);
    if (rest.length === 0)
      throw new UsageError(
        'Missing the command to run',
        'Put it after a bare --, as in `lab run topology.yaml -- ping {server}`.',
      );
    const from = hostFor(topology, flags.from);
    const ability = canRunLab();
    if (ability.ok) return runInside(topology, { from, command: rest, json: flags.json, io });
    if (ability.viaUnshare && io.env[INSIDE] === undefined) return runAgainUnshared(io);
    io.terminal.err(`inferpath lab: ${ability.reason}\n`);
    return exitCode.couldNotMeasure;
  },
});

async function readTopologyFile(file: string, io: Io): Promise<Topology> {
  let text: string;
  try {
    text = await io.fs.readText(resolve(io.cwd, file));
  } catch (error) {
    throw new UsageError(`Cannot read "${file}": ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return readTopology(text, file);
  } catch (error) {
    if (error instanceof TopologyError) throw new UsageError(`Cannot use the topology\n${error.message}`);
    throw error;
  }
}

function hostFor(topology: Topology, wanted: string | undefined): string {
  const names = topology.hosts.map((host) => host.name);
  if (wanted !== undefined && !names.includes(wanted))
    throw new UsageError(`Cannot find host "${wanted}"`, `The topology has ${names.join(', ')}.`);
  return wanted ?? (topology.hosts.find((host) => host.command === undefined) ?? topology.hosts[0]!).name;
}

function check(topology: Topology, file: string, json: boolean, io: Io): ExitCode {
  const { nodes, directions } = planOf(topology);
  const rows = nodes.map(({ name, kind, v4, v6 }) => ({ name, kind, v4, v6 }));
  const result: LabCheck = { schema: 'inferpath/lab-check@1', file, nodes: rows, links: directions.length / 2 };
  if (json) {
    io.terminal.out(`${JSON.stringify(result, null, 2)}\n`);
    return exitCode.ready;
  }
  const { hosts, routers, links } = topology;
  io.terminal.out(`${file}: ${hosts.length} hosts, ${routers.length} routers, ${links.length} links\n`);
  for (const { name, kind, v4, v6 } of rows)
    io.terminal.out(`${name.padEnd(20)} ${kind.padEnd(7)} ${v4.padEnd(16)} ${v6}\n`);
  return exitCode.ready;
}

interface RunPlan {
  from: string;
  command: string[];
  json: boolean;
  io: Io;
}

async function runInside(topology: Topology, plan: RunPlan): Promise<ExitCode> {
  const { io } = plan;
  let network: Lab;
  try {
    network = await startLab(topology, { io, log: io.log });
  } catch (error) {
    io.terminal.err(`inferpath lab: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCode.couldNotMeasure;
  }
  let status: number;
  try {
    status = await runCommand(network, plan);
  } finally {
    report(await network.stop(), plan);
  }
  if (plan.json) io.terminal.out(`${JSON.stringify(document(status, network.stats(), plan), null, 2)}\n`);
  // Not one of our own codes: the contract of this command is to pass on the command's.
  return status as ExitCode;
}

async function runCommand(network: Lab, { from, command, json, io }: RunPlan): Promise<number> {
  const { interrupted } = io.signals;
  if (interrupted.aborted) return exitCode.interrupted;
  const child = network.spawn(from, command, { stdio: ['inherit', json ? 2 : 'inherit', 'inherit'] });
  let grace: NodeJS.Timeout | undefined;
  // The terminal has sent the command its own SIGINT; one that does not end by it is ended.
  const onInterrupt = () => (grace = setTimeout(() => child.kill('SIGTERM'), INTERRUPT_GRACE_MS));
  interrupted.addEventListener('abort', onInterrupt, { once: true });
  let running = true;
  void network.ended.then((reason) => {
    if (!running) return;
    io.log.warn(`the emulated network has ended: ${reason ?? 'no reason given'}`);
    child.kill('SIGTERM');
  });
  const status = new Promise<number>((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => done(exitStatus(code, signal)));
  });
  try {
    return await status;
  } finally {
    running = false;
    clearTimeout(grace);
    interrupted.removeEventListener('abort', onInterrupt);
  }
}

function report(stats: LabStats, { io }: RunPlan): void {
  const { packets, medianMs, p99Ms, maxMs } = stats.delayError;
  const late =
    packets === 0
      ? 'no packet delivered'
      : `median ${medianMs.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms, max ${maxMs.toFixed(3)} ms, ${packets} packets`;
  io.terminal.err(`lab delay error: ${late}${stats.realtime ? '' : ' (without realtime priority)'}\n`);
  const missed =
    stats.hosts.reduce((sum, host) => sum + Math.max(0, host.kernelDropped), 0) +
    stats.totals.poolFull +
    stats.totals.writeFailed;
  if (missed > 0)
    io.terminal.err(`lab overloaded: ${missed} packets were dropped by the lab itself, not by its links\n`);
}

function document(status: number, stats: LabStats, { from, command }: RunPlan): LabReport {
  return { schema: 'inferpath/lab@1', from, command, exitCode: status, ...stats };
}

/** The same command line once more, as root of a user namespace of its own. Signals of the terminal reach it by themselves. */
function runAgainUnshared(io: Io): Promise<ExitCode> {
  const [, ...words] = process.argv;
  const child = spawn('unshare', ['-rn', process.execPath, ...process.execArgv, ...words], {
    cwd: io.cwd,
    env: { ...io.env, [INSIDE]: '1' },
    stdio: 'inherit',
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => done(exitStatus(code, signal) as ExitCode));
  });
}
