import type { Duplex } from 'node:stream';
import type { TcpInfo } from './tcp-info.ts';

/** Where and how to connect. `address` is a literal: name resolution is somebody else's phase. */
export interface TcpTarget {
  address: string;
  family: 4 | 6;
  port: number;
  /**
   * For bulk: the kernel takes only little more than it can send (TCP_NOTSENT_LOWAT), and deliveries are handed out many at a
   * time, for more rate and coarser stamps. Heeded by the kernel transport.
   */
  bulk?: boolean | undefined;
}

/** One delivery of bytes to the application. All times CLOCK_MONOTONIC in ms. */
export interface Arrival {
  /** Stream offset just behind the last byte of this delivery; the first byte of the connection has offset 0. */
  endOffset: number;
  /** When the last byte became available in our kernel (kernel stamp), or when we read it (user stamp). */
  atMs: number;
  /** When our reading thread took it from the kernel. */
  readAtMs: number;
  stamp: 'kernel' | 'user';
}

/** One handing of bytes to the kernel. */
export interface Sending {
  endOffset: number;
  /** Just before the call. */
  calledMs: number;
  /** When the last byte left for the network device, by kernel stamp. */
  leftMs: number | null;
  /** When the peer's acknowledgement of the last byte arrived, by kernel stamp. */
  ackedMs: number | null;
}

/** A segment from the peer, as the tap saw it (see tap.ts). */
export interface SeenSegment {
  startOffset: number;
  endOffset: number;
  atMs: number;
  /** Peer's clock in its own ticks, unwrapped over the connection; null without the option. */
  tsval: number | null;
  /** Our bytes that the peer acknowledges, as stream offset. */
  ackedOffset: number;
}

/** Everything known about one TCP connection: the evidence of attribution. Grows while the connection lives. */
export interface ConnectionTrace {
  id: number;
  target: TcpTarget;
  /** Just before connect(). */
  connectMs: number;
  /** SYN-ACK in our kernel, as exactly as the transport can tell; null before. */
  connectedMs: number | null;
  /** First round trip by the kernel's own measure; null where only the user clock is there. */
  handshakeRttMs: number | null;
  synRetransmits: number | null;
  arrivals: Arrival[];
  sendings: Sending[];
  /** Empty when the tap is off. */
  segments: SeenSegment[];
  /** True when every segment since the SYN-ACK was seen. */
  tapComplete: boolean;
  info: { atMs: number; phase: string; info: TcpInfo }[];
}

/** A connected TCP stream with its evidence. */
export interface TcpConnection {
  trace: ConnectionTrace;
  /** The bytes. While a 'data' listener runs, `arriving` belongs to the bytes it gets. */
  stream: Duplex;
  arriving: Arrival | null;
  /** Reads TCP_INFO now and keeps it in the trace under `phase`; null where the platform has none. */
  readInfo(phase: string): Promise<TcpInfo | null>;
  /** Ends the connection and releases its resources; safe to call twice. */
  close(): Promise<void>;
}

/** A way to make TCP connections. One per run; `close` releases threads and sockets. */
export interface TcpTransport {
  /** Where receive times come from. */
  stamps: 'kernel' | 'user';
  /** Whether the tap runs: segments with the peer's clock. */
  tap: boolean;
  /** One sentence for the user: what is used and what it cannot see. */
  about: string;
  /** Resolves when connections can be made at once: a thread needs time to start, which is nobody's network. Never rejects. */
  ready: Promise<void>;
  /** @throws ConnectError when the connection cannot be made; the reason of `signal` when it aborts first. */
  connect(target: TcpTarget, signal: AbortSignal): Promise<TcpConnection>;
  close(): Promise<void>;
}

/** A connection that could not be made: operation, errno, address, and the trace so far. */
export class ConnectError extends Error {
  readonly operation: string;
  readonly errno: string;
  readonly address: string;
  constructor(operation: string, errno: string, target: TcpTarget) {
    const address = formatTarget(target);
    super(`${operation} ${address}: ${errno}`);
    this.name = 'ConnectError';
    this.operation = operation;
    this.errno = errno;
    this.address = address;
  }
}

/** `192.0.2.1:443` or `[2001:db8::1]:443`. */
export function formatTarget(target: TcpTarget): string {
  return target.family === 6 ? `[${target.address}]:${target.port}` : `${target.address}:${target.port}`;
}

/** An empty trace for a connection that begins at `connectMs`. */
export function newTrace(id: number, target: TcpTarget, connectMs: number): ConnectionTrace {
  return {
    id,
    target,
    connectMs,
    connectedMs: null,
    handshakeRttMs: null,
    synRetransmits: null,
    arrivals: [],
    sendings: [],
    segments: [],
    tapComplete: false,
    info: [],
  };
}
