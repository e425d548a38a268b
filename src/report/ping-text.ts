import { describeOutcome, printable } from '../model/outcome.ts';
import type { PingReport, PingTarget } from '../model/ping-report.ts';
import { clip, hang, pad, padLeft, palette, type TextOptions } from './ansi.ts';
import { duration, intervalText, num, percent, plural } from './format.ts';
import { sparkHistogram, type SparkScale, sparkScale } from './spark.ts';

/** The report for a terminal: what was done, the table, what this machine did to it. `report.targets` are the rows to show, worst first. */
export function renderPingText(report: PingReport, options: TextOptions): string {
  const lines = [
    headline(report, options),
    '',
    ...pingTable(report.targets, options),
    ...leftOut(report),
    '',
    ...summaryLines(report, options),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function headline({ method, summary, durationMs, options, interrupted }: PingReport, { colors }: TextOptions): string {
  const paint = palette(colors);
  const parts = [
    `${plural(summary.targets, 'target')} by ${methodWords[method]}`,
    `${plural(summary.sent, 'probe')}${method === 'icmp' || method === 'udp' ? ` of ${options.payloadBytes} octets` : ''}`,
    duration(durationMs).replace(/^(\d+)\d{3} ms$/, '$1 s'),
    ...(interrupted ? ['interrupted'] : []),
  ];
  return paint.bold(parts.join(' · '));
}

const methodWords: Record<PingReport['method'], string> = {
  icmp: 'ICMP echo',
  udp: 'UDP',
  'tcp-syn': 'TCP SYN',
  'tcp-connect': 'TCP connect',
  tls: 'TLS ClientHello',
};

/** Widths of the columns of numbers. */
const SENT = 6;
const LOSS = 17;
const NUMBER = 8;
const SPARK_MAX = 14;

/** The table alone, as the live view shows it too. */
export function pingTable(targets: readonly PingTarget[], { columns, colors }: TextOptions): string[] {
  if (targets.length === 0) return [];
  const paint = palette(colors);
  const fixed = SENT + LOSS + 5 * NUMBER;
  const longest = Math.max(6, ...targets.map((t) => printable(t.target).length));
  const name = Math.max(12, Math.min(longest, columns - fixed - 2));
  const spark = Math.min(SPARK_MAX, columns - fixed - name - 2);
  const scale = sparkScale(targets.flatMap(({ rtt }) => (rtt === null ? [] : [rtt.minMs, rtt.maxMs])));
  const range = scale === null || spark < 8 ? '' : `  ${num(scale.low)}…${num(scale.high)} ms`;
  const heads = ['min ms', 'median', 'p99', 'jitter', '± µs'].map((head) => padLeft(head, NUMBER)).join('');
  const head = `${pad('target', name)}${padLeft('sent', SENT)}  ${pad('loss', LOSS - 2)}${heads}${range}`;
  return [
    paint.dim(clip(head, columns)),
    ...targets.map((target) => row(target, { name, spark, scale, columns, colors })),
  ];
}

interface Layout extends TextOptions {
  name: number;
  spark: number;
  scale: SparkScale | null;
}

function row(target: PingTarget, { name, spark, scale, columns, colors }: Layout): string {
  const paint = palette(colors);
  const { loss, rtt } = target;
  const left = `${pad(clip(printable(target.target), name), name)}${padLeft(String(target.sent), SENT)}  `;
  const losses = loss === null ? '–' : `${percent(loss.share)} ${intervalText([loss.low, loss.high], 'share')}`;
  const shownLoss = pad(clip(losses, LOSS - 2), LOSS - 2);
  const painted = loss !== null && loss.share > 0 ? paint.verdict.fail(shownLoss) : shownLoss;
  if (rtt === null) {
    const words = target.firstMs === null ? whyNone(target.outcome) : `first ${duration(target.firstMs)}`;
    return `${left}${painted}  ${clip(words, Math.max(8, columns - name - SENT - LOSS - 2))}`;
  }
  // One round trip has no jitter.
  const jitterMs = rtt.count > 1 ? rtt.pdvP99Ms : NaN;
  const numbers = [rtt.minMs, rtt.medianMs, rtt.p99Ms, jitterMs].map((ms) => padLeft(num(ms), NUMBER)).join('');
  const error = padLeft(target.errorMs === null ? '?' : num(target.errorMs * 1e3), NUMBER);
  const samples = rtt.histogram.buckets.map(([low, high, n]) => [(low + high) / 2, n] as const);
  const shape = scale === null || spark < 4 ? '' : `  ${sparkHistogram(samples, scale, spark)}`;
  return `${left}${painted}${numbers}${error}${shape}`;
}

/** The address stands in the row already, and the room behind it is short. */
function whyNone(outcome: PingTarget['outcome']): string {
  return outcome.kind === 'failed' && outcome.phase === 'tls' ? outcome.message : describeOutcome(outcome);
}

function leftOut({ summary, targets }: PingReport): string[] {
  const more = summary.targets - targets.length;
  return more > 0
    ? [`… and ${plural(more, 'more target')}, none worse than these; --top N shows more, --json all`]
    : [];
}

function summaryLines(report: PingReport, { columns }: TextOptions): string[] {
  const { summary, client, how, notes } = report;
  const { loss, rtt } = summary;
  const all = summary.targets > 1;
  const ends = (['lost', 'late', 'unreachable', 'otherAddress', 'failed', 'unsure', 'interrupted'] as const)
    .filter((kind) => summary[kind] > 0)
    .map((kind) => `${summary[kind]} ${endWords[kind]}`);
  const lines = [
    [
      ...(all ? [`${summary.answering} of ${plural(summary.targets, 'target')} answering`] : []),
      `${summary.answered} of ${plural(summary.sent, 'probe')} answered`,
      ...ends,
      ...(loss === null ? [] : [`loss ${percent(loss.share)} ${intervalText([loss.low, loss.high], 'share')}`]),
    ].join(', '),
    ...(rtt === null || !all
      ? []
      : [
          `all targets: min ${duration(rtt.minMs)}, median ${duration(rtt.medianMs)}, p99 ${duration(rtt.p99Ms)}, max ${duration(rtt.maxMs)}`,
        ]),
    ...(summary.duplicates + summary.reordered === 0
      ? []
      : [`${plural(summary.duplicates, 'duplicate answer')}, ${summary.reordered} out of order`]),
    how,
    ...(client.scheduleLagP99Ms === null
      ? []
      : [
          `probes left ${duration(client.scheduleLagMeanMs ?? 0)} after they were due on average, ${duration(client.scheduleLagMaxMs ?? 0)} at most`,
        ]),
    ...notes,
  ];
  return lines.flatMap((line) => hang('', line, columns, 2));
}

const endWords = {
  lost: 'lost',
  late: 'late',
  unreachable: 'unreachable',
  otherAddress: 'answered by another address',
  failed: 'failed',
  unsure: 'lost or dropped by this machine',
  interrupted: 'interrupted',
};
