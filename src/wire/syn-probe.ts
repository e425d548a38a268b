import { SOCK_STREAM, IPPROTO_TCP, TCP_INFO } from './abi.ts';
import { connect, isIPv6 } from 'node:net';
import { constants } from 'node:os';
import { errnoOf, StampedSocket } from './error-queue.ts';
import { describeIcmp } from './icmp.ts';
import { check, errnoName, libc, memory } from './libc.ts';
import { SOL_SOCKET } from './msghdr.ts';

/** How one SYN was answered. Times are monotonic ms. */
export type SynResult =
  | { kind: 'accepted'; rttMs: number; synRetransmits: number | null }
  /** A TCP reset; or "port unreachable" by ICMP, then `by` is set. The time is our own clock's: at most a poll too late. */
  | { kind: 'refused'; rttMs: number }
  /** An ICMP error. `rttMs` is null without a kernel stamp, or when the wall clock was stepped meanwhile. */
  | { kind: 'icmp'; by: string; type: number; code: number; message: string; rttMs: number | null }
  | { kind: 'failed'; operation: string; errno: string };

/** One TCP connection attempt, polled; closed without data once answered. */
export interface SynProbe {
  /** When connect() was called, monotonic ms. */
  readonly sentMs: number;
  /** The answer, or null while there is none. */
  poll(): SynResult | null;
  close(): void;
}

export interface SynRequest {
  address: string;
  port: number;
  /** TTL or hop limit of the SYN; the system's default when left out. */
  hops?: number;
  /** Source port, so that several SYNs one after the other are the same flow to a load balancer. 0 or left out: any. */
  localPort?: number;
  /** IPv6 flow label, so that balancers that look at it see one flow, too. */
  flowLabel?: number;
  /**
   * Leave the handshake half done and reset it when closed: the application behind the port sees no connection, and the same
   * ports can be used again at once. Else it ends by the farewell of TCP, and our side waits with the ports for a minute.
   */
  reset?: boolean;
}

const SO_REUSEADDR = 2;
const SO_LINGER = 13;
const TCP_DEFER_ACCEPT = 9;
const TCP_INFO_BYTES = 104;
// struct tcp_info and enum of states: linux/tcp.h, net/tcp_states.h
const TCPI_STATE = 0;
const TCPI_RTT = 68;
const TCPI_TOTAL_RETRANS = 100;
const TCP_SYN_SENT = 2;
const TCP_CLOSE = 7;

/** Linux: TCP_INFO for the round trip of the handshake, IP_RECVERR for ICMP errors (since Linux 5.8 also for SYNs). */
export function openSynProbe(request: SynRequest): SynProbe {
  return new KernelSynProbe(request);
}

class KernelSynProbe implements SynProbe {
  readonly #socket: StampedSocket;
  readonly #info = memory(TCP_INFO_BYTES);
  readonly #infoLength = memory(4);
  readonly sentMs: number;
  #result: SynResult | null = null;

  constructor({ address, port, hops, localPort, flowLabel, reset }: SynRequest) {
    this.#socket = new StampedSocket(isIPv6(address) ? 6 : 4, SOCK_STREAM, IPPROTO_TCP, 'rx');
    this.sentMs = this.#socket.clock.monoMs();
    try {
      if (hops !== undefined) this.#socket.setHopLimit(hops);
      if (reset) this.#leaveHalfOpen();
      if (localPort) {
        this.#socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1);
        this.#socket.bind(localPort);
      }
      this.sentMs = this.#socket.clock.monoMs();
      const errno = this.#socket.connect(address, port, flowLabel);
      // The own host can answer at once: on loopback a reset is there before connect() returns.
      if (errno !== 0 && errno !== constants.errno.EINPROGRESS) this.#result = this.#icmpError() ?? this.#ended(errno);
    } catch (error) {
      const operation = (error as { operation?: string }).operation ?? 'connect';
      this.#result = { kind: 'failed', operation, errno: errnoOf(error) };
    }
  }

  poll(): SynResult | null {
    this.#result ??= this.#icmpError() ?? this.#state();
    return this.#result;
  }

  close(): void {
    this.#socket.close();
  }

  /**
   * TCP_DEFER_ACCEPT on the side that connects holds back the last segment of the handshake for 200 ms, in hope of data to send
   * with it; struct linger { on, 0 seconds } makes close() send a reset instead (tcp(7), socket(7)).
   */
  #leaveHalfOpen(): void {
    this.#socket.setOption(IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
    const linger = memory(8);
    linger.writeInt32LE(1, 0);
    check(libc().setsockopt(this.#socket.fd, SOL_SOCKET, SO_LINGER, linger, 8), 'setsockopt SO_LINGER');
  }

  #state(): SynResult | null {
    this.#infoLength.writeInt32LE(TCP_INFO_BYTES, 0);
    check(
      libc().getsockopt(this.#socket.fd, IPPROTO_TCP, TCP_INFO, this.#info, this.#infoLength),
      'getsockopt TCP_INFO',
    );
    const state = this.#info[TCPI_STATE];
    if (state === TCP_SYN_SENT) return null;
    if (state === TCP_CLOSE) {
      const errno = this.#socket.takeError();
      // The ICMP error that closed it may have come after its queue was read.
      return this.#icmpError() ?? (errno === 0 ? null : this.#ended(errno));
    }
    return {
      kind: 'accepted',
      rttMs: this.#info.readUInt32LE(TCPI_RTT) / 1000,
      synRetransmits: this.#info.readUInt32LE(TCPI_TOTAL_RETRANS),
    };
  }

  #ended(errno: number): SynResult {
    if (errno === constants.errno.ECONNREFUSED) {
      return { kind: 'refused', rttMs: this.#socket.clock.monoMs() - this.sentMs };
    }
    return { kind: 'failed', operation: 'connect', errno: errnoName(errno) };
  }

  #icmpError(): SynResult | null {
    let found: Extract<SynResult, { kind: 'icmp' }> | null = null;
    const { family } = this.#socket;
    const stepMs = this.#socket.drainErrors({
      transmitted: () => undefined,
      icmpError: ({ errorType: type, errorCode: code, offender }, _bytes, atMs) => {
        const message = describeIcmp(family, type, code);
        const rttMs = atMs === null ? null : atMs - this.sentMs;
        found ??= { kind: 'icmp', by: offender ?? 'unknown', type, code, message, rttMs };
      },
    });
    if (found !== null && stepMs !== 0) return { ...(found as Extract<SynResult, { kind: 'icmp' }>), rttMs: null };
    return found;
  }
}

/** Every platform: Node's own connect by our own clock, which includes the event loop's delay. Hop limit and port are not settable. */
export function openUserSynProbe({ address, port }: SynRequest, monoMs: () => number): SynProbe {
  let result: SynResult | null = null;
  const sentMs = monoMs();
  const socket = connect({ host: address, port, autoSelectFamily: false });
  socket.once('connect', () => (result ??= { kind: 'accepted', rttMs: monoMs() - sentMs, synRetransmits: null }));
  socket.on('error', (error) => {
    const errno = errnoOf(error);
    const rttMs = monoMs() - sentMs;
    result ??= errno === 'ECONNREFUSED' ? { kind: 'refused', rttMs } : { kind: 'failed', operation: 'connect', errno };
  });
  return { sentMs, poll: () => result, close: () => socket.destroy() };
}
