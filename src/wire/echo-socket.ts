import { SOCK_DGRAM, SOCK_RAW } from './abi.ts';
import { randomInt } from 'node:crypto';
import { errnoOf, StampedSocket } from './error-queue.ts';
import { describeIcmp, readEcho, readIPv4Header, writeEcho } from './icmp.ts';
import { memory, SystemCallError } from './libc.ts';
import type { ControlMessages } from './msghdr.ts';
import { decodeSockaddr } from './sockaddr.ts';

/** What drain() finds out about echo requests, by their sequence number. Times are monotonic ms. */
export interface EchoEvents {
  transmitted(sequence: number, atMs: number): void;
  /** `atMs` is null when the reply carried no kernel stamp. */
  replied(sequence: number, atMs: number | null): void;
  /** A router or the own host said that it cannot be delivered. */
  undeliverable(sequence: number, by: string, message: string): void;
}

/** ICMP echo to one address: a "ping" socket (unprivileged where net.ipv4.ping_group_range allows) or a raw one. */
export interface EchoSocket {
  kind: 'ping socket' | 'raw socket';
  /** @param sequence 0 to 65535 @throws SystemCallError */
  send(sequence: number): void;
  /** Reads what has come; returns how far the wall clock was stepped since the last call, ms. */
  drain(events: EchoEvents): number;
  close(): void;
}

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
/** 56 octets of data behind the header, as ping(8) sends. */
const PACKET_BYTES = 64;

/** @throws SystemCallError EACCES or EPERM where neither kind is permitted, or what connect() says (ENETUNREACH …) */
export function openEchoSocket(address: string, family: 4 | 6): EchoSocket {
  const protocol = family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  try {
    return new KernelEchoSocket(new StampedSocket(family, SOCK_DGRAM, protocol, 'tx+rx'), 'ping socket', address);
  } catch (error) {
    if (errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM') throw error;
  }
  return new KernelEchoSocket(new StampedSocket(family, SOCK_RAW, protocol, 'tx+rx'), 'raw socket', address);
}

class KernelEchoSocket implements EchoSocket {
  readonly kind: EchoSocket['kind'];
  readonly #socket: StampedSocket;
  readonly #address: string;
  readonly #packet = memory(PACKET_BYTES);
  /** Ours on a raw socket; a ping socket's kernel overwrites it by the local port and hands us only our own replies. */
  readonly #identifier = randomInt(0x10000);

  constructor(socket: StampedSocket, kind: EchoSocket['kind'], address: string) {
    this.#socket = socket;
    this.kind = kind;
    this.#address = address;
    const errno = socket.connect(address, 0);
    if (errno === 0) return;
    socket.close();
    throw new SystemCallError('connect', errno, address);
  }

  send(sequence: number): void {
    writeEcho(this.#packet, this.#socket.family, this.#identifier, sequence);
    this.#socket.send(this.#packet, PACKET_BYTES, sequence, this.#address);
  }

  drain(events: EchoEvents): number {
    return this.#socket.drain({
      transmitted: (tag, atMs) => events.transmitted(tag, atMs),
      received: (bytes, _control, atMs) => this.#received(bytes, atMs, events),
      icmpError: (control, bytes) => this.#failed(control, bytes, events),
    });
  }

  close(): void {
    this.#socket.close();
  }

  #received(bytes: number, atMs: number | null, events: EchoEvents): void {
    const { data, name, nameLength } = this.#socket.message;
    let offset = 0;
    if (this.kind === 'raw socket' && this.#socket.family === 4) {
      const header = readIPv4Header(data, bytes);
      if (header === null) return;
      offset = header.headerBytes;
    }
    const echo = readEcho(data, offset, bytes, this.#socket.family);
    if (echo === null || !echo.reply || !this.#ours(echo.identifier)) return;
    // connect() makes the kernel filter by peer; a reply from elsewhere would be a different path's and is not counted.
    if (decodeSockaddr(name, 0, nameLength) !== null) events.replied(echo.sequence, atMs);
  }

  #failed(control: ControlMessages, bytes: number, events: EchoEvents): void {
    const echo = readEcho(this.#socket.message.data, 0, bytes, this.#socket.family);
    if (echo === null || echo.reply || !this.#ours(echo.identifier)) return;
    const message = describeIcmp(this.#socket.family, control.errorType, control.errorCode);
    events.undeliverable(echo.sequence, control.offender ?? 'unknown', message);
  }

  #ours(identifier: number): boolean {
    return this.kind === 'ping socket' || identifier === this.#identifier;
  }
}
