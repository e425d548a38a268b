import type { JudgedExchange } from '../../model/capture/judged.ts';
import type { CaptureReport, FlowWithExchanges } from '../../model/capture/report.ts';
import type { TcpSide } from '../../model/capture/flow.ts';
import type { Observation, ObservationOf } from '../../model/observation.ts';
import { isoTime } from './iso-time.ts';

/** Stalls of one answer that are told one by one. */
const mostStalls = 64;

/** What a capture tells about one endpoint, from one place. */
export interface Observer {
  /** When the first packet of the capture passed, ms since the epoch. */
  startEpochMs: number;
  /** Where the tap is. */
  from: string;
  /** Name of the endpoint. */
  to: string;
}

/** The facts of one conversation that concern its server. Who asked is not among them. */
export function observationsOf(flow: FlowWithExchanges, observer: Observer): Observation[] {
  const exchanges = flow.exchanges.map((one) => exchangeOf(one, flow, observer));
  const connection = flow.tcp && connectionOf(flow, flow.tcp, observer);
  return connection ? [connection, ...exchanges] : exchanges;
}

/** How far the capture as a whole can be trusted. It is about no endpoint. */
export function qualityOf(
  { sources, packets, quality }: Pick<CaptureReport, 'sources' | 'packets' | 'quality'>,
  { startEpochMs, from }: Omit<Observer, 'to'>,
): Observation {
  return {
    kind: 'capture-quality',
    ...head({ startEpochMs, from, to: 'capture' }, 0, 'the capture’s own counters'),
    outcome: { kind: 'answered' },
    files: sources.map(({ name }) => name),
    packets,
    recordedDrops: quality.recordedDrops,
    duplicates: quality.duplicates,
    problems: sources.flatMap(({ problem }) => problem ?? []),
  };
}

function exchangeOf(
  exchange: JudgedExchange,
  { server }: FlowWithExchanges,
  observer: Observer,
): ObservationOf<'capture-exchange'> {
  const { shape, requestStartMs, firstByteMs, endMs, firstChunk: first, stalls } = exchange;
  const longest = stalls.toSorted((a, b) => b.gapMs - a.gapMs).slice(0, mostStalls);
  return {
    kind: 'capture-exchange',
    ...head(observer, requestStartMs ?? firstByteMs ?? endMs, `packet capture, ${exchange.how.join(', ')}`),
    // A request that the capture saw no answer to may have had one: it may have ended too early.
    outcome: shape === 'unanswered' ? { kind: 'interrupted' } : { kind: 'answered' },
    address: server,
    serverName: exchange.tls?.serverName ?? null,
    shape,
    ttftMs: shape === 'stream' ? (first?.atClientMs ?? first?.atTapMs ?? null) : null,
    ttftAt: first?.atClientMs == null ? 'tap' : 'client',
    split: splitOf(exchange),
    totalMs: shape === 'unanswered' || requestStartMs === null ? null : endMs - requestStartMs,
    chunks: exchange.chunks,
    gaps: exchange.gaps,
    stallAboveMs: exchange.stallAboveMs,
    stalls: longest.map(({ gapMs, cause, confidence, networkMs, serverMs, evidence }) => ({
      gapMs,
      cause,
      confidence,
      networkMs,
      serverMs,
      evidence,
    })),
    stallsNotListed: exchange.stallsNotListed + stalls.length - longest.length,
    overlapped: exchange.overlapped,
    confidence: exchange.confidence,
  };
}

function splitOf({ shape, firstChunk }: JudgedExchange): ObservationOf<'capture-exchange'>['split'] {
  if (shape !== 'stream' || !firstChunk || firstChunk.networkMs === null || firstChunk.serverMs === null) return null;
  const { networkMs, serverMs, plusMinusMs } = firstChunk;
  return { networkMs, serverMs, plusMinusMs };
}

function connectionOf(
  { server, startMs, durationMs }: FlowWithExchanges,
  tcp: NonNullable<FlowWithExchanges['tcp']>,
  observer: Observer,
): ObservationOf<'capture-connection'> {
  const { client } = tcp;
  return {
    kind: 'capture-connection',
    ...head(observer, startMs, 'packet capture, TCP followed at the tap'),
    outcome: { kind: 'answered' },
    address: server,
    durationMs,
    fromStart: tcp.fromStart,
    bothWays: client.packets > 0 && tcp.server.packets > 0,
    toServer: tcp.toServer,
    toClient: tcp.toClient,
    up: wayOf(client),
    down: wayOf(tcp.server),
    clientWindow: { closed: client.zeroWindows, closedMs: client.zeroWindowMs, filled: tcp.server.windowFull },
  };
}

function wayOf(side: TcpSide): ObservationOf<'capture-connection'>['up'] {
  const before = Math.min(side.originalsUnseen, side.retransmittedSegments);
  return {
    dataPackets: side.dataPackets,
    lostBeforeTap: before,
    lostBehindTap: Math.max(0, side.retransmittedSegments - before - side.spuriousSegments),
    needless: side.spuriousSegments,
    reordered: side.reordered,
    captureLosses: side.captureLosses,
    marked: side.congestionMarks,
  };
}

function head({ startEpochMs, from, to }: Observer, atMs: number, how: string) {
  return { at: isoTime(startEpochMs + atMs), from, to, how };
}
