import { SOCK_DGRAM, IPPROTO_UDP } from './abi.ts';
import { StampedSocket } from './error-queue.ts';
import { memory, SystemCallError } from './libc.ts';

/** What drain() finds out about the packets sent, by the hop limit that they were sent with. Times are monotonic ms. */
export interface UdpEvents {
  transmitted(hops: number, atMs: number): void;
  /** `hops` is null when the router quoted too little of the packet to tell which one it was. */
  icmpError(hops: number | null, by: string, type: number, code: number, atMs: number | null): void;
}

/**
 * UDP packets to one port with changing hop limits from one socket: every one is the same flow to a load balancer, and any
 * number can be on the way at once. Needs no privilege.
 */
export interface UdpProbe {
  /** @throws SystemCallError */
  send(hops: number): void;
  /** Reads what has come; returns how far the wall clock was stepped since the last call, ms. */
  drain(events: UdpEvents): number;
  close(): void;
}

/** Every payload has the same length: the hop limit, then a mark by which our own quote is known. */
const MARK = Buffer.from('inferpath path probe', 'latin1');
const PAYLOAD_BYTES = 1 + MARK.length;

/** @throws SystemCallError */
export function openUdpProbe(address: string, family: 4 | 6, port: number): UdpProbe {
  const socket = new StampedSocket(family, SOCK_DGRAM, IPPROTO_UDP, 'tx+rx');
  const errno = socket.connect(address, port);
  if (errno !== 0) {
    socket.close();
    throw new SystemCallError('connect', errno, address);
  }
  const payload = memory(PAYLOAD_BYTES);
  MARK.copy(payload, 1);
  return {
    send(hops) {
      socket.setHopLimit(hops);
      payload[0] = hops;
      socket.send(payload, PAYLOAD_BYTES, hops, address);
    },
    drain: (events) =>
      socket.drain({
        transmitted: (hops, atMs) => events.transmitted(hops, atMs),
        received: () => undefined,
        icmpError: ({ errorType, errorCode, offender }, bytes, atMs) => {
          events.icmpError(quotedHops(socket.message.data, bytes), offender ?? 'unknown', errorType, errorCode, atMs);
        },
      }),
    close: () => socket.close(),
  };
}

/** The hop limit in a quoted payload; null when it is cut short or not ours. */
export function quotedHops(data: Buffer, bytes: number): number | null {
  const quoted = Math.min(bytes, PAYLOAD_BYTES, data.length) - 1;
  if (quoted < 0 || data.compare(MARK, 0, quoted, 1, 1 + quoted) !== 0) return null;
  return data[0] ?? null;
}
