import { isIP } from 'node:net';
import type { ThroughputReport } from '../../model/throughput.ts';
import { resolveTarget } from '../../measure/dns.ts';
import { type ClientEvents, type ClientResult, runClient } from '../../measure/throughput/client.ts';
import { iperfJson } from '../../measure/throughput/iperf-json.ts';
import type { ClientOptions } from '../../measure/throughput/options.ts';
import { UDP_BLOCK_MAX_BYTES } from '../../measure/throughput/parameters.ts';
import { defaultBitsPerS, IPERF_PORT } from '../../measure/throughput/probe.ts';
import { prettyJson } from '../../report/json.ts';
import { renderThroughputText } from '../../report/throughput-text.ts';
import type { Io } from '../../wire/io.ts';
import { defineCommand, type ExitCode, exitCode, UsageError } from '../command.ts';
import { type ThroughputFlags, throughputFlags } from '../throughput-flags.ts';
import { liveThroughput } from '../throughput-live.ts';
import { serveThroughput } from '../throughput-serve.ts';
import { version } from '../version.ts';

/** `inferpath throughput`: speaks iperf3 both ways, and measures what iperf3 does not: the round trips under its own load. */
export const throughput = defineCommand({
  name: 'throughput',
  summary: 'How much the path carries, and how long round trips take while it does',
  about:
    'Speaks the protocol of iperf3, as client to any iperf3 server and as server to any iperf3 client, several at once. While data ' +
    'flows it measures round trips on a flow of their own and compares them with the idle path: bufferbloat, as a grade. Says who ' +
    'limited the throughput by what the kernel knows, this tool itself included. Bounded to 10 s and 25 GB unless told otherwise. ' +
    'Needs no privilege.',
  positionals: {
    name: 'host',
    about: 'host, host:port or [IPv6]:port of an iperf3 server; none with --serve',
    min: 0,
    max: 1,
  },
  flags: throughputFlags,
  examples: [
    { line: 'inferpath throughput 10.0.0.5', about: 'ten seconds up, to an iperf3 server on port 5201' },
    { line: 'inferpath throughput 10.0.0.5 --reverse --parallel 4', about: 'four streams down' },
    { line: 'inferpath throughput 10.0.0.5 --udp --bitrate 50M', about: 'loss and jitter at 50 Mbit/s' },
    {
      line: "inferpath throughput --serve --listen '[::]:5201'",
      about: 'serve iperf3 clients and ours, on every address',
    },
  ],
  run: async ({ flags, positionals, io }) => {
    const [target] = positionals;
    if (io.platform !== 'linux') {
      io.terminal.err(`inferpath throughput: its sockets are used on Linux only, this is ${io.platform}\n`);
      return exitCode.couldNotMeasure;
    }
    if (flags.serve) {
      if (target !== undefined) throw new UsageError(`host: found "${target}"; allowed: none together with --serve`);
      return serveThroughput(flags, io);
    }
    if (target === undefined)
      throw new UsageError(
        'host: found nothing; allowed: the host of an iperf3 server',
        'or --serve, to be the server',
      );
    checkFlags(flags);
    return measure(flags, target, io);
  },
});

/** @throws UsageError that lists what cannot go together */
function checkFlags(flags: ThroughputFlags): void {
  const ends = (['duration', 'bytes', 'blocks'] as const).filter((name) => flags[name] !== undefined);
  const mistakes: string[] = [];
  if (ends.length > 1) mistakes.push(`--${ends[1]}: cannot go with --${ends[0]}; allowed: one of the two`);
  if (flags.reverse && flags.bidir) mistakes.push('--bidir: cannot go with --reverse; allowed: one of the two');
  if (flags.json && flags.iperfJson) mistakes.push('--iperf-json: cannot go with --json; allowed: one of the two');
  if (flags.udp && (flags.length ?? 0) > UDP_BLOCK_MAX_BYTES)
    mistakes.push(`--length: found ${flags.length}; allowed with --udp: at most ${UDP_BLOCK_MAX_BYTES}`);
  for (const name of ['mss', 'congestion'] as const)
    if (flags.udp && flags[name] !== undefined) mistakes.push(`--${name}: has no meaning with --udp`);
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'), 'inferpath throughput --help lists the flags');
}

async function measure(flags: ThroughputFlags, text: string, io: Io): Promise<ExitCode> {
  const startedAt = new Date(io.clock.wallMs()).toISOString();
  const url = targetUrl(text);
  const port = url.port === '' ? (flags.port ?? IPERF_PORT) : Number(url.port);
  const family = flags.family === undefined ? {} : { family: Number(flags.family) as 4 | 6 };
  const found = await resolveTarget({ name: text, vantage: 'here', url, ...family }, io, io.signals.interrupted);
  const [first] = found.addresses;
  const options = clientOptions(flags, first?.address ?? '', port);
  const result = first
    ? await run(options, io)
    : ({ outcome: found.outcome, how: found.how, test: null, raw: null } satisfies ClientResult);
  const report: ThroughputReport = {
    schema: 'inferpath/throughput@1',
    version,
    startedAt,
    target: found.host,
    address: first?.address ?? '',
    port,
    how: result.how,
    outcome: result.outcome,
    test: result.test,
    notes: notesOf(result),
  };
  io.terminal.out(print(report, result, options, flags, io));
  if (result.outcome.kind === 'interrupted') return exitCode.interrupted;
  return result.outcome.kind === 'answered' ? exitCode.ready : exitCode.couldNotMeasure;
}

async function run(options: ClientOptions, io: Io): Promise<ClientResult> {
  const live = liveThroughput(options, io);
  const events: ClientEvents = live.events;
  try {
    return await runClient(options, io, io.signals.interrupted, events);
  } finally {
    live.end();
  }
}

function print(
  report: ThroughputReport,
  result: ClientResult,
  options: ClientOptions,
  flags: ThroughputFlags,
  io: Io,
): string {
  if (flags.json) return prettyJson(report);
  if (flags.iperfJson && result.raw) return prettyJson(iperfJson(report, result.raw, options));
  if (flags.iperfJson) return prettyJson({ start: {}, intervals: [], end: {}, error: JSON.stringify(report.outcome) });
  return renderThroughputText(report, { columns: io.terminal.columns, colors: io.terminal.colors });
}

/** What a reader must know to read the numbers rightly. */
function notesOf({ test, raw }: ClientResult): string[] {
  if (!test) return [];
  const notes: string[] = [];
  if (raw?.remote === null && test.endedBy !== 'interrupted' && test.endedBy !== 'peer')
    notes.push('the server did not tell its counts: what was sent stands for what arrived');
  if (test.directions.some((d) => d.direction === 'down') && test.protocol === 'tcp')
    notes.push('octets received were counted and dropped in the kernel, without a copy (iperf3: --skip-rx-copy)');
  return notes;
}

function clientOptions(flags: ThroughputFlags, address: string, port: number): ClientOptions {
  const protocol = flags.udp ? 'udp' : 'tcp';
  return {
    address,
    port,
    protocol,
    direction: flags.bidir ? 'both' : flags.reverse ? 'down' : 'up',
    parallel: flags.parallel,
    durationS: flags.duration ?? 10,
    bytes: flags.bytes,
    blocks: flags.blocks,
    omitS: flags.omit,
    bitsPerS: flags.bitrate ?? defaultBitsPerS(protocol),
    blockBytes: flags.length,
    intervalS: flags.interval,
    latency: flags.latency,
    latencyIntervalMs: flags.latencyInterval,
    capBytes: flags.maxBytes,
    connectTimeoutMs: 10_000,
    windowBytes: flags.window,
    mssBytes: flags.mss,
    noDelay: flags.nodelay,
    congestion: flags.congestion,
    tos: flags.dscp === undefined ? undefined : flags.dscp << 2,
  };
}

/** @throws UsageError for what is no host with or without a port */
function targetUrl(text: string): URL {
  const host = isIP(text) === 6 ? `[${text}]` : text;
  const url = URL.canParse(`iperf3://${host}`) ? new URL(`iperf3://${host}`) : null;
  if (url && url.hostname !== '' && url.pathname === '' && url.username === '' && url.search === '') return url;
  throw new UsageError(`host: found ${JSON.stringify(text)}; allowed: host, host:port or [IPv6]:port`);
}
