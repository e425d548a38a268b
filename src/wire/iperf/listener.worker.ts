import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from '../abi.ts';
import { KernelClock } from '../clock.ts';
import { Epoll, EPOLLIN } from '../epoll.ts';
import { lastErrno, libc, memory } from '../libc.ts';
import { controlMessages, MessageBuffers, MSG_DONTWAIT, MSG_NOSIGNAL, readControl } from '../msghdr.ts';
import { decodeSockaddr, SOCKADDR_IN6_BYTES } from '../sockaddr.ts';
import { COOKIE_BYTES, decodeCookie } from './control.ts';
import { answerEcho, UDP_HELLO } from './datagram.ts';
import type { FromListener, ListenerSetup } from './listener.ts';

/**
 * Waits for connections and reads their cookie, octet-exact: what follows belongs to whoever gets the connection. Nobody can
 * hold it up: a connection has five seconds for its 37 octets, and a crowd of silent ones pushes out its oldest.
 */
const COOKIE_WAIT_MS = 5000;
const PENDING_MAX = 128;
const EVENTS = 64;
const EAGAIN = 11;
const EINTR = 4;
/** Datagrams per round, so that a flood of them cannot keep connections waiting. */
const DATAGRAMS = 64;

interface Pending {
  fd: number;
  address: string;
  port: number;
  bytes: Buffer;
  got: number;
  untilMs: number;
}

const parent = parentPort as MessagePort;
const { tcpFd, udpFd, wakeFd } = workerData as ListenerSetup;
const c = libc();
const clock = new KernelClock();
const epoll = new Epoll(EVENTS);
const sockaddr = memory(SOCKADDR_IN6_BYTES);
const sockaddrLength = memory(4);
const datagram = new MessageBuffers(2048);
const control = controlMessages();
const pending = new Map<number, Pending>();

for (const fd of [tcpFd, udpFd, wakeFd]) epoll.add(fd, EPOLLIN);
while (turn());
for (const fd of pending.keys()) c.close(fd);
epoll.close();
parent.close();

/** One round; false when it was the last. */
function turn(): boolean {
  const count = epoll.wait(pending.size > 0 ? 250 : 60_000);
  for (let i = 0; i < count; i++) {
    const fd = epoll.data(i);
    if (fd === wakeFd) return false;
    if (fd === tcpFd) accept();
    else if (fd === udpFd) receiveDatagrams();
    else readCookie(pending.get(fd));
  }
  const nowMs = clock.monoMs();
  for (const one of pending.values()) if (nowMs > one.untilMs) drop(one, 'no cookie in time');
  return true;
}

function accept(): void {
  sockaddrLength.writeInt32LE(SOCKADDR_IN6_BYTES, 0);
  const fd = c.accept4(tcpFd, sockaddr, sockaddrLength, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  const { address, port } = decodeSockaddr(sockaddr) ?? { address: 'unknown', port: 0 };
  if (pending.size >= PENDING_MAX) drop(pending.values().next().value!, 'too many');
  const one = { fd, address, port, bytes: memory(COOKIE_BYTES), got: 0, untilMs: clock.monoMs() + COOKIE_WAIT_MS };
  pending.set(fd, one);
  epoll.add(fd, EPOLLIN);
}

function readCookie(one: Pending | undefined): void {
  if (!one) return;
  const { fd, address, port, bytes } = one;
  const got = c.recv(fd, bytes.subarray(one.got), COOKIE_BYTES - one.got, MSG_DONTWAIT);
  if (got <= 0) {
    const errno = got < 0 ? lastErrno() : 0;
    if (errno !== EAGAIN && errno !== EINTR) drop(one, 'closed');
    return;
  }
  one.got += got;
  if (one.got < COOKIE_BYTES) return;
  const cookie = decodeCookie(bytes);
  if (cookie === null) {
    drop(one, 'no cookie');
    return;
  }
  epoll.remove(fd);
  pending.delete(fd);
  tell({ kind: 'connection', fd, cookie, address, port });
}

function drop(one: Pending, reason: Extract<FromListener, { kind: 'dropped' }>['reason']): void {
  pending.delete(one.fd);
  c.close(one.fd);
  tell({ kind: 'dropped', address: one.address, reason });
}

function receiveDatagrams(): void {
  for (let i = 0; i < DATAGRAMS; i++) {
    datagram.reset();
    const bytes = c.recvmsg(udpFd, datagram.header, MSG_DONTWAIT);
    if (bytes < 0) return;
    if (bytes === UDP_HELLO.length) {
      const from = decodeSockaddr(datagram.name, 0, datagram.nameLength);
      if (from) tell({ kind: 'hello', address: from.address, port: from.port });
    } else answer(bytes);
  }
}

function answer(bytes: number): void {
  readControl(datagram.control, datagram.controlLength, control);
  let dwellMs = 0;
  if (control.hasStamp) {
    clock.sample();
    dwellMs = Math.max(0, clock.monoMs() - clock.toMonoMs(control.stampSec, control.stampNsec));
  }
  if (!answerEcho(datagram.data, bytes, dwellMs * 1e6)) return;
  c.sendto(udpFd, datagram.data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL, datagram.name, datagram.nameLength);
}

function tell(event: FromListener): void {
  parent.postMessage(event);
}
