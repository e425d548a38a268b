import type { Exchange, ExchangeStall } from '../../model/capture/exchange.ts';
import type { JudgedExchange, JudgedStall } from '../../model/capture/judged.ts';
import { judgeFirstChunk } from './first-chunk.ts';
import { micro } from './flow-record.ts';
import type { Connection } from './tcp/connection.ts';
import type { Incident } from './tcp/incidents.ts';

/** A cause that explains at least this share of what a gap has beyond the usual one is the cause. */
const mainShare = 0.5;
/** That many chunks at once, right behind a gap, were held back. */
const heldBackChunks = 8;
/** Delayed acknowledgements come after 40 ms (Linux) to 200 ms; one that small packets wait for shows so. */
const leastNagleWaits = 5;
/** What Linux adds to the round trip for its timers at least (TCP_RTO_MIN). */
const leastTimerMs = 200;

/** What TCP tells of an exchange: who took the time to the first token, and the cause of each stall. */
export function judgeExchange(exchange: Exchange, connection: Connection): JudgedExchange {
  const stalls = exchange.stalls.map((stall) => judgeStall(stall, exchange, connection));
  const stalledMs = { network: 0, server: 0, unknown: 0 };
  for (const stall of stalls) {
    if (stall.cause === 'capture-loss' || stall.cause === 'unknown') stalledMs.unknown += stall.gapMs;
    else {
      stalledMs.network += stall.networkMs;
      stalledMs.server += stall.serverMs;
    }
  }
  // Key by key, here and below: spread, V8 would make a shape of its own for each of them.
  return {
    kind: exchange.kind,
    shape: exchange.shape,
    requestStartMs: exchange.requestStartMs,
    requestEndMs: exchange.requestEndMs,
    requestEndOffset: exchange.requestEndOffset,
    requestBytes: exchange.requestBytes,
    requests: exchange.requests,
    firstByteMs: exchange.firstByteMs,
    firstChunkMs: exchange.firstChunkMs,
    firstChunkOtherwiseMs: exchange.firstChunkOtherwiseMs,
    firstChunkWireMs: exchange.firstChunkWireMs,
    firstChunkOffset: exchange.firstChunkOffset,
    endMs: exchange.endMs,
    answerBytes: exchange.answerBytes,
    chunks: exchange.chunks,
    heartbeats: exchange.heartbeats,
    paceMs: exchange.paceMs,
    gaps: exchange.gaps,
    stallAboveMs: exchange.stallAboveMs,
    stalls,
    stallsNotListed: exchange.stallsNotListed,
    overlapped: exchange.overlapped,
    confidence: exchange.confidence,
    how: exchange.how,
    tls: exchange.tls,
    http: exchange.http,
    firstChunk: judgeFirstChunk(exchange, connection),
    stalledMs: {
      network: micro(stalledMs.network),
      server: micro(stalledMs.server),
      unknown: micro(stalledMs.unknown),
    },
  };
}

/** Causes that are not the network's. */
const ofOthers: ReadonlySet<JudgedStall['cause']> = new Set(['server', 'buffering', 'unknown', 'capture-loss']);

function judgeStall(stall: ExchangeStall, exchange: Exchange, connection: Connection): JudgedStall {
  const incidents = connection.incidents.within(1, stall.startMs, stall.endMs);
  const found = ofSeveral(exchange, causeOf(stall, exchange.gaps?.medianMs ?? 0, incidents, connection));
  const tookMs = Math.min(stall.gapMs, Math.max(0, found.tookMs));
  const isNetwork = !ofOthers.has(found.cause);
  const networkMs = isNetwork || found.cause === 'server' ? tookMs : 0;
  const low = exchange.confidence === 'low' || exchange.overlapped;
  return {
    startMs: stall.startMs,
    endMs: stall.endMs,
    wireMs: stall.wireMs,
    gapMs: stall.gapMs,
    afterChunk: stall.afterChunk,
    streamOffset: stall.streamOffset,
    chunksAtOnce: stall.chunksAtOnce,
    acrossCaptureGap: stall.acrossCaptureGap,
    cause: found.cause,
    confidence: low ? 'low' : found.confidence,
    networkMs: micro(networkMs),
    serverMs: found.cause === 'unknown' || found.cause === 'capture-loss' ? 0 : micro(stall.gapMs - networkMs),
    evidence: found.evidence,
  };
}

type Found = Pick<JudgedStall, 'cause' | 'confidence' | 'evidence'> & { tookMs: number };

/** Where several answers come at once, which of them should have gone on cannot be told: the server may have had nothing to say. */
function ofSeveral({ overlapped, requests }: Exchange, found: Found): Found {
  if (!overlapped || (found.cause !== 'server' && found.cause !== 'buffering')) return found;
  return {
    cause: 'unknown',
    confidence: 'low',
    tookMs: 0,
    evidence: `of the answers to ${requests} requests on one connection none went on, and nothing was missing: which of them had more to come cannot be seen`,
  };
}

function causeOf(stall: ExchangeStall, usualMs: number, incidents: readonly Incident[], connection: Connection): Found {
  const captureLoss = incidents.find(({ kind }) => kind === 'capture-loss');
  if (stall.acrossCaptureGap || captureLoss) {
    const octets = captureLoss ? captureLoss.end - captureLoss.offset : 0;
    return {
      cause: 'capture-loss',
      confidence: 'high',
      tookMs: 0,
      evidence: `the capture lacks ${octets > 0 ? `${octets} octets` : 'octets'} of the answer here`,
    };
  }
  // What was lost before the tap would have come before that which showed its absence: by one usual gap, as chunks go.
  const enoughMs = mainShare * (stall.gapMs - usualMs);
  const loss = longest(incidents, ['lost-upstream', 'lost-downstream'], stall, usualMs);
  const order = longest(incidents, ['reordered'], stall, usualMs);
  const closed = longest(incidents, ['zero-window'], stall, 0);
  const late = longest(incidents, ['delayed'], stall, 0);
  const nagle = longest(incidents, ['nagle-wait'], stall, 0);
  if (loss && loss.tookMs >= enoughMs) return lossFound(loss, stall);
  if (closed && closed.tookMs >= enoughMs)
    return {
      cause: 'receiver-window',
      confidence: 'high',
      tookMs: closed.tookMs,
      evidence: `the client’s window was closed for ${ms(closed.tookMs)}`,
    };
  if (order && order.tookMs >= enoughMs)
    return {
      cause: 'reordering',
      confidence: order.incident.confidence,
      tookMs: order.tookMs,
      evidence: `a packet was overtaken and came ${ms(order.tookMs)} later`,
    };
  if (late && late.tookMs >= enoughMs)
    return {
      cause: 'delay',
      confidence: 'high',
      tookMs: late.tookMs,
      evidence: `by the server’s own clock the chunk was sent in time; the network held it for ${ms(late.tookMs)}`,
    };
  if (nagle && connection.server.nagleWaits >= leastNagleWaits && nagle.tookMs >= enoughMs)
    return {
      cause: 'nagle',
      confidence: 'medium',
      tookMs: nagle.tookMs,
      evidence: `a small packet waited for an acknowledgement that came ${ms(nagle.tookMs)} late, as ${connection.server.nagleWaits} times on this connection (set TCP_NODELAY at the server)`,
    };
  if (loss && loss.incident.kind === 'lost-upstream' && mostOf(loss, stall) >= enoughMs)
    return {
      cause: 'unknown',
      confidence: 'low',
      tookMs: 0,
      evidence: `a packet was lost between server and tap, and when it was sent first cannot be seen from here: the network took ${ms(loss.tookMs)} to ${ms(mostOf(loss, stall))} of ${ms(stall.gapMs)}`,
    };
  // A loss that explains only a part: the rest of the silence is the sender's.
  const partly = loss ?? order ?? late;
  const rest = partly
    ? `; ${ms(partly.tookMs)} of it ${loss ? 'went into the repair of a loss' : order ? 'went by before an overtaken packet came' : 'the network held it'}`
    : '';
  if (stall.chunksAtOnce >= heldBackChunks)
    return {
      cause: 'buffering',
      confidence: 'medium',
      tookMs: 0,
      evidence: `${stall.chunksAtOnce} chunks came at once behind the gap: a proxy or the server had held them back${rest}`,
    };
  const isTold = connection.server.ipId.usable || isNearServer(connection);
  const timerMs = timerOf(connection);
  if (!isTold && !partly && Math.abs(stall.gapMs - timerMs - timerWindow.middleMs) <= timerWindow.halfMs)
    return {
      cause: 'unknown',
      confidence: 'low',
      tookMs: 0,
      evidence: `no packet was seen to be missing; but a last one that was lost comes again after ${ms(timerMs)}, by the server’s timer, and its packets have no counter that would show it: of ${ms(stall.gapMs)} the network took all or nothing`,
    };
  const byClock = connection.server.clock.tickMs > 0 ? ', by its own clock' : '';
  return {
    cause: 'server',
    // Without a counter in the packets a lost last one, sent again, looks like silence.
    confidence: connection.client.started && !partly && isTold ? 'high' : 'medium',
    tookMs: partly?.tookMs ?? 0,
    evidence: `no packet of the answer was missing and the window was open: the server sent nothing for ${ms(stall.gapMs - (partly?.tookMs ?? 0))}${byClock}${rest}`,
  };
}

/**
 * After how long the second copy of a lost last packet passes: the acknowledgement of what came before it goes to the server, starts its timer
 * anew (a round trip and 200 ms on Linux, whether for a probe, RFC 8985, or the timeout), and the copy comes back. Infinite: not known.
 */
function timerOf({ client, server }: Connection): number {
  const toClientMs = server.roundTrip.samples > 0 ? server.roundTrip.lowestMs : 0;
  return 2 * client.roundTrip.lowestMs + toClientMs + leastTimerMs;
}

/** What round trips vary comes on top of that: 4 to 10 ms over ways that vary little, in the lab. */
const timerWindow = { middleMs: 6, halfMs: 9 } as const;

/** There nothing can be lost before the tap. */
function isNearServer({ client, server }: Connection): boolean {
  return client.roundTrip.lowestMs < server.roundTrip.lowestMs;
}

function lossFound({ incident, tookMs }: Weighed, stall: ExchangeStall): Found {
  const where = incident.kind === 'lost-upstream' ? 'between server and tap' : 'between tap and client';
  return {
    cause: 'loss',
    confidence: incident.confidence,
    tookMs,
    evidence: `a packet was lost ${where} and sent again after ${ms(tookMs)}${tookMs < 0.8 * stall.gapMs ? `, of ${ms(stall.gapMs)} in all` : ''}`,
  };
}

/** The most that a loss before the tap may have taken: had the first copy been sent right behind the chunk before the gap. */
function mostOf({ incident }: Weighed, stall: ExchangeStall): number {
  return Math.min(incident.endMs, stall.endMs) - stall.startMs;
}

interface Weighed {
  incident: Incident;
  tookMs: number;
}

/** The one of these kinds that took most of the gap. */
function longest(
  incidents: readonly Incident[],
  kinds: readonly Incident['kind'][],
  stall: ExchangeStall,
  earlierMs: number,
): Weighed | null {
  let most: Weighed | null = null;
  for (const incident of incidents) {
    if (!kinds.includes(incident.kind)) continue;
    const tookMs =
      Math.min(incident.endMs, stall.endMs) -
      Math.max(
        incident.startMs - (incident.kind === 'lost-downstream' || incident.exact ? 0 : earlierMs),
        stall.startMs,
      );
    if (tookMs > (most?.tookMs ?? 0)) most = { incident, tookMs };
  }
  return most;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
