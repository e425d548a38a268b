import type { TruthRow } from '../../src/lab/reflect/truth.ts';
import type { JudgedExchange } from '../../src/model/capture/judged.ts';
import { decodePacket } from '../../src/wire/packet/decode.ts';
import { newPacket } from '../../src/wire/packet/packet.ts';
import { newFrame } from '../../src/wire/pcap/frame.ts';
import { captureReader } from '../../src/wire/pcap/reader.ts';
import { PORT, type Recorded } from './recorded.ts';

export interface StreamScore {
  /** Stalls by what the server’s tap says of them. */
  stalls: { right: number; wrong: number; unknown: number };
  wrongStalls: string[];
  /**
   * Passive time to first token with the round trip taken off, less what it was, ms; sorted. It was from when the request was whole at the
   * server's door to when the first token, by the server's log, left through it.
   */
  ttftErrorsMs: number[];
  /** Those that lie within the stated error and 5 ms; and against the log alone, from reading the request to writing the token. */
  ttftInside: number;
  ttftInsideLog: number;
  /** Errors that were stated, sorted. */
  statedMs: number[];
  chunksRight: number;
  /** Of one request each. */
  exchanges: number;
  /** Of several requests at once: how many requests they were said to be, and how many they were. */
  overlapping: { said: number; were: number };
}

/** What passed the server's own tap, per port of a client: ends of octets with when they were there first, in order. */
interface AtServer {
  sent: Map<string, { end: number; ms: number }[]>;
  received: Map<string, { end: number; ms: number }[]>;
}

/** Half of what a gap has too much must be the server’s for the stall to be the server’s. */
const mostOf = 0.5;
const slackMs = 5;
/** The log is written just before the write that it speaks of. */
const writeMs = 0.3;

export function scoreStreams(
  read: { exchanges: { port: number; exchange: JudgedExchange }[]; startMs: number },
  { truth, monoMinusWallMs }: Recorded,
  server: AtServer,
): StreamScore {
  const score: StreamScore = {
    stalls: { right: 0, wrong: 0, unknown: 0 },
    wrongStalls: [],
    ttftErrorsMs: [],
    ttftInside: 0,
    ttftInsideLog: 0,
    statedMs: [],
    chunksRight: 0,
    exchanges: 0,
    overlapping: { said: 0, were: 0 },
  };
  for (const { port, exchange } of read.exchanges) {
    const monoMs = (atMs: number | null) => read.startMs + monoMinusWallMs + (atMs ?? Number.NaN);
    const rows = truth.filter(({ connection }) => connection === port);
    const row = nearest(rows, monoMs(exchange.requestEndMs));
    if (!row || row.firstTokenMs === null) continue;
    if (exchange.overlapped) {
      score.overlapping.said += exchange.requests;
      score.overlapping.were += rows.filter(
        ({ requestReadMs, endMs }) => endMs > monoMs(exchange.requestStartMs) && requestReadMs < monoMs(exchange.endMs),
      ).length;
    } else {
      score.exchanges += 1;
      if (exchange.chunks === row.tokenMs.length || exchange.chunks === row.tokenMs.length + 1) score.chunksRight += 1;
    }
    scoreFirst(score, exchange, row, port, server, monoMinusWallMs);
    scoreStalls(score, exchange, port, server);
  }
  score.ttftErrorsMs.sort((a, b) => a - b);
  score.statedMs.sort((a, b) => a - b);
  return score;
}

function scoreFirst(
  score: StreamScore,
  { firstChunk }: JudgedExchange,
  row: TruthRow,
  port: number,
  { sent, received }: AtServer,
  monoMinusWallMs: number,
): void {
  if (firstChunk?.serverMs == null || row.firstTokenMs === null) return;
  const wallOf = (monoMs: number) => monoMs - monoMinusWallMs;
  const arrivedMs = received.get(String(port))?.findLast(({ ms }) => ms <= wallOf(row.requestReadMs) + writeMs)?.ms;
  const leftMs = sent.get(String(port))?.find(({ ms }) => ms >= wallOf(row.firstTokenMs!) - writeMs)?.ms;
  if (arrivedMs === undefined || leftMs === undefined) return;
  const error = firstChunk.serverMs - (leftMs - arrivedMs);
  const within = slackMs + (firstChunk.plusMinusMs ?? 0);
  score.ttftErrorsMs.push(error);
  score.statedMs.push(firstChunk.plusMinusMs ?? Number.NaN);
  if (Math.abs(error) <= within) score.ttftInside += 1;
  if (Math.abs(firstChunk.serverMs - (row.firstTokenMs - row.requestReadMs)) <= within) score.ttftInsideLog += 1;
}

function scoreStalls(score: StreamScore, exchange: JudgedExchange, port: number, server: AtServer): void {
  for (const stall of exchange.stalls) {
    const sentMs = sentGapMs(server, port, stall.streamOffset);
    if (Number.isNaN(sentMs)) continue;
    const usualMs = exchange.gaps?.medianMs ?? 0;
    const isServer = sentMs - usualMs >= mostOf * (stall.gapMs - usualMs);
    const said = stall.cause === 'server' || stall.cause === 'buffering';
    if (stall.cause === 'unknown' || stall.cause === 'capture-loss') score.stalls.unknown += 1;
    else if (said === isServer) score.stalls.right += 1;
    else {
      score.stalls.wrong += 1;
      score.wrongStalls.push(
        `port ${port}, after chunk ${stall.afterChunk}: ${stall.gapMs.toFixed(1)} ms, sent ${sentMs.toFixed(1)} ms after the one before; said ${stall.cause}: ${stall.evidence}`,
      );
    }
  }
}

/** The row whose request was read nearest to the time at the tap. */
function nearest(rows: readonly TruthRow[], atMs: number): TruthRow | undefined {
  return rows.toSorted((a, b) => Math.abs(a.requestReadMs - atMs) - Math.abs(b.requestReadMs - atMs))[0];
}

/** By how much later than the octet before it the octet at an offset was first sent. */
function sentGapMs({ sent }: AtServer, port: number, offset: number): number {
  const list = sent.get(String(port)) ?? [];
  const at = list.findIndex(({ end }) => end > offset);
  const before = list[at - 1];
  return at > 0 && before ? list[at]!.ms - before.ms : Number.NaN;
}

/** Reads the server's own capture, where nothing that it sent is lost yet, and what it received may have holes that are filled later. */
export function atServer(bytes: Buffer): AtServer {
  const found: AtServer = { sent: new Map(), received: new Map() };
  const begin = new Map<string, number>();
  const pending = new Map<string, { from: number; end: number }[]>();
  const reader = captureReader();
  const [frame, packet] = [newFrame(), newPacket()];
  reader.push(bytes);
  while (reader.next(frame)) {
    if (!decodePacket(frame, packet) || packet.protocol !== 6) continue;
    const isSent = packet.sourcePort === PORT;
    const port = String(isSent ? packet.destinationPort : packet.sourcePort);
    const key = `${port} ${isSent}`;
    if ((packet.flags & 2) !== 0) begin.set(key, (packet.sequence + 1) | 0);
    const start = begin.get(key);
    if (start === undefined || packet.payloadBytes <= 0) continue;
    const from = ((packet.sequence - start) | 0) >>> 0;
    const end = from + packet.payloadBytes;
    const ms = frame.seconds * 1000 + frame.nanoseconds / 1e6;
    const lists = isSent ? found.sent : found.received;
    const list = lists.get(port) ?? [];
    lists.set(port, list);
    const before = list.at(-1)?.end ?? 0;
    if (isSent) {
      if (end > before) list.push({ end, ms });
      continue;
    }
    const waiting = pending.get(port) ?? [];
    pending.set(port, waiting);
    waiting.push({ from, end });
    waiting.sort((a, b) => a.from - b.from);
    let whole = before;
    for (const piece of waiting) if (piece.from <= whole) whole = Math.max(whole, piece.end);
    if (whole > before) list.push({ end: whole, ms });
  }
  return found;
}
