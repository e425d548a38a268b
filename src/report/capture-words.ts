import type { JudgedExchange, StallCause } from '../model/capture/judged.ts';
import type { PatternReport } from '../model/capture/pattern.ts';
import type { CaptureReport, FlowWithExchanges } from '../model/capture/report.ts';
import { printable } from '../model/outcome.ts';
import { num, percent, plural } from './format.ts';

/** What the summary on a terminal shows: everything but the conversations, of which only the worst. */
export interface CaptureView extends Omit<CaptureReport, 'schema' | 'version' | 'flows'> {
  worst: {
    streams: readonly FlowWithExchanges[];
    others: readonly FlowWithExchanges[];
    quic: readonly FlowWithExchanges[];
  };
}

export const causeWords: Record<StallCause, string> = {
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

/** How much, how long, from when. */
export function captureFacts(view: CaptureView): string {
  const begun = view.startAt ? ` from ${view.startAt.slice(0, 19).replace('T', ' ')} UTC` : '';
  return `${plural(view.packets, 'packet')} · ${megabytes(view.octets)} · ${seconds(view.durationMs)}${begun}`;
}

/** Why the capture may not tell all. */
export function qualitySentences(view: CaptureView): string[] {
  const { quality } = view;
  return [
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
    ...(quality.taps > 1
      ? [
          `time goes back ${quality.taps === 2 ? 'once' : `${quality.taps - 1} times`}: taken for captures of ${quality.taps} taps, each looked at by itself; what several of them saw is listed once for each`,
        ]
      : []),
    ...(quality.backwards > 0
      ? [`${plural(quality.backwards, 'packet')} with a time before that of the packet ahead`]
      : []),
    ...(quality.cutShort > 0
      ? [`${plural(quality.cutShort, 'conversation')} let go early: more than memory is set aside for at once`]
      : []),
    ...(quality.offload ? ['packets larger than a segment: captured before the network card cut them up'] : []),
  ];
}

/** Of several taps, which file a conversation is of: others may show the same one. */
export function inFile({ sources, quality }: CaptureView, { number }: FlowWithExchanges): string {
  if (quality.taps < 2 || sources.length < 2) return '';
  let frames = 0;
  const source = sources.find(({ packets }) => number <= (frames += packets));
  return source ? `, in ${printable(source.name, 80)}` : '';
}

/** All conversations, all exchanges, all stalls by cause. */
export function sumSentences(view: CaptureView): string[] {
  const { totals } = view;
  const share = totals.dataPackets > 0 ? ` (${percent(totals.retransmittedSegments / totals.dataPackets)})` : '';
  const needless = totals.spuriousSegments > 0 ? `, ${totals.spuriousSegments} of them needlessly` : '';
  return [
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
}

export interface StreamSentences {
  title: string;
  about: string;
  lines: string[];
}

/** A conversation with streams: what it was, its slowest first token, one sentence for each cause of its stalls. */
export function streamSentences(flow: FlowWithExchanges): StreamSentences {
  const name = flow.exchanges.find(({ tls }) => tls?.serverName)?.tls?.serverName;
  const streamed = flow.exchanges.filter(({ shape }) => shape === 'stream');
  const slowest = streamed.reduce((a, b) => ((b.firstChunk?.atTapMs ?? 0) > (a.firstChunk?.atTapMs ?? 0) ? b : a));
  const chunks = streamed.reduce((sum, one) => sum + one.chunks, 0);
  return {
    title: `${flow.client} → ${flow.server}${name ? ` (${printable(name, 80)})` : ''}`,
    about: `${plural(streamed.length, 'stream')}, ${plural(chunks, 'chunk')}${gapText(slowest)}${roundTrips(flow)}`,
    lines: [...firstChunkText(slowest), ...stallText(streamed)],
  };
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

/** A conversation without streams that had trouble. */
export function troubleSentence(flow: FlowWithExchanges): string {
  const facts = (['client', 'server'] as const).flatMap((side) => troubleOf(flow, side));
  return `${flow.client} → ${flow.server}: ${facts.join('; ')}${roundTrips(flow)}`;
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

/** Versions of QUIC by the words that people use (RFC 9000, RFC 9369). */
const quicNames: Record<string, string> = { '0x00000001': 'version 1', '0x6b3343cf': 'version 2' };

/** A QUIC connection: round trips where its spin bit shows them, and how evenly the server sends. */
export function quicSentence({ client, server, packets, quic }: FlowWithExchanges): string {
  const { versions, spin, gaps, how } = quic!;
  const named = versions.map((version) => quicNames[version] ?? version).join(', ');
  const facts = [
    `${named === '' ? 'version not seen' : named}, ${plural(packets.client + packets.server, 'packet')}`,
    ...(gaps.serverP50Ms === null
      ? []
      : [`the server’s packets ${num(gaps.serverP50Ms)} ms apart (p50), ${num(gaps.serverP99Ms ?? 0)} ms (p99)`]),
    spin.kind === 'spins' ? spinText(spin) : `no round trips: ${spin.why}`,
    ...how.filter((line) => line.startsWith('taken for QUIC')),
  ];
  return `${client} → ${server}: ${facts.join('; ')}`;
}

function spinText({
  client,
  beyondTap,
}: Extract<NonNullable<FlowWithExchanges['quic']>['spin'], { kind: 'spins' }>): string {
  const sides = [
    ...(beyondTap.toServerMinMs === null ? [] : [`${num(beyondTap.toServerMinMs)} ms to the server`]),
    ...(beyondTap.toClientMinMs === null ? [] : [`${num(beyondTap.toClientMinMs)} ms to the client`]),
  ];
  const lowest = sides.length > 0 ? ` (${sides.join(', ')} from the tap, at least)` : '';
  return `round trips by the spin bit ${num(client.p50Ms)} ms (p50), ${num(client.minMs)} ms at least, of ${client.samples}${lowest}`;
}

/** Who sends most to whom, and what it looks like. */
export function trafficSentences(patterns: PatternReport, most: number): string[] {
  return patterns.matrix.cells
    .slice(0, most)
    .map(({ class: kind, from, to, direction, flows, forthBytes, backBytes }) => {
      const way = from === to ? `inside ${from}` : `${from} → ${to}`;
      return `${kind}, ${direction}, ${printable(way, 120)}: ${plural(flows, 'conversation')}, ${megabytes(forthBytes)} there, ${megabytes(backBytes)} back`;
    });
}

function seconds(ms: number): string {
  return ms < 1000 ? `${num(ms)} ms` : `${num(ms / 1000)} s`;
}

function megabytes(octets: number): string {
  return octets < 1e6 ? `${num(octets / 1000)} kB` : `${num(octets / 1e6)} MB`;
}
