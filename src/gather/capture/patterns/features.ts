import { type Packet, tcpFlag } from '../../../wire/packet/packet.ts';
import { QuicFlow } from './quic.ts';
import { rocePort } from '../../../wire/roce.ts';
import { bucketQuantile, bucketsFor, countBelow, halfOctave } from './log-buckets.ts';
import type { RatePeriod, RateSeries, SeriesPool } from './rate-series.ts';
import {
  burstPauseMs,
  controlBytes,
  type FlowDetail,
  type FlowSummary,
  largeBurstBytes,
  smallPayloadBytes,
} from './summary.ts';

const [tcp, udp] = [6, 17] as const;
/** Payload packets without which sizes are not kept: most flows never have as many, and 1 KiB each would be most of the memory. */
const packetsForSizes = 8;
/** Octets from which on a flow has a series of its rate. */
const octetsForSeries = 1024 * 1024;
/** Requests whose begin is kept, to see who asks many at once. */
const keptRequests = 8;

/** Parts of the one array of counts: sizes each way, gaps in eighths of a millisecond, requests in octets, bursts in KiB. */
const sizeBuckets = bucketsFor(20);
const gapBuckets = bucketsFor(20);
const requestBuckets = bucketsFor(31);
const burstBuckets = bucketsFor(31);
const gapsAt = 2 * sizeBuckets;
const requestsAt = gapsAt + gapBuckets;
const burstsAt = requestsAt + requestBuckets;
const gapsPerMs = 8;
/** Arrays of counts that flows before have left: to make one costs more than to clear it. */
const freeCounts: Uint32Array[] = [];
const mostFree = 1024;
const mostInt = 2 ** 31 - 1;

/**
 * What the rules need to know of one flow, out of its packets in the order of the capture. Nothing is made per packet, and memory is
 * bounded: some 500 octets, 1.5 KiB from the eighth payload packet on, 6 KiB more for a rate series from a mebibyte on, of which the
 * pool has so many. Times are milliseconds since the first packet of the capture.
 */
export class FlowFeatures {
  /** Set where the flow turns out to be QUIC. */
  quic: QuicFlow | null = null;
  readonly #pool: SeriesPool;
  #series: RateSeries | null = null;
  #wasRefused = false;
  #protocol = -1;
  #clientPort = 0;
  #serverPort = 0;
  #firstMs = Infinity;
  #lastMs = -Infinity;
  #packetsForth = 0;
  #packetsBack = 0;
  #octetsForth = 0;
  #octetsBack = 0;
  #payloadsForth = 0;
  #payloadsBack = 0;
  #repeatsForth = 0;
  #repeatsBack = 0;
  /** Next sequence number of each direction; -1 unset. */
  #nextForth = -1;
  #nextBack = -1;
  #synMs = NaN;
  #synAckSeen = false;
  #handshakeMs = NaN;
  #isTls = false;
  #counts: Uint32Array | null = null;
  /** Who sent payload last; -1 nobody. */
  #turn = -1;
  #reversals = 0;
  #lastSide = -1;
  #requestOctets = 0;
  #requestMs = 0;
  #isHandshake = false;
  #requests = 0;
  #requestSum = 0;
  #firstRequest = 0;
  #lastRequest = 0;
  #grew = 0;
  #shrank = 0;
  #starts: Float64Array | null = null;
  #responsePackets = 0;
  #lastBackMs = 0;
  #bursts = 0;
  #burstStartMs = 0;
  #burstEndMs = -Infinity;
  #burstOctets = 0;
  #onMs = 0;
  #largeBursts = 0;
  #burstMax = 0;
  #lastLargeMs = 0;
  #intervalSum = 0;
  #intervalSquares = 0;

  constructor(pool: SeriesPool) {
    this.#pool = pool;
  }

  add(packet: Packet, timeMs: number, fromClient: boolean): void {
    if (this.#protocol < 0) this.#begin(packet, fromClient);
    if (timeMs < this.#firstMs) this.#firstMs = timeMs;
    // Clocks step back in merged captures: time stands still for them here.
    const nowMs = Math.max(timeMs, this.#lastMs);
    this.#lastMs = nowMs;
    if (fromClient) this.#packetsForth++;
    else this.#packetsBack++;
    let octets = packet.payloadBytes;
    if (packet.protocol === tcp && packet.fragment !== 2) {
      if (Number.isNaN(this.#handshakeMs)) this.#handshake(packet.flags, nowMs, fromClient);
      if (octets > 0) octets = this.#newOctets(packet.sequence, octets, fromClient);
    } else if (packet.protocol === udp && octets > 0) this.#seeUdp(packet, nowMs, fromClient);
    if (octets > 0) this.#payload(packet, nowMs, fromClient, octets);
  }

  #begin(packet: Packet, fromClient: boolean): void {
    this.#protocol = packet.protocol;
    this.#clientPort = fromClient ? packet.sourcePort : packet.destinationPort;
    this.#serverPort = fromClient ? packet.destinationPort : packet.sourcePort;
  }

  #handshake(flags: number, nowMs: number, fromClient: boolean): void {
    if ((flags & tcpFlag.syn) !== 0) {
      if ((flags & tcpFlag.ack) !== 0) this.#synAckSeen = true;
      else if (fromClient) this.#synMs = nowMs;
    } else if (fromClient && this.#synAckSeen && !Number.isNaN(this.#synMs)) this.#handshakeMs = nowMs - this.#synMs;
  }

  /** Octets beyond all that this direction had before; 0 for a repetition, which would look like a turn of the conversation. */
  #newOctets(sequence: number, octets: number, fromClient: boolean): number {
    const next = fromClient ? this.#nextForth : this.#nextBack;
    const end = (sequence + octets) >>> 0;
    const beyond = next < 0 ? octets : (end - next) | 0;
    if (beyond <= 0) {
      if (fromClient) this.#repeatsForth++;
      else this.#repeatsBack++;
      return 0;
    }
    if (fromClient) this.#nextForth = end;
    else this.#nextBack = end;
    return Math.min(beyond, octets);
  }

  #seeUdp(packet: Packet, nowMs: number, fromClient: boolean): void {
    if (this.#payloadsForth + this.#payloadsBack === 0 && this.#serverPort !== rocePort)
      this.quic = QuicFlow.recognise(packet);
    this.quic?.add(packet, nowMs, fromClient);
  }

  #payload(packet: Packet, nowMs: number, fromClient: boolean, octets: number): void {
    if (fromClient) {
      this.#payloadsForth++;
      this.#octetsForth += octets;
    } else {
      this.#payloadsBack++;
      this.#octetsBack += octets;
    }
    const counts = this.#counts;
    if (counts) counts[(fromClient ? 0 : sizeBuckets) + Math.min(sizeBuckets - 1, halfOctave(octets))]!++;
    else if (this.#payloadsForth + this.#payloadsBack >= packetsForSizes)
      this.#counts = freeCounts.pop() ?? new Uint32Array(burstsAt + burstBuckets);
    const side = fromClient ? 0 : 1;
    if (side !== this.#lastSide) {
      if (this.#lastSide >= 0) this.#reversals++;
      this.#lastSide = side;
    }
    if (fromClient) this.#ask(packet, nowMs, octets);
    else this.#answer(packet, nowMs, octets);
    this.#burst(nowMs, octets);
    if (this.#series) this.#series.add(nowMs, octets);
    else if (!this.#wasRefused && this.#octetsForth + this.#octetsBack >= octetsForSeries) {
      this.#series = this.#pool.take();
      this.#wasRefused = this.#series === null;
    }
  }

  #ask(packet: Packet, nowMs: number, octets: number): void {
    if (this.#turn !== 0) {
      if (octets <= controlBytes && this.#turn === 1) return;
      this.#turn = 0;
      this.#beginRequest(nowMs);
      this.#isHandshake = this.#startsHandshake(packet);
      // The last words of a client's handshake are few; a packet of more has a request behind them (TLS 1.3, and 1.2 resumed).
      if (this.#isHandshake && this.#payloadsForth > 1 && octets > lastWordsOctets) this.#isHandshake = false;
    } else if (this.#isHandshake && !this.#startsHandshake(packet)) {
      // A request may follow the last words of the handshake without waiting for anything.
      this.#beginRequest(nowMs);
      this.#isHandshake = false;
    }
    this.#requestOctets += octets;
  }

  #beginRequest(nowMs: number): void {
    this.#requestOctets = 0;
    this.#requestMs = nowMs;
  }

  #startsHandshake(packet: Packet): boolean {
    if (this.quic) return packet.capturedBytes > 0 && (packet.bytes[packet.payloadAt]! & 0x80) !== 0;
    if (packet.protocol !== tcp || !startsTlsHandshake(packet)) return false;
    this.#isTls = true;
    return true;
  }

  #answer(packet: Packet, nowMs: number, octets: number): void {
    if (octets <= controlBytes && this.#turn === 0) return;
    if (this.#turn === 0 && !this.#isHandshake && this.#requestOctets > controlBytes) this.#asked();
    else if (this.#turn === 1 && this.#requests > 0 && this.#counts)
      this.#counts[
        gapsAt + Math.min(gapBuckets - 1, halfOctave(Math.min(mostInt, gapsPerMs * (nowMs - this.#lastBackMs))))
      ]!++;
    if (this.#turn === -1) this.#startsHandshake(packet);
    this.#turn = 1;
    this.#lastBackMs = nowMs;
    if (this.#requests > 0) this.#responsePackets++;
  }

  /** A request is whole: its answer begins. */
  #asked(): void {
    const octets = this.#requestOctets;
    if (this.#requests === 0) this.#firstRequest = octets;
    else if (octets > this.#lastRequest) this.#grew++;
    else if (octets < this.#lastRequest) this.#shrank++;
    if (this.#requests < keptRequests)
      (this.#starts ??= new Float64Array(keptRequests))[this.#requests] = this.#requestMs;
    this.#requests++;
    this.#requestSum += octets;
    this.#lastRequest = octets;
    if (this.#counts) this.#counts[requestsAt + Math.min(requestBuckets - 1, halfOctave(Math.min(mostInt, octets)))]!++;
  }

  #burst(nowMs: number, octets: number): void {
    if (nowMs - this.#burstEndMs > burstPauseMs) {
      this.#endBurst();
      this.#bursts++;
      this.#burstStartMs = nowMs;
      this.#burstOctets = 0;
    }
    this.#burstEndMs = nowMs;
    this.#burstOctets += octets;
  }

  #endBurst(): void {
    if (this.#bursts === 0) return;
    this.#onMs += this.#burstEndMs - this.#burstStartMs;
    this.#burstMax = Math.max(this.#burstMax, this.#burstOctets);
    if (this.#burstOctets < largeBurstBytes) return;
    if (this.#largeBursts++ > 0) {
      const intervalMs = this.#burstStartMs - this.#lastLargeMs;
      this.#intervalSum += intervalMs;
      this.#intervalSquares += intervalMs * intervalMs;
    }
    this.#lastLargeMs = this.#burstStartMs;
    const kib = Math.min(mostInt, this.#burstOctets / 1024);
    if (this.#counts) this.#counts[burstsAt + Math.min(burstBuckets - 1, halfOctave(kib))]!++;
  }

  /** What is known when the flow is over. To be asked once: the rate series goes back to the pool. */
  end(): FlowSummary {
    this.#endBurst();
    const forth = this.#octetsForth;
    const back = this.#octetsBack;
    const summary: FlowSummary = {
      protocol: this.#protocol,
      clientPort: this.#clientPort,
      serverPort: this.#serverPort,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      octets: [forth, back],
      packets: [this.#packetsForth, this.#packetsBack],
      isTls: this.#isTls,
      isQuic: this.quic !== null,
      isRdma: this.#protocol === udp && (this.#serverPort === rocePort || this.#clientPort === rocePort),
      detail: this.#detail(),
    };
    if (this.#series) this.#pool.giveBack(this.#series);
    this.#series = null;
    if (this.#counts && freeCounts.length < mostFree) freeCounts.push(this.#counts.fill(0));
    this.#counts = null;
    this.#bursts = 0;
    return summary;
  }

  #detail(): FlowDetail {
    const counts = this.#counts;
    const quantile = (at: number, buckets: number, p: number) => counts && bucketQuantile(counts, at, buckets, p);
    const times = (value: number | null, factor: number) => (value === null ? null : value * factor);
    const backSizes = this.#payloadsBack - (packetsForSizes - 1);
    const intervals = Math.max(0, this.#largeBursts - 1);
    const meanMs = intervals > 0 ? this.#intervalSum / intervals : null;
    return {
      handshakeMs: Number.isNaN(this.#handshakeMs) ? null : this.#handshakeMs,
      payloadPackets: [this.#payloadsForth, this.#payloadsBack],
      repeatedPackets: [this.#repeatsForth, this.#repeatsBack],
      sizeP50Bytes: [quantile(0, sizeBuckets, 0.5), quantile(sizeBuckets, sizeBuckets, 0.5)],
      smallShare: counts && backSizes > 0 ? shareBelow(counts, sizeBuckets, sizeBuckets, smallPayloadBytes) : null,
      reversals: this.#reversals,
      requests: this.#requests,
      requestMeanBytes: this.#requests > 0 ? this.#requestSum / this.#requests : null,
      requestP50Bytes: quantile(requestsAt, requestBuckets, 0.5),
      firstRequestBytes: this.#requests > 0 ? this.#firstRequest : null,
      lastRequestBytes: this.#requests > 0 ? this.#lastRequest : null,
      grew: this.#grew,
      shrank: this.#shrank,
      requestStartsMs: [...(this.#starts?.subarray(0, this.#requests) ?? [])],
      responsePackets: this.#responsePackets,
      responseGapP50Ms: times(quantile(gapsAt, gapBuckets, 0.5), 1 / gapsPerMs),
      bursts: this.#bursts,
      largeBursts: this.#largeBursts,
      burstP50Bytes: times(quantile(burstsAt, burstBuckets, 0.5), 1024),
      burstP90Bytes: times(quantile(burstsAt, burstBuckets, 0.9), 1024),
      burstMaxBytes: this.#burstMax,
      burstIntervalMs: meanMs,
      burstIntervalCv:
        meanMs === null || meanMs <= 0 ? null : deviation(this.#intervalSquares / intervals, meanMs) / meanMs,
      dutyCycle: this.#lastMs > this.#firstMs ? Math.min(1, this.#onMs / (this.#lastMs - this.#firstMs)) : 1,
      ...this.#periodOf(),
    };
  }

  #periodOf(): { period: RatePeriod | null; noPeriodWhy: string | null } {
    if (this.#series) return { period: this.#series.period(), noPeriodWhy: null };
    const why = this.#wasRefused
      ? 'a series of the rate: too many large flows at once'
      : 'a series of the rate: the flow has less than 1 MiB';
    return { period: null, noPeriodWhy: why };
  }
}

function shareBelow(counts: Uint32Array, at: number, buckets: number, limit: number): number | null {
  const all = countBelow(counts, at, buckets, Infinity);
  return all === 0 ? null : countBelow(counts, at, buckets, limit) / all;
}

function deviation(meanSquare: number, mean: number): number {
  return Math.sqrt(Math.max(0, meanSquare - mean * mean));
}

/** ChangeCipherSpec and Finished without a certificate of the client: 80 to 110 octets. */
const lastWordsOctets = 256;

/** First octets of a record of the TLS handshake (RFC 8446 section 5.1): kind 22 or change_cipher_spec, version 3.x. */
function startsTlsHandshake({ bytes, payloadAt, capturedBytes }: Packet): boolean {
  if (capturedBytes < 2 || payloadAt + 2 > bytes.length) return false;
  const kind = bytes[payloadAt];
  return (kind === 22 || kind === 20) && bytes[payloadAt + 1] === 3;
}
