import { constants } from 'node:os';
import { IPPROTO_UDP, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from '../abi.ts';
import { CLOCK_REALTIME } from '../clock.ts';
import { check, lastErrno, libc, memory } from '../libc.ts';
import {
  IP_TOS,
  IP_TTL,
  IPV6_HOPLIMIT,
  IPV6_TCLASS,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SO_TIMESTAMPING,
  SOF_TIMESTAMPING,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
} from '../msghdr.ts';
import {
  AF_INET,
  AF_INET6,
  decodeSockaddr,
  encodeSockaddr,
  type SocketAddress,
  SOCKADDR_IN6_BYTES,
  SOCKADDR_IN_BYTES,
} from '../sockaddr.ts';
import { MessageBatch, MMSGHDR_BYTES, NAME_BYTES } from './messages.ts';
import { CMSGHDR_BYTES, controlMessageBytes, controlMessageSpan } from './stamps.ts';

/**
 * A UDP socket that answers: many datagrams per system call, each with the kernel's receive stamp, its TTL, its traffic class and
 * the address that it was sent to, from which it is answered in place. For a thread of its own: wait() blocks.
 * Replies are never fragmented (IP_PMTUDISC_PROBE: Don't Fragment is set and cached path MTUs are ignored).
 */
const BATCH = 32;
/** The largest UDP payload over IPv4, in whole words. */
const SLOT_BYTES = 65_508;
const CONTROL_BYTES = 256;
const RECEIVE_BUFFER_BYTES = 4 << 20;

// linux/in.h, linux/in6.h, asm-generic/socket.h
const IP_PKTINFO = 8;
const IP_MTU_DISCOVER = 10;
const IP_RECVTTL = 12;
const IP_RECVTOS = 13;
const IPV6_MTU_DISCOVER = 23;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_RECVTCLASS = 66;
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
  readonly #messages = new MessageBatch(BATCH, SLOT_BYTES, CONTROL_BYTES);
  readonly #names = Buffer.from(this.#messages.names32.buffer);
  readonly #controls = Buffer.from(this.#messages.control.buffer);
  readonly #slots = Array.from({ length: BATCH }, (_, i) =>
    Buffer.from(this.#messages.data.buffer, i * SLOT_BYTES, SLOT_BYTES),
  );
  /** The headers of what is answered, close together: they point to the memory of what came. */
  readonly #replies = memory(MMSGHDR_BYTES * BATCH);
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
    const domain = this.#family === 4 ? AF_INET : AF_INET6;
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
    this.#messages.rearm();
    const count = Math.max(0, libc().recvmmsg(this.fd, this.#messages.headers, BATCH, MSG_DONTWAIT, null));
    this.#messages.received(count);
    return count;
  }

  /** The memory of datagram `i`: room for the largest, of which only what was received is new. */
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
    out.length = this.#messages.receivedBytes(i);
    out.stamped = false;
    out.ttl = 255;
    out.tos = 0;
    this.#infoAt = -1;
    this.#readControl(i * CONTROL_BYTES, this.#messages.controlLength(i), out);
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
   * Makes datagram `i`, which arrived() has just read, reply number `place`: `length` octets to its sender, from the address that
   * it was sent to, marked `tos`.
   */
  reply(i: number, place: number, length: number, tos: number): void {
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
    this.#messages.setLengths(i, length, isIPv4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES, end - start);
    this.#messages.headers.copy(this.#replies, place * MMSGHDR_BYTES, i * MMSGHDR_BYTES, (i + 1) * MMSGHDR_BYTES);
  }

  /** Changes only the length of the reply to datagram `i`, which could not be sent. */
  resize(i: number, length: number): void {
    this.#messages.setDataLength(i, length);
  }

  /** Sends the replies in places [from, to); how many the kernel took, or −errno of the first. */
  send(from: number, to: number): number {
    const sent = libc().sendmmsg(
      this.fd,
      this.#replies.subarray(from * MMSGHDR_BYTES),
      to - from,
      MSG_DONTWAIT | MSG_NOSIGNAL,
    );
    return sent < 0 ? -lastErrno() : sent;
  }

  close(): void {
    libc().close(this.fd);
  }

  /** Writes the header of a control message whose value of `bytes` is there already; where the next one begins. */
  #cmsg(at: number, level: number, type: number, bytes: number): number {
    this.#controls.writeBigUInt64LE(BigInt(CMSGHDR_BYTES + bytes), at);
    this.#controls.writeInt32LE(level, at + 8);
    this.#controls.writeInt32LE(type, at + 12);
    return at + controlMessageSpan(CMSGHDR_BYTES + bytes);
  }

  #readControl(from: number, length: number, out: Arrived): void {
    const control = this.#controls;
    for (let at = from, left = length; ;) {
      const bytes = controlMessageBytes(this.#messages.control32, at >>> 2, left);
      if (bytes === 0) return;
      this.#readOne(control.readInt32LE(at + 8), control.readInt32LE(at + 12), at + CMSGHDR_BYTES, bytes, out);
      at += controlMessageSpan(bytes);
      left -= controlMessageSpan(bytes);
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
