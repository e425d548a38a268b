import type { SocketOptions } from '../../wire/mover/sockets.ts';

/** One test as the client is to run it. */
export interface ClientOptions extends SocketOptions {
  address: string;
  port: number;
  protocol: 'tcp' | 'udp';
  /** up: from here to the server. */
  direction: 'up' | 'down' | 'both';
  parallel: number;
  durationS: number;
  /** End after so many octets, or blocks, instead of a time. */
  bytes?: number | undefined;
  blocks?: number | undefined;
  omitS: number;
  /** Per stream; 0: as fast as it goes. */
  bitsPerS: number;
  blockBytes?: number | undefined;
  intervalS: number;
  /** Measure round trips before and during the load. */
  latency: boolean;
  latencyIntervalMs: number;
  /** Most octets that a test bounded by time moves, both ways together. */
  capBytes: number;
  connectTimeoutMs: number;
}
