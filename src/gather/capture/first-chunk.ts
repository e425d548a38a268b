import type { Exchange } from '../../model/capture/exchange.ts';
import type { FirstChunk } from '../../model/capture/judged.ts';
import { micro } from './flow-record.ts';
import type { Connection } from './tcp/connection.ts';
import type { RoundTrip } from './tcp/round-trip.ts';

/** Acknowledgements are put off by 40 ms or more where they are (Linux; RFC 1122 allows 500); less what round trips vary. */
const delayedAckMs = 30;
/** What clocks and captures blur. */
const blurMs = 1;
/** What comes this close behind another waited together with it. */
const atOnceMs = 2;
/** Of a mean deviation: nearly all that comes is within so many. */
const deviations = 3;

/** Time that something took beyond the fastest way, and how far that may be off. */
interface Late {
  lateMs: number;
  plusMinusMs: number;
}

/**
 * The time to the first chunk, and who took it: what the way to the server and back takes at best, what the request and the first
 * chunk needed beyond that, and the rest, which is the server's.
 */
export function judgeFirstChunk(exchange: Exchange, connection: Connection): FirstChunk | null {
  const { requestEndMs, firstChunkMs } = exchange;
  if (requestEndMs === null || firstChunkMs === null) return null;
  const atTapMs = firstChunkMs - requestEndMs;
  const toServer = connection.client.roundTrip;
  const toClient = connection.server.roundTrip;
  const atClientMs = toClient.samples > 0 ? atTapMs + toClient.lowestMs : null;
  if (toServer.samples === 0)
    return {
      atTapMs: micro(atTapMs),
      atClientMs: atClientMs === null ? null : micro(atClientMs),
      networkMs: null,
      serverMs: null,
      plusMinusMs: null,
      cause: 'unknown',
      evidence:
        'the round trip to the server is not known: the capture shows one side only, or no handshake and no timestamps',
    };
  const spreadMs = spreadOf(exchange, connection, toServer);
  const request = requestLate(exchange, connection, spreadMs, requestEndMs, firstChunkMs);
  const chunk = chunkLate(exchange, connection, requestEndMs, firstChunkMs);
  const repairMs = request.lateMs + chunk.lateMs;
  const wayMs = toServer.lowestMs + (atClientMs === null ? 0 : toClient.lowestMs);
  const totalMs = atClientMs ?? atTapMs;
  const networkMs = Math.min(totalMs, wayMs + repairMs);
  const serverMs = totalMs - networkMs;
  const otherwiseMs = Math.abs((exchange.firstChunkOtherwiseMs ?? firstChunkMs) - firstChunkMs);
  const repair = repairMs > blurMs ? `, and ${ms(repairMs)} for packets that were lost and sent again, or late` : '';
  const open =
    otherwiseMs > 0
      ? `; or ${ms(otherwiseMs)} ${exchange.firstChunkOtherwiseMs! > firstChunkMs ? 'more' : 'less'}, as the first record may be a head alone or have the first chunk with it`
      : '';
  return {
    atTapMs: micro(atTapMs),
    atClientMs: atClientMs === null ? null : micro(atClientMs),
    networkMs: micro(networkMs),
    serverMs: micro(serverMs),
    plusMinusMs: micro(blurMs + request.plusMinusMs + chunk.plusMinusMs + otherwiseMs),
    cause: networkMs > serverMs ? 'network' : 'server',
    evidence: `${ms(wayMs)} is the way there and back${repair}; ${ms(serverMs)} are left for the server and the model${open}`,
  };
}

/** By how much a packet from the server may be later than the fastest: by its stamps, else by what round trips or gaps show. */
function spreadOf({ gaps }: Exchange, { server }: Connection, toServer: RoundTrip): number {
  if (server.clock.tickMs > 0) return deviations * server.clock.jitterMs;
  // Round trips have waits of both ends in them, and gaps have the pace of the server: the lesser is nearer.
  const byRoundTrips = 2 * toServer.deviationMs;
  return gaps ? Math.min(byRoundTrips, 2 * (gaps.p90Ms - gaps.medianMs)) : byRoundTrips;
}

/**
 * What the request took beyond the fastest way. The acknowledgement of its end tells when all of it was there, wherever copies were
 * lost; unless it was put off, or came with the answer.
 */
function requestLate(
  { requestEndOffset, firstByteMs }: Exchange,
  { client, incidents }: Connection,
  spreadMs: number,
  requestEndMs: number,
  firstChunkMs: number,
): Late {
  // All of it was there when the last of what was sent again was.
  let againMs = 0;
  for (const { kind, endMs } of incidents.within(0, requestEndMs - 1, firstChunkMs))
    if (kind === 'lost-downstream') againMs = Math.max(againMs, endMs - requestEndMs);
  const isForNothing = client.recent.some(
    ({ event }) => event.spurious && event.timeMs >= requestEndMs && event.timeMs <= firstChunkMs,
  );
  const ackedMs = requestEndOffset === null ? Number.NaN : client.acks.whenMs(requestEndOffset);
  const isSeen = ackedMs >= requestEndMs && ackedMs < (firstByteMs ?? firstChunkMs);
  if (!isSeen) return { lateMs: isForNothing ? 0 : againMs, plusMinusMs: 2 * spreadMs };
  const lateMs = Math.max(0, ackedMs - requestEndMs - client.roundTrip.lowestMs);
  // A copy that was not needed: the first one was late, or its acknowledgement.
  if (isForNothing) return { lateMs: lateMs / 2, plusMinusMs: lateMs / 2 + spreadMs };
  if (againMs > 0) return { lateMs: Math.min(againMs, lateMs), plusMinusMs: 2 * spreadMs };
  if (lateMs <= 2 * spreadMs) return { lateMs, plusMinusMs: spreadMs };
  // The acknowledgement was put off. Below what is usual it may have been the request that was late.
  return { lateMs: 0, plusMinusMs: Math.max(2 * spreadMs, lateMs < delayedAckMs ? lateMs : 0) };
}

/**
 * What repairs took of the first chunk: what it waited behind a hole, or was missing itself. What else of the answer was lost meanwhile
 * held nothing up. A chunk lost before the tap was due one usual gap before that which showed its absence.
 */
function chunkLate(exchange: Exchange, { incidents }: Connection, requestEndMs: number, firstChunkMs: number): Late {
  const { firstChunkWireMs, firstChunkOffset } = exchange;
  const late: Late = { lateMs: firstChunkWireMs === null ? 0 : firstChunkMs - firstChunkWireMs, plusMinusMs: 0 };
  if (firstChunkOffset === null) return late;
  const pace = paceOf(exchange);
  for (const { kind, startMs, endMs, offset, end } of incidents.within(1, requestEndMs - 1, firstChunkMs)) {
    if (offset > firstChunkOffset || end <= firstChunkOffset) continue;
    if (kind !== 'lost-upstream' && kind !== 'lost-downstream') continue;
    const isUnseen = kind === 'lost-upstream';
    const lateMs = Math.min(endMs, firstChunkMs) - Math.max(startMs - (isUnseen ? pace.usualMs : 0), requestEndMs);
    if (lateMs <= late.lateMs) continue;
    late.lateMs = lateMs;
    late.plusMinusMs = isUnseen ? pace.upToMs : 0;
  }
  return late;
}

/** The usual gap of an answer, and up to what gaps are usual. What waited behind a hole came at once: of few gaps the median may be that. */
function paceOf({ gaps, paceMs }: Exchange): { usualMs: number; upToMs: number } {
  const usualMs = gaps && gaps.medianMs > atOnceMs ? gaps.medianMs : (paceMs ?? 0);
  return { usualMs, upToMs: Math.max(usualMs, Math.min(gaps?.p90Ms ?? 0, 3 * usualMs)) };
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
