import { isIPv6 } from 'node:net';
import { constants } from 'node:os';
import { IPPROTO_TCP, SOCK_STREAM, TCP_INFO } from './abi.ts';
import { StampedSocket } from './error-queue.ts';
import { describeIcmp } from './icmp.ts';
import { check, errnoName, libc, memory } from './libc.ts';

/** What a connection agreed on, as its own kernel tells (TCP_INFO). */
export interface SegmentSizes {
  /** Largest payload that we send in one segment. */
  sendMssBytes: number;
  /** MSS that we announced to the peer. */
  advertisedMssBytes: number;
  /** Path MTU that the kernel reckons with. */
  pathMtuBytes: number;
  /** Octets of TCP options in every segment, which `sendMssBytes` leaves room for. */
  optionBytes: number;
}

export type MssResult =
  | { kind: 'connected'; sizes: SegmentSizes }
  | { kind: 'unreachable'; by: string; message: string }
  | { kind: 'failed'; errno: string };

/** One TCP connection to learn the sizes of its segments; closed without data. Polled. */
export interface MssProbe {
  /** The answer, or null while there is none. */
  poll(): MssResult | null;
  close(): void;
}

// struct tcp_info (linux/tcp.h): offsets, and the bit of tcpi_options for timestamps (RFC 7323)
const INFO_BYTES = 104;
const [STATE, OPTIONS, SND_MSS, PMTU, ADVMSS] = [0, 5, 16, 60, 84];
const TCPI_OPT_TIMESTAMPS = 1;
const TIMESTAMP_BYTES = 12;
const [TCP_SYN_SENT, TCP_CLOSE] = [2, 7];

/** @throws SystemCallError when there is no socket to be had */
export function openMssProbe(address: string, port: number): MssProbe {
  const family = isIPv6(address) ? 6 : 4;
  const socket = new StampedSocket(family, SOCK_STREAM, IPPROTO_TCP, 'rx');
  const errno = socket.connect(address, port);
  let result: MssResult | null =
    errno === 0 || errno === constants.errno.EINPROGRESS ? null : { kind: 'failed', errno: errnoName(errno) };
  return {
    poll: () => (result ??= said(socket, family) ?? state(socket)),
    close: () => socket.close(),
  };
}

function said(socket: StampedSocket, family: 4 | 6): MssResult | null {
  let found: MssResult | null = null;
  socket.drainErrors({
    transmitted: () => undefined,
    icmpError: ({ errorType, errorCode, offender }) => {
      found ??= { kind: 'unreachable', by: offender ?? 'unknown', message: describeIcmp(family, errorType, errorCode) };
    },
  });
  return found;
}

function state(socket: StampedSocket): MssResult | null {
  const [info, length] = [memory(INFO_BYTES), memory(4)];
  length.writeInt32LE(INFO_BYTES);
  check(libc().getsockopt(socket.fd, IPPROTO_TCP, TCP_INFO, info, length), 'getsockopt TCP_INFO');
  if (info[STATE] === TCP_SYN_SENT) return null;
  if (info[STATE] === TCP_CLOSE) {
    const errno = socket.takeError();
    return errno === 0 ? null : { kind: 'failed', errno: errnoName(errno) };
  }
  const optionBytes = ((info[OPTIONS] ?? 0) & TCPI_OPT_TIMESTAMPS) === 0 ? 0 : TIMESTAMP_BYTES;
  return {
    kind: 'connected',
    sizes: {
      sendMssBytes: info.readUInt32LE(SND_MSS),
      advertisedMssBytes: info.readUInt32LE(ADVMSS),
      pathMtuBytes: info.readUInt32LE(PMTU),
      optionBytes,
    },
  };
}
