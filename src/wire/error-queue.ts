import { SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC, IPPROTO_UDP, SO_ERROR } from './abi.ts';
import { constants } from 'node:os';
import { KernelClock } from './clock.ts';
import { check, lastErrno, libc, memory, SystemCallError } from './libc.ts';
import {
  controlMessages,
  type ControlMessages,
  IP_RECVERR,
  IP_RECVTTL,
  IP_TTL,
  IPV6_RECVERR,
  IPV6_RECVHOPLIMIT,
  IPV6_UNICAST_HOPS,
  MessageBuffers,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  readControl,
  SCM_TSTAMP,
  SO_EE_ORIGIN,
  SO_TIMESTAMPING,
  SOF_TIMESTAMPING,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
} from './msghdr.ts';
import { decodeSockaddr, encodeSockaddr, SOCKADDR_IN6_BYTES } from './sockaddr.ts';

/** Packets taken per drain: bounds the time that a flood (a raw socket sees all ICMP of the host) can hold the event loop. */
const DRAIN_MAX = 256;
/** Calls for one packet: errors of so many earlier ones can come in meanwhile. */
const SEND_TRIES = 3;
const RX_FLAGS = SOF_TIMESTAMPING.RX_SOFTWARE | SOF_TIMESTAMPING.SOFTWARE;
const TX_FLAGS = SOF_TIMESTAMPING.TX_SOFTWARE | SOF_TIMESTAMPING.OPT_ID | SOF_TIMESTAMPING.OPT_TSONLY;

// linux/in6.h
const IPV6_FLOWLABEL_MGR = 32;
const IPV6_FLOWINFO_SEND = 33;
const IPV6_AUTOFLOWLABEL = 70;
const FLOW_LABEL = { create: 1, shareAny: 255 } as const;
const SIN6_FLOWINFO = 4;

/** What drain() finds. The buffers are those of the socket and are overwritten by the next packet. */
export interface SocketEvents {
  /** The kernel handed packet `tag` to the network interface at this moment (monotonic ms). */
  transmitted(tag: number, atMs: number): void;
  /** An ICMP error came back; `quoted` octets of what we sent lie in `socket.message.data`. `atMs` is null without a stamp. */
  icmpError(control: ControlMessages, quotedBytes: number, atMs: number | null): void;
  /** A packet of `bytes` octets lies in `socket.message.data`. `atMs` is null when the kernel gave no stamp. */
  received(bytes: number, control: ControlMessages, atMs: number | null): unknown;
}

/**
 * A non-blocking Linux socket whose packets carry kernel stamps and whose error queue tells which router answered. Needs no
 * privilege: IP_RECVERR (ip(7)) hands ICMP errors to the socket that caused them.
 * It is polled, not waited for: the kernel's stamp says when a packet came, so when it is read does not matter.
 */
export class StampedSocket {
  readonly fd: number;
  readonly family: 4 | 6;
  readonly clock = new KernelClock();
  readonly message = new MessageBuffers(2048);
  readonly #control = controlMessages();
  readonly #integer = memory(4);
  readonly #integerLength = memory(4);
  /** Tag of each packet sent, by the kernel's packet counter (SOF_TIMESTAMPING_OPT_ID). */
  readonly #tags: number[] = [];
  #bytes = 0;
  #closed = false;

  /** @param type SOCK_STREAM, SOCK_DGRAM or SOCK_RAW @throws SystemCallError, EACCES or EPERM where privilege is missing */
  constructor(family: 4 | 6, type: number, protocol: number, stamps: 'tx+rx' | 'rx') {
    this.family = family;
    this.fd = check(libc().socket(family === 4 ? 2 : 10, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), 'socket');
    try {
      if (family === 4) this.setOption(SOL_IP, IP_RECVERR, 1);
      else this.setOption(SOL_IPV6, IPV6_RECVERR, 1);
      this.setOption(SOL_SOCKET, SO_TIMESTAMPING, stamps === 'rx' ? RX_FLAGS : RX_FLAGS | TX_FLAGS);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  setOption(level: number, name: number, value: number): void {
    this.#integer.writeInt32LE(value, 0);
    check(libc().setsockopt(this.fd, level, name, this.#integer, 4), `setsockopt ${level}/${name}`);
  }

  /** Binds to a local port of any address. @throws SystemCallError */
  bind(port: number): void {
    const sockaddr = memory(SOCKADDR_IN6_BYTES);
    const length = encodeSockaddr(sockaddr, this.family === 4 ? '0.0.0.0' : '::', port);
    check(libc().bind(this.fd, sockaddr, length), 'bind', `port ${port}`);
  }

  /**
   * Starts connecting; returns 0 or the errno (EINPROGRESS for TCP on its way).
   * @param flowLabel IPv6 only, for all packets of the socket; the kernel's own choice, another one per connection, when left out
   */
  connect(address: string, port: number, flowLabel?: number): number {
    const sockaddr = memory(SOCKADDR_IN6_BYTES);
    const length = encodeSockaddr(sockaddr, address, port);
    if (flowLabel !== undefined && this.family === 6 && this.#leaseFlowLabel(sockaddr, flowLabel)) {
      sockaddr.writeUInt32BE(flowLabel, SIN6_FLOWINFO);
    }
    return libc().connect(this.fd, sockaddr, length) < 0 ? lastErrno() : 0;
  }

  /** Asks the kernel's flow label manager (linux/in6.h: struct in6_flowlabel_req), which lets anybody share any label. */
  #leaseFlowLabel(sockaddr: Buffer, label: number): boolean {
    const request = memory(32);
    sockaddr.copy(request, 0, 8, 24);
    request.writeUInt32BE(label, 16);
    request[21] = FLOW_LABEL.shareAny;
    request.writeUInt16LE(FLOW_LABEL.create, 22);
    if (libc().setsockopt(this.fd, SOL_IPV6, IPV6_FLOWLABEL_MGR, request, 32) === 0) {
      this.setOption(SOL_IPV6, IPV6_FLOWINFO_SEND, 1);
      return true;
    }
    // No label at all is one, too, and the same for every connection.
    this.setOption(SOL_IPV6, IPV6_AUTOFLOWLABEL, 0);
    return false;
  }

  /** The local port that bind or connect chose. */
  localPort(): number {
    const sockaddr = memory(SOCKADDR_IN6_BYTES);
    this.#integerLength.writeInt32LE(SOCKADDR_IN6_BYTES, 0);
    check(libc().getsockname(this.fd, sockaddr, this.#integerLength), 'getsockname');
    return decodeSockaddr(sockaddr)?.port ?? 0;
  }

  /** The local address that connect() chose. */
  localAddress(): string {
    const sockaddr = memory(SOCKADDR_IN6_BYTES);
    this.#integerLength.writeInt32LE(SOCKADDR_IN6_BYTES, 0);
    check(libc().getsockname(this.fd, sockaddr, this.#integerLength), 'getsockname');
    return decodeSockaddr(sockaddr)?.address ?? '';
  }

  /** Control messages carry the TTL or hop limit of what came in, ICMP errors on the error queue included. */
  receiveHopLimit(): void {
    if (this.family === 4) this.setOption(SOL_IP, IP_RECVTTL, 1);
    else this.setOption(SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
  }

  /** TTL or hop limit of every packet sent from now on. */
  setHopLimit(hops: number): void {
    if (this.family === 4) this.setOption(SOL_IP, IP_TTL, hops);
    else this.setOption(SOL_IPV6, IPV6_UNICAST_HOPS, hops);
  }

  /** Takes (and clears) the pending error of the socket: an errno, or 0. */
  takeError(): number {
    this.#integerLength.writeInt32LE(4, 0);
    const result = libc().getsockopt(this.fd, SOL_SOCKET, SO_ERROR, this.#integer, this.#integerLength);
    return result < 0 ? lastErrno() : this.#integer.readInt32LE(0);
  }

  /**
   * Sends on the connected socket. An error of an earlier packet that is still pending must not fail this one: it is cleared
   * first, and the call is repeated where one came in just between; the error queue keeps its details.
   * @throws SystemCallError
   */
  send(packet: Buffer, length: number, tag: number, address: string): void {
    this.takeError();
    for (let tries = 1; libc().send(this.fd, packet, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0; tries++) {
      // A call that fails with a pending error has taken it; what this host has to say itself, it says every time.
      if (tries === SEND_TRIES) throw new SystemCallError('send', lastErrno(), address);
    }
    this.#tags.push(tag);
  }

  /**
   * Reads what has come, at most DRAIN_MAX packets of each queue.
   * @returns how far the wall clock was stepped since the last drain, ms (0 = not): stamps around a step are void
   */
  drain(events: SocketEvents): number {
    let stepMs = this.drainErrors(events);
    for (let i = 0, first = true; i < DRAIN_MAX; i++) {
      const errno = this.#receive(MSG_DONTWAIT);
      if (errno === 0) {
        if (first) stepMs += this.clock.sample();
        first = false;
        events.received(this.#bytes, this.#control, this.#stampMs());
      }
      // Any other errno is that of an earlier ICMP error, told once; what was received stands behind it.
      else if (errno === constants.errno.EAGAIN) break;
    }
    return stepMs;
  }

  /** Reads the error queue only; for sockets that carry a byte stream. Returns as drain(). */
  drainErrors(events: Pick<SocketEvents, 'icmpError' | 'transmitted'>): number {
    let stepMs = 0;
    for (let i = 0; i < DRAIN_MAX && this.#receive(MSG_ERRQUEUE | MSG_DONTWAIT) === 0; i++) {
      // The clocks are only compared when there is a stamp to map: most polls find nothing and should cost one call.
      if (i === 0) stepMs = this.clock.sample();
      this.#dispatchError(events);
    }
    return stepMs;
  }

  /** May be called twice: by the second time the descriptor may belong to somebody else, so only the first one closes. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    libc().close(this.fd);
  }

  /** One recvmsg into `message` and `#control`; returns 0 or the errno. */
  #receive(flags: number): number {
    this.message.reset();
    const bytes = libc().recvmsg(this.fd, this.message.header, flags);
    if (bytes < 0) return lastErrno();
    this.#bytes = Math.min(bytes, this.message.data.length);
    readControl(this.message.control, this.message.controlLength, this.#control);
    return 0;
  }

  #stampMs(): number | null {
    return this.#control.hasStamp ? this.clock.toMonoMs(this.#control.stampSec, this.#control.stampNsec) : null;
  }

  #dispatchError(events: Pick<SocketEvents, 'icmpError' | 'transmitted'>): void {
    const control = this.#control;
    if (!control.hasError) return;
    const atMs = this.#stampMs();
    if (control.errorOrigin === SO_EE_ORIGIN.TIMESTAMPING) {
      const tag = this.#tags[control.errorData];
      if (tag !== undefined && atMs !== null && control.errorInfo === SCM_TSTAMP.SND) events.transmitted(tag, atMs);
    } else if (control.errorOrigin === SO_EE_ORIGIN.ICMP || control.errorOrigin === SO_EE_ORIGIN.ICMP6) {
      events.icmpError(control, this.#bytes, atMs);
    }
  }
}

const WARM_UP_TRIES = 100;

/**
 * Linux stamps received packets only while some socket wants it, and begins and ends asynchronously: packets that come soon
 * after the first such socket was opened have no stamp. This opens one that is held for the length of a measurement, and
 * sends itself octets over loopback until one comes back stamped (normally a few ms; about 100 ms at most).
 * @param sleep waits for so many ms
 * @returns closes the socket. Where it cannot be had only the first stamps are missing, so that is no error.
 */
export async function holdStamps(sleep: (ms: number) => Promise<void>): Promise<() => void> {
  let socket: StampedSocket | undefined;
  try {
    socket = new StampedSocket(4, SOCK_DGRAM, IPPROTO_UDP, 'rx');
    socket.bind(0);
    socket.connect('127.0.0.1', socket.localPort());
    const octet = memory(1);
    const seen = { stamp: false };
    const received: SocketEvents['received'] = (_bytes, _control, atMs) => (seen.stamp ||= atMs !== null);
    const ignore = () => undefined;
    for (let i = 0; i < WARM_UP_TRIES && !seen.stamp; i++) {
      socket.send(octet, 1, i, '127.0.0.1');
      await sleep(1);
      socket.drain({ transmitted: ignore, icmpError: ignore, received });
    }
  } catch {
    // loopback is down, or no descriptor is left
  }
  return () => socket?.close();
}

/** errno or code of anything that a call of ours threw; `EUNKNOWN` when it has none. */
export function errnoOf(error: unknown): string {
  if (error instanceof SystemCallError) return error.errno;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'EUNKNOWN';
}

/** True for the errnos by which the own host says that there is no way to an address. */
export function isNoRoute(errno: string): boolean {
  return ['ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'EADDRNOTAVAIL'].includes(errno);
}
