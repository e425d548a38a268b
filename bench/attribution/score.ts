import type { TruthRow } from '../../src/lab/reflect/truth.ts';
import type { InferenceRequest, Split, Stall } from '../../src/model/inference.ts';
import { quantile, sorted } from '../../src/stats/quantile.ts';
import type { Played } from './play.ts';

type Part = 'ttft' | 'total';

/** How far bounds of one part of one request were from the truth. */
export interface Judged {
  id: string;
  part: Part;
  wholeMs: number;
  /** The truth: what was neither the server nor (as far as it can be believed) the client. */
  networkMs: number;
  bounds: readonly [number, number];
  clientMs: number;
  believedClientMs: number;
  /** 0 inside the bounds; negative when less was network than the bounds allow, positive when more. */
  missMs: number;
}

export interface PartScore {
  n: number;
  inside: number;
  /** Median width of the bounds in ms, and as share of the whole. */
  widthMs: number;
  widthShare: number;
  worstMissMs: number;
}

export interface StallScore {
  right: number;
  wrong: number;
  undetermined: number;
}

/** A point estimate of what was not network, in TTFT: within max(5 % of TTFT, 2 ms) of the truth, and median absolute error. */
export interface PointScore {
  within: number;
  medianErrorMs: number;
}

export interface Score {
  requests: number;
  answered: number;
  ttft: PartScore;
  total: PartScore;
  stalls: StallScore;
  evidence: Record<string, number>;
  /** Middle of our bounds. */
  ours: PointScore;
  /** TTFT minus the mean of separate handshakes. */
  peer: PointScore;
  peerHandshakes: number;
  /** Requests of which the client claims more for itself than can be believed. */
  overclaimed: number;
  /** Lowest true network time of a TTFT, ms: below the round trip of the lab the client's own stamps would be wrong. */
  leastNetworkMs: number;
  /** 99th percentile of how late the server was against its own schedule, ms: scheduling noise of the machine. */
  serverLagP99Ms: number;
  load: number;
  elapsedS: number;
}

export interface Scored {
  score: Score;
  misses: Judged[];
  wrongStalls: { id: string; stall: Stall; truth: TrueStall }[];
}

interface TrueStall {
  cause: 'network' | 'server';
  serverGapMs: number;
}

/** Rounding in the report is to microseconds. */
const ROUNDING_MS = 0.01;
const CLIENT_SLACK_MS = 2;
const POINT_SHARE = 0.05;
const POINT_MS = 2;

/** Holds every claim of the client against what the server wrote down. */
export function scoreOf({ report, truth, handshakesMs, load, elapsedS }: Played): Scored {
  const joined = report.requests.flatMap((request) => {
    const row = truth.get(request.id);
    return request.outcome.kind === 'answered' && row && !row.aborted ? [{ request, row }] : [];
  });
  const judged = joined.flatMap(({ request, row }) => [
    ...judge('ttft', request, row, request.phases.ttftMs, row.firstTokenMs),
    ...judge('total', request, row, request.phases.totalMs, row.lastTokenMs),
  ]);
  const ttft = judged.filter(({ part }) => part === 'ttft');
  const meanMs = handshakesMs.reduce((sum, ms) => sum + ms, 0) / handshakesMs.length;
  const usualMs = median(joined.flatMap(({ row }) => gapsOf(row.tokenMs)));
  const stalls = joined.flatMap(({ request, row }) =>
    request.stalls.map((stall) => ({ id: request.id, stall, truth: trueStall(stall, row, usualMs) })),
  );
  const blamed = stalls.filter(({ stall }) => stall.cause !== 'undetermined');
  const wrongStalls = blamed.filter(({ stall, truth: known }) => stall.cause !== known.cause);
  const evidence: Record<string, number> = {};
  for (const { request } of joined) {
    const grade = request.split.ttft?.evidence ?? 'none';
    evidence[grade] = (evidence[grade] ?? 0) + 1;
  }
  const lags = joined.flatMap(({ row }) => row.tokenMs.map((ms, i) => ms - (row.scheduledMs[i] ?? ms)));
  return {
    score: {
      requests: report.requests.length,
      answered: joined.length,
      ttft: partScore(ttft),
      total: partScore(judged.filter(({ part }) => part === 'total')),
      stalls: {
        right: blamed.length - wrongStalls.length,
        wrong: wrongStalls.length,
        undetermined: stalls.length - blamed.length,
      },
      evidence,
      ours: pointScore(ttft, ({ bounds }) => (bounds[0] + bounds[1]) / 2),
      peer: pointScore(ttft, () => meanMs),
      peerHandshakes: handshakesMs.length,
      overclaimed: ttft.filter(({ clientMs, believedClientMs }) => believedClientMs < clientMs).length,
      leastNetworkMs: ttft.reduce((least, { networkMs }) => Math.min(least, networkMs), Infinity),
      serverLagP99Ms: quantile(sorted(lags), 0.99),
      load,
      elapsedS,
    },
    misses: judged.filter(({ missMs }) => missMs !== 0).toSorted((a, b) => Math.abs(b.missMs) - Math.abs(a.missMs)),
    wrongStalls,
  };
}

function judge(
  part: Part,
  request: InferenceRequest,
  row: TruthRow,
  wholeMs: number | null,
  tokenMs: number | null,
): Judged[] {
  const split: Split | null = request.split[part];
  if (!split || wholeMs === null || tokenMs === null) return [];
  const serverMs = tokenMs - row.requestReadMs;
  const believedClientMs = Math.min(split.clientMs, credibleClientMs(request));
  const networkMs = wholeMs - serverMs - believedClientMs;
  const [low, high] = split.networkMs;
  const [serverLow, serverHigh] = split.serverMs;
  // The two pairs are complementary; should they ever not be, the worse one counts.
  const over = Math.max(networkMs - high, serverLow - serverMs) - ROUNDING_MS;
  const under = Math.max(low - networkMs, serverMs - serverHigh) - ROUNDING_MS;
  const missMs = over > 0 ? over : under > 0 ? -under : 0;
  return [
    {
      id: request.id,
      part,
      wholeMs,
      networkMs,
      bounds: [low, high],
      clientMs: split.clientMs,
      believedClientMs,
      missMs,
    },
  ];
}

/**
 * Only the client itself can say what it spent, so the claim is the truth, but not without limit: each time that it was its turn to
 * send (set-up, TLS flights, the request) it may have been late by its own event loop, and no more.
 */
function credibleClientMs({ reused, tls, client }: InferenceRequest): number {
  const turns = reused ? 1 : tls ? 4 : 2;
  return turns * (client.eventLoopLagMs + client.processingMs) + CLIENT_SLACK_MS;
}

function partScore(judged: readonly Judged[]): PartScore {
  const width = ({ bounds }: Judged) => bounds[1] - bounds[0];
  return {
    n: judged.length,
    inside: judged.filter(({ missMs }) => missMs === 0).length,
    widthMs: median(judged.map(width)),
    widthShare: median(judged.map((one) => width(one) / one.wholeMs)),
    worstMissMs: judged.reduce((worst, { missMs }) => (Math.abs(missMs) > Math.abs(worst) ? missMs : worst), 0),
  };
}

function pointScore(judged: readonly Judged[], networkOf: (one: Judged) => number): PointScore {
  const errors = judged.map((one) => Math.abs(networkOf(one) - one.networkMs));
  const within = judged.filter((one, i) => (errors[i] ?? 0) <= Math.max(POINT_MS, POINT_SHARE * one.wholeMs)).length;
  return { within: within / judged.length, medianErrorMs: median(errors) };
}

/** The server is to blame when most of the gap beyond its usual pace is already there between its own two writes. */
function trueStall(stall: Stall, row: TruthRow, usualMs: number): TrueStall {
  const serverGapMs = (row.tokenMs[stall.afterToken] ?? 0) - (row.tokenMs[stall.afterToken - 1] ?? 0);
  const excessMs = stall.durationMs - usualMs;
  return { cause: serverGapMs - usualMs > excessMs / 2 ? 'server' : 'network', serverGapMs };
}

const gapsOf = (stamps: readonly number[]) => stamps.slice(1).map((ms, i) => ms - (stamps[i] ?? ms));
const median = (values: readonly number[]) => quantile(sorted(values), 0.5);
