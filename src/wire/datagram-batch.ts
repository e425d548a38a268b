import { constants } from 'node:os';
import { IPPROTO_UDP, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from './abi.ts';
import { CLOCK_REALTIME } from './clock.ts';
import { addressOf, check, lastErrno, libc, memory } from './libc.ts';
import {
  IP_TTL,
  IPV6_HOPLIMIT,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSGHDR_BYTES,
  SO_TIMESTAMPING,
  SOF_TIMESTAMPING,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
} from './msghdr.ts';
import { AF_INET, decodeSockaddr, encodeSockaddr, type SocketAddress, SOCKADDR_IN6_BYTES } from './sockaddr.ts';

/**
 * A UDP socket that answers: many datagrams per system call, each with the kernel's receive stamp, its TTL, its traffic class and
 * the address that it was sent to, from which it is answered in place. For a thread of its own: wait() blocks.
 * Replies are never fragmented (IP_PMTUDISC_PROBE: Don't Fragment is set and cached path MTUs are ignored).
 */
export const BATCH = 32;
/** The largest UDP payload over IPv4. */
export const DATAGRAM_BYTES = 65_507;

const MMSGHDR_BYTES = MSGHDR_BYTES + 8;
const IOVEC_BYTES = 16;
const NAME_BYTES = 32;
const CONTROL_BYTES = 256;
const CMSGHDR_BYTES = 16;
const RECEIVE_BUFFER_BYTES = 4 << 20;

// linux/in.h, linux/in6.h, asm-generic/socket.h
const IP_TOS = 1;
const IP_PKTINFO = 8;
const IP_MTU_DISCOVER = 10;
const IP_RECVTTL = 12;
const IP_RECVTOS = 13;
const IPV6_MTU_DISCOVER = 23;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_RECVTCLASS = 66;
const IPV6_TCLASS = 67;
const PMTUDISC_PROBE = 3;
const SO_RCVBUF = 8;
const SO_RXQ_OVFL = 40;
const POLLIN = 1;

/** What one received datagram was, besides its octets. */
export interface Arrived {
  length: number;
  /** CLOCK_REALTIME: the kernel's receive stamp, or our own reading where it gave none. */
  sec: number;
  nsec: number;
  stamped: boolean;
  /** TTL or hop limit with which it came; 255 when the kernel did not say. */
  ttl: number;
  /** The traffic class octet: DSCP and ECN. */
  tos: number;
}

export class DatagramBatch {
  readonly fd: number;
  /** Datagrams that the kernel dropped because this socket was full (SO_RXQ_OVFL). */
  dropped = 0;
  readonly #family: 4 | 6;
  readonly #headers = memory(MMSGHDR_BYTES * BATCH);
  readonly #iovecs = memory(IOVEC_BYTES * BATCH);
  readonly #names = memory(NAME_BYTES * BATCH);
  readonly #controls = memory(CONTROL_BYTES * BATCH);
  readonly #slots: Buffer[] = Array.from({ length: BATCH }, () => memory(DATAGRAM_BYTES));
  readonly #integer = memory(4);
  readonly #timespec = memory(16);
  readonly #pollfds = memory(16);
  readonly #arrived: Arrived = { length: 0, sec: 0, nsec: 0, stamped: false, ttl: 255, tos: 0 };
  /** Where in the control buffer the packet info of the datagram last read lies; −1 without. */
  #infoAt = -1;
  #infoBytes = 0;

  /** @param wakeFd an eventfd that ends wait() @throws SystemCallError, EACCES for a port below 1024 without privilege */
  constructor(address: string, port: number, wakeFd: number) {
    this.#family = address.includes(':') ? 6 : 4;
    const domain = this.#family === 4 ? AF_INET : 10;
    this.fd = check(libc().socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP), 'socket');
    try {
      this.#configure();
      const sockaddr = memory(SOCKADDR_IN6_BYTES);
      check(libc().bind(this.fd, sockaddr, encodeSockaddr(sockaddr, address, port)), 'bind', `${address} port ${port}`);
    } catch (error) {
      this.close();
      throw error;
    }
    for (const [i, fd] of [this.fd, wakeFd].entries()) {
      this.#pollfds.writeInt32LE(fd, i * 8);
      this.#pollfds.writeInt16LE(POLLIN, i * 8 + 4);
    }
    for (let i = 0; i < BATCH; i++) this.#iovecs.writeBigUInt64LE(addressOf(this.#slots[i]!), i * IOVEC_BYTES);
  }

  #configure(): void {
    this.#set(SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING.RX_SOFTWARE | SOF_TIMESTAMPING.SOFTWARE);
    this.#set(SOL_SOCKET, SO_RXQ_OVFL, 1);
    this.#set(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    // IPv4 options on an IPv6 socket are for the mapped addresses that it serves as well.
    this.#set(SOL_IP, IP_RECVTTL, 1);
    this.#set(SOL_IP, IP_RECVTOS, 1);
    this.#set(SOL_IP, IP_PKTINFO, 1);
    this.#set(SOL_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE);
    if (this.#family === 4) return;
    this.#set(SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
    this.#set(SOL_IPV6, IPV6_RECVTCLASS, 1);
    this.#set(SOL_IPV6, IPV6_RECVPKTINFO, 1);
    this.#set(SOL_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE);
  }

  #set(level: number, name: number, value: number): void {
    this.#integer.writeInt32LE(value, 0);
    check(libc().setsockopt(this.fd, level, name, this.#integer, 4), `setsockopt ${level}/${name}`);
  }

  /** The address and port that it was bound to. */
  local(): SocketAddress {
    const sockaddr = memory(SOCKADDR_IN6_BYTES);
    this.#integer.writeInt32LE(SOCKADDR_IN6_BYTES, 0);
    check(libc().getsockname(this.fd, sockaddr, this.#integer), 'getsockname');
    return decodeSockaddr(sockaddr)!;
  }

  /** Sleeps until a datagram comes; false when the eventfd was written instead. */
  wait(): boolean {
    libc().ppoll(this.#pollfds, 2, null, null, 8);
    return this.#pollfds.readInt16LE(8 + 6) === 0;
  }

  /** Receives at most BATCH datagrams; how many. */
  receive(): number {
    for (let i = 0; i < BATCH; i++) this.#arm(i);
    return Math.max(0, libc().recvmmsg(this.fd, this.#headers, BATCH, MSG_DONTWAIT, null));
  }

  /** The memory of datagram `i`: DATAGRAM_BYTES long, of which only what was received is new. */
  slot(i: number): Buffer {
    return this.#slots[i]!;
  }

  /** Address and port of the peer of datagram `i`, as the octets of its sockaddr: a key, not for people. */
  peer(i: number): string {
    const at = i * NAME_BYTES;
    // Family, then port and address; flow label and the rest do not tell one peer from another.
    return this.#names.readUInt16LE(at) === AF_INET
      ? this.#names.toString('latin1', at + 2, at + 8)
      : this.#names.toString('latin1', at + 2, at + 4) + this.#names.toString('latin1', at + 8, at + 28);
  }

  /** What datagram `i` was. The object is the same each time. */
  arrived(i: number): Arrived {
    const out = this.#arrived;
    const header = i * MMSGHDR_BYTES;
    out.length = Math.min(this.#headers.readUInt32LE(header + MSGHDR_BYTES), DATAGRAM_BYTES);
    out.stamped = false;
    out.ttl = 255;
    out.tos = 0;
    this.#infoAt = -1;
    const from = i * CONTROL_BYTES;
    this.#readControl(from, from + Math.min(this.#headers.readUInt32LE(header + 40), CONTROL_BYTES), out);
    if (!out.stamped) [out.sec, out.nsec] = this.now();
    return out;
  }

  /** CLOCK_REALTIME, as seconds and nanoseconds. */
  now(): [sec: number, nsec: number] {
    check(libc().clock_gettime(CLOCK_REALTIME, this.#timespec), 'clock_gettime');
    const sec = this.#timespec.readUInt32LE(0) + this.#timespec.readUInt32LE(4) * 2 ** 32;
    return [sec, this.#timespec.readUInt32LE(8)];
  }

  /**
   * Makes datagram `i`, which arrived() has just read, a reply of `length` octets to its sender, from the address that it was
   * sent to, marked `tos`.
   */
  reply(i: number, length: number, tos: number): void {
    const header = i * MMSGHDR_BYTES;
    this.#iovecs.writeBigUInt64LE(BigInt(length), i * IOVEC_BYTES + 8);
    const isIPv4 = this.#family === 4;
    const start = i * CONTROL_BYTES;
    // The info lies in the same buffer, further back than what is written before it: it is moved first.
    let end = start;
    if (this.#infoAt >= 0) {
      const valueAt = start + CMSGHDR_BYTES;
      this.#controls.copyWithin(valueAt, this.#infoAt, this.#infoAt + this.#infoBytes);
      // The interface is left to routing; of struct in_pktinfo, spec_dst is the source to use.
      this.#controls.fill(0, isIPv4 ? valueAt : valueAt + 16, isIPv4 ? valueAt + 4 : valueAt + 20);
      end = this.#cmsg(start, isIPv4 ? SOL_IP : SOL_IPV6, isIPv4 ? IP_PKTINFO : IPV6_PKTINFO, this.#infoBytes);
    }
    this.#controls.writeInt32LE(tos, end + CMSGHDR_BYTES);
    end = this.#cmsg(end, isIPv4 ? SOL_IP : SOL_IPV6, isIPv4 ? IP_TOS : IPV6_TCLASS, 4);
    this.#headers.writeUInt32LE(end - start, header + 40);
    this.#headers.writeInt32LE(0, header + 48);
  }

  /** Changes only the length of a reply that could not be sent. */
  resize(i: number, length: number): void {
    this.#iovecs.writeBigUInt64LE(BigInt(length), i * IOVEC_BYTES + 8);
  }

  /** Moves reply `from` to place `to`, so that what is sent lies together. */
  compact(from: number, to: number): void {
    if (from !== to) this.#headers.copyWithin(to * MMSGHDR_BYTES, from * MMSGHDR_BYTES, (from + 1) * MMSGHDR_BYTES);
  }

  /** Sends the replies in places [from, to); how many the kernel took, or −errno of the first. */
  send(from: number, to: number): number {
    const sent = libc().sendmmsg(
      this.fd,
      this.#headers.subarray(from * MMSGHDR_BYTES),
      to - from,
      MSG_DONTWAIT | MSG_NOSIGNAL,
    );
    return sent < 0 ? -lastErrno() : sent;
  }

  close(): void {
    libc().close(this.fd);
  }

  #arm(i: number): void {
    const at = i * MMSGHDR_BYTES;
    this.#headers.writeBigUInt64LE(addressOf(this.#names) + BigInt(i * NAME_BYTES), at);
    this.#headers.writeUInt32LE(NAME_BYTES, at + 8);
    this.#headers.writeBigUInt64LE(addressOf(this.#iovecs) + BigInt(i * IOVEC_BYTES), at + 16);
    this.#headers.writeUInt32LE(1, at + 24);
    this.#headers.writeBigUInt64LE(addressOf(this.#controls) + BigInt(i * CONTROL_BYTES), at + 32);
    this.#headers.writeUInt32LE(CONTROL_BYTES, at + 40);
    this.#headers.writeInt32LE(0, at + 48);
    this.#iovecs.writeBigUInt64LE(BigInt(DATAGRAM_BYTES), i * IOVEC_BYTES + 8);
  }

  /** Writes the header of a control message whose value of `bytes` is there already; where the next one begins. */
  #cmsg(at: number, level: number, type: number, bytes: number): number {
    this.#controls.writeBigUInt64LE(BigInt(CMSGHDR_BYTES + bytes), at);
    this.#controls.writeInt32LE(level, at + 8);
    this.#controls.writeInt32LE(type, at + 12);
    return at + CMSGHDR_BYTES + ((bytes + 7) & ~7);
  }

  #readControl(from: number, end: number, out: Arrived): void {
    const control = this.#controls;
    for (let at = from; at + CMSGHDR_BYTES <= end;) {
      const bytes = control.readUInt32LE(at);
      if (bytes < CMSGHDR_BYTES || at + bytes > end) return;
      this.#readOne(control.readInt32LE(at + 8), control.readInt32LE(at + 12), at + CMSGHDR_BYTES, bytes, out);
      at += (bytes + 7) & ~7;
    }
  }

  #readOne(level: number, type: number, at: number, bytes: number, out: Arrived): void {
    const control = this.#controls;
    if (level === SOL_SOCKET && type === SO_TIMESTAMPING) {
      out.sec = control.readUInt32LE(at) + control.readUInt32LE(at + 4) * 2 ** 32;
      out.nsec = control.readUInt32LE(at + 8);
      out.stamped = out.sec !== 0;
    } else if (level === SOL_SOCKET && type === SO_RXQ_OVFL) this.dropped = control.readUInt32LE(at);
    else if ((level === SOL_IP && type === IP_TTL) || (level === SOL_IPV6 && type === IPV6_HOPLIMIT))
      out.ttl = control.readUInt8(at);
    else if ((level === SOL_IP && type === IP_TOS) || (level === SOL_IPV6 && type === IPV6_TCLASS))
      out.tos = control.readUInt8(at);
    else if (
      level === (this.#family === 4 ? SOL_IP : SOL_IPV6) &&
      type === (this.#family === 4 ? IP_PKTINFO : IPV6_PKTINFO)
    ) {
      this.#infoAt = at;
      this.#infoBytes = bytes - CMSGHDR_BYTES;
    }
  }
}

/** sendmmsg's answer when a datagram exceeds what the interface carries. */
export const TOO_LONG = -constants.errno.EMSGSIZE;
