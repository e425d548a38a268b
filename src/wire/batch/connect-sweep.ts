import { constants } from 'node:os';
import { IPPROTO_TCP, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, SO_ERROR, TCP_INFO } from '../abi.ts';
import { KernelClock } from '../clock.ts';
import { Epoll, EPOLLIN, EPOLLOUT } from '../epoll.ts';
import { lastErrno, libc, memory } from '../libc.ts';
import {
  IP_RECVERR,
  IPV6_RECVERR,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  SO_EE_ORIGIN,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
} from '../msghdr.ts';
import { AF_INET, AF_INET6, SOCKADDR_IN6_BYTES, SOCKADDR_IN_BYTES } from '../sockaddr.ts';
import { type Columns, ProbeState } from './columns.ts';
import { Flight, type SweepPlan } from './flight.ts';
import { HelloExchange } from './hello-exchange.ts';
import { MessageBatch } from './messages.ts';
import { noteOffender } from './receiver.ts';
import { fastControl, readFastControl } from './stamps.ts';
import type { SweepEnd } from './sweep.ts';

/** Connections on the way at once: descriptors are few. */
const AT_ONCE = 512;
const EVENTS = 256;
const WAIT_MAX_MS = 20;
// struct tcp_info (linux/tcp.h)
const TCP_INFO_BYTES = 104;
const TCPI_RTT = 68;
const TCPI_TOTAL_RETRANS = 100;
/** tcpi_rtt counts whole microseconds. */
const TCP_INFO_ERROR_MS = 0.001;

/**
 * TCP handshakes by connect(), which everybody may: the kernel's own round trip of the SYN from TCP_INFO, ICMP errors from the
 * socket's error queue (since Linux 5.8 also for SYNs). Closed at once: without data, or after the first octet that a ClientHello
 * brought back. The same books and columns as Sweep.
 */
export class ConnectSweep {
  readonly #flight: Flight;
  readonly #columns: Columns;
  readonly #clock = new KernelClock();
  readonly #epoll = new Epoll(EVENTS);
  readonly #address = memory(SOCKADDR_IN6_BYTES);
  readonly #info = memory(TCP_INFO_BYTES);
  readonly #value = memory(4);
  readonly #length = memory(4);
  readonly #errors = new MessageBatch(1, 96, 192);
  readonly #said = fastControl();
  /** Descriptors by probe, in order of sending. */
  readonly #open = new Map<number, number>();
  readonly #hello: HelloExchange | null;
  #endMs = NaN;

  /** @param serverNames makes it measure the answer to a ClientHello, with these names by target in it */
  constructor(columns: Columns, plan: SweepPlan, serverNames?: ReadonlyMap<number, string>) {
    this.#columns = columns;
    this.#flight = new Flight(columns, plan);
    this.#hello = serverNames === undefined ? null : new HelloExchange(this.#flight, this.#clock, serverNames);
  }

  step(untilMs: number): boolean {
    const flight = this.#flight;
    if (Number.isNaN(flight.startMs)) flight.startMs = this.#clock.monoMs();
    for (;;) {
      this.#send();
      const nowMs = this.#clock.monoMs();
      const nextMs = Math.min(untilMs, this.#open.size < AT_ONCE ? flight.dueMs() : Infinity, flight.expiryMs());
      this.#receive(Math.min(WAIT_MAX_MS, Math.max(0, Math.ceil(nextMs - nowMs))));
      const thenMs = this.#clock.monoMs();
      flight.expire(thenMs);
      if (this.#columns.control[0] !== 0) flight.interrupt();
      this.#closeEnded();
      const isOver = flight.flying === 0 && flight.next >= flight.total;
      if (this.#columns.control[0] !== 0 || isOver) {
        this.#endMs = thenMs;
        return true;
      }
      if (thenMs >= untilMs) return false;
    }
  }

  end(): SweepEnd {
    return {
      sockets: ['TCP sockets'],
      calibration: this.#hello?.calibration ?? null,
      nic: null,
      clockStepMs: this.#clock.largestStepMs,
      receiveBuffer: 0,
      durationMs: Math.max(0, this.#endMs - this.#flight.startMs),
    };
  }

  close(): void {
    for (const fd of this.#open.values()) libc().close(fd);
    this.#open.clear();
    this.#epoll.close();
    this.#hello?.close();
  }

  #send(): void {
    const flight = this.#flight;
    for (flight.skipUnaddressed(); this.#open.size < AT_ONCE; flight.skipUnaddressed()) {
      const nowMs = this.#clock.monoMs();
      if (flight.dueMs() > nowMs) return;
      const target = flight.nextTarget;
      const fd = this.#socket(target);
      if (fd < 0) flight.failed(-fd);
      else this.#connect(fd, target);
    }
  }

  /** A descriptor, or minus an errno. */
  #socket(target: number): number {
    const isV4 = this.#columns.family[target] === 4;
    const c = libc();
    const fd = c.socket(isV4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) return -lastErrno();
    this.#value.writeInt32LE(1, 0);
    c.setsockopt(fd, isV4 ? SOL_IP : SOL_IPV6, isV4 ? IP_RECVERR : IPV6_RECVERR, this.#value, 4);
    return fd;
  }

  #connect(fd: number, target: number): void {
    const { family, address32, port, scope } = this.#columns;
    const isV4 = family[target] === 4;
    this.#address.fill(0);
    this.#address.writeUInt16LE(isV4 ? AF_INET : AF_INET6, 0);
    this.#address.writeUInt16LE(port[target]!, 2);
    for (let i = 0; i < (isV4 ? 1 : 4); i++)
      this.#address.writeUInt32LE(address32[target * 4 + i]!, (isV4 ? 4 : 8) + i * 4);
    if (!isV4) this.#address.writeUInt32LE(scope[target]!, 24);
    const sentMs = this.#clock.monoMs();
    const result = libc().connect(fd, this.#address, isV4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES);
    const errno = result < 0 ? lastErrno() : 0;
    // On loopback a reset is there before connect() returns; everything else that fails at once never left.
    const isUnderWay = errno === 0 || errno === constants.errno.EINPROGRESS || errno === constants.errno.ECONNREFUSED;
    if (!isUnderWay) {
      libc().close(fd);
      this.#flight.failed(errno);
      return;
    }
    const probe = this.#flight.sent(sentMs);
    this.#open.set(probe, fd);
    if (errno === constants.errno.ECONNREFUSED) {
      this.#refused(probe);
      return;
    }
    this.#epoll.add(fd, EPOLLIN | EPOLLOUT, probe);
  }

  #receive(waitMs: number): void {
    const count = this.#epoll.wait(waitMs);
    for (let i = 0; i < count; i++) {
      const probe = this.#epoll.data(i);
      const fd = this.#open.get(probe);
      if (fd === undefined) continue;
      if (this.#hello?.isOut(probe)) this.#hello.receive(probe, fd);
      else this.#answer(probe, fd);
    }
  }

  #answer(probe: number, fd: number): void {
    const flight = this.#flight;
    if (this.#icmpError(probe, fd)) return;
    const errno = this.#takeError(fd);
    if (errno === constants.errno.ECONNREFUSED) this.#refused(probe);
    else if (errno !== 0) {
      this.#columns.errno[flight.targetOf(probe)] = errno;
      flight.undeliverable(probe);
    } else this.#connected(probe, fd);
  }

  #connected(probe: number, fd: number): void {
    const flight = this.#flight;
    this.#length.writeUInt32LE(TCP_INFO_BYTES, 0);
    libc().getsockopt(fd, IPPROTO_TCP, TCP_INFO, this.#info, this.#length);
    // A SYN that had to be sent again is a lost packet, and its time is not one round trip: it runs into its timeout.
    if (this.#info.readUInt32LE(TCPI_TOTAL_RETRANS) > 0) this.#epoll.modify(fd, 0, probe);
    else if (this.#hello !== null) {
      this.#epoll.modify(fd, EPOLLIN, probe);
      this.#hello.send(probe, fd);
    } else {
      flight.txErrorMs[probe & flight.mask] = TCP_INFO_ERROR_MS;
      flight.answered(probe, this.#info.readUInt32LE(TCPI_RTT) / 1000, this.#waitedMs(probe), ProbeState.answered);
    }
  }

  /** A reset carries no stamp: its time is that of our own clock, between the last look and this one. */
  #refused(probe: number): void {
    const flight = this.#flight;
    const waitedMs = this.#waitedMs(probe);
    flight.txErrorMs[probe & flight.mask] = waitedMs / 2;
    flight.answered(probe, waitedMs, waitedMs, ProbeState.refused);
  }

  #waitedMs(probe: number): number {
    return this.#clock.monoMs() - this.#flight.sentMs[probe & this.#flight.mask]!;
  }

  /** Whether a router or host said by ICMP that the SYN cannot arrive. */
  #icmpError(probe: number, fd: number): boolean {
    const errors = this.#errors;
    const columns = this.#columns;
    errors.received(1);
    errors.rearm();
    if (libc().recvmmsg(fd, errors.headers, 1, MSG_ERRQUEUE | MSG_DONTWAIT, null) !== 1) return false;
    readFastControl(errors.control32, 0, errors.controlLength(0), this.#said);
    const { errorWord, errorBytes } = this.#said;
    if (errorWord < 0) return false;
    const word = errors.control32[errorWord + 1]!;
    const origin = word & 0xff;
    if (origin !== SO_EE_ORIGIN.ICMP && origin !== SO_EE_ORIGIN.ICMP6) return false;
    const target = this.#flight.targetOf(probe);
    columns.icmp[target] = ((word >>> 8) & 0xff) * 256 + ((word >>> 16) & 0xff);
    if (errorBytes >= 16 + (columns.family[target] === 4 ? 8 : 24))
      noteOffender(errors.control32, errorWord + 4, columns, target);
    return this.#flight.undeliverable(probe);
  }

  #takeError(fd: number): number {
    this.#length.writeUInt32LE(4, 0);
    if (libc().getsockopt(fd, SOL_SOCKET, SO_ERROR, this.#value, this.#length) < 0) return lastErrno();
    return this.#value.readInt32LE(0);
  }

  /** Closes what is answered or given up. */
  #closeEnded(): void {
    const { state, targets, rounds } = this.#columns;
    for (const [probe, fd] of this.#open) {
      const target = probe % targets;
      if (state[target * rounds + (probe - target) / targets] === ProbeState.flying) continue;
      libc().close(fd);
      this.#hello?.forget(probe);
      this.#open.delete(probe);
    }
  }
}
