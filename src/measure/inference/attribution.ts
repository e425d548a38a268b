import type { EvidenceGrade, ServerReported, Split } from '../../model/inference.ts';
import type { PhaseName } from '../../model/outcome.ts';
import type { ConnectionTrace, Sending } from '../../wire/tcp/connection.ts';
import type { SetUp } from './link.ts';
import type { SegmentView } from './segments.ts';

/**
 * Who spent the time of one request: network, server or this client. Pure. The truth that the bounds must hold:
 * server time = token handed to the server's kernel − request fully read by the server; client time = the time in which this
 * process held the ball (between an answer from the network and our next send); network = all the rest, set-up included.
 *
 * After the last request byte has left (L), a wait of W ms passes until the token is here: W = way there + server + way back.
 * Everything below is about bounding the two ways, n = way there + way back:
 *   floor     n cannot be shorter than the shortest round trip of this path;
 *   ack       the acknowledgement of the last byte went the same way there: n ≤ its round trip + extra queueing on the way back;
 *   ticks     the server kernel stamps its own clock (TSval) on that acknowledgement and on the token's segment: the
 *             difference is time at the server, whatever the queues did; ±1 tick;
 *   reported  the server says itself how long it took;
 *   beyond    if something terminates TCP in front of the server, a way behind it counts as network but looks like server:
 *             the endpoint's answer to a trivial request bounds it.
 */
export interface AttributionInput {
  startMs: number;
  /** Null on a reused connection. */
  setUp: SetUp | null;
  trace: ConnectionTrace;
  /** What carried this request, in order. */
  sendings: readonly Sending[];
  handedMs: number;
  finishedMs: number;
  /** Arrival of the tokens in question; already corrected for reordering. */
  firstTokenMs: number | null;
  lastTokenMs: number | null;
  firstTokenOffset: number | null;
  lastTokenOffset: number | null;
  /**
   * Set when the last token came after a silence that a lost and resent last segment would look like as well (nothing behind it
   * could overtake it): the end of the token before, below which its handing over is not in doubt.
   */
  doubtfulAfterOffset: number | null;
  firstByteMs: number | null;
  reported: readonly ServerReported[];
  view: SegmentView | null;
  /** Round trip of a handshake sent right behind the request; null when there was none. */
  shadowRttMs: number | null;
  /** True when anything we sent during the request was sent twice. */
  retransmitted: boolean;
  context: PathContext;
}

/** What is known about the path to the endpoint beyond this one request. */
export interface PathContext {
  /** Lowest round trip seen to the endpoint, ms, already lowered by what few samples may have missed; null when unknown. */
  rttFloorMs: number | null;
  /** Spread of round trips, ms: allowance for the way back where nothing measures it. */
  jitterMs: number;
  /** Answer to a trivial request minus its round trip, ms: bound on a way behind a TCP terminator; null when unknown. */
  beyondMs: number | null;
  /**
   * How long a request may lie in the server's kernel before the server's code has read it, ms: by definition that is not server
   * time, and nothing on the wire shows it.
   */
  readDelayMs: number;
  /** Something says that the TCP terminator is not the server: proxy, CDN headers. */
  terminated: boolean;
  /** The stream arrives in bursts this far apart: a buffer on the way may hold tokens that long. 0 when not. */
  burstMs: number;
  /** Longest stall of our event loop meanwhile; counts only where arrivals are stamped by the event loop. */
  loopLagMs: number;
}

/** Stamps of two machines and of user code against kernel code: how far they may be apart, ms. Own choice. */
const stampAllowanceMs = 0.5;
/** Longest that a stack of today holds an acknowledgement back, ms (Linux TCP_DELACK_MAX, Windows); RFC 1122 would allow 500. */
const delayedAckMostMs = 200;
/** A server's own report against what its kernel showed: how far they may differ before one of them is wrong, ms. Own choice. */
const reportToleranceMs = 1;

interface Way {
  low: number;
  high: number;
  evidence: EvidenceGrade;
  why: string;
}

export interface Attribution {
  ttft: Split | null;
  total: Split | null;
  phases: Partial<Record<PhaseName, Split>>;
  clientMs: number;
}

export function attribute(input: AttributionInput): Attribution {
  const { firstTokenMs, lastTokenMs, startMs, sendings, handedMs } = input;
  const lastSent = sendings.at(-1);
  const leftMs = lastSent ? (lastSent.leftMs ?? lastSent.calledMs) : handedMs;
  const clientMs = clientTime(input);
  const phases = setUpPhases(input);
  const first = sendings[0];
  if (first && lastSent) {
    const uploadMs = leftMs - first.calledMs;
    phases.upload = networkOnly(
      Math.max(0, uploadMs),
      0,
      'kernel',
      'sending waits only for the network to take and acknowledge bytes',
    );
  }
  if (firstTokenMs === null || lastTokenMs === null) return { ttft: null, total: null, phases, clientMs };

  const toFirst = bound(input, leftMs, firstTokenMs, input.firstTokenOffset, 'ttft');
  const toLast = follow(toFirst, bound(input, leftMs, lastTokenMs, input.lastTokenOffset, 'total'), input);
  phases.wait = splitOf(firstTokenMs - leftMs, 0, 0, toFirst);
  phases.stream = streamSplit(lastTokenMs - firstTokenMs, toFirst, toLast);
  const before = leftMs - startMs - clientMs;
  return {
    ttft: splitOf(firstTokenMs - startMs, clientMs, before, toFirst),
    total: splitOf(lastTokenMs - startMs, clientMs, before, toLast),
    phases,
    clientMs,
  };
}

/** Time in which this client held the ball: from what it waited for to the packet it sent next. */
function clientTime({ setUp, trace, sendings, startMs, handedMs, view }: AttributionInput): number {
  let clientMs = 0;
  const firstOfRequest = sendings[0];
  if (!setUp) return firstOfRequest ? Math.max(0, firstOfRequest.calledMs - startMs) : 0;
  const readyMs = setUp.dns?.endMs ?? setUp.startMs;
  clientMs += Math.max(0, synLeftMs(trace) - readyMs);
  let waitedForMs = trace.connectedMs ?? readyMs;
  let arrival = 0;
  for (const sending of trace.sendings) {
    // What was read before this sending is what it answers. A read behind a filled hole carries an older stamp than the hole.
    for (let a = trace.arrivals[arrival]; a && a.readAtMs <= sending.calledMs; a = trace.arrivals[++arrival]) {
      const availableMs = view?.availableMs(a.endOffset) ?? (view ? a.atMs : a.readAtMs);
      waitedForMs = Math.max(waitedForMs, Math.min(availableMs, a.readAtMs));
    }
    clientMs += Math.max(0, sending.calledMs - waitedForMs);
    waitedForMs = Math.max(waitedForMs, sending.calledMs);
    if (sending === firstOfRequest || sending.calledMs > handedMs + 60_000) break;
  }
  return clientMs;
}

/** The SYN has no transmit stamp of its own; the kernel's round trip counts from it. */
function synLeftMs(trace: ConnectionTrace): number {
  const { connectedMs, handshakeRttMs, connectMs } = trace;
  if (connectedMs === null || handshakeRttMs === null || trace.synRetransmits !== 0) return connectMs;
  return Math.max(connectMs, connectedMs - handshakeRttMs);
}

/** Bounds on n for one token. */
function bound(
  input: AttributionInput,
  leftMs: number,
  tokenMs: number,
  offset: number | null,
  covers: 'ttft' | 'total',
): Way {
  const waitMs = Math.max(0, tokenMs - leftMs);
  const { context } = input;
  const floor = Math.min(waitMs, context.rttFloorMs ?? 0);
  let way =
    byTicks(input, leftMs, waitMs, floor, offset) ??
    byAck(input, leftMs, waitMs, floor) ??
    byHandshake(input, waitMs, floor);
  way = openForTerminator(way, context, waitMs);
  way = byReport(input, way, waitMs, covers);
  return { ...way, low: clamp(way.low, 0, waitMs), high: clamp(Math.max(way.low, way.high), 0, waitMs) };
}

/**
 * The way there is the same for every token of a request; only the way back may differ, and the server's clock on the two
 * tokens says by how much. So what is known of the first token's ways bounds the last one's.
 */
function follow(first: Way, last: Way, input: AttributionInput): Way {
  const { view, firstTokenMs, lastTokenMs, firstTokenOffset, lastTokenOffset } = input;
  const from = firstTokenOffset === null ? null : view?.handedTicks(firstTokenOffset);
  const to = lastTokenOffset === null ? null : handedTicks(input, lastTokenOffset);
  if (!from || !to || firstTokenMs === null || lastTokenMs === null || last.evidence !== 'kernel') return last;
  const streamMs = lastTokenMs - firstTokenMs;
  const low = Math.max(last.low, first.low + streamMs - (to[1] - from[0]) - stampAllowanceMs);
  const high = Math.min(last.high, first.high + streamMs - (to[0] - from[1]) + stampAllowanceMs);
  return low <= high ? { ...last, low, high } : last;
}

/** Ticks of a token's handing over; the low end is that of the token before where a lost last segment cannot be told. */
function handedTicks(
  { view, lastTokenOffset, doubtfulAfterOffset }: AttributionInput,
  offset: number,
): [number, number] | null {
  const ticks = view?.handedTicks(offset) ?? null;
  if (!ticks || offset !== lastTokenOffset || doubtfulAfterOffset === null) return ticks;
  return [Math.min(ticks[0], view?.handedTicks(doubtfulAfterOffset)?.[0] ?? 0), ticks[1]];
}

/** The server kernel's own clock on the acknowledgement of our last byte and on the token's segment. */
function byTicks(
  input: AttributionInput,
  leftMs: number,
  waitMs: number,
  floor: number,
  offset: number | null,
): Way | null {
  const { view, sendings, trace } = input;
  const requestEnd = sendings.at(-1)?.endOffset;
  if (!view || !trace.tapComplete || offset === null || requestEnd === undefined) return null;
  const ack = view.acknowledged(requestEnd);
  const handed = handedTicks(input, offset);
  if (!ack || !handed) return null;
  // The acknowledgement may have been held back (delayed ACK): at most by what its round trip exceeds the shortest one, at
  // least by what it exceeds that of a handshake which left together with the request and is never held back.
  const roundTripMs = ack.atMs - leftMs;
  const heldHigh = Math.min(delayedAckMostMs, Math.max(0, roundTripMs - floor - Math.max(0, ack.queuedMs - 1)));
  // A request that had to be sent again was late itself: its acknowledgement was not held back.
  const heldLow =
    input.shadowRttMs === null || input.retransmitted
      ? 0
      : Math.max(0, roundTripMs - input.shadowRttMs - ack.queuedMs - stampAllowanceMs);
  const serverLow = handed[0] - ack.tick - 1 + heldLow - input.context.readDelayMs;
  const serverHigh = Math.min(handed[1] - ack.tick + heldHigh, waitMs - floor);
  const low = clamp(serverLow, 0, waitMs);
  const high = clamp(Math.max(serverHigh, low), 0, waitMs);
  return {
    low: waitMs - high,
    high: waitMs - low,
    evidence: 'kernel',
    why: 'the server kernel stamped its own clock on the acknowledgement of the request and on the token (TCP timestamps)',
  };
}

/** Round trip of the request's last byte by our kernel's stamps; the way back of the token is covered by the spread of round trips. */
function byAck(input: AttributionInput, leftMs: number, waitMs: number, floor: number): Way | null {
  const last = input.sendings.at(-1);
  if (!last || last.ackedMs === null || last.leftMs === null) return null;
  const ackMs = last.ackedMs - leftMs;
  const roundTripMs = input.retransmitted ? ackMs : Math.min(ackMs, input.shadowRttMs ?? Infinity);
  const reordered = lossSeen(input);
  return {
    low: floor,
    high: reordered ? waitMs : roundTripMs + input.context.jitterMs + input.context.readDelayMs,
    evidence: 'kernel',
    why: reordered
      ? 'segments of the answer came out of order, so a token may have waited for a retransmission of unknown length'
      : 'kernel stamps give the round trip of the last request byte; the way back of the token is taken to vary as round trips did',
  };
}

function lossSeen({ trace, handedMs, finishedMs }: AttributionInput): boolean {
  const at = (ms: number) => trace.info.findLast((i) => i.atMs <= ms)?.info.rcvOooPack ?? 0;
  return at(finishedMs) > at(handedMs);
}

function byHandshake(input: AttributionInput, waitMs: number, floor: number): Way {
  const { trace, context } = input;
  const rttMs =
    trace.handshakeRttMs ?? (trace.connectedMs === null ? null : Math.max(0, trace.connectedMs - trace.connectMs));
  if (rttMs === null)
    return { low: 0, high: waitMs, evidence: 'none', why: 'nothing tells how long the way to the server is' };
  return {
    low: Math.min(floor, rttMs),
    high: rttMs + context.jitterMs + context.loopLagMs + context.readDelayMs,
    evidence: 'handshake',
    why: 'only the round trip of the TCP handshake is known; arrival times are those of our event loop',
  };
}

/** A TCP terminator in front of the server hides the way behind it, and a buffer holds tokens back: both are network by definition. */
function openForTerminator(way: Way, context: PathContext, waitMs: number): Way {
  let { high, why } = way;
  if (context.beyondMs !== null) high += Math.max(0, context.beyondMs - context.readDelayMs);
  else if (context.terminated) high = waitMs;
  if (context.terminated && context.beyondMs !== null)
    why += '; a proxy or CDN terminates TCP, and the answer to a trivial request bounds the way behind it';
  else if (context.terminated) why += '; a proxy or CDN terminates TCP, and nothing bounds the way behind it';
  if (context.burstMs > 0) {
    high += context.burstMs;
    why += '; tokens come in bursts, as through a buffer that may have held them';
  }
  return { ...way, high: Math.min(high, waitMs), why };
}

/** What the server says about itself, believed as far as the connection allows it. */
function byReport(input: AttributionInput, way: Way, waitMs: number, covers: 'ttft' | 'total'): Way {
  const fitting = input.reported.filter((r) => r.covers === covers && r.by === 'server' && r.floor !== true);
  const least = input.reported.find((r) => r.covers === covers && r.by === 'server' && r.floor === true);
  // Waiting left out: the server took at least this long.
  if (least && waitMs - least.valueMs >= way.low)
    return { ...way, high: Math.min(way.high, waitMs - least.valueMs + least.resolutionMs) };
  const best = fitting.toSorted((a, b) => a.resolutionMs - b.resolutionMs)[0];
  if (best) return fitReport(way, waitMs, best);
  if (covers !== 'ttft') return way;
  const { firstByteMs, firstTokenMs } = input;
  const headers = input.reported.find((r) => r.covers === 'headers');
  if (!headers) return way;
  if (headers.by === 'front-proxy') {
    // The proxy's time holds everything behind it: what is left is surely network.
    const low = Math.max(
      way.low,
      waitMs - headers.valueMs - headers.resolutionMs - waitAfterHeaders(firstByteMs, firstTokenMs),
    );
    return low <= way.high ? { ...way, low } : way;
  }
  // Headers and first token in the same delivery: the time to headers is the time to the token.
  const together = firstByteMs !== null && firstTokenMs !== null && firstTokenMs - firstByteMs < 1;
  if (together) return fitReport(way, waitMs, headers);
  const high = Math.min(way.high, waitMs - Math.max(0, headers.valueMs - headers.resolutionMs));
  return high >= way.low ? { ...way, high } : way;
}

function waitAfterHeaders(firstByteMs: number | null, firstTokenMs: number | null): number {
  return firstByteMs === null || firstTokenMs === null ? 0 : Math.max(0, firstTokenMs - firstByteMs);
}

function fitReport(way: Way, waitMs: number, report: ServerReported): Way {
  const tolerance = report.resolutionMs + reportToleranceMs / 2;
  const low = waitMs - report.valueMs - tolerance;
  const high = waitMs - report.valueMs + tolerance;
  if (high < -reportToleranceMs || report.valueMs < 0)
    return { ...way, why: `${way.why}; ${report.source} claims more time than passed and is not believed` };
  // Below the floor of the path the report cannot be right either.
  if (high < way.low - reportToleranceMs)
    return {
      ...way,
      why: `${way.why}; ${report.source} leaves less for the network than its shortest round trip and is not believed`,
    };
  const cut = { low: Math.max(low, way.low), high: Math.min(high, way.high) };
  const agrees = cut.low <= cut.high;
  return {
    ...(agrees ? cut : { low, high }),
    evidence: 'server-reported',
    why: agrees
      ? `the server reported its own time (${report.source}), and the connection agrees`
      : `the server reported its own time (${report.source}); the connection alone would have said ${way.low.toFixed(1)} to ${way.high.toFixed(1)} ms network`,
  };
}

function splitOf(wholeMs: number, clientMs: number, beforeMs: number, way: Way): Split {
  const low = beforeMs + way.low;
  const high = beforeMs + way.high;
  const rest = wholeMs - clientMs;
  return {
    networkMs: [round(low), round(high)],
    serverMs: [round(rest - high), round(rest - low)],
    clientMs: round(clientMs),
    undeterminedMs: round(high - low),
    evidence: way.evidence,
    why: `${way.why}.`,
  };
}

/** First to last token: what of it was a change of the ways, what the server's own pace. */
function streamSplit(wholeMs: number, first: Way, last: Way): Split {
  const low = clamp(last.low - first.high, 0, wholeMs);
  const high = clamp(last.high - first.low, low, wholeMs);
  return splitOf(wholeMs, 0, 0, {
    low,
    high,
    evidence: last.evidence,
    why: 'difference of the ways of first and last token',
  });
}

function setUpPhases({ setUp, trace }: AttributionInput): Partial<Record<PhaseName, Split>> {
  const phases: Partial<Record<PhaseName, Split>> = {};
  if (!setUp) return phases;
  if (setUp.dns)
    phases.dns = networkOnly(
      setUp.dns.endMs - setUp.dns.startMs,
      0,
      'none',
      'name resolution is counted as network, whoever took the time',
    );
  if (trace.connectedMs !== null) {
    const whole = trace.connectedMs - trace.connectMs;
    const client = Math.max(0, synLeftMs(trace) - trace.connectMs);
    phases.tcp = networkOnly(whole, client, trace.handshakeRttMs === null ? 'handshake' : 'kernel', 'SYN to SYN-ACK');
  }
  if (setUp.proxy)
    phases.proxy = networkOnly(setUp.proxy.endMs - setUp.proxy.startMs, 0, 'handshake', 'the proxy counts as network');
  if (setUp.tls) {
    const { startMs, endMs } = setUp.tls;
    const client = turnaroundsBetween(trace, startMs, endMs);
    phases.tls = networkOnly(endMs - startMs, client, 'kernel', 'set-up counts as network but for our own computing');
  }
  return phases;
}

function turnaroundsBetween(trace: ConnectionTrace, fromMs: number, toMs: number): number {
  let clientMs = 0;
  let sinceMs = fromMs;
  for (const sending of trace.sendings) {
    if (sending.calledMs < fromMs || sending.calledMs > toMs) continue;
    for (const arrival of trace.arrivals)
      if (arrival.atMs <= sending.calledMs && arrival.atMs > sinceMs) sinceMs = arrival.atMs;
    clientMs += Math.max(0, sending.calledMs - sinceMs);
    sinceMs = sending.calledMs;
  }
  return Math.min(clientMs, toMs - fromMs);
}

function networkOnly(wholeMs: number, clientMs: number, evidence: EvidenceGrade, why: string): Split {
  const network = Math.max(0, wholeMs - clientMs);
  return splitOf(wholeMs, clientMs, 0, { low: network, high: network, evidence, why });
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high));
}

/** Microseconds are below what any of this can resolve. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
