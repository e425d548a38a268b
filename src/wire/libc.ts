import { constants } from 'node:os';
import koffi from 'koffi';

/**
 * The C library, called from TypeScript. Loaded at first use, so importing this file is free on every platform; the calls
 * themselves are used on Linux only. All pointers are Buffers: no struct is described to koffi, the bytes are laid out by the
 * code that owns them. Calls block the calling thread unless the descriptor is non-blocking.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: Uint8Array, length: Uint8Array, flags: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array): number;
  shutdown(fd: number, how: number): number;
  close(fd: number): number;
  open(path: string, flags: number, mode: number): number;
  read(fd: number, buffer: Uint8Array, length: number): number;
  write(fd: number, buffer: Uint8Array, length: number): number;
  /** read and write on a memory address as a plain number (x86-64 and arm64 user addresses fit), so a pool needs no views. */
  readAt(fd: number, address: number, length: number): number;
  writeAt(fd: number, address: number, length: number): number;
  send(fd: number, buffer: Uint8Array, length: number, flags: number): number;
  /** send and recv on a memory address, as readAt. */
  sendAt(fd: number, address: number, length: number, flags: number): number;
  recvAt(fd: number, address: number, length: number, flags: number): number;
  sendto(
    fd: number,
    buffer: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number;
  recv(fd: number, buffer: Uint8Array, length: number, flags: number): number;
  recvmsg(fd: number, message: Uint8Array, flags: number): number;
  recvmmsg(fd: number, messages: Uint8Array, count: number, flags: number, timeout: null): number;
  sendmmsg(fd: number, messages: Uint8Array, count: number, flags: number): number;
  ppoll(fds: Uint8Array, count: number, timeout: Uint8Array | null, sigmask: null, sigsetSize: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epfd: number, operation: number, fd: number, event: Uint8Array): number;
  epoll_wait(epfd: number, events: Uint8Array, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  unshare(flags: number): number;
  setns(fd: number, kind: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  sched_setscheduler(thread: number, policy: number, parameter: Uint8Array): number;
  clock_gettime(clock: number, timespec: Uint8Array): number;
  adjtimex(timex: Uint8Array): number;
  getrusage(who: number, usage: Uint8Array): number;
  flock(fd: number, operation: number): number;
  /** Addresses as plain numbers, as in readAt; 0: anywhere. −1 where it fails. */
  mmap(address: number, length: number, protection: number, flags: number, fd: number, offset: number): number;
}

/**
 * Where structs and numbers are as we lay them out: 64 bits, little-endian, the generic ABI of Linux (asm-generic/socket.h, fcntl.h;
 * epoll_event alone differs on x86-64, see epoll.ts). Elsewhere (32-bit ARM, POWER, s390x) a pointer or an option of ours would mean
 * something else to the kernel.
 */
const KNOWN_ABI: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'loong64']);

/** @throws SystemCallError ENOSYS, which every caller reports as what cannot be measured here */
export function assertKnownAbi(arch: string): void {
  if (!KNOWN_ABI.has(arch)) throw new SystemCallError('kernel interface', constants.errno.ENOSYS, `on ${arch}`);
}

let loaded: Libc | undefined;

/** The loaded library of this thread. @throws when the platform has no such symbols (anything but Linux), or another ABI. */
export function libc(): Libc {
  if (loaded) return loaded;
  assertKnownAbi(process.arch);
  const lib = koffi.load(null);
  loaded = {
    socket: lib.func('int socket(int, int, int)'),
    bind: lib.func('int bind(int, void*, uint32_t)'),
    connect: lib.func('int connect(int, void*, uint32_t)'),
    listen: lib.func('int listen(int, int)'),
    accept4: lib.func('int accept4(int, void*, void*, int)'),
    getsockname: lib.func('int getsockname(int, void*, void*)'),
    setsockopt: lib.func('int setsockopt(int, int, int, void*, uint32_t)'),
    getsockopt: lib.func('int getsockopt(int, int, int, void*, void*)'),
    shutdown: lib.func('int shutdown(int, int)'),
    close: lib.func('int close(int)'),
    open: lib.func('int open(const char*, int, int)'),
    read: lib.func('long read(int, void*, size_t)'),
    write: lib.func('long write(int, void*, size_t)'),
    readAt: lib.func('long read(int, int64_t, size_t)'),
    writeAt: lib.func('long write(int, int64_t, size_t)'),
    send: lib.func('long send(int, void*, size_t, int)'),
    sendAt: lib.func('long send(int, int64_t, size_t, int)'),
    recvAt: lib.func('long recv(int, int64_t, size_t, int)'),
    sendto: lib.func('long sendto(int, void*, size_t, int, void*, uint32_t)'),
    recv: lib.func('long recv(int, void*, size_t, int)'),
    recvmsg: lib.func('long recvmsg(int, void*, int)'),
    recvmmsg: lib.func('int recvmmsg(int, void*, uint32_t, int, void*)'),
    sendmmsg: lib.func('int sendmmsg(int, void*, uint32_t, int)'),
    ppoll: lib.func('int ppoll(void*, unsigned long, void*, void*, size_t)'),
    epoll_create1: lib.func('int epoll_create1(int)'),
    epoll_ctl: lib.func('int epoll_ctl(int, int, int, void*)'),
    epoll_wait: lib.func('int epoll_wait(int, void*, int, int)'),
    eventfd: lib.func('int eventfd(uint32_t, int)'),
    ioctl: lib.func('int ioctl(int, unsigned long, void*)'),
    unshare: lib.func('int unshare(int)'),
    setns: lib.func('int setns(int, int)'),
    prctl: lib.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)'),
    sched_setscheduler: lib.func('int sched_setscheduler(int, int, void*)'),
    clock_gettime: lib.func('int clock_gettime(int, void*)'),
    adjtimex: lib.func('int adjtimex(void*)'),
    getrusage: lib.func('int getrusage(int, void*)'),
    flock: lib.func('int flock(int, int)'),
    mmap: lib.func('int64_t mmap(int64_t, size_t, int, int, int, int64_t)'),
  };
  return loaded;
}

/** A failed system call: what was tried, which errno, against what. */
export class SystemCallError extends Error {
  readonly operation: string;
  readonly errno: string;
  readonly address: string;
  constructor(operation: string, errnoNumber: number, address: string) {
    const errno = errnoName(errnoNumber);
    super(`${operation} ${address}: ${errno}`);
    this.name = 'SystemCallError';
    this.operation = operation;
    this.errno = errno;
    this.address = address;
  }
}

/** errno of the last failed call of this thread. */
export function lastErrno(): number {
  return koffi.errno();
}

/** `ECONNREFUSED` and so on; `E<number>` where the platform has no name for it. */
export function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(constants.errno)) if (value === errno) return name;
  return `E${errno}`;
}

/** Returns `result`, or throws when it is negative. */
export function check(result: number, operation: string, address = ''): number {
  if (result < 0) throw new SystemCallError(operation, lastErrno(), address);
  return result;
}

/** The numeric address of a Buffer's memory, for pointer fields inside structs (struct iovec, struct msghdr). */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi.address(buffer);
}

/** Memory that somebody else owns, as it is: it has to stay mapped for as long as anything reads the view. */
export function viewOf(address: number, bytes: number): ArrayBuffer {
  return koffi.view(BigInt(address), bytes);
}

/** A zeroed Buffer whose memory never moves, fit for addressOf(): small typed arrays made otherwise may live on V8's heap. */
export function memory(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes));
}
