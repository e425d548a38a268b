import * as z from 'zod';
import type { TraceChange, TraceReport } from '../../model/trace-report.ts';
import { traceOptions } from '../../measure/trace/options.ts';
import { renderTraceDot } from '../../report/trace-dot.ts';
import { renderTraceMermaid } from '../../report/trace-mermaid.ts';
import { renderTraceText } from '../../report/trace-text.ts';
import type { Io } from '../../wire/io.ts';
import { asnSources } from '../asn-sources.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { canFillScreen, redrawnBlock } from '../screen.ts';
import { watchTrace } from '../trace-live.ts';
import { traceDestination } from '../trace-target.ts';
import { progressLine, TraceRun, type TraceTask } from '../trace-run.ts';

const number = z.coerce.number();
const limits = traceOptions.shape;
/** As many as the probe of `assess` may use. */
const FLOWS = limits.maxFlows.parse(undefined);

const flags = {
  protocol: {
    schema: z.enum(['icmp', 'udp', 'tcp']).optional(),
    about: 'What the probes are; default tcp where the target has a port, else udp.',
    value: 'NAME',
  },
  port: {
    schema: number.int().min(1).max(65_535).optional(),
    about: 'Destination port; default that of the target.',
    value: 'N',
  },
  count: {
    schema: number.int().min(1).max(1_000_000).optional(),
    about: 'Rounds over all hops and paths; default 20, in the live view no end.',
    value: 'N',
    short: 'c',
  },
  duration: {
    schema: number.positive().max(31_536_000).optional(),
    about: 'Measure for this many seconds instead.',
    value: 'S',
    short: 'd',
  },
  interval: {
    schema: number.min(0.01).max(3600).optional(),
    about: 'Seconds from round to round; default 0.5.',
    value: 'S',
    short: 'i',
  },
  rate: {
    schema: number.positive().max(100).optional(),
    about: 'Rounds per second, another way to say --interval.',
    value: 'R',
  },
  algorithm: {
    schema: limits.algorithm,
    about: 'How to look for parallel paths: auto, single (one flow), mda-lite, mda; default auto.',
    value: 'NAME',
    group: 'Paths',
  },
  flows: {
    schema: number.int().min(1).max(512).default(FLOWS),
    about: `Most flows (source ports) to look for paths with; default ${FLOWS}.`,
    value: 'N',
    group: 'Paths',
  },
  confidence: {
    schema: number.min(0.5).max(0.9999).default(0.95),
    about: 'Chance to find all branches of a balancer, per balancer; default 0.95.',
    value: 'P',
    group: 'Paths',
  },
  firstHop: {
    schema: number.int().min(1).max(64).default(1),
    about: 'Lowest TTL; default 1.',
    value: 'N',
    group: 'Paths',
  },
  maxHops: {
    schema: number.int().min(1).max(64).default(30),
    about: 'Highest TTL; default 30.',
    value: 'N',
    group: 'Paths',
  },
  silentHops: {
    schema: number.int().min(1).max(30).default(5),
    about: 'Stop behind so many silent hops in a row; default 5.',
    value: 'N',
    group: 'Paths',
  },
  budget: {
    schema: number.min(0.05).max(600).default(10),
    about: 'Seconds that finding the paths may take; default 10.',
    value: 'S',
    group: 'Paths',
  },
  wait: {
    schema: number.min(0.02).max(10).default(0.7),
    about: 'Seconds to wait for an answer; default 0.7.',
    value: 'S',
    group: 'Paths',
  },
  family: {
    schema: z.enum(['4', '6']).optional(),
    about: 'Use only IPv4 or only IPv6.',
    value: '4|6',
    group: 'Paths',
  },
  names: {
    schema: z.boolean().optional(),
    about: 'Ask DNS for the names of hops; default on a terminal only. --no-names never asks.',
    group: 'Names',
  },
  asnDb: {
    schema: z.string().min(1).optional(),
    about: 'Autonomous systems by this MaxMind DB file (.mmdb). No network is asked.',
    value: 'FILE',
    group: 'Names',
  },
  prefixes: {
    schema: z.string().min(1).optional(),
    about: 'Autonomous systems by this text file: lines of prefix, AS number, name.',
    value: 'FILE',
    group: 'Names',
  },
  watch: {
    schema: z.boolean().optional(),
    about: 'The live view with keys; on where stdin and stderr are a terminal, --no-watch turns it off.',
    group: 'Output',
  },
  format: {
    schema: z.enum(['text', 'json', 'dot', 'mermaid']).optional(),
    about: 'What to print at the end: text, json, dot (Graphviz) or mermaid; default text.',
    value: 'NAME',
    group: 'Output',
  },
  json: { schema: z.boolean().default(false), about: 'As --format json (inferpath schema trace).', group: 'Output' },
};
type TraceFlags = FlagValues<typeof flags>;

export const trace = defineCommand({
  name: 'trace',
  summary: 'The paths to a target: every hop and branch, where packets are lost and where delay is added',
  about:
    'Finds the paths to a target with flows that stay the same from hop to hop, all of them where routers balance, then ' +
    'measures them round by round. Loss counts only where it lasts to the target; a router that answers rarely is said to be ' +
    'that. Says between which hops delay is added, or that the samples do not tell. Works without privilege on Linux.',
  positionals: { name: 'target', about: 'host, address, host:port or URL', min: 1, max: 1 },
  flags,
  examples: [
    { line: 'inferpath trace api.example.com:443', about: 'the way that requests go, by TCP to their port' },
    { line: 'inferpath trace 10.0.0.5 --protocol icmp --count 100', about: 'a hundred rounds by ICMP echo' },
    {
      line: 'inferpath trace https://api.example.com/v1 --duration 3600 --interval 5 --json > night.json',
      about: 'an hour, with every change of the path',
    },
    {
      line: 'inferpath trace 10.0.0.5:8443 --algorithm mda --confidence 0.99 --format dot | dot -Tsvg > paths.svg',
      about: 'a picture of all paths',
    },
  ],
  run: async ({ flags, positionals, io }) => {
    const isWatched = canFillScreen(io) && flags.watch !== false;
    const wanted = taskOf(flags, positionals[0] as string, isWatched);
    const names = flags.names ?? (io.terminal.stdoutIsTty || isWatched);
    const run = new TraceRun({ ...wanted, asnOf: await asnSources(flags, io) }, io, names);
    await (isWatched ? watchTrace(run, { names, asn: true }, io) : follow(run, io));
    await run.namesSettled();
    const report = run.report();
    io.terminal.out(rendered(report, formatOf(flags), io));
    return codeOf(report);
  },
});

/** Rounds where nothing else bounds them. */
const defaultRounds = 20;
const mostRounds = 1_000_000;
const defaultIntervalS = 0.5;

function taskOf(flags: TraceFlags, text: string, isWatched: boolean): Omit<TraceTask, 'asnOf'> {
  const destination = traceDestination(text);
  const mistakes = [
    ...(flags.interval !== undefined && flags.rate !== undefined
      ? ['--rate: found together with --interval; allowed: one of them']
      : []),
    ...(flags.count !== undefined && flags.duration !== undefined
      ? ['--duration: found together with --count; allowed: one of them']
      : []),
    ...(flags.json && flags.format !== undefined && flags.format !== 'json'
      ? [`--json: found together with --format ${flags.format}; allowed: one of them`]
      : []),
    ...(flags.firstHop > flags.maxHops
      ? [`--first-hop: found ${flags.firstHop}; allowed: at most --max-hops, which is ${flags.maxHops}`]
      : []),
    ...(flags.protocol === 'icmp' && flags.port !== undefined
      ? ['--port: found with --protocol icmp, which has no ports; allowed: with tcp or udp']
      : []),
  ];
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  const port = flags.port ?? destination.port;
  const protocol = flags.protocol ?? (port === null ? 'udp' : 'tcp');
  const intervalMs = 1000 * (flags.interval ?? (flags.rate === undefined ? defaultIntervalS : 1 / flags.rate));
  const rounds =
    flags.duration === undefined
      ? (flags.count ?? (isWatched ? mostRounds : defaultRounds))
      : Math.ceil((flags.duration * 1000) / intervalMs);
  return {
    text,
    protocol,
    port: protocol === 'icmp' ? null : port,
    target: {
      name: destination.url.hostname,
      vantage: 'here',
      url: destination.url,
      ...(flags.family && { family: flags.family === '4' ? 4 : 6 }),
    },
    options: {
      algorithm: flags.algorithm,
      confidence: flags.confidence,
      ...(protocol !== 'icmp' && port !== null && { port }),
      firstTtl: flags.firstHop,
      maxTtl: flags.maxHops,
      silentHops: flags.silentHops,
      maxFlows: flags.flows,
      waitMs: flags.wait * 1000,
      budgetMs: flags.budget * 1000,
      count: Math.min(mostRounds, rounds),
      intervalMs,
    },
    notes: [],
    isEndless: isWatched && flags.count === undefined && flags.duration === undefined,
  };
}

/** Runs the trace with one line of progress on a terminal, and with a line per change of the path elsewhere. */
async function follow(run: TraceRun, io: Io): Promise<void> {
  const block = redrawnBlock(io, () => [progressLine(run)]);
  try {
    await run.run(io.signals.interrupted, (changes) => {
      if (!io.terminal.stderrIsTty) for (const change of changes) io.terminal.err(`${changeLine(change)}\n`);
      block.changed();
    });
  } finally {
    block.end();
  }
}

/** A change of the path in a line, for logs. */
function changeLine({ at, flow, from, to, hops }: TraceChange): string {
  const where = hops.map((h) => `hop ${h.ttl} ${h.from.join('|') || '–'} → ${h.to.join('|') || '–'}`);
  return `${at} path ${from} → ${to} (flow ${flow}): ${where.join(', ')}`;
}

function formatOf({ format, json }: TraceFlags): 'text' | 'json' | 'dot' | 'mermaid' {
  return json ? 'json' : (format ?? 'text');
}

function rendered(report: TraceReport, format: ReturnType<typeof formatOf>, io: Io): string {
  if (format === 'json') return `${JSON.stringify(report)}\n`;
  if (format === 'dot') return renderTraceDot(report);
  if (format === 'mermaid') return renderTraceMermaid(report);
  const { columns, colors } = io.terminal;
  return renderTraceText(report, { columns, colors, names: true, asn: true });
}

function codeOf({ interrupted, reached, outcome, paths, graph }: TraceReport): ExitCode {
  if (interrupted) return exitCode.interrupted;
  if (reached) return exitCode.ready;
  const somebodyAnswered =
    paths.some((p) => p.hops.some((h) => h.received > 0)) || (graph?.nodes.some((n) => n.received > 0) ?? false);
  return outcome.kind === 'failed' || !somebodyAnswered ? exitCode.couldNotMeasure : exitCode.notReady;
}
