import { hostname } from 'node:os';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { AgentStatus } from '../../model/agent-health.ts';
import { named } from '../../model/patterns.ts';
import { printable } from '../../model/outcome.ts';
import { AgentMetrics } from '../../serve/agent/agent-metrics.ts';
import type { DeadManEvent } from '../../serve/agent/dead-man.ts';
import { type Identity, readIdentity, writeIdentity } from '../../serve/agent/identity.ts';
import type { RunnableJob } from '../../serve/agent/jobs.ts';
import { spoolLimits } from '../../serve/agent/spool.ts';
import { runRemoteAgent } from '../../serve/agent/remote-agent.ts';
import { targetPolicy } from '../../serve/agent/target-policy.ts';
import type { BareSample } from '../../store/sample-of.ts';
import { durableFiles } from '../../wire/durable-files.ts';
import { lockFile } from '../../wire/file-lock.ts';
import type { Io } from '../../wire/io.ts';
import { alarmCaller } from '../agent-alarm.ts';
import { enrolled } from '../agent-enroll.ts';
import { type KeySource, keySources } from '../agent-keys.ts';
import { serviceManager } from '../service-manager.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { Textfile } from '../textfile.ts';
import { version } from '../version.ts';

const enrolling = 'Enrolment';
const limits = 'What this agent may do, whatever the server says';

const flags = {
  state: {
    schema: z.string().min(1).optional(),
    about: 'Folder for identity, spool and status; default $STATE_DIRECTORY, else ./inferpath-agent.',
    value: 'DIR',
  },
  server: {
    schema: z.url({ protocol: /^https$/ }).optional(),
    about: 'Where the server listens for agents; after enrolment only to say that it has moved.',
    value: 'URL',
    group: enrolling,
  },
  name: {
    schema: z.string().regex(named.name.pattern, `must be ${named.name.words}`).optional(),
    about: 'Name that the token was made for; default the name of this host.',
    value: 'NAME',
    group: enrolling,
  },
  token: {
    schema: z.string().min(20).max(200).optional(),
    about: 'One-use token of inferpath agents invite; default $INFERPATH_ENROLLMENT_TOKEN.',
    value: 'TOKEN',
    secret: true,
    group: enrolling,
  },
  tokenFile: {
    schema: z.string().min(1).optional(),
    about: 'File with that token; read only when there is no identity yet.',
    value: 'FILE',
    group: enrolling,
  },
  pin: {
    schema: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits')
      .optional(),
    about: 'SHA-256 of the key of the authority of the server, as the invitation tells it.',
    value: 'sha256:HEX',
    group: enrolling,
  },
  allow: {
    schema: z.array(z.string()).default([]),
    about: 'Only addresses in these networks are measured; may be repeated; default all but this host itself.',
    value: 'CIDR',
    repeated: true,
    group: limits,
  },
  key: {
    schema: z.array(z.string()).default([]),
    about: 'Environment variable with the API key for an origin (https:// unless it says http://); may be repeated.',
    value: 'ORIGIN=ENV',
    secret: true,
    repeated: true,
    group: limits,
  },
  keyFile: {
    schema: z.array(z.string()).default([]),
    about: 'The same with a file that holds the key; may be repeated.',
    value: 'ORIGIN=FILE',
    repeated: true,
    group: limits,
  },
  concurrency: {
    schema: z.coerce.number().int().min(1).max(10_000).default(64),
    about: 'Runs of probes at once; default 64.',
    value: 'N',
    group: limits,
  },
  spoolMib: {
    schema: z.coerce
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(spoolLimits.maxBytes >> 20),
    about: 'Most that waits on disk for a server that is away, MiB; then the oldest batches go, counted; default 256.',
    value: 'MIB',
    group: limits,
  },
  alarmAfter: {
    schema: z.coerce.number().int().min(1).max(1000).default(5),
    about: 'Missed acknowledgements until this agent alarms by itself; default 5.',
    value: 'N',
  },
  textfile: {
    schema: z.string().min(1).optional(),
    about:
      'Directory that the textfile collector of node_exporter reads: gets inferpath-agent-NAME.prom with what is measured here, every 15 s.',
    value: 'DIR',
  },
  json: { schema: z.boolean().default(false), about: 'One line of status every 15 s (inferpath schema agent-status).' },
} as const;

export type AgentFlags = FlagValues<typeof flags>;

/** `inferpath agent`: measures from here for a server elsewhere. */
export const agent = defineCommand({
  name: 'agent',
  summary: 'Measure from here for a server elsewhere: durable, through outages, within limits that you set',
  about:
    'Runs the probes that the server asks for, from a closed list, on an open-loop schedule; keeps every result on disk until the server ' +
    'has acknowledged it, through crashes and hours of outage; and reports its own health. agent enroll makes a key and certificate ' +
    'for this host from a one-use token and ends; agent with --token does so once and goes on. Where the API keys go and which ' +
    'networks are measured is said here and by no server. INFERPATH_AGENT_ALARM_URL is called when the server stays silent.',
  positionals: { name: 'action', about: 'enroll: only make the identity; nothing: run', min: 0, max: 1 },
  flags,
  examples: [
    {
      line: 'inferpath agent enroll --server https://watch.example:7101 --name branch-7 --token ifpe_… --pin sha256:… --state /var/lib/inferpath-agent',
      about: 'once; inferpath agents invite branch-7 tells the values',
    },
    { line: 'inferpath agent --state /var/lib/inferpath-agent', about: 'run, as the unit of systemd does' },
    { line: 'inferpath agent --allow 10.0.0.0/8 --allow fd00::/8', about: 'measure nothing outside of these networks' },
    {
      line: 'inferpath agent --key api.example.com=INFERENCE_API_KEY',
      about: 'the key goes to this host and to no other',
    },
    {
      line: 'inferpath agent --textfile /var/lib/prometheus/node-exporter',
      about: 'what is measured here, for the node_exporter of this host',
    },
    { line: 'inferpath agent --json | jq .health.spool', about: 'what waits, every 15 s' },
  ],
  run: async ({ flags, positionals: [action], io }) => {
    if (action !== undefined && action !== 'enroll')
      throw new UsageError(`found "${action}"; allowed: enroll, or nothing`);
    const directory = resolve(io.cwd, flags.state ?? io.env['STATE_DIRECTORY']?.split(':', 1)[0] ?? 'inferpath-agent');
    const rules = await rulesOf(flags, io);
    await makeState(directory, io);
    if (action === 'enroll') {
      const identity = await enrolled(await enrollmentOf(flags, io), io);
      await writeIdentity(durableFiles, directory, identity);
      io.terminal.out(
        flags.json
          ? `${JSON.stringify({ agent: identity.name, server: identity.server, state: directory })}\n`
          : `enrolled as ${identity.name}; run: inferpath agent --state ${directory}\n`,
      );
      return exitCode.ready;
    }
    if (!lockFile(resolve(directory, 'lock'), io.platform))
      throw new UsageError(`--state: another agent runs with ${directory}`, 'each agent has a folder of its own');
    return run(await identityOf(flags, directory, io), { flags, directory, rules }, io);
  },
});

/** @throws UsageError where no folder can be; /proc and its like are no disks, and making one there may never end */
async function makeState(directory: string, io: Io): Promise<void> {
  if (io.platform === 'linux' && /^\/(proc|sys)(\/|$)/.test(directory))
    throw new UsageError(
      `--state: ${directory} is a view of the kernel and keeps no files`,
      'choose a folder on a disk',
    );
  await durableFiles.makeDirectory(directory).catch((error: unknown) => {
    throw new UsageError(
      `--state: cannot make ${directory}: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
}

interface Rules {
  policy: ReturnType<typeof targetPolicy>;
  keys: KeySource;
}

async function rulesOf(flags: AgentFlags, io: Io): Promise<Rules> {
  try {
    return { policy: targetPolicy(flags.allow), keys: await keySources(flags.key, flags.keyFile, io) };
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--allow: ${error.message}`);
    throw error;
  }
}

async function enrollmentOf({ server, name, token, tokenFile, pin }: AgentFlags, io: Io) {
  const given = token ?? (await tokenIn(tokenFile, io)) ?? io.env['INFERPATH_ENROLLMENT_TOKEN'];
  const missing = [
    ...(server === undefined ? ['--server: missing; the URL where the server listens for agents'] : []),
    ...(given === undefined ? ['--token: missing; inferpath agents invite NAME makes one'] : []),
    ...(pin === undefined ? ['--pin: missing; the invitation tells it'] : []),
  ];
  if (server === undefined || given === undefined || pin === undefined)
    throw new UsageError(missing.join('\n'), 'run the line that inferpath agents invite printed');
  return { server: new URL(server).origin, name: name ?? hostname().toLowerCase(), token: given, pin };
}

async function tokenIn(path: string | undefined, io: Io): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return (await io.fs.readText(path, 4096)).trim();
  } catch (error) {
    throw new UsageError(
      `--token-file: cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    );
  }
}

/** The identity in the folder; made now where there is none and a token was given. */
async function identityOf(flags: AgentFlags, directory: string, io: Io): Promise<Identity> {
  const known = await readIdentity(durableFiles, directory).catch((error: unknown) => {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  });
  if (known) return flags.server === undefined ? known : { ...known, server: new URL(flags.server).origin };
  if (flags.token === undefined && flags.tokenFile === undefined && io.env['INFERPATH_ENROLLMENT_TOKEN'] === undefined)
    throw new UsageError(
      `--state: ${directory} holds no identity of an agent`,
      'enrol it first: inferpath agent enroll --help',
    );
  const made = await enrolled(await enrollmentOf(flags, io), io);
  await writeIdentity(durableFiles, directory, made);
  return made;
}

async function run(
  identity: Identity,
  { flags, directory, rules }: { flags: AgentFlags; directory: string; rules: Rules },
  io: Io,
): Promise<ExitCode> {
  const { interrupted } = io.signals;
  const tell = (text: string) => {
    if (!flags.json) io.terminal.err(text);
  };
  tell(`agent ${identity.name} for ${identity.server}, state in ${directory}; Ctrl-C ends it\n`);
  const call = alarmCaller(identity, io);
  const exposed = flags.textfile === undefined ? null : await exposing(flags.textfile, identity.name, io);
  const manager = await serviceManager(io);
  interrupted.addEventListener('abort', () => manager.stopping(), { once: true });
  const last = await runRemoteAgent(
    identity,
    {
      version,
      io,
      files: durableFiles,
      directory,
      rules: { policy: rules.policy, keyFor: rules.keys },
      cpuMs: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1000;
      },
      pace: { concurrency: flags.concurrency },
      limits: { ...spoolLimits, maxBytes: flags.spoolMib * (1 << 20) },
      deadMan: { missedAcks: flags.alarmAfter, patienceMs: 60_000 },
      onStatus: (status) => {
        // The first one comes when the spool is open.
        manager.ready(`agent ${identity.name} for ${identity.server}`);
        if (flags.json) io.terminal.out(`${JSON.stringify(status)}\n`);
        exposed?.onStatus(status);
        call.again();
      },
      ...(exposed && { onJobs: exposed.onJobs, onSamples: exposed.onSamples }),
      onAlarm: (event) => {
        io.log[event.kind === 'raised' ? 'error' : 'warn'](wordsOf(event));
        call.event(event);
      },
    },
    interrupted,
  );
  await exposed?.end();
  tell(farewell(last));
  return interrupted.aborted ? exitCode.interrupted : exitCode.ready;
}

/** What this agent measures, in a file for node_exporter. */
async function exposing(directory: string, name: string, io: Io) {
  const file = await Textfile.open('--textfile', resolve(io.cwd, directory), `inferpath-agent-${name}`);
  const metrics = new AgentMetrics(name, io.clock);
  return {
    onJobs: (jobs: readonly RunnableJob[]) => metrics.follow(jobs),
    onSamples: (samples: readonly BareSample[]) => metrics.add(samples),
    onStatus: (status: AgentStatus) =>
      void file
        .write(metrics.text(status))
        .catch((error: unknown) =>
          io.log.warn(`--textfile: ${error instanceof Error ? error.message : String(error)}`),
        ),
    end: () => file.remove(),
  };
}

function wordsOf({ kind, alarm }: DeadManEvent): string {
  const since = new Date(alarm.sinceMs).toISOString();
  return kind === 'raised'
    ? `the server does not acknowledge since ${since}: ${printable(alarm.why)}; results are kept on disk`
    : `the server acknowledges again; it was silent since ${since}`;
}

function farewell({ health: { server, spool } }: AgentStatus): string {
  const waiting = spool.samples === 0 ? 'nothing waits' : `${spool.samples} wait on disk for the next start`;
  const lost = spool.droppedSamples === 0 ? '' : `, ${spool.droppedSamples} were dropped for want of room`;
  return `${server.acknowledgedSamples} results acknowledged, ${waiting}${lost}\n`;
}
