import { describeOutcome, printable } from '../model/outcome.ts';
import type {
  BloatGrade,
  LimitedBy,
  LoadLatency,
  LoadRtts,
  ThroughputDirection,
  ThroughputInterval,
  ThroughputReport,
  ThroughputTest,
} from '../model/throughput.ts';
import { gradeMeaning, throughputAdvice } from '../model/throughput-advice.ts';
import { hang, pad, padLeft, type Palette, palette, type TextOptions, wrap } from './ansi.ts';
import { num, percent, plural } from './format.ts';

const BARS = '▁▂▃▄▅▆▇█';
const INDENT = '  ';
const LABEL = 8;
const NUMBER = 10;

/** `inferpath throughput` for a terminal: how fast, how long round trips took meanwhile, who was the limit, what to change. */
export function renderThroughputText(report: ThroughputReport, options: TextOptions): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const { test } = report;
  const blocks = [
    head(report, columns, paint),
    ...(test?.directions ?? []).map((d) => direction(d, columns, paint)),
    test?.latency ? roundTrips(test.latency, columns, paint) : [],
    test ? throughputAdvice(test).flatMap((line) => hang(`${INDENT}→ `, line, columns)) : [],
    report.notes.flatMap((note) => hang(INDENT, note, columns).map(paint.dim)),
  ];
  return `${blocks
    .filter((b) => b.length > 0)
    .map((b) => b.map((l) => l.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function head(report: ThroughputReport, columns: number, paint: Palette): string[] {
  const { target, address, port, outcome, test } = report;
  const where = address !== '' && address !== target ? ` (${address})` : '';
  const title = wrap(`throughput to ${printable(target, 300)}${where}, port ${port}`, columns).map(paint.bold);
  const facts = test ? wrap(describeTest(test), columns).map(paint.dim) : [];
  if (outcome.kind === 'answered') return [...title, ...facts];
  const word = outcome.kind === 'interrupted' ? paint.verdict.unknown('INTERRUPTED') : paint.verdict.fail('FAILED');
  return [...title, ...facts, ...hang(`${word}  `, describeOutcome(outcome), columns)];
}

const endWords: Record<ThroughputTest['endedBy'], string | null> = {
  time: null,
  bytes: 'ended by --bytes or --blocks',
  cap: 'ended by the bound on octets (--max-bytes)',
  peer: 'ended by the peer',
  interrupted: null,
};

function describeTest(test: ThroughputTest): string {
  const rate = test.targetMbitPerS === null ? null : `${rateOf(test.targetMbitPerS)} each asked for`;
  const parts = [
    `${test.protocol.toUpperCase()}, ${plural(test.parallel, 'stream')}${test.directions.length > 1 ? ' each way' : ''}`,
    `${num(test.directions[0]?.durationS ?? 0)} s`,
    rate,
    test.omitS > 0 ? `${test.omitS} s before it omitted` : null,
    endWords[test.endedBy],
    `${test.server} server`,
  ];
  return parts.filter((p) => p !== null).join(' · ');
}

function direction(d: ThroughputDirection, columns: number, paint: Palette): string[] {
  const label = pad(d.direction === 'up' ? 'up ↑' : 'down ↓', LABEL);
  const lines = [
    `${label}${paint.bold(padLeft(rateOf(d.mbitPerS), NUMBER + 4))}  ${amountOf(d.bytes)} received${spark(d.intervals, columns - 50)}`,
  ];
  const facts = [
    ...(d.udp ? udpFacts(d.udp) : []),
    ...(d.retransmits === null ? [] : [`${plural(d.retransmits, 'segment')} sent again`]),
    ...(windowOf(d) ?? []),
    ...(d.congestion === null ? [] : [printable(d.congestion, 20)]),
  ];
  if (facts.length > 0) lines.push(...hang(' '.repeat(LABEL), facts.join(' · '), columns).map(paint.dim));
  const { cause, because } = d.limitedBy;
  const why =
    cause === 'undetermined' ? `limit not determined: ${because}` : `limited by ${causeWords[cause]}: ${because}`;
  return [...lines, ...hang(' '.repeat(LABEL), printable(why, 400), columns)];
}

const causeWords: Record<Exclude<LimitedBy['cause'], 'undetermined'>, string> = {
  bitrate: 'the rate that was asked for',
  'this-tool': 'this tool itself',
  'peer-cpu': 'the peer',
  'receiver-window': 'the receive window',
  'send-buffer': 'the send buffer',
  'sender-idle': 'the sender',
  network: 'the network',
};

function udpFacts({
  packets,
  lost,
  lossShare,
  jitterMs,
  outOfOrder,
}: NonNullable<ThroughputDirection['udp']>): string[] {
  return [
    `${lost} of ${plural(packets, 'packet')} lost (${percent(lossShare)})`,
    `jitter ${num(jitterMs)} ms`,
    ...(outOfOrder ? [`${outOfOrder} out of order`] : []),
  ];
}

/** The congestion window at its largest, over the intervals that count. */
function windowOf({ intervals }: ThroughputDirection): string[] | null {
  const windows = intervals.flatMap((i) => i.cwndBytes ?? []);
  return windows.length === 0 ? null : [`window up to ${amountOf(Math.max(...windows))}`];
}

/** One bar per interval that counts, against the fastest; joined where there are more than fit. */
function spark(intervals: readonly ThroughputInterval[], width: number): string {
  const rates = intervals.filter((i) => !i.omitted).map((i) => i.mbitPerS);
  if (rates.length < 2 || width < 4) return '';
  const per = Math.ceil(rates.length / Math.min(40, width));
  const joined = Array.from({ length: Math.ceil(rates.length / per) }, (_, i) => {
    const part = rates.slice(i * per, (i + 1) * per);
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
  const most = Math.max(...joined);
  if (!(most > 0)) return '';
  return `  ${joined.map((r) => BARS[Math.max(0, Math.ceil((r / most) * BARS.length) - 1)]!).join('')}`;
}

function roundTrips(latency: LoadLatency, columns: number, paint: Palette): string[] {
  const { idle, loaded, increaseMs, grade } = latency;
  const most = Math.max(idle?.p95Ms ?? 0, loaded?.p95Ms ?? 0);
  const room = columns - LABEL - 3 * NUMBER - 2;
  const width = room < 8 ? 0 : Math.min(60, room);
  const columnsHead = `${pad('rtt', LABEL)}${['median', 'p95', 'max'].map((h) => padLeft(h, NUMBER)).join('')}`;
  const verdict =
    grade === null || increaseMs === null
      ? 'no grade: round trips are missing'
      : `${num(increaseMs)} ms more at p95 under load: ${gradeMeaning[grade]}`;
  return [
    paint.dim(columnsHead),
    row('idle', idle, most, width, paint),
    row('loaded', loaded, most, width, paint),
    ...hang(`${gradeText(grade, paint)}  `, verdict, columns),
    ...hang(
      INDENT,
      `${printable(latency.how, 200)}; n = ${idle?.received ?? 0} idle, ${loadedCount(loaded)} loaded`,
      columns,
    ).map(paint.dim),
  ];
}

function loadedCount(loaded: LoadRtts | null): string {
  if (loaded === null) return '0';
  const lost = loaded.sent - loaded.received;
  return lost > 0 ? `${loaded.received} (${lost} lost)` : String(loaded.received);
}

function gradeText(grade: BloatGrade | null, paint: Palette): string {
  if (grade === null) return paint.verdict.unknown('grade –');
  const verdict = grade.startsWith('A') ? 'pass' : grade === 'B' ? 'unknown' : 'fail';
  return paint.verdict[verdict](`grade ${grade}`);
}

/** Solid up to the median, hatched from there to the p95; both rows on one scale from 0. */
function row(label: string, rtts: LoadRtts | null, mostMs: number, width: number, paint: Palette): string {
  if (rtts === null) return `${pad(label, LABEL)}${padLeft('no answer', NUMBER)}`;
  const numbers = [rtts.medianMs, rtts.p95Ms, rtts.maxMs].map((ms) => padLeft(`${num(ms)} ms`, NUMBER)).join('');
  if (width === 0) return `${pad(label, LABEL)}${numbers}`;
  const to = (ms: number) => (mostMs > 0 ? Math.round((ms / mostMs) * width) : 0);
  const solid = Math.max(1, to(rtts.medianMs));
  const bar =
    paint.part.network('█'.repeat(solid)) + paint.part.undetermined('░'.repeat(Math.max(0, to(rtts.p95Ms) - solid)));
  return `${pad(label, LABEL)}${numbers}  ${bar}`;
}

/** `292 Mbit/s`, `23.4 Gbit/s`. */
export function rateOf(mbitPerS: number): string {
  return mbitPerS >= 1000 ? `${num(mbitPerS / 1000)} Gbit/s` : `${num(mbitPerS)} Mbit/s`;
}

function amountOf(bytes: number): string {
  if (bytes >= 1e9) return `${num(bytes / 1e9)} GB`;
  return bytes >= 1e6 ? `${num(bytes / 1e6)} MB` : `${num(bytes / 1e3)} kB`;
}
