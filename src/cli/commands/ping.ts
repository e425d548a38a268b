import * as z from 'zod';
import type { Outcome } from '../../model/outcome.ts';
import type { PingReport } from '../../model/ping-report.ts';
import { clientReport, describeHow } from '../../measure/sweep/how.ts';
import { resolveNames } from '../../measure/sweep/resolve.ts';
import { columnsOf, MOST_COLUMN_BYTES, runSweep, sweepBytes } from '../../measure/sweep/run.ts';
import { type Measured, summaryReport, targetReport, worstTargets } from '../../measure/sweep/summary.ts';
import { readTargets, type TargetTable } from '../../measure/sweep/targets.ts';
import { planSweep, type SweepOptions } from '../../measure/sweep/options.ts';
import { renderPingOpenMetrics } from '../../report/ping-openmetrics.ts';
import { renderPingText } from '../../report/ping-text.ts';
import type { Io } from '../../wire/io.ts';
import { Counter } from '../../wire/batch/columns.ts';
import { startSweepThread, type SweepThread, sweepAtFullSpeed } from '../../wire/batch/thread.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { livePing } from '../ping-live.ts';
import { version } from '../version.ts';

const flags = {
  file: {
    schema: z.string().min(1).optional(),
    about: 'File with one target per line, # for comments; besides the arguments.',
    value: 'FILE',
    short: 'f',
  },
  count: {
    schema: z.coerce.number().int().min(1).max(10_000_000).optional(),
    about: 'Probes to each target; default 10.',
    value: 'N',
    short: 'c',
  },
  duration: {
    schema: z.coerce.number().positive().max(604_800).optional(),
    about: 'Send for so many seconds, in place of --count.',
    value: 'S',
  },
  interval: {
    schema: z.coerce.number().min(0).max(86_400).default(1),
    about: 'Seconds between two probes to one target, whatever became of the first (open loop); default 1.',
    value: 'S',
    short: 'i',
  },
  rate: {
    schema: z.union([z.literal('max'), z.coerce.number().positive().max(10_000_000)]).default(1000),
    about: 'Most probes per second over all targets, or max: as fast as this machine sends; default 1000.',
    value: 'R|max',
  },
  timeout: {
    schema: z.coerce.number().min(0.001).max(600).default(1),
    about: 'Seconds after which a probe counts as lost; default 1. What comes later is told as late.',
    value: 'S',
  },
  grace: {
    schema: z.coerce.number().min(0).max(600).default(1),
    about: 'Seconds to go on listening for late answers at the end, where some are missing; default 1.',
    value: 'S',
  },
  method: {
    schema: z.enum(['auto', 'icmp', 'udp', 'tcp', 'tcp-syn', 'tcp-connect', 'tls']).default('auto'),
    about:
      'How to ask. icmp: echo; udp: to a closed port; tcp: to the real port, by tcp-syn (half-open) where permitted, else tcp-connect; tls: the first octet that answers a ClientHello; default auto: tcp where all targets have a port, else icmp where permitted, else udp.',
    value: 'METHOD',
    group: 'Probes',
  },
  port: {
    schema: z.coerce.number().int().min(1).max(65_535).optional(),
    about: 'Port for targets that give none; default 443 for tcp and tls, 33434 for udp.',
    value: 'PORT',
    group: 'Probes',
  },
  family: {
    schema: z.enum(['4', '6']).optional(),
    about: 'Use only IPv4 or only IPv6.',
    value: '4|6',
    group: 'Probes',
  },
  size: {
    schema: z.coerce.number().int().min(12).max(65_000).default(56),
    about: 'Octets behind the ICMP or UDP header; default 56.',
    value: 'BYTES',
    group: 'Probes',
  },
  dscp: {
    schema: z.coerce.number().int().min(0).max(63).default(0),
    about: 'Differentiated services code point of the probes, 46 is EF; default 0.',
    value: 'N',
    group: 'Probes',
  },
  top: {
    schema: z.coerce.number().int().min(1).max(1_000_000).default(20),
    about: 'Most targets to show, the worst first; default 20.',
    value: 'N',
    group: 'Output',
  },
  json: {
    schema: z.boolean().default(false),
    about: 'One JSON document on stdout (inferpath schema ping).',
    group: 'Output',
  },
  openmetrics: {
    schema: z.boolean().default(false),
    about: 'OpenMetrics text on stdout, for Prometheus.',
    group: 'Output',
  },
};

export const ping = defineCommand({
  name: 'ping',
  summary: 'Round trips, loss and jitter of one to a million targets, by kernel stamps',
  about:
    'Sends probes on a fixed schedule and tells for every target how many came back, how long they took and how sure that is. ' +
    'Times come from the kernel on both sides, so that a busy machine does not show as a slow network; what this machine lost ' +
    'or sent late itself is told apart. Polite by default: a probe a second to each target, 1000 a second in all.',
  positionals: {
    name: 'target',
    about: 'host, address, host:port, [IPv6]:port or URL',
    min: 0,
    max: 100_000,
  },
  flags,
  examples: [
    { line: 'inferpath ping api.example.com', about: 'ten echoes, one a second' },
    {
      line: 'inferpath ping 10.0.0.1 10.0.0.2 --duration 60 --interval 0.1',
      about: 'two hosts side by side for a minute',
    },
    {
      line: 'inferpath ping --file hosts.txt --count 1 --rate max',
      about: 'who of 100,000 is there, as fast as it goes',
    },
    {
      line: 'inferpath ping --file hosts.txt --openmetrics > ping.prom',
      about: 'for the textfile collector of Prometheus',
    },
  ],
  run: async ({ flags, positionals, io }) => {
    if (io.platform !== 'linux') {
      io.terminal.err(
        `inferpath ping: kernel stamps and batched sockets are used on Linux only, this is ${io.platform}\n`,
      );
      return exitCode.couldNotMeasure;
    }
    if (flags.json && flags.openmetrics)
      throw new UsageError('--openmetrics: cannot go with --json; allowed: one of the two');
    const text = flags.file === undefined ? '' : await readFile(flags.file, io);
    // A thread takes as long to load as many targets to read, so it begins before they are counted.
    const isUnwatchedSweep = flags.rate === 'max' && flags.count === 1 && !io.terminal.stderrIsTty;
    const thread = isUnwatchedSweep
      ? sweepAtFullSpeed(text.length / USUAL_LINE, () => io.clock.monoMs())
      : startSweepThread();
    try {
      const table = targetTable(flags, text, positionals);
      return await measure(flags, table, thread, io);
    } finally {
      thread.close();
    }
  },
});

/** Characters of an address and its line end. */
const USUAL_LINE = 14;

type PingFlags = FlagValues<typeof flags>;

/** @throws UsageError with every mistake and its line */
function targetTable({ file, family }: PingFlags, text: string, positionals: readonly string[]): TargetTable {
  const given = positionals.join('\n');
  const wanted = familyOf(family);
  const inArguments = readTargets(given, wanted);
  const mistakes = inArguments.mistakes.map(({ text, why }) => `target: ${JSON.stringify(text)} ${why}`);
  let { table } = inArguments;
  if (file !== undefined) {
    // The arguments go first; line numbers are those of the file.
    const offset = given === '' ? 0 : positionals.length;
    const scan = readTargets(given === '' ? text : `${given}\n${text}`, wanted);
    table = scan.table;
    for (const { line, text, why } of scan.mistakes)
      if (line > offset) mistakes.push(`${file}:${line - offset}: ${JSON.stringify(text)} ${why}`);
    if (scan.moreMistakes > 0) mistakes.push(`${file}: ${scan.moreMistakes} more lines with a mistake`);
  }
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  if (table.count === 0) throw new UsageError('<target>: is required; host, address, host:port or URL, or --file FILE');
  return table;
}

async function readFile(path: string, io: Io): Promise<string> {
  try {
    return await io.fs.readText(path);
  } catch (error) {
    throw new UsageError(`--file: cannot read "${path}": ${error instanceof Error ? error.message : String(error)}`);
  }
}

function sweepOptions(flags: PingFlags, targets: number): SweepOptions {
  if (flags.count !== undefined && flags.duration !== undefined)
    throw new UsageError('--duration: cannot go with --count; allowed: one of the two');
  const options: SweepOptions = {
    count: flags.count ?? 10,
    intervalMs: flags.interval * 1000,
    ratePerS: flags.rate === 'max' ? null : flags.rate,
    timeoutMs: flags.timeout * 1000,
    graceMs: flags.grace * 1000,
    payloadBytes: flags.size,
    dscp: flags.dscp,
    port: flags.port,
  };
  if (flags.duration !== undefined) {
    const { roundMs } = planSweep(targets, options);
    if (roundMs === 0) throw new UsageError('--duration: needs an --interval above 0 or a --rate other than max');
    options.count = Math.max(1, Math.round((flags.duration * 1000) / roundMs));
  }
  if (sweepBytes(targets, options) > MOST_COLUMN_BYTES)
    throw new UsageError(
      `--count: ${options.count} probes to each of ${targets} targets need more than 2 GiB of memory; send fewer at a time`,
    );
  return options;
}

async function measure(flags: PingFlags, table: TargetTable, thread: SweepThread, io: Io): Promise<ExitCode> {
  const options = sweepOptions(flags, table.count);
  const startedAt = new Date(io.clock.wallMs()).toISOString();
  const signal = io.signals.interrupted;
  const unresolved: ReadonlyMap<number, Outcome> = await resolveNames(table, familyOf(flags.family), io, signal);
  const columns = columnsOf(table, options);
  const plan = planSweep(table.count, options);
  const sofar: Measured = {
    result: { columns, plan, method: 'icmp', end: null, failed: null, fallback: '' },
    table,
    unresolved,
  };
  const live = livePing(sofar, table.count * options.count, io);
  const result = await runSweep({ columns, table, wanted: flags.method, options }, thread, io, signal).finally(() =>
    live.end(),
  );
  const measured: Measured = { result, table, unresolved };
  const report: Omit<PingReport, 'targets'> = {
    schema: 'inferpath/ping@1',
    version,
    startedAt,
    durationMs: result.end?.durationMs ?? 0,
    interrupted: signal.aborted,
    method: result.method,
    how: describeHow(result),
    options: { ...options, port: options.port ?? null },
    summary: summaryReport(measured),
    client: clientReport(result),
    notes: notesOf(measured),
  };
  print(flags, report, measured, io);
  if (report.interrupted) return exitCode.interrupted;
  if (report.summary.answering === 0) return exitCode.couldNotMeasure;
  return report.summary.answered < report.summary.sent + report.summary.failed ? exitCode.notReady : exitCode.ready;
}

function print(flags: PingFlags, report: Omit<PingReport, 'targets'>, measured: Measured, io: Io): void {
  const { targets } = measured.result.columns;
  const all = function* () {
    for (let i = 0; i < targets; i++) yield targetReport(measured, i);
  };
  if (flags.openmetrics) {
    writePieces(renderPingOpenMetrics(report, all), io);
    return;
  }
  if (flags.json) {
    writePieces(jsonPieces(report, all()), io);
    return;
  }
  const rows = worstTargets(measured.result, flags.top);
  if (targets <= flags.top) rows.sort((a, b) => a - b);
  const shown: PingReport = { ...report, targets: rows.map((index) => targetReport(measured, index)) };
  io.terminal.out(renderPingText(shown, { columns: io.terminal.columns, colors: io.terminal.colors }));
}

/** The report in pieces: a million targets are more than one string can hold. */
function* jsonPieces(report: Omit<PingReport, 'targets'>, targets: Iterable<unknown>): Generator<string> {
  yield `${JSON.stringify(report).slice(0, -1)},"targets":[`;
  let first = true;
  for (const target of targets) {
    yield `${first ? '' : ','}${JSON.stringify(target)}`;
    first = false;
  }
  yield ']}\n';
}

const pieceChars = 1 << 20;

function writePieces(pieces: Iterable<string>, io: Io): void {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < pieceChars) continue;
    io.terminal.out(text);
    text = '';
  }
  io.terminal.out(text);
}

function notesOf({ result: { columns, method }, table }: Measured): string[] {
  const drops = columns.counters[Counter.ownDrops]!;
  return [
    ...(method === 'icmp' && table.withPort > 0
      ? [`ports were named for ${table.withPort} of the targets; ICMP has none, --method tcp measures what they get`]
      : []),
    ...(table.duplicates > 0 ? [`${table.duplicates} targets were given more than once and are measured once`] : []),
    ...(drops > 0
      ? [
          `this machine dropped ${drops} packets for want of room: probes unanswered meanwhile are not counted as loss; lower --rate`,
        ]
      : []),
  ];
}

function familyOf(family: '4' | '6' | undefined): 4 | 6 | undefined {
  return family === undefined ? undefined : family === '4' ? 4 : 6;
}
