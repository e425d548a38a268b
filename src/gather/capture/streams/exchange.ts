import type { Exchange, ExchangeHttp, ExchangeTls } from '../../../model/capture/exchange.ts';
import { type Histogram, histogramQuantiles } from '../../../stats/histogram.ts';
import { type Cadence, leastStallMs, stallAbove } from './cadence.ts';

/** Takes exchanges as they end. The gaps between their chunks can be merged with those of others. */
export type ExchangeReport = (exchange: Exchange, gaps: Histogram) => void;

/** Pieces as large as this are bulk: what a sender writes that has everything already. */
const bulkBytes = 4096;
/** Fewer moments than this are no cadence. */
const leastMoments = 3;

/** What the ways of reading know of one exchange when it is over. */
export interface Observed {
  kind: Exchange['kind'];
  requestStartMs: number | null;
  requestEndMs: number | null;
  requestEndOffset: number | null;
  requestBytes: number;
  requests: number;
  /** NaN: unseen or none. */
  firstByteMs: number;
  /** When the first chunk came as well, by what is seen; NaN: nothing speaks for another moment. */
  otherwiseMs: number;
  /** Of several requests at once, whether the first chunk is the first one's. */
  isFirstKnown: boolean;
  endMs: number;
  answerBytes: number;
  heartbeats: number;
  cadence: Cadence;
  /** Parsed rather than judged by times: a whole answer is one by its framing, whatever its moments. */
  isStream: boolean | null;
  confidence: Exchange['confidence'];
  how: string[];
  tls: ExchangeTls | null;
  http: ExchangeHttp | null;
}

/** The published record of an exchange. */
export function toExchange(observed: Observed): Exchange {
  const { cadence, requestStartMs, firstByteMs, isFirstKnown } = observed;
  const shape = shapeOf(observed);
  const isStreamed = shape === 'stream';
  const gaps = isStreamed ? gapsOf(cadence.gaps) : null;
  const stallAboveMs = gaps ? stallAbove(gaps.medianMs) : leastStallMs;
  const stalls = isStreamed ? cadence.stalls(stallAboveMs) : { listed: [], notListed: 0 };
  // A whole answer has no first chunk but its first octets; a stream without content has none at all.
  const isFirstTold = requestStartMs !== null && isFirstKnown;
  const firstChunkMs = observed.isStream === true || cadence.chunks > 0 ? cadence.firstMs : firstByteMs;
  return {
    kind: observed.kind,
    shape,
    requestStartMs,
    requestEndMs: observed.requestEndMs,
    requestEndOffset: observed.requestEndOffset,
    requestBytes: observed.requestBytes,
    requests: observed.requests,
    firstByteMs: orNull(isFirstKnown ? firstByteMs : NaN),
    firstChunkMs: orNull(isFirstTold ? firstChunkMs : NaN),
    firstChunkOtherwiseMs: orNull(isFirstTold ? observed.otherwiseMs : NaN),
    firstChunkWireMs: orNull(cadence.firstWireMs),
    firstChunkOffset: orNull(cadence.firstOffset),
    endMs: observed.endMs,
    answerBytes: observed.answerBytes,
    chunks: cadence.chunks,
    heartbeats: observed.heartbeats,
    // Several answers at once have no pace that would be any one's.
    paceMs: orNull(observed.requests <= 1 ? cadence.paceMs : NaN),
    gaps: observed.requests <= 1 ? gaps : null,
    stallAboveMs: isStreamed ? stallAboveMs : null,
    stalls: stalls.listed,
    stallsNotListed: stalls.notListed,
    overlapped: observed.requests > 1,
    confidence: observed.confidence,
    how: observed.how,
    tls: observed.tls,
    http: observed.http,
  };
}

function shapeOf({ cadence, isStream, answerBytes, firstByteMs }: Observed): Exchange['shape'] {
  if (answerBytes === 0 && Number.isNaN(firstByteMs)) return 'unanswered';
  if (isStream !== null) return isStream && cadence.chunks > 1 ? 'stream' : 'whole';
  const isBulk = answerBytes > bulkBytes * Math.max(1, cadence.chunks);
  return cadence.moments >= leastMoments && !isBulk ? 'stream' : 'whole';
}

function gapsOf(gaps: Histogram): Exchange['gaps'] {
  if (gaps.count === 0) return null;
  const [medianMs, p90Ms, p99Ms] = histogramQuantiles(gaps, [0.5, 0.9, 0.99]);
  return { count: gaps.count, medianMs: medianMs!, p90Ms: p90Ms!, p99Ms: p99Ms!, maxMs: gaps.max };
}

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
