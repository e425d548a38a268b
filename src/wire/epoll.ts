import { check, lastErrno, libc, memory, SystemCallError } from './libc.ts';

// linux/eventpoll.h
export const EPOLLIN = 1;
export const EPOLLOUT = 4;
export const EPOLLERR = 8;
export const EPOLLHUP = 16;
/** Told once per change, until the call that it was for says EAGAIN. */
export const EPOLLET = 2 ** 31;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EINTR = 4;

/** struct epoll_event: 32 bits of events and 64 of data, packed on x86-64 and nowhere else. */
export function epollEventLayout(arch: string): { bytes: number; data: number } {
  return arch === 'x64' ? { bytes: 12, data: 4 } : { bytes: 16, data: 8 };
}

const { bytes: EVENT_BYTES, data: EVENT_DATA } = epollEventLayout(process.arch);

/** An epoll instance with the memory of its events. `data` tells one event from another: the descriptor, unless said otherwise. */
export class Epoll {
  readonly fd: number;
  readonly #most: number;
  readonly #events: Buffer;
  readonly #event = memory(EVENT_BYTES);

  /** @param most events that one wait() reports @throws SystemCallError */
  constructor(most: number) {
    this.fd = check(libc().epoll_create1(0), 'epoll_create1');
    this.#most = most;
    this.#events = memory(EVENT_BYTES * most);
  }

  /** These three return what epoll_ctl does: negative on failure. @param data 32 bits, unsigned */
  add(fd: number, interest: number, data = fd): number {
    return this.#control(EPOLL_CTL_ADD, fd, interest, data);
  }

  modify(fd: number, interest: number, data = fd): number {
    return this.#control(EPOLL_CTL_MOD, fd, interest, data);
  }

  remove(fd: number): number {
    return this.#control(EPOLL_CTL_DEL, fd, 0, fd);
  }

  /** Sleeps until something happens, at most `timeoutMs`; how many events there are. @throws SystemCallError */
  wait(timeoutMs: number): number {
    const count = libc().epoll_wait(this.fd, this.#events, this.#most, timeoutMs);
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno !== EINTR) throw new SystemCallError('epoll_wait', errno, '');
    return 0;
  }

  /** `data` and what happened, of event `i` of the last wait(). */
  data(i: number): number {
    return this.#events.readUInt32LE(i * EVENT_BYTES + EVENT_DATA);
  }

  flags(i: number): number {
    return this.#events.readUInt32LE(i * EVENT_BYTES);
  }

  close(): void {
    libc().close(this.fd);
  }

  #control(operation: number, fd: number, interest: number, data: number): number {
    this.#event.writeUInt32LE(interest >>> 0, 0);
    this.#event.writeUInt32LE(data, EVENT_DATA);
    return libc().epoll_ctl(this.fd, operation, fd, this.#event);
  }
}
