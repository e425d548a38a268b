import { describeOutcome, printable } from '../model/outcome.ts';
import type { StampDirection, StampSummary } from '../model/stamp.ts';
import type { StampReport } from '../model/stamp-report.ts';
import { hang, pad, padLeft, type Palette, palette, type TextOptions } from './ansi.ts';
import { duration, num, percent } from './format.ts';

const LABEL_CELLS = 22;
const VALUE_CELLS = 24;

/** `inferpath stamp` for a terminal: the round trip, then the two directions side by side, then what can be said of clocks. */
export function renderStampText(report: StampReport, options: TextOptions): string {
  const paint = palette(options.colors);
  const columns = Math.max(40, options.columns);
  const { result } = report;
  const { summary } = result;
  const address = `${result.address}${result.address === '' ? '' : ` UDP port ${result.port}`}`;
  const blocks = [
    hang('', `STAMP to ${printable(report.target, 300)} (${address})`, columns).map(paint.bold),
    report.interrupted ? hang(paint.verdict.unknown('INTERRUPTED  '), 'this is what the run had', columns) : [],
    result.outcome.kind === 'answered'
      ? []
      : hang(paint.verdict.fail('NO ANSWER  '), describeOutcome(result.outcome), columns),
    summary && summary.answered > 0 ? roundTrips(summary).flatMap((line) => hang('', line, columns)) : [],
    summary && summary.answered > 0 ? directions(summary, columns, paint) : [],
    summary && summary.answered > 0 ? notes(summary).flatMap((line) => hang('', line, columns)) : [],
    hang('', result.how, columns).map(paint.dim),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function roundTrips({ sent, answered, late, rtt, pdvP99Ms, reflectorMs }: StampSummary): string[] {
  const lost = sent - answered;
  const lateText = late > 0 ? `, ${late} of them late` : '';
  return [
    `${answered} of ${sent} answered, ${lost} lost${lost > 0 ? ` (${percent(lost / sent)}${lateText})` : ''}`,
    ...(rtt
      ? [
          `round trip min ${duration(rtt.minMs)} · median ${duration(rtt.medianMs)} · p99 ${duration(rtt.p99Ms)} · max ${duration(rtt.maxMs)} · jitter (PDV p99) ${duration(pdvP99Ms ?? 0)}`,
        ]
      : []),
    ...(reflectorMs
      ? [`in the reflector, not counted: median ${duration(reflectorMs.medianMs)} · p99 ${duration(reflectorMs.p99Ms)}`]
      : []),
  ];
}

/** A row for each question, a column for each direction; below 72 columns one direction after the other. */
function directions({ up, down }: StampSummary, columns: number, paint: Palette): string[] {
  const cells = (one: StampDirection) => ({
    offered: rangeText(one.offered),
    lost: one.lost === null ? 'cannot tell' : rangeText(one.lost),
    'share lost, 95 %': one.lossShare === null ? '' : `${percent(one.lossShare[0])} to ${percent(one.lossShare[1])}`,
    reordered: String(one.reordered),
    duplicated: String(one.duplicates),
    'jitter (PDV p99)': one.variation === null ? 'cannot tell' : duration(one.variation.pdvP99Ms),
    'PDV median, max':
      one.variation === null ? '' : `${num(one.variation.pdvMedianMs)}, ${duration(one.variation.pdvMaxMs)}`,
    'IPDV median, p99':
      one.variation === null ? '' : `${num(one.variation.ipdvMedianMs)}, ${duration(one.variation.ipdvP99Ms)}`,
    'one-way delay, median':
      one.oneWayMs === null
        ? 'cannot tell'
        : `${num(one.oneWayMs.low.medianMs)} to ${duration(one.oneWayMs.high.medianMs)}`,
  });
  const [there, back] = [cells(up), cells(down)];
  const labels = Object.keys(there) as (keyof typeof there)[];
  if (columns < LABEL_CELLS + 2 * VALUE_CELLS)
    return [...column('there', there, labels, paint), ...column('back', back, labels, paint)];
  return [
    paint.bold(pad('', LABEL_CELLS) + padLeft('there', VALUE_CELLS) + padLeft('back', VALUE_CELLS)),
    ...labels.map(
      (label) => pad(label, LABEL_CELLS) + padLeft(there[label], VALUE_CELLS) + padLeft(back[label], VALUE_CELLS),
    ),
  ];
}

function column<K extends string>(
  name: string,
  values: Record<K, string>,
  labels: readonly K[],
  paint: Palette,
): string[] {
  return [paint.bold(name), ...labels.map((label) => `  ${pad(label, LABEL_CELLS)}${values[label]}`)];
}

function rangeText([low, high]: readonly [number, number]): string {
  return low === high ? String(low) : `${low} to ${high}`;
}

function notes({ clocks, hops, dscp, counting, scheduleLagP99Ms }: StampSummary): string[] {
  const drift =
    clocks.driftPpm === null || Math.abs(clocks.driftPpm) < 0.05 ? '' : `, drift ${num(clocks.driftPpm)} ppm taken out`;
  return [
    clocks.stepped
      ? 'a clock was set during the run: nothing is told of the delay of one direction'
      : clocks.synchronised
        ? `both clocks are kept to UTC, within ${duration(clocks.errorMs ?? 0)} as they say${drift}`
        : `the clocks are not known to agree: one-way delay is only what the round trip leaves open${drift}`,
    ...(counting === 'stateless'
      ? ['the reflector does not count per session: which way packets got lost cannot be told']
      : []),
    ...(hops ? [`packets reach the reflector with TTL ${rangeText(hops)}`] : []),
    ...(dscp ? [dscpText(dscp)] : []),
    `packets left late by ${duration(scheduleLagP99Ms)} at p99`,
  ];
}

function dscpText({ sent, received }: NonNullable<StampSummary['dscp']>): string {
  if (received.length === 0) return `sent with DSCP ${sent}; the reflector does not say how it came`;
  const kept = received.length === 1 && received[0] === sent;
  return kept
    ? `DSCP ${sent} reaches the reflector`
    : `sent with DSCP ${sent}, reaches the reflector as ${received.join(', ')}`;
}
