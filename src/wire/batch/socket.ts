import { IPPROTO_TCP, IPPROTO_UDP, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_RAW, SOCK_STREAM } from '../abi.ts';
import { attachBpf } from '../bpf.ts';
import { errnoOf } from '../error-queue.ts';
import { ICMP_ECHO_REPLY, ICMP6_ECHO_REPLY } from '../icmp.ts';
import { check, libc, memory } from '../libc.ts';
import {
  IP_RECVERR,
  IP_TOS,
  IPV6_RECVERR,
  IPV6_TCLASS,
  SO_TIMESTAMPING,
  SOF_TIMESTAMPING,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
} from '../msghdr.ts';
import { AF_INET, AF_INET6, encodeSockaddr, SOCKADDR_IN6_BYTES, SOCKADDR_IN_BYTES } from '../sockaddr.ts';
import type { Codec, Token } from './codec.ts';
import type { Columns } from './columns.ts';
import { icmpCodec, icmpFilter } from './icmp-codec.ts';
import { synCodec, synFilter } from './syn-codec.ts';

/** A socket that carries the probes of a whole sweep in one address family. */
export interface SweepSocket {
  fd: number;
  family: 4 | 6;
  /** What kind it is, in words for `how`. */
  kind: string;
  codec: Codec;
  /** Octets that may wait to be read, as the kernel counts them (with its own overhead). */
  receiveBuffer: number;
  /** Closes what else belongs to it. */
  close?(): void;
}

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const ICMP6_FILTER = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;
const SK_MEMINFO_DROPS = 8;
const IPV6_CHECKSUM = 7;
const TCP_CHECKSUM_OFFSET = 16;
const WANTED_BUFFER = 64 << 20;
/** Which packets get a transmit stamp is said with each of them. */
const KERNEL_STAMPS =
  SOF_TIMESTAMPING.RX_SOFTWARE | SOF_TIMESTAMPING.SOFTWARE | SOF_TIMESTAMPING.OPT_ID | SOF_TIMESTAMPING.OPT_TSONLY;

export interface SocketOptions {
  token: Token;
  identifier: number;
  payloadBytes: number;
  /** Differentiated services code point, 0 to 63. */
  dscp: number;
}

/**
 * A raw socket where we may, else a ping socket: the raw one sees errors that quote any probe of ours and has the whole
 * identifier for counting. @throws SystemCallError EACCES or EPERM where neither is permitted
 */
export function openIcmpSocket(family: 4 | 6, options: SocketOptions): SweepSocket {
  const protocol = family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  let fd: number;
  let raw = true;
  try {
    fd = open(family, SOCK_RAW, protocol);
  } catch (error) {
    if (errnoOf(error) !== 'EPERM' && errnoOf(error) !== 'EACCES') throw error;
    raw = false;
    fd = open(family, SOCK_DGRAM, protocol);
  }
  return closingOnError(fd, () => {
    if (raw) {
      refuseOtherTypes(fd, family);
      attachBpf(fd, icmpFilter(family, options.token));
    }
    const receiveBuffer = configure(fd, family, options.dscp);
    const codec = icmpCodec({ ...options, family, raw });
    return { fd, family, kind: raw ? 'raw ICMP socket' : 'ping socket', codec, receiveBuffer };
  });
}

/** A datagram socket, which needs no privilege. @throws SystemCallError */
export function openUdpSocket(family: 4 | 6, codec: Codec, dscp: number): SweepSocket {
  const fd = open(family, SOCK_DGRAM, IPPROTO_UDP);
  return closingOnError(fd, () => ({
    fd,
    family,
    kind: 'UDP socket',
    codec,
    receiveBuffer: configure(fd, family, dscp),
  }));
}

/**
 * Raw TCP for half-open SYNs, with a port of its own that nobody else gets meanwhile.
 * @param base sequence number of probe 0 @throws SystemCallError EPERM without CAP_NET_RAW
 */
export function openSynSocket(family: 4 | 6, base: number, columns: Columns, dscp: number): SweepSocket {
  const fd = open(family, SOCK_RAW, IPPROTO_TCP);
  return closingOnError(fd, () => {
    const holder = open(family, SOCK_STREAM, IPPROTO_TCP);
    const router = family === 4 ? open(4, SOCK_DGRAM, IPPROTO_UDP) : -1;
    const close = () => [holder, router].forEach((other) => other >= 0 && libc().close(other));
    try {
      const sourcePort = bindAnyPort(holder, family);
      attachBpf(fd, synFilter(family, sourcePort));
      if (family === 6) set(fd, SOL_IPV6, IPV6_CHECKSUM, TCP_CHECKSUM_OFFSET);
      const receiveBuffer = configure(fd, family, dscp);
      const codec = synCodec({ family, sourcePort, base, columns, sourceWord: sourceWords(router, columns) });
      return { fd, family, kind: 'raw TCP socket', codec, receiveBuffer, close };
    } catch (error) {
      close();
      throw error;
    }
  });
}

/** The source address that the kernel takes towards a target, asked once each by connecting a datagram socket, which sends nothing. */
function sourceWords(fd: number, { address32, targets }: Columns): (target: number) => number {
  const known = new Uint32Array(targets);
  const address = memory(SOCKADDR_IN_BYTES);
  const length = memory(4);
  return (target) => {
    const before = known[target] ?? 0;
    if (before !== 0) return before;
    address.fill(0);
    address.writeUInt16LE(AF_INET, 0);
    address.writeUInt16BE(9, 2);
    address.writeUInt32LE(address32[target * 4]!, 4);
    length.writeUInt32LE(SOCKADDR_IN_BYTES, 0);
    // Where there is no route the packet will not leave either, and its own failure tells.
    if (libc().connect(fd, address, SOCKADDR_IN_BYTES) === 0 && libc().getsockname(fd, address, length) === 0)
      known[target] = address.readUInt32LE(4);
    return known[target] ?? 0;
  };
}

function bindAnyPort(fd: number, family: 4 | 6): number {
  const address = memory(SOCKADDR_IN6_BYTES);
  const length = memory(4);
  const bytes = encodeSockaddr(address, family === 4 ? '0.0.0.0' : '::', 0);
  check(libc().bind(fd, address, bytes), 'bind', `IPv${family}`);
  length.writeUInt32LE(SOCKADDR_IN6_BYTES, 0);
  check(libc().getsockname(fd, address, length), 'getsockname');
  return address.readUInt16BE(2);
}

/** Asks for the stamps of the network card, too: of everything that comes in, and of what the sender wants stamped. */
export function askForNicStamps(fd: number): void {
  const { RX_HARDWARE, RAW_HARDWARE, OPT_TX_SWHW } = SOF_TIMESTAMPING;
  set(fd, SOL_SOCKET, SO_TIMESTAMPING, KERNEL_STAMPS | RX_HARDWARE | RAW_HARDWARE | OPT_TX_SWHW);
}

/** Packets dropped by the kernel because they found no room in the socket: the counter that SO_RXQ_OVFL reports, without its control message on every packet. */
export function droppedPackets(fd: number, scratch: Buffer, length: Buffer): number {
  length.writeUInt32LE(scratch.length, 0);
  if (libc().getsockopt(fd, SOL_SOCKET, SO_MEMINFO, scratch, length) < 0) return 0;
  return scratch.readUInt32LE(SK_MEMINFO_DROPS * 4);
}

function open(family: 4 | 6, type: number, protocol: number): number {
  const domain = family === 4 ? AF_INET : AF_INET6;
  return check(libc().socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), 'socket', `IPv${family}`);
}

function closingOnError<T>(fd: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

/** Errors on the queue, kernel stamps, as much room as we may have. Returns the room. */
function configure(fd: number, family: 4 | 6, dscp: number): number {
  const [level, receiveErrors, trafficClass] =
    family === 4 ? [SOL_IP, IP_RECVERR, IP_TOS] : [SOL_IPV6, IPV6_RECVERR, IPV6_TCLASS];
  set(fd, level, receiveErrors, 1);
  if (dscp !== 0) set(fd, level, trafficClass, dscp << 2);
  set(fd, SOL_SOCKET, SO_TIMESTAMPING, KERNEL_STAMPS);
  if (!trySet(fd, SO_RCVBUFFORCE, WANTED_BUFFER)) trySet(fd, SO_RCVBUF, WANTED_BUFFER);
  if (!trySet(fd, SO_SNDBUFFORCE, WANTED_BUFFER)) trySet(fd, SO_SNDBUF, WANTED_BUFFER);
  const value = memory(4);
  const length = memory(4);
  length.writeUInt32LE(4, 0);
  check(libc().getsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, length), 'getsockopt', 'SO_RCVBUF');
  return value.readUInt32LE(0);
}

function set(fd: number, level: number, name: number, number: number): void {
  const value = memory(4);
  value.writeInt32LE(number, 0);
  check(libc().setsockopt(fd, level, name, value, 4), 'setsockopt', `${level}/${name}`);
}

function trySet(fd: number, name: number, number: number): boolean {
  const value = memory(4);
  value.writeInt32LE(number, 0);
  return libc().setsockopt(fd, SOL_SOCKET, name, value, 4) === 0;
}

/** ICMP_FILTER and ICMP6_FILTER: a raw socket otherwise gets a copy of every ICMP message of the host. A set bit refuses a type. */
function refuseOtherTypes(fd: number, family: 4 | 6): void {
  if (family === 4) {
    const types = memory(4);
    types.writeUInt32LE(~(1 << ICMP_ECHO_REPLY) >>> 0, 0);
    check(libc().setsockopt(fd, SOL_RAW, ICMP_FILTER, types, 4), 'setsockopt', 'ICMP_FILTER');
    return;
  }
  const types = memory(32).fill(0xff);
  types[ICMP6_ECHO_REPLY >> 3]! &= ~(1 << (ICMP6_ECHO_REPLY & 7));
  check(libc().setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, types, 32), 'setsockopt', 'ICMP6_FILTER');
}
