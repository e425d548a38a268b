import * as z from 'zod';
import { CaptureAnalysis } from '../../gather/capture/analysis.ts';
import { judgeExchange } from '../../gather/capture/causes.ts';
import { captureSource, describeEnd, readCapture } from '../../gather/capture/open.ts';
import { newStreamReader } from '../../gather/capture/streams/stream-reader.ts';
import { CaptureSummary } from '../../gather/capture/summary.ts';
import type { JudgedExchange } from '../../model/capture/judged.ts';
import type { CaptureReport, FlowWithExchanges } from '../../model/capture/report.ts';
import { printable } from '../../model/outcome.ts';
import { renderCaptureText } from '../../report/capture-text.ts';
import type { Io } from '../../wire/io.ts';
import { liveCapture } from '../capture-live.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { version } from '../version.ts';

/** Exchanges of one conversation that are listed; connections that live for days have no end of them. */
const maxExchanges = 1000;

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
} as const;
type Flags = FlagValues<typeof flags>;

/** `inferpath capture`: what packet captures tell of the network and of the inference that went over it. */
export const capture = defineCommand({
  name: 'capture',
  summary:
    'Read packet captures: what was lost and where, and whose fault each stalled token stream is, also encrypted',
  about:
    'Reads pcap and pcapng, plain or compressed by gzip or zstd, from files or a pipe, and follows every conversation: what was sent again, ' +
    'and whether it was lost before or behind the tap, what was only overtaken, what the capture itself lost, round trips to both ' +
    'sides, closed windows. In TLS and plain HTTP it finds requests and streamed answers, the time to the first token, the gaps ' +
    'between chunks, and says of each stall whether the network or the model server caused it. It decrypts nothing and keeps no content.\n\n' +
    'Several files are read as one capture in the order given.',
  positionals: { name: 'file…', about: 'Captures; - is stdin', min: 1, max: 1000 },
  flags,
  examples: [
    { line: 'inferpath capture gateway.pcapng.gz', about: 'the worst token streams first, each with its cause' },
    {
      line: 'tcpdump -i eth0 -s 128 -w - port 443 | inferpath capture -',
      about: 'live, until Ctrl-C; headers are enough',
    },
    { line: 'inferpath capture --json day.pcap > day.json', about: 'every conversation with its exchanges' },
    { line: 'inferpath capture --lines day.pcap | grep loss', about: 'one object a line, as they come' },
  ],
  run: async ({ flags, positionals, io }) => {
    if (flags.json && flags.lines) throw new UsageError('--lines: does not go with --json; leave one of them out');
    return runCapture(flags, positionals, io);
  },
});

async function runCapture(flags: Flags, paths: readonly string[], io: Io): Promise<ExitCode> {
  const summary = new CaptureSummary(flags.top);
  const output = outputOf(flags, io);
  const exchanges = new Map<number, JudgedExchange[]>();
  const analysis = new CaptureAnalysis({
    stream: (flow, connection) =>
      newStreamReader((exchange) => {
        const judged = judgeExchange(exchange, connection());
        const list = exchanges.get(flow) ?? [];
        exchanges.set(flow, list);
        list.push(judged);
        output.exchange(flow, judged);
      }),
    event: (flow, event) => output.event(flow, event),
    flow: (flow) => {
      const all = exchanges.get(flow.number) ?? [];
      exchanges.delete(flow.number);
      const whole: FlowWithExchanges = {
        ...flow,
        exchanges: all.slice(0, maxExchanges),
        exchangesNotListed: Math.max(0, all.length - maxExchanges),
      };
      summary.add(whole);
      output.flow(whole);
    },
  });
  const sources: CaptureReport['sources'] = [];
  const mistakes: string[] = [];
  let recordedDrops = 0;
  const live = liveCapture(io);
  for (const path of paths) {
    if (io.signals.interrupted.aborted) break;
    try {
      const source = await captureSource(io, path);
      const read = await readCapture(source, (frame) => analysis.frame(frame), {
        signal: io.signals.interrupted,
        onProgress: (progress) => live.show(source.name, progress),
      });
      recordedDrops += read.drops;
      sources.push({
        name: source.name,
        format: read.format,
        packets: read.frames,
        octets: read.captureBytes,
        problem: read.end.kind === 'interrupted' ? null : describeEnd(source.name, read),
      });
    } catch (error) {
      mistakes.push(`Cannot read "${printable(path)}": ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  live.end();
  analysis.finish();
  const report: Omit<CaptureReport, 'schema' | 'version' | 'flows'> = {
    sources,
    startAt: Number.isNaN(analysis.firstSeconds)
      ? null
      : new Date(analysis.firstSeconds * 1000 + Math.floor(analysis.firstNanoseconds / 1e6)).toISOString(),
    durationMs: analysis.lastMs,
    packets: analysis.frames,
    octets: analysis.octets,
    quality: {
      recordedDrops,
      duplicates: 0,
      lostOctets: summary.lostOctets,
      lostSegments: summary.lostSegments,
      backwards: analysis.backwards,
      oneSided: summary.oneSided,
      fromTheMiddle: summary.fromTheMiddle,
      offload: summary.offload,
      cutShort: analysis.cutShort,
      otherPackets: analysis.otherFrames,
    },
    totals: summary.finish(),
    interrupted: io.signals.interrupted.aborted,
  };
  output.end(report);
  if (!flags.json && !flags.lines && sources.length > 0)
    io.terminal.out(
      renderCaptureText(
        { ...report, worst: summary.worst() },
        { columns: io.terminal.columns, colors: io.terminal.colors },
      ),
    );
  if (report.interrupted) return exitCode.interrupted;
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  const unread = sources.flatMap(({ packets, problem }) => (packets === 0 && problem ? [problem] : []));
  if (unread.length > 0) throw new UsageError(unread.join('\n'));
  return analysis.frames === 0 ? exitCode.couldNotMeasure : exitCode.ready;
}

/** What goes to stdout while it is read: conversations of a document, or lines. */
function outputOf(flags: Flags, io: Io) {
  let flows = 0;
  let pending = flags.json ? `{"schema":"inferpath/capture@1","version":${JSON.stringify(version)},"flows":[` : '';
  const write = (text: string) => {
    pending += text;
    if (pending.length < 64 * 1024) return;
    io.terminal.out(pending);
    pending = '';
  };
  return {
    exchange: (flow: number, exchange: JudgedExchange) => {
      if (flags.lines) write(`${JSON.stringify({ line: 'exchange', flow, ...exchange })}\n`);
    },
    event: (flow: number, event: object) => {
      if (flags.lines) write(`${JSON.stringify({ line: 'event', flow, ...event })}\n`);
    },
    flow: (flow: FlowWithExchanges) => {
      if (flags.json) write(`${flows === 0 ? '' : ','}\n${JSON.stringify(flow)}`);
      else if (flags.lines) {
        const { exchanges, exchangesNotListed, ...rest } = flow;
        write(`${JSON.stringify({ line: 'flow', ...rest, exchanges: exchanges.length + exchangesNotListed })}\n`);
      }
      flows += 1;
    },
    end: (report: object) => {
      if (flags.json) io.terminal.out(`${pending}\n],${JSON.stringify(report).slice(1)}\n`);
      else if (flags.lines) io.terminal.out(`${pending}${JSON.stringify({ line: 'capture', ...report })}\n`);
    },
  };
}
