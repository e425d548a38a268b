import type { JudgedExchange, StallCause } from '../model/capture/judged.ts';
import type { PatternReport } from '../model/capture/pattern.ts';
import type { CaptureReport, FlowWithExchanges } from '../model/capture/report.ts';
import { printable } from '../model/outcome.ts';
import { hang, type Palette, palette, type TextOptions, wrap } from './ansi.ts';
import { num, percent, plural } from './format.ts';

const INDENT = '  ';
/** Lines of the traffic matrix that are shown; --json has all. */
const mostCells = 8;

/** What the summary on a terminal shows: everything but the conversations, of which only the worst. */
export interface CaptureView extends Omit<CaptureReport, 'schema' | 'version' | 'flows'> {
  worst: { streams: readonly FlowWithExchanges[]; others: readonly FlowWithExchanges[] };
}

const causeWords: Record<StallCause, string> = {
  server: 'the model server was silent',
  loss: 'packets were lost and sent again',
  reordering: 'packets were overtaken',
  delay: 'the network held packets back',
  'receiver-window': 'the client took no more',
  nagle: 'small packets waited for delayed acknowledgements',
  buffering: 'chunks were held back and let go at once',
  'capture-loss': 'the capture lacks what would tell',
  unknown: 'no cause could be told',
};

/** `inferpath capture` for a terminal: how far it can be trusted, the sums, then the worst streams with the cause of each. */
export function renderCaptureText(view: CaptureView, options: TextOptions): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const blocks = [
    head(view, columns, paint),
    qualityLines(view, columns, paint),
    sums(view, columns, paint),
    streams(view, columns, paint),
    others(view, columns, paint),
    view.patterns ? trafficLines(view.patterns, columns, paint) : [],
  ];
  return `${blocks
    .filter((b) => b.length > 0)
    .map((b) => b.map((l) => l.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function head(view: CaptureView, columns: number, paint: Palette): string[] {
  const names = view.sources.map(({ name }) => printable(name, 200)).join(', ');
  const begun = view.startAt ? ` from ${view.startAt.slice(0, 19).replace('T', ' ')} UTC` : '';
  const facts = `${plural(view.packets, 'packet')} · ${megabytes(view.octets)} · ${seconds(view.durationMs)}${begun}`;
  const stopped = view.interrupted
    ? hang(`${paint.verdict.unknown('INTERRUPTED')}  `, 'this is what was read until then', columns)
    : [];
  return [...hang('', names, columns).map(paint.bold), ...wrap(facts, columns).map(paint.dim), ...stopped];
}

function qualityLines(view: CaptureView, columns: number, paint: Palette): string[] {
  const { quality } = view;
  const lines = [
    ...view.sources.flatMap(({ problem }) => (problem ? [printable(problem, 400)] : [])),
    ...(quality.recordedDrops > 0
      ? [`the capture lost ${plural(quality.recordedDrops, 'packet')} by its own count`]
      : []),
    ...(quality.lostSegments > 0
      ? [
          `${plural(quality.lostOctets, 'octet')} in ${plural(quality.lostSegments, 'place')} were acknowledged and never seen: lost by the capture, not by the network`,
        ]
      : []),
    ...(quality.duplicates > 0
      ? [`${plural(quality.duplicates, 'packet')} seen twice by the tap and left out (mirror port, or -i any)`]
      : []),
    ...(quality.oneSided > 0
      ? [`${plural(quality.oneSided, 'conversation')} with one direction only: no round trips there`]
      : []),
    ...(quality.backwards > 0
      ? [`${plural(quality.backwards, 'packet')} with a time before that of the packet ahead`]
      : []),
    ...(quality.cutShort > 0
      ? [`${plural(quality.cutShort, 'conversation')} let go early: more than memory is set aside for at once`]
      : []),
    ...(quality.offload ? ['packets larger than a segment: captured before the network card cut them up'] : []),
  ];
  return lines.flatMap((line) => hang(`${paint.verdict.unknown('!')} `, line, columns));
}

function sums(view: CaptureView, columns: number, paint: Palette): string[] {
  const { totals } = view;
  const share = totals.dataPackets > 0 ? ` (${percent(totals.retransmittedSegments / totals.dataPackets)})` : '';
  const needless = totals.spuriousSegments > 0 ? `, ${totals.spuriousSegments} of them needlessly` : '';
  const lines = [
    `${plural(totals.conversations, 'conversation')}, ${totals.tcp} of TCP with ${plural(totals.dataPackets, 'data packet')}: ` +
      `${totals.retransmittedSegments} sent again${share}${needless}, ${totals.reordered} overtaken`,
    ...(totals.exchanges > 0
      ? [
          `${plural(totals.exchanges, 'exchange')} of requests and answers, ${totals.streams} streamed in ${plural(totals.chunks, 'chunk')}`,
        ]
      : []),
    ...totals.stalls.map(
      ({ cause, count, totalMs, longestMs }) =>
        `${plural(count, 'stall')}, ${seconds(totalMs)} in all, the longest ${num(longestMs)} ms: ${causeWords[cause]}`,
    ),
  ];
  return lines.flatMap((line, i) => (i === 0 ? wrap(line, columns).map(paint.bold) : hang(INDENT, line, columns)));
}

function streams({ worst }: CaptureView, columns: number, paint: Palette): string[] {
  if (worst.streams.length === 0) return [];
  return [
    paint.bold('Streams, worst first'),
    ...worst.streams.flatMap((flow, i) => streamLines(flow, i + 1, columns, paint)),
  ];
}

function streamLines(flow: FlowWithExchanges, rank: number, columns: number, paint: Palette): string[] {
  const name = flow.exchanges.find(({ tls }) => tls?.serverName)?.tls?.serverName;
  const title = `${flow.client} → ${flow.server}${name ? ` (${printable(name, 80)})` : ''}`;
  const streamed = flow.exchanges.filter(({ shape }) => shape === 'stream');
  const slowest = streamed.reduce((a, b) => ((b.firstChunk?.atTapMs ?? 0) > (a.firstChunk?.atTapMs ?? 0) ? b : a));
  const chunks = streamed.reduce((sum, one) => sum + one.chunks, 0);
  const paths = roundTrips(flow);
  return [
    ...hang(`${rank}. `, title, columns).map(paint.bold),
    ...hang(
      '   ',
      `${plural(streamed.length, 'stream')}, ${plural(chunks, 'chunk')}${gapText(slowest)}${paths}`,
      columns,
    ).map(paint.dim),
    ...firstChunkText(slowest).flatMap((line) => hang('   ', line, columns)),
    ...stallText(streamed).flatMap((line) => hang('   ', line, columns)),
  ];
}

function gapText({ gaps }: JudgedExchange): string {
  return gaps ? `, gaps p50 ${num(gaps.medianMs)} ms, p99 ${num(gaps.p99Ms)} ms` : '';
}

function roundTrips({ tcp }: FlowWithExchanges): string {
  const parts = [
    ...(tcp?.toServer ? [`${num(tcp.toServer.lowestMs)} ms to the server`] : []),
    ...(tcp?.toClient ? [`${num(tcp.toClient.lowestMs)} ms to the client`] : []),
  ];
  return parts.length > 0 ? `; round trips ${parts.join(', ')}` : '';
}

function firstChunkText({ firstChunk, confidence }: JudgedExchange): string[] {
  if (!firstChunk) return [];
  const total = firstChunk.atClientMs ?? firstChunk.atTapMs;
  const doubt = confidence === 'high' ? '' : ` (confidence ${confidence})`;
  return [`first token after ${num(total)} ms: ${firstChunk.evidence}${doubt}`];
}

/** One sentence for each cause, with the words of its longest stall. */
function stallText(exchanges: readonly JudgedExchange[]): string[] {
  const all = exchanges.flatMap(({ stalls }) => stalls);
  const more = exchanges.reduce((sum, { stallsNotListed }) => sum + stallsNotListed, 0);
  const causes = [...new Set(all.map(({ cause }) => cause))]
    .map((cause) => all.filter((stall) => stall.cause === cause))
    .map((stalls) => ({ stalls, totalMs: stalls.reduce((sum, { gapMs }) => sum + gapMs, 0) }))
    .sort((a, b) => b.totalMs - a.totalMs);
  const lines = causes.map(({ stalls, totalMs }) => {
    const longest = stalls.reduce((a, b) => (b.gapMs > a.gapMs ? b : a));
    const doubt = longest.confidence === 'high' ? '' : `, confidence ${longest.confidence}`;
    return `${plural(stalls.length, 'stall')}, ${seconds(totalMs)}: ${longest.evidence}${doubt}`;
  });
  return more > 0 ? [...lines, `${plural(more, 'shorter stall')} not listed`] : lines;
}

function others({ worst }: CaptureView, columns: number, paint: Palette): string[] {
  if (worst.others.length === 0) return [];
  const lines = worst.others.flatMap((flow) => {
    const { tcp } = flow;
    if (!tcp) return [];
    const facts = (['client', 'server'] as const).flatMap((side) => troubleOf(flow, side));
    return hang(INDENT, `${flow.client} → ${flow.server}: ${facts.join('; ')}${roundTrips(flow)}`, columns);
  });
  return [paint.bold('Other conversations with trouble, worst first'), ...lines];
}

/** What most octets went into, and between whom. */
export function trafficLines(patterns: PatternReport, columns: number, paint: Palette): string[] {
  if (patterns.matrix.cells.length === 0) return [];
  const lines = patterns.matrix.cells.slice(0, mostCells).flatMap((cell) => {
    const { from, to, direction, flows, forthBytes, backBytes } = cell;
    const way = from === to ? `inside ${from}` : `${from} → ${to}`;
    return hang(
      INDENT,
      `${cell.class}, ${direction}, ${printable(way, 120)}: ${plural(flows, 'conversation')}, ${megabytes(forthBytes)} there, ${megabytes(backBytes)} back`,
      columns,
    );
  });
  return [paint.bold('Traffic by what it looks like'), ...lines];
}

function troubleOf({ tcp }: FlowWithExchanges, from: 'client' | 'server'): string[] {
  const side = tcp![from];
  const again = side.retransmittedSegments;
  const where = side.originalsUnseen > 0 ? `, ${side.originalsUnseen} lost before the tap` : '';
  const timers = side.triggers.rto + side.triggers.tlp + side.triggers.handshake;
  return [
    ...(again > 0
      ? [`${from} sent ${again} of ${side.dataPackets} again${where}${timers > 0 ? `, ${timers} by a timer` : ''}`]
      : []),
    ...(side.reordered > 0 ? [`${side.reordered} of the ${from}’s overtaken`] : []),
    ...(side.zeroWindows > 0
      ? [`${from} closed its window ${plural(side.zeroWindows, 'time')} (${num(side.zeroWindowMs)} ms)`]
      : []),
    ...(side.captureLosses > 0 ? [`${plural(side.captureLossOctets, 'octet')} of the ${from}’s not captured`] : []),
  ];
}

function seconds(ms: number): string {
  return ms < 1000 ? `${num(ms)} ms` : `${num(ms / 1000)} s`;
}

function megabytes(octets: number): string {
  return octets < 1e6 ? `${num(octets / 1000)} kB` : `${num(octets / 1e6)} MB`;
}
