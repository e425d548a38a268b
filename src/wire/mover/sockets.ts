import { setTimeout as sleep } from 'node:timers/promises';
import { constants } from 'node:os';
import { isIPv6 } from 'node:net';
import { IPPROTO_TCP, SO_ERROR, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM, TCP_INFO } from '../abi.ts';
import { check, lastErrno, libc, memory, SystemCallError } from '../libc.ts';
import { MessageBuffers, MSG_DONTWAIT, SO_TIMESTAMPNS, SOL_IP, SOL_IPV6, SOL_SOCKET } from '../msghdr.ts';
import {
  AF_INET,
  AF_INET6,
  decodeSockaddr,
  encodeSockaddr,
  SOCKADDR_IN6_BYTES,
  type SocketAddress,
} from '../sockaddr.ts';
import { parseTcpInfo, type TcpInfo, tcpInfoSize } from '../tcp/tcp-info.ts';

/** Plain descriptors for the movers: non-blocking, made and closed by the main thread, used by the threads in between. */
export interface SocketOptions {
  /** SO_SNDBUF and SO_RCVBUF, octets; Linux doubles what is asked for. */
  windowBytes?: number | undefined;
  mssBytes?: number | undefined;
  noDelay?: boolean | undefined;
  congestion?: string | undefined;
  /** The whole traffic class octet: DSCP in the upper six bits. */
  tos?: number | undefined;
}

export interface Endpoint {
  address: string;
  port: number;
}

const TCP_NODELAY = 1;
const TCP_MAXSEG = 2;
const TCP_CONGESTION = 13;
const SO_REUSEADDR = 2;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const IP_TOS = 1;
const IPV6_TCLASS = 67;
const IPV6_V6ONLY = 26;
const SIOCOUTQ = 0x5411;
const SHUT_WR = 1;
/** Room for the datagrams that come while the thread is away; the kernel gives at most net.core.rmem_max. */
const UDP_BUFFER_BYTES = 4 << 20;

/** @throws SystemCallError */
export function setInt(fd: number, level: number, name: number, value: number, what: string): void {
  const bytes = memory(4);
  bytes.writeInt32LE(value, 0);
  check(libc().setsockopt(fd, level, name, bytes, 4), what);
}

function applyOptions(fd: number, family: 4 | 6, protocol: 'tcp' | 'udp', options: SocketOptions): void {
  const { windowBytes, mssBytes, noDelay, congestion, tos } = options;
  if (windowBytes) {
    setInt(fd, SOL_SOCKET, SO_SNDBUF, windowBytes, 'setsockopt SO_SNDBUF');
    setInt(fd, SOL_SOCKET, SO_RCVBUF, windowBytes, 'setsockopt SO_RCVBUF');
  }
  if (tos !== undefined) {
    if (family === 4) setInt(fd, SOL_IP, IP_TOS, tos, 'setsockopt IP_TOS');
    else setInt(fd, SOL_IPV6, IPV6_TCLASS, tos, 'setsockopt IPV6_TCLASS');
  }
  if (protocol === 'udp') return;
  if (mssBytes) setInt(fd, IPPROTO_TCP, TCP_MAXSEG, mssBytes, 'setsockopt TCP_MAXSEG');
  if (noDelay) setInt(fd, IPPROTO_TCP, TCP_NODELAY, 1, 'setsockopt TCP_NODELAY');
  if (congestion !== undefined) {
    const name = Buffer.from(congestion, 'latin1');
    check(libc().setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, name.length), `congestion control "${congestion}"`);
  }
}

function open(address: string, protocol: 'tcp' | 'udp'): { fd: number; family: 4 | 6 } {
  const family = isIPv6(address) ? 6 : 4;
  const type = (protocol === 'tcp' ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return { fd: check(libc().socket(family === 4 ? AF_INET : AF_INET6, type, 0), 'socket', address), family };
}

function name(fd: number, what: 'bind' | 'connect', { address, port }: Endpoint): number {
  const sockaddr = memory(SOCKADDR_IN6_BYTES);
  const length = encodeSockaddr(sockaddr, address, port);
  const result = what === 'bind' ? libc().bind(fd, sockaddr, length) : libc().connect(fd, sockaddr, length);
  return result < 0 ? lastErrno() : 0;
}

/** Runs `use` on a fresh descriptor, which is closed again when that throws. */
async function guarded(fd: number, use: () => void | Promise<void>): Promise<number> {
  try {
    await use();
    return fd;
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

/** @throws SystemCallError, ETIMEDOUT after `timeoutMs`, or the signal's reason */
export async function connectTcp(
  to: Endpoint,
  options: SocketOptions,
  wait: { timeoutMs: number; signal: AbortSignal },
): Promise<number> {
  const { fd, family } = open(to.address, 'tcp');
  return guarded(fd, async () => {
    applyOptions(fd, family, 'tcp', options);
    const errno = name(fd, 'connect', to);
    if (errno === 0) return;
    if (errno !== constants.errno.EINPROGRESS) throw new SystemCallError('connect', errno, to.address);
    await connected(fd, to, wait);
  });
}

async function connected(
  fd: number,
  { address }: Endpoint,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  const poll = memory(8);
  poll.writeInt32LE(fd, 0);
  poll.writeUInt16LE(4, 4); // POLLOUT
  const now = memory(16);
  const untilMs = performance.now() + timeoutMs;
  // Looked at rather than waited for: it happens once per stream, before anything is measured.
  while (libc().ppoll(poll, 1, now, null, 8) <= 0) {
    if (performance.now() > untilMs) throw new SystemCallError('connect', constants.errno.ETIMEDOUT, address);
    await sleep(1, undefined, { signal });
  }
  const errno = socketError(fd);
  if (errno !== 0) throw new SystemCallError('connect', errno, address);
}

function socketError(fd: number): number {
  const [value, length] = [memory(4), memory(4)];
  length.writeInt32LE(4, 0);
  check(libc().getsockopt(fd, SOL_SOCKET, SO_ERROR, value, length), 'getsockopt SO_ERROR');
  return value.readInt32LE(0);
}

/** Options on a socket that was accepted. */
export function prepareAccepted(fd: number, address: string, options: SocketOptions): void {
  applyOptions(fd, isIPv6(address) ? 6 : 4, 'tcp', options);
}

/** @param from local address and port, for a server whose socket must look like its listener @throws SystemCallError */
export async function connectUdp(to: Endpoint, options: SocketOptions, from?: Endpoint): Promise<number> {
  const { fd, family } = open(to.address, 'udp');
  return guarded(fd, () => {
    setInt(fd, SOL_SOCKET, SO_SNDBUF, UDP_BUFFER_BYTES, 'setsockopt SO_SNDBUF');
    setInt(fd, SOL_SOCKET, SO_RCVBUF, UDP_BUFFER_BYTES, 'setsockopt SO_RCVBUF');
    setInt(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1, 'setsockopt SO_TIMESTAMPNS');
    applyOptions(fd, family, 'udp', options);
    if (from) {
      setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1, 'setsockopt SO_REUSEADDR');
      const errno = name(fd, 'bind', from);
      if (errno !== 0) throw new SystemCallError('bind', errno, from.address);
    }
    const errno = name(fd, 'connect', to);
    if (errno !== 0) throw new SystemCallError('connect', errno, to.address);
  });
}

/** A listening socket of either kind; UDP ones may share their port with the connected sockets of running tests. */
export function openListener(at: Endpoint, protocol: 'tcp' | 'udp'): number {
  const { fd, family } = open(at.address, protocol);
  try {
    setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1, 'setsockopt SO_REUSEADDR');
    // `::` takes IPv4 as well, whatever the system's default is.
    if (family === 6 && at.address === '::') setInt(fd, SOL_IPV6, IPV6_V6ONLY, 0, 'setsockopt IPV6_V6ONLY');
    const errno = name(fd, 'bind', at);
    if (errno !== 0) throw new SystemCallError('bind', errno, `${at.address} port ${at.port}`);
    if (protocol === 'udp') setInt(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1, 'setsockopt SO_TIMESTAMPNS');
    else check(libc().listen(fd, 128), 'listen', at.address);
    return fd;
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

export function localAddress(fd: number): SocketAddress | null {
  const [sockaddr, length] = [memory(SOCKADDR_IN6_BYTES), memory(4)];
  length.writeInt32LE(SOCKADDR_IN6_BYTES, 0);
  return libc().getsockname(fd, sockaddr, length) < 0 ? null : decodeSockaddr(sockaddr);
}

/** Small writes of the set-up, on a socket whose buffer is empty. @throws SystemCallError */
export function sendNow(fd: number, bytes: Buffer, address: string): void {
  check(libc().send(fd, bytes, bytes.length, 0), 'send', address);
}

/** One datagram, or null while there is none. @throws SystemCallError */
export function receiveNow(fd: number, buffer: Buffer, address: string): number | null {
  const got = libc().recv(fd, buffer, buffer.length, 0);
  if (got >= 0) return got;
  const errno = lastErrno();
  if (errno === constants.errno.EAGAIN) return null;
  throw new SystemCallError('recv', errno, address);
}

/** Takes everything that waits on a UDP socket: the senders of datagrams of `bytes` octets. */
export function takeStrays(fd: number, bytes: number): SocketAddress[] {
  const message = new MessageBuffers(2048);
  const senders: SocketAddress[] = [];
  for (let i = 0; i < 64; i++) {
    message.reset();
    const got = libc().recvmsg(fd, message.header, MSG_DONTWAIT);
    if (got < 0) break;
    const from = decodeSockaddr(message.name, 0, message.nameLength);
    if (got === bytes && from) senders.push(from);
  }
  return senders;
}

const info = { bytes: memory(tcpInfoSize), length: memory(4) };

/** What the kernel knows of a connection right now; null when it is none any more. */
export function readTcpInfo(fd: number): TcpInfo | null {
  info.length.writeUInt32LE(tcpInfoSize, 0);
  if (libc().getsockopt(fd, IPPROTO_TCP, TCP_INFO, info.bytes, info.length) < 0) return null;
  return parseTcpInfo(info.bytes, info.length.readUInt32LE(0));
}

/** Octets that were written and that the peer has not acknowledged. */
export function unackedBytes(fd: number): number {
  const value = memory(4);
  return libc().ioctl(fd, SIOCOUTQ, value) < 0 ? 0 : value.readInt32LE(0);
}

/** Name of the congestion control of a TCP socket; null when it cannot be read. */
export function congestionOf(fd: number): string | null {
  const [text, length] = [memory(16), memory(4)];
  length.writeInt32LE(16, 0);
  if (libc().getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, text, length) < 0) return null;
  return text.toString('latin1', 0, 16).split('\0')[0] ?? null;
}

/** The peer reads what was sent, and then the end. */
export function endWriting(fd: number): void {
  libc().shutdown(fd, SHUT_WR);
}

export function closeSocket(fd: number): void {
  libc().close(fd);
}
