import * as z from 'zod';
import { readSitePrefix, type SitePrefix, sitePrefixes } from '../../gather/capture/patterns/direction.ts';
import { listenAddress } from '../../lab/reflect/options.ts';
import type { FlowWithExchanges } from '../../model/capture/report.ts';
import type { Network } from '../../model/network.ts';
import { captureCsv } from '../../report/capture-csv.ts';
import { renderCaptureHtml } from '../../report/capture-html.ts';
import { renderCaptureText } from '../../report/capture-text.ts';
import { plural } from '../../report/format.ts';
import type { Io } from '../../wire/io.ts';
import { collectRecords } from '../capture/collect.ts';
import { compatLines } from '../capture/compat.ts';
import { type Keeper, type Kept, openKeeper } from '../capture/keep.ts';
import { inOrderOfTime } from '../capture/order.ts';
import { captureOutput, type Form } from '../capture/output.ts';
import { type CaptureProgressLine, progressLine } from '../capture/progress.ts';
import { cannotRead, readPlaces } from '../capture/read.ts';
import { captureSession } from '../capture/session.ts';
import { keepHeapsSmall, pipeOf, threadsFor } from '../capture/threads.ts';
import { sequenceTrails } from '../capture/trails.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { documentsFlag } from '../documents-place.ts';
import { storeFlag } from '../store-place.ts';
import { version } from '../version.ts';
import { writeReport } from '../write-report.ts';

const sitePrefix = z.string().transform((text, context): SitePrefix => {
  const read = readSitePrefix(text);
  if (typeof read !== 'string') return read;
  context.addIssue({ code: 'custom', message: read });
  return z.NEVER;
});

const flags = {
  json: { schema: z.boolean().default(false), about: 'One JSON document on stdout (inferpath schema capture).' },
  lines: {
    schema: z.boolean().default(false),
    about: 'One JSON object a line: each exchange, event and conversation as it ends, and the sums at the end.',
  },
  top: {
    schema: z.coerce.number().int().min(1).max(1000).default(10),
    about: 'How many of the worst streams, and of the other conversations, to show; default 10.',
    value: 'N',
  },
  csv: {
    schema: z.string().min(1).optional(),
    about: 'Also write a table of the conversations to this file.',
    value: 'FILE',
  },
  html: { schema: z.string().min(1).optional(), about: 'Also write a page with pictures to this file.', value: 'FILE' },
  compat: {
    schema: z.enum(['wireshark']).optional(),
    about: 'A line for each TCP segment that Wireshark 4.0 would flag, by its names, instead of what is found here.',
    value: 'NAME',
  },
  threads: {
    schema: z.coerce.number().int().min(1).max(64).optional(),
    about:
      'Threads that look at the packets of files and pipes; default: one, or as many as processors for large ones.',
    value: 'N',
  },
  network: {
    schema: z.string().min(1).optional(),
    about: 'Network file: its sites and ranges tell what is inside.',
    value: 'FILE',
    group: 'Who is who',
  },
  sitePrefix: {
    schema: z.array(sitePrefix).default([]),
    about: 'A network that is inside, as 198.51.100.0/24 or frankfurt=198.51.100.0/24; private ones always are.',
    value: '[SITE=]CIDR',
    repeated: true,
    group: 'Who is who',
  },
  listen: {
    schema: z.array(listenAddress).default([]),
    about:
      'Instead of packets, flow exports (NetFlow v5 and v9, IPFIX, sFlow v5) that are sent here, as 127.0.0.1:2055.',
    value: '[HOST:]PORT',
    repeated: true,
    group: 'Live',
  },
  bpf: {
    schema: z.string().min(1).optional(),
    about: 'Of an interface: only what this filter of tcpdump lets pass, as "port 443".',
    value: 'FILTER',
    group: 'Live',
  },
  snaplen: {
    schema: z.coerce.number().int().min(64).max(262_144).default(160),
    about: 'Of an interface: octets of each packet that are looked at; default 160, the headers.',
    value: 'BYTES',
    group: 'Live',
  },
  duration: {
    schema: z.coerce.number().positive().max(86_400).optional(),
    about: 'Of an interface, or --listen: end after so many seconds; default: at Ctrl-C.',
    value: 'S',
    group: 'Live',
  },
  write: {
    schema: z.string().min(1).optional(),
    about:
      'Of an interface: also keep the packets, cut to --snaplen, in files whose names begin so; readable by you alone (0600).',
    value: 'PREFIX',
    group: 'Live',
  },
  fileSize: {
    schema: z.coerce.number().min(0.01).max(100_000).default(100),
    about: 'With --write: begin a new file at so many MB (tcpdump -C); default 100.',
    value: 'MB',
    group: 'Live',
  },
  fileSeconds: {
    schema: z.coerce.number().int().min(1).max(604_800).optional(),
    about: 'With --write: begin a new file after so many seconds too (tcpdump -G).',
    value: 'S',
    group: 'Live',
  },
  files: {
    schema: z.coerce.number().int().min(1).max(100_000).default(10),
    about: 'With --write: keep so many files, the oldest goes first (tcpdump -W); default 10.',
    value: 'N',
    group: 'Live',
  },
  data: {
    schema: z.string().min(1).optional(),
    about:
      'Also store what concerns the endpoints, in this data folder of `inferpath up` or `serve`, while no server runs on it.',
    value: 'DIR',
    group: 'Into the store',
  },
  store: {
    ...storeFlag,
    about: 'The same into ClickHouse: clickhouse://user@host:8123/database?cluster=name.',
    group: 'Into the store',
  },
  documents: {
    ...documentsFlag,
    about: 'With --store: which roll-ups count, as of `inferpath serve`.',
    group: 'Into the store',
  },
  vantage: {
    schema: z.string().min(1).max(63).optional(),
    about: 'Name of the place of the tap; default that of the network file, or else "capture".',
    value: 'NAME',
    group: 'Into the store',
  },
} as const;
type Flags = FlagValues<typeof flags>;

/** `inferpath capture`: what packet captures tell of the network and of the inference that went over it. */
export const capture = defineCommand({
  name: 'capture',
  summary: 'Read packets: what was lost and where, and whose fault each stalled token stream is, also encrypted',
  about:
    'Reads pcap and pcapng, plain or compressed by gzip or zstd, from files or a pipe, or listens to an interface, and follows every ' +
    'conversation: what was sent again, and whether it was lost before or behind the tap, what was only overtaken, what the capture itself ' +
    'lost, round trips to both sides, closed windows. In TLS and plain HTTP it finds requests and streamed answers, the time to the first ' +
    'token, the gaps between chunks, and says of each stall whether the network or the model server caused it. It decrypts nothing and ' +
    'keeps no content.\n\nSeveral files are one capture, in the order of their first packets; but one that begins before the one ahead of it ends is of ' +
    'another tap, and looked at by itself.',
  positionals: {
    name: 'file…|interface',
    about: 'Captures, - for stdin; or one interface, any for all',
    min: 0,
    max: 1000,
  },
  flags,
  examples: [
    { line: 'inferpath capture gateway.pcapng.gz', about: 'the worst token streams first, each with its cause' },
    { line: 'inferpath capture eth0 --bpf "tcp port 443"', about: 'live, until Ctrl-C' },
    { line: 'tcpdump -i eth0 -s 160 -w - | inferpath capture -', about: 'the same from a pipe' },
    { line: 'inferpath capture --json day.pcap > day.json', about: 'every conversation with its exchanges' },
    { line: 'inferpath capture --lines day.pcap | grep loss', about: 'one object a line, as they come' },
    {
      line: 'inferpath capture day.pcap --network network.yaml --data inferpath-data',
      about: 'into the store: for objectives, dashboards and reports',
    },
    { line: 'inferpath capture --listen 0.0.0.0:2055', about: 'NetFlow, IPFIX and sFlow of routers, until Ctrl-C' },
    { line: 'inferpath capture --compat wireshark day.pcap', about: 'the flags of tcp.analysis, to compare' },
  ],
  run: async ({ flags, positionals, io }) => {
    if (flags.json && flags.lines) throw new UsageError('--lines: does not go with --json; leave one of them out');
    if (flags.listen.length > 0) {
      if (positionals.length > 0 || flags.compat)
        throw new UsageError('--listen: reads flow exports only; leave files and --compat out');
      return collectRecords(
        {
          ...flags,
          durationS: flags.duration,
          form: formOf(flags),
          prefixes: sitePrefixes(await networkOf(flags, io), flags.sitePrefix),
        },
        io,
      );
    }
    if (positionals.length === 0)
      throw new UsageError('<file…|interface>: is required', 'or --listen PORT for flow exports');
    if (!flags.compat) return runCapture(flags, positionals, io);
    if (positionals.length > 1) throw new UsageError('--compat: reads one file, since Wireshark does');
    return compatLines(positionals[0]!, io).catch((error: unknown) => {
      throw error instanceof UsageError ? error : new UsageError(cannotRead(positionals[0]!, error));
    });
  },
});

async function runCapture(flags: Flags, places: readonly string[], io: Io): Promise<ExitCode> {
  keepHeapsSmall();
  const network = await networkOf(flags, io);
  const keeper = await openKeeper(flags, network, io);
  try {
    return await readAndTell(flags, places, network, keeper, io);
  } finally {
    await keeper?.close();
  }
}

async function readAndTell(
  flags: Flags,
  given: readonly string[],
  network: Network | null,
  keeper: Keeper | null,
  io: Io,
): Promise<ExitCode> {
  const places = await inOrderOfTime(given, io);
  const output = captureOutput(formOf(flags), io);
  const table: FlowWithExchanges[] = [];
  const flow = (one: FlowWithExchanges) => {
    if (flags.csv !== undefined) table.push(one);
    keeper?.flow(one, session.startAt());
    output.flow?.(one);
  };
  const isTold = output.flow !== undefined || flags.csv !== undefined || keeper !== null;
  const prefixes = sitePrefixes(network, flags.sitePrefix);
  const pipe = await pipeOf(places, io);
  const threads = await threadsFor(places, pipe, { asked: flags.threads, told: isTold ? 'all' : flags.top }, io);
  const seed = Math.floor(io.random.next() * 2 ** 32);
  const session = captureSession({ prefixes, top: flags.top, seed, threads }, { ...output, ...(isTold && { flow }) });
  const progress = flushingFirst(progressLine(io), output.flush);
  const { mistakes, ...read } = await readPlaces(places, { live: flags, pipe }, session, progress, io);
  const { sources } = read;
  const interrupted = io.signals.interrupted.aborted;
  const { report, worst } = await session.finish({ ...read, interrupted });
  output.end(report);
  if (flags.html !== undefined) {
    const trails = await sequenceTrails(places, worst.streams, progress, io);
    await writeReport(flags.html, renderCaptureHtml({ ...report, worst }, version, trails), io);
  }
  if (flags.csv !== undefined) await writeReport(flags.csv, captureCsv(table), io);
  if (!flags.json && !flags.lines && sources.length > 0) {
    const { columns, colors } = io.terminal;
    io.terminal.out(renderCaptureText({ ...report, worst }, { columns, colors }));
  }
  if (keeper) io.terminal.err(keptWords(await keeper.end(report), network !== null));
  if (interrupted) return exitCode.interrupted;
  const unread = sources.flatMap(({ packets, problem }) => (packets === 0 && problem ? [problem] : []));
  if (mistakes.length + unread.length > 0) throw new UsageError([...mistakes, ...unread].join('\n'));
  return report.packets === 0 ? exitCode.couldNotMeasure : exitCode.ready;
}

/** Lines that are ready come before the progress is drawn anew: whoever reads along waits for them. */
function flushingFirst(line: CaptureProgressLine, flush: () => void): CaptureProgressLine {
  return {
    ...line,
    file: (name, of) => {
      flush();
      line.file(name, of);
    },
    live: (name, of) => {
      flush();
      line.live(name, of);
    },
  };
}

function keptWords({ samples, known, endpoints, unnamed }: Kept, hasNetwork: boolean): string {
  const left = hasNetwork ? 'go to no endpoint of the network file' : 'streamed no answer';
  const what = `${plural(samples - known, 'sample')} of ${plural(endpoints, 'endpoint')} stored`;
  const before = known > 0 ? `, ${known} were there already` : '';
  return `${what}${before}${unnamed > 0 ? `; left out: ${plural(unnamed, 'conversation')} that ${left}` : ''}\n`;
}

function formOf({ json, lines }: Flags): Form {
  return json ? 'json' : lines ? 'lines' : 'text';
}

async function networkOf(flags: Flags, io: Io): Promise<Network | null> {
  if (flags.network === undefined) return null;
  const { loadNetworkFile } = await import('../network-file.ts');
  return loadNetworkFile(flags.network, io);
}
