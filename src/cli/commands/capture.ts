import * as z from 'zod';
import { FilterError } from '../../gather/capture/live-filter.ts';
import { readLive } from '../../gather/capture/live-read.ts';
import { openInterface } from '../../gather/capture/live.ts';
import { captureSource, describeEnd, readCapture } from '../../gather/capture/open.ts';
import { readSitePrefix, type SitePrefix, sitePrefixes } from '../../gather/capture/patterns/direction.ts';
import { listenAddress } from '../../lab/reflect/options.ts';
import type { CaptureReport, FlowWithExchanges } from '../../model/capture/report.ts';
import { printable } from '../../model/outcome.ts';
import { captureCsv } from '../../report/capture-csv.ts';
import { renderCaptureHtml } from '../../report/capture-html.ts';
import { renderCaptureText } from '../../report/capture-text.ts';
import { SystemCallError } from '../../wire/libc.ts';
import type { Io } from '../../wire/io.ts';
import { collectRecords } from '../capture/collect.ts';
import { compatLines } from '../capture/compat.ts';
import { captureOutput, type Form } from '../capture/output.ts';
import { type CaptureProgressLine, progressLine } from '../capture/progress.ts';
import { type CaptureSession, captureSession } from '../capture/session.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { loadNetworkFile } from '../network-file.ts';
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
    'keeps no content.\n\nSeveral files are read as one capture in the order given.',
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
    { line: 'inferpath capture --listen 0.0.0.0:2055', about: 'NetFlow, IPFIX and sFlow of routers, until Ctrl-C' },
    { line: 'inferpath capture --compat wireshark day.pcap', about: 'the flags of tcp.analysis, to compare' },
  ],
  run: async ({ flags, positionals, io }) => {
    if (flags.json && flags.lines) throw new UsageError('--lines: does not go with --json; leave one of them out');
    if (flags.listen.length > 0) {
      if (positionals.length > 0 || flags.compat)
        throw new UsageError('--listen: reads flow exports only; leave files and --compat out');
      return collectRecords(
        { ...flags, durationS: flags.duration, form: formOf(flags), prefixes: await prefixesOf(flags, io) },
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
  const prefixes = await prefixesOf(flags, io);
  const output = captureOutput(formOf(flags), io);
  const table: FlowWithExchanges[] = [];
  const flow = (one: FlowWithExchanges) => {
    if (flags.csv !== undefined) table.push(one);
    output.flow(one);
  };
  const session = captureSession(prefixes, flags.top, { ...output, flow }, io.random.next() * 2 ** 32);
  const sources: CaptureReport['sources'] = [];
  const mistakes: string[] = [];
  let recordedDrops = 0;
  const line = progressLine(io);
  const progress: CaptureProgressLine = {
    ...line,
    file: (name, of) => {
      output.flush();
      line.file(name, of);
    },
    live: (name, of) => {
      output.flush();
      line.live(name, of);
    },
  };
  for (const place of places) {
    if (io.signals.interrupted.aborted) break;
    try {
      const { drops, ...source } = await readPlace(place, places.length === 1, flags, session, progress, io);
      recordedDrops += drops;
      sources.push(source);
    } catch (error) {
      mistakes.push(cannotRead(place, error));
    }
  }
  progress.end();
  const interrupted = io.signals.interrupted.aborted;
  const { report, worst } = session.finish({ sources, recordedDrops, interrupted });
  output.end(report);
  if (flags.html !== undefined) await writeReport(flags.html, renderCaptureHtml({ ...report, worst }, version), io);
  if (flags.csv !== undefined) await writeReport(flags.csv, captureCsv(table), io);
  if (!flags.json && !flags.lines && sources.length > 0) {
    const { columns, colors } = io.terminal;
    io.terminal.out(renderCaptureText({ ...report, worst }, { columns, colors }));
  }
  if (interrupted) return exitCode.interrupted;
  const unread = sources.flatMap(({ packets, problem }) => (packets === 0 && problem ? [problem] : []));
  if (mistakes.length + unread.length > 0) throw new UsageError([...mistakes, ...unread].join('\n'));
  return report.packets === 0 ? exitCode.couldNotMeasure : exitCode.ready;
}

function formOf({ json, lines }: Flags): Form {
  return json ? 'json' : lines ? 'lines' : 'text';
}

async function prefixesOf(flags: Flags, io: Io): Promise<SitePrefix[]> {
  const network = flags.network === undefined ? null : await loadNetworkFile(flags.network, io);
  return sitePrefixes(network, flags.sitePrefix);
}

type Source = CaptureReport['sources'][number] & { drops: number };

/** A file or, where there is none of that name, an interface. */
async function readPlace(
  place: string,
  alone: boolean,
  flags: Flags,
  session: CaptureSession,
  progress: CaptureProgressLine,
  io: Io,
): Promise<Source> {
  const source = await captureSource(io, place).catch((error: NodeJS.ErrnoException) => {
    if (alone && error.code === 'ENOENT' && /^[\w.:@-]{1,15}$/.test(place)) return null;
    throw error;
  });
  if (!source) return readInterface(place, flags, session, progress, io);
  const read = await readCapture(source, (frame) => session.later(frame), {
    onPiece: () => session.turn(),
    signal: io.signals.interrupted,
    onProgress: (of) => progress.file(source.name, of),
  });
  const problem = read.end.kind === 'interrupted' ? null : describeEnd(source.name, read);
  return {
    name: source.name,
    format: read.format,
    packets: read.frames,
    octets: read.captureBytes,
    problem,
    drops: read.drops,
  };
}

async function readInterface(
  name: string,
  flags: Flags,
  session: CaptureSession,
  progress: CaptureProgressLine,
  io: Io,
): Promise<Source> {
  const live = await openInterface(
    name,
    { snapLength: flags.snaplen, ...(flags.bpf === undefined ? {} : { filter: flags.bpf }) },
    io,
  );
  const ends = [io.signals.interrupted];
  if (flags.duration !== undefined) ends.push(AbortSignal.timeout(flags.duration * 1000));
  if (io.terminal.stderrIsTty && flags.duration === undefined)
    io.terminal.err(`listening on ${printable(name, 20)}; Ctrl-C ends it\n`);
  const read = await readLive(live, (frame) => session.frame(frame), {
    signal: AbortSignal.any(ends),
    onProgress: (of) => progress.live(name, of),
  });
  const { statistics } = read;
  return {
    name: `${name} (${live.how})`,
    format: null,
    packets: read.frames,
    octets: read.octets,
    problem: read.ended,
    drops: statistics.drops ?? 0,
  };
}

function cannotRead(place: string, error: unknown): string {
  const name = printable(place, 200);
  if (error instanceof FilterError) return `--bpf: ${error.message}`;
  if (error instanceof SystemCallError) return `There is no file "${name}", and as an interface: ${error.message}`;
  return `Cannot read "${name}": ${error instanceof Error ? error.message : String(error)}`;
}
