import type { RatePeriod } from './rate-series.ts';

/** Client to server, server to client. */
export type BothWays<T = number> = readonly [forth: T, back: T];

/** What is known of a flow when it is over, by packets or by a record of an exporter; all that the rules look at. */
export interface FlowSummary {
  protocol: number;
  clientPort: number;
  serverPort: number;
  firstMs: number;
  lastMs: number;
  /** What TCP or UDP carried, retransmissions once; of an exporter: its own octets, with headers. */
  octets: BothWays;
  packets: BothWays;
  isTls: boolean;
  isQuic: boolean;
  isRdma: boolean;
  /** Null where only totals are known. */
  detail: FlowDetail | null;
}

/** What only packets tell. Null: too few of them. */
export interface FlowDetail {
  /** SYN to the client's acknowledgement of the SYN-ACK: the round trip of the whole path, wherever it was captured. */
  handshakeMs: number | null;
  payloadPackets: BothWays;
  repeatedPackets: BothWays;
  sizeP50Bytes: BothWays<number | null>;
  /** Share of the server's payload packets below `smallPayloadBytes`. */
  smallShare: number | null;
  /** Changes of the direction that payload goes in. */
  reversals: number;
  /** Requests that were answered: payload of the client, before payload of the server; handshakes of TLS are none. */
  requests: number;
  requestMeanBytes: number | null;
  requestP50Bytes: number | null;
  firstRequestBytes: number | null;
  lastRequestBytes: number | null;
  /** Steps from one request to the next that are larger, and smaller. */
  grew: number;
  shrank: number;
  /** Where requests began, the first of them. */
  requestStartsMs: readonly number[];
  responsePackets: number;
  /** Between payload packets of one response. */
  responseGapP50Ms: number | null;
  /** Runs of payload without a pause; large ones are those of at least `largeBurstBytes`. */
  bursts: number;
  largeBursts: number;
  burstP50Bytes: number | null;
  burstP90Bytes: number | null;
  burstMaxBytes: number;
  /** From the begin of a large burst to that of the next: mean, and deviation over mean (a clock: 0, at random: 1). */
  burstIntervalMs: number | null;
  burstIntervalCv: number | null;
  /** Share of the time that lies inside of bursts. */
  dutyCycle: number;
  period: RatePeriod | null;
  /** Why a period was not looked for; null where it was. */
  noPeriodWhy: string | null;
}

/** Payload of one packet that holds one chunk or a few of a token stream, TLS included (docs/capture-patterns.md). */
export const smallPayloadBytes = 1024;
/** A pause in both directions that ends a burst. */
export const burstPauseMs = 20;
export const largeBurstBytes = 64 * 1024;
/** Payload of one packet that is rather control (window updates, pings, keystrokes, states) than a request or an answer. */
export const controlBytes = 64;
