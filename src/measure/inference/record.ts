import type { InferenceRequest, Phases, TcpInfoRow } from '../../model/inference.ts';
import { printable } from '../../model/outcome.ts';
import { quantile, sorted } from '../../stats/quantile.ts';
import { formatTarget } from '../../wire/tcp/connection.ts';
import type { LoopLag } from '../../wire/loop-lag.ts';
import { rateLimitHeaders, reportedFromHeaders, requestIdFrom, terminatorHints } from '../dialect/index.ts';
import type { DialectName } from '../../model/inference.ts';
import { attribute } from './attribution.ts';
import { pathContext, type RoundTrips } from './context.ts';
import type { Exchange, TokenArrival } from './exchange.ts';
import type { TrivialAnswers } from './floor.ts';
import { type SegmentView, viewSegments } from './segments.ts';
import { findStalls } from './stalls.ts';

export interface RecordContext {
  endpoint: string;
  dialect: DialectName;
  stallThresholdMs: number;
  roundTrips: RoundTrips;
  /** Answers to the trivial question; null when there was none. */
  trivial: TrivialAnswers | null;
  loopLag: LoopLag;
  stamps: 'kernel' | 'user';
  notes: readonly string[];
}

/** Makes the published record of one request from its raw evidence. */
export function recordOf(exchange: Exchange, context: RecordContext): InferenceRequest {
  const { link, startMs } = exchange;
  const { trace } = link.tcp;
  const setUp = exchange.reused ? null : link.setUp;
  const view = segmentView(exchange, context);
  const tokens = corrected(exchange, view);
  const first = tokens[0];
  const last = tokens.at(-1);
  const reported = [...exchange.reported, ...reportedFromHeaders(exchange.headers)];
  const hints = terminatorHints(exchange.headers);
  const terminated =
    link.viaProxy || hints.some((h) => /^(via|cf-ray|proxy|x-cache|x-amz-cf|x-served-by|fly-|x-vercel)/i.test(h));
  const loopLagMs = context.stamps === 'user' ? context.loopLag.maxSinceMs(startMs) : 0;
  const {
    ttft,
    total,
    phases: splits,
  } = attribute({
    startMs,
    setUp,
    trace,
    sendings: exchange.sendings,
    handedMs: exchange.handedMs,
    finishedMs: exchange.finishedMs,
    firstTokenMs: first?.atMs ?? null,
    lastTokenMs: last?.atMs ?? null,
    firstTokenOffset: first?.endOffset ?? null,
    lastTokenOffset: last?.endOffset ?? null,
    doubtfulAfterOffset: doubtfulAfter(tokens),
    firstByteMs: exchange.firstByte?.atMs ?? null,
    reported,
    view,
    shadowRttMs: exchange.shadowRttMs,
    retransmitted: (delta(exchange, 'totalRetrans') ?? 0) > 0,
    context: pathContext({
      roundTrips: context.roundTrips,
      trivial: context.trivial,
      exchange,
      terminated,
      loopLagMs,
      unevennessMs: unevennessMs(tokens, view),
    }),
  });
  const gaps = tokens.slice(1).map((t, i) => micro(t.atMs - (tokens[i] as TokenArrival).atMs));
  const deliveries = new Set(tokens.map((t) => t.delivery)).size;
  const output = exchange.usage.output ?? null;
  const streamMs = first && last ? last.atMs - first.atMs : null;
  return {
    id: exchange.id,
    startedAt: exchange.startedAt,
    endpoint: context.endpoint,
    address: formatTarget(trace.target),
    dialect: context.dialect,
    model: exchange.model === null ? null : printable(exchange.model, 100),
    httpVersion: exchange.httpVersion,
    status: exchange.status,
    reused: exchange.reused,
    sharedConnection: exchange.shared,
    connectionId: trace.id,
    outcome: exchange.outcome,
    phases: phasesOf(exchange, tokens),
    split: { ttft, total, phases: splits },
    stalls: findStalls(tokens, {
      thresholdMs: context.stallThresholdMs,
      view,
      trace,
      loopLagMs: context.stamps === 'user' ? (fromMs) => context.loopLag.maxSinceMs(fromMs) : null,
    }),
    stallThresholdMs: context.stallThresholdMs,
    tokens: {
      prompt: exchange.usage.prompt ?? null,
      cachedPrompt: exchange.usage.cachedPrompt ?? null,
      output,
      reasoning: exchange.usage.reasoning ?? null,
      events: tokens.length,
    },
    tpotMs: tpot(streamMs, output, exchange.firstTokenEventTokens, tokens.length),
    gaps,
    eventsPerRead: deliveries === 0 ? 0 : micro(tokens.length / deliveries),
    stamps: exchange.firstByte?.stamp ?? context.stamps,
    upload: { bytes: exchange.requestBytes, rounds: slowStartRounds(exchange) },
    receivedBytes: exchange.receivedBytes,
    tcp: {
      handshakeRttMs: trace.handshakeRttMs,
      requestRttMs: requestRttMs(exchange),
      minRttMs: trace.info.findLast((i) => i.atMs <= exchange.finishedMs)?.info.minRttMs ?? null,
      pdvMs: view?.delayVariationMs == null ? null : micro(view.delayVariationMs),
      retransmits: retransmits(exchange),
      outOfOrder: delta(exchange, 'rcvOooPack'),
      info: infoRows(exchange),
    },
    tls: link.tls,
    server: {
      reported,
      terminator: hints,
      requestId: requestIdFrom(exchange.headers),
      rateLimit: rateLimitHeaders(exchange.headers),
    },
    client: { eventLoopLagMs: micro(context.loopLag.maxSinceMs(startMs)), processingMs: micro(exchange.processingMs) },
    notes: [...context.notes],
  };
}

/** What the tap saw during this request only: a reused connection has a past that must not be counted again. */
function segmentView(exchange: Exchange, context: RecordContext): SegmentView | null {
  const { trace } = exchange.link.tcp;
  if (!trace.tapComplete || trace.segments.length === 0) return null;
  const fromMs = exchange.reused ? exchange.startMs : 0;
  const segments = trace.segments.filter((s) => s.atMs >= fromMs && s.atMs <= exchange.finishedMs);
  const fromOffset = exchange.reused ? (trace.arrivals.findLast((a) => a.atMs < fromMs)?.endOffset ?? 0) : 0;
  return viewSegments(segments, fromOffset, context.roundTrips.minMs ?? 25, exchange.shared);
}

/**
 * Arrival of each token by the segments where they were seen. A read after a filled hole carries an older stamp than the hole;
 * and when we were late to read, one delivery holds several tokens, each of which came in a segment of its own.
 */
function corrected(exchange: Exchange, view: SegmentView | null): readonly TokenArrival[] {
  const { tokens } = exchange;
  if (!view) return tokens;
  const { arrivals } = exchange.link.tcp.trace;
  const fixed: TokenArrival[] = [];
  for (let i = 0; i < tokens.length;) {
    const first = tokens[i] as TokenArrival;
    let count = 1;
    while (tokens[i + count]?.delivery === first.delivery) count++;
    const before = arrivals.findLast((a) => a.endOffset < first.endOffset)?.endOffset ?? 0;
    const ends = count === 1 ? [] : view.ends(before, first.endOffset);
    for (let k = 0; k < count; k++) {
      const token = tokens[i + k] as TokenArrival;
      const endOffset = ends.length === count ? (ends[k] as number) : token.endOffset;
      fixed.push({ ...token, endOffset, atMs: view.availableMs(endOffset) ?? token.atMs });
    }
    i += count;
  }
  return fixed;
}

/** A silence this long before the last token, and this many times the usual, may have been a retransmission time-out (RFC 6298). */
const doubtfulSilence = { leastMs: 150, timesUsual: 4 };

function doubtfulAfter(tokens: readonly TokenArrival[]): number | null {
  const last = tokens.at(-1);
  // Tokens that came together with the last one were behind the same hole.
  const before = tokens.findLast((t) => last !== undefined && t.atMs < last.atMs - 2);
  if (!last || !before || tokens.length < 4) return null;
  const gaps = sorted(tokens.slice(1).map((t, i) => t.atMs - (tokens[i] as TokenArrival).atMs));
  const silenceMs = (tokens[tokens.indexOf(before) + 1] as TokenArrival).atMs - before.atMs;
  const doubtful = silenceMs > Math.max(doubtfulSilence.leastMs, doubtfulSilence.timesUsual * quantile(gaps, 0.5));
  return doubtful ? before.endOffset : null;
}

/**
 * How unevenly the server writes its tokens, ms: 90th percentile of how far its gaps, by its own clock where seen, are from
 * their median. Who is late to write by that much is late to read by as much.
 */
function unevennessMs(tokens: readonly TokenArrival[], view: SegmentView | null): number {
  const at = tokens.map((t) => view?.handedTicks(t.endOffset)?.[1] ?? t.atMs);
  const gaps = sorted(at.slice(1).map((ms, i) => ms - (at[i] as number)));
  if (gaps.length < 5) return 0;
  const middle = quantile(gaps, 0.5);
  return quantile(sorted([...gaps].map((gap) => Math.abs(gap - middle))), 0.9);
}

function phasesOf(exchange: Exchange, tokens: readonly TokenArrival[]): Phases {
  const { startMs, link, sendings, firstByte } = exchange;
  const { trace, setUp } = { trace: link.tcp.trace, setUp: exchange.reused ? null : link.setUp };
  const since = (ms: number | null | undefined) => (ms == null ? null : micro(Math.max(0, ms - startMs)));
  const span = (part: { startMs: number; endMs: number } | null | undefined) =>
    part ? micro(part.endMs - part.startMs) : null;
  const first = sendings[0];
  const last = sendings.at(-1);
  const firstToken = tokens[0]?.atMs;
  const lastToken = tokens.at(-1)?.atMs;
  return {
    scheduleLagMs: micro(Math.max(0, startMs - exchange.intendedMs)),
    dnsMs: span(setUp?.dns),
    tcpMs: setUp && trace.connectedMs !== null ? micro(trace.connectedMs - trace.connectMs) : null,
    proxyMs: span(setUp?.proxy),
    tlsMs: span(setUp?.tls),
    uploadMs:
      first && last ? micro((last.leftMs ?? last.calledMs) - first.calledMs + (requestRttMs(exchange) ?? 0)) : null,
    waitMs: last && firstByte ? micro(Math.max(0, firstByte.atMs - (last.leftMs ?? last.calledMs))) : null,
    ttfbMs: since(firstByte?.atMs),
    ttfeMs: since(exchange.firstEvent?.atMs),
    ttftMs: since(firstToken),
    ttftVisibleMs: since(tokens.find((t) => t.visible)?.atMs),
    streamMs: firstToken === undefined || lastToken === undefined ? null : micro(lastToken - firstToken),
    totalMs: since(lastToken),
    eofMs: since(exchange.endMs),
  };
}

/**
 * Round trip of the request's last byte: to its acknowledgement on a new connection; on one in use, where that may ride on the
 * answer (delayed ACK), of the handshake that left right behind it.
 */
function requestRttMs(exchange: Exchange): number | null {
  const last = exchange.sendings.at(-1);
  if (exchange.reused) return exchange.shadowRttMs;
  return last?.ackedMs != null && last.leftMs !== null ? micro(last.ackedMs - last.leftMs) : null;
}

/** Initial window of Linux and most others (RFC 6928): ten segments, doubling each round trip. */
function slowStartRounds(exchange: Exchange): number | null {
  const mss = exchange.link.tcp.trace.info[0]?.info.sndMssBytes;
  if (!mss) return null;
  return Math.max(1, Math.ceil(Math.log2(exchange.requestBytes / (10 * mss) + 1)));
}

function tpot(streamMs: number | null, output: number | null, inFirst: number | null, events: number): number | null {
  if (streamMs === null || output === null) return null;
  const after = output - (inFirst ?? (events > 0 ? output / events : 1));
  return after >= 1 ? micro(streamMs / after) : null;
}

function delta(exchange: Exchange, field: 'totalRetrans' | 'rcvOooPack' | 'dsackDups'): number | null {
  const { info } = exchange.link.tcp.trace;
  const last = info.findLast((i) => i.atMs <= exchange.finishedMs)?.info[field];
  if (last == null) return null;
  const before = exchange.reused ? (info.findLast((i) => i.atMs < exchange.startMs)?.info[field] ?? 0) : 0;
  return last - before;
}

/** Segments that really had to be sent again: a retransmission that the peer reported as a duplicate (DSACK, RFC 2883) lost nothing. */
function retransmits(exchange: Exchange): number | null {
  const all = delta(exchange, 'totalRetrans');
  return all === null ? null : Math.max(0, all - (delta(exchange, 'dsackDups') ?? 0));
}

const maxInfoRows = 50;

function infoRows(exchange: Exchange): TcpInfoRow[] {
  const rows = exchange.link.tcp.trace.info.filter(
    (i) => (!exchange.reused || i.atMs >= exchange.startMs) && i.atMs <= exchange.finishedMs,
  );
  return rows
    .slice(-maxInfoRows)
    .map(({ atMs, phase, info }) => ({ atMs: micro(atMs - exchange.startMs), phase, ...info }));
}

function micro(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
