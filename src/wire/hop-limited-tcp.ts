import { isIPv6 } from 'node:net';
import { constants } from 'node:os';
import { IPPROTO_TCP, SOCK_STREAM, TCP_INFO } from './abi.ts';
import { StampedSocket } from './error-queue.ts';
import { check, errnoName, lastErrno, libc, memory } from './libc.ts';
import { MSG_DONTWAIT, SOL_SOCKET } from './msghdr.ts';

/** What a connection has met since it was asked last. */
export type HopEvent =
  | { kind: 'connected'; rttMs: number }
  /** By ICMP: the hop limit ran out, or a host is unreachable, or a filter says so; the errno is the same. */
  | { kind: 'expired' }
  /** By ICMP: the port is unreachable. */
  | { kind: 'refused' }
  | { kind: 'data' }
  | { kind: 'closed' }
  | { kind: 'reset' }
  | { kind: 'failed'; errno: string };

/** A TCP connection whose single segments can be sent with a hop limit of their own. Polled. */
export interface HopLimitedTcp {
  /** The next thing that happened, or null. */
  poll(): HopEvent | null;
  /** At most a segment's worth, as one segment. @throws SystemCallError */
  send(bytes: Uint8Array, hops: number): void;
  close(): void;
}

const TCP_NODELAY = 1;
const SO_LINGER = 13;
/** Hop limit of what is no probe: the end of the connection has to reach the peer. */
const ALL_THE_WAY = 64;
// struct tcp_info (linux/tcp.h): offsets
const INFO_BYTES = 104;
const [STATE, RTT] = [0, 68];
const [TCP_ESTABLISHED, TCP_SYN_SENT] = [1, 2];

/**
 * Linux, without privilege: with IP_RECVERR the kernel tells the owner of a connection about every ICMP error for it (ip(7)), while
 * the connection lives on. It gives an errno alone once a connection stands, and does not say which router it was; and nothing
 * when the error comes while the packet is still being sent (two namespaces on one machine): then it tells when it sends again.
 * @throws SystemCallError when there is no socket to be had
 */
export function openHopLimitedTcp(address: string, port: number): HopLimitedTcp {
  return new KernelHopLimitedTcp(address, port);
}

class KernelHopLimitedTcp implements HopLimitedTcp {
  readonly #socket: StampedSocket;
  readonly #address: string;
  readonly #buffer = memory(2048);
  #state: 'connecting' | 'open' | 'over' = 'connecting';
  #failed: HopEvent | null = null;

  constructor(address: string, port: number) {
    this.#socket = new StampedSocket(isIPv6(address) ? 6 : 4, SOCK_STREAM, IPPROTO_TCP, 'rx');
    this.#address = address;
    this.#socket.setOption(IPPROTO_TCP, TCP_NODELAY, 1);
    const errno = this.#socket.connect(address, port);
    if (errno !== 0 && errno !== constants.errno.EINPROGRESS)
      this.#failed = { kind: 'failed', errno: errnoName(errno) };
  }

  poll(): HopEvent | null {
    if (this.#state === 'over') return null;
    const event = this.#failed ?? (this.#state === 'connecting' ? this.#connecting() : this.#open());
    if (event && event.kind !== 'expired' && event.kind !== 'refused')
      this.#state = event.kind === 'connected' ? 'open' : 'over';
    return event;
  }

  send(bytes: Uint8Array, hops: number): void {
    this.#socket.setHopLimit(hops);
    this.#socket.send(Buffer.from(bytes), bytes.length, hops, this.#address);
  }

  /** By a reset: what the peer has not acknowledged would be sent again with the hop limit of the reset. */
  close(): void {
    if (this.#state === 'open') {
      const linger = memory(8);
      linger.writeInt32LE(1, 0);
      libc().setsockopt(this.#socket.fd, SOL_SOCKET, SO_LINGER, linger, 8);
      this.#socket.setHopLimit(ALL_THE_WAY);
    }
    this.#state = 'over';
    this.#socket.close();
  }

  #connecting(): HopEvent | null {
    const [info, length] = [memory(INFO_BYTES), memory(4)];
    length.writeInt32LE(INFO_BYTES);
    check(libc().getsockopt(this.#socket.fd, IPPROTO_TCP, TCP_INFO, info, length), 'getsockopt TCP_INFO');
    if (info[STATE] === TCP_SYN_SENT) return null;
    if (info[STATE] !== TCP_ESTABLISHED) {
      const errno = this.#socket.takeError();
      return { kind: 'failed', errno: errno === 0 ? 'ECONNRESET' : errnoName(errno) };
    }
    return { kind: 'connected', rttMs: info.readUInt32LE(RTT) / 1000 };
  }

  #open(): HopEvent | null {
    const got = libc().recv(this.#socket.fd, this.#buffer, this.#buffer.length, MSG_DONTWAIT);
    if (got > 0) return { kind: 'data' };
    if (got === 0) return { kind: 'closed' };
    const errno = lastErrno();
    if (errno === constants.errno.EAGAIN || errno === constants.errno.EINTR) return null;
    if (errno === constants.errno.EHOSTUNREACH) return { kind: 'expired' };
    if (errno === constants.errno.ECONNREFUSED) return { kind: 'refused' };
    if (errno === constants.errno.ECONNRESET) return { kind: 'reset' };
    return { kind: 'failed', errno: errnoName(errno) };
  }
}
