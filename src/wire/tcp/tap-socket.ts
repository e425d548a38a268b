import { SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC } from '../abi.ts';
import { attachBpf } from '../bpf.ts';
import type { KernelClock } from '../clock.ts';
import { addressOf, check, lastErrno, libc, memory } from '../libc.ts';
import {
  type ControlMessages,
  controlMessages,
  MSG_DONTWAIT,
  readControl,
  SO_TIMESTAMPNS,
  SOL_SOCKET,
} from '../msghdr.ts';
import { AF_INET, encodeSockaddr } from '../sockaddr.ts';
import { emptySegment, parseTapPacket, tapFilter, tapSnapLength, wrappedDifference } from './tap.ts';

const AF_PACKET = 17;
const ETH_P_ALL_BE = 0x0300;
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;
const PACKET_IGNORE_OUTGOING = 23;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;

const batch = 64;
const controlBytes = 64;
const mmsghdrBytes = 64;
const iovecBytes = 16;

/** Where segments go: connection id, stream offsets, arrival, the peer's clock (unwrapped ticks, −1 none), our bytes it acknowledges. */
export type SegmentSink = (
  id: number,
  startOffset: number,
  endOffset: number,
  atMs: number,
  tsval: number,
  ackedOffset: number,
) => void;

interface Flow {
  id: number;
  /** Peer's initial sequence number + 1, once the SYN-ACK was seen. */
  base: number | null;
  /** Our initial sequence number + 1. */
  ourBase: number;
  synAckMs: number | null;
  highest: number;
  firstTsval: number;
}

/** Packet sockets, one per remote port in use, demultiplexed by our local port (see tap.ts for what this is good for). */
export class Tap {
  readonly #clock: KernelClock;
  readonly #sockets = new Map<number, number>();
  readonly #fds = new Set<number>();
  readonly #flows = new Map<number, Flow>();
  readonly #portOf = new Map<number, number>();
  readonly #headers = memory(batch * mmsghdrBytes);
  readonly #data = memory(batch * tapSnapLength);
  readonly #view: DataView;
  readonly #control = memory(batch * controlBytes);
  readonly #iovecs = memory(batch * iovecBytes);
  readonly #scratch = memory(32);
  readonly #length = memory(4);
  readonly #said: ControlMessages = controlMessages();
  readonly #segment = emptySegment();

  constructor(clock: KernelClock) {
    this.#clock = clock;
    this.#view = new DataView(this.#data.buffer, this.#data.byteOffset, this.#data.length);
    for (let i = 0; i < batch; i++) {
      this.#iovecs.writeBigUInt64LE(addressOf(this.#data) + BigInt(i * tapSnapLength), i * iovecBytes);
      this.#iovecs.writeBigUInt64LE(BigInt(tapSnapLength), i * iovecBytes + 8);
      const at = i * mmsghdrBytes;
      this.#headers.writeBigUInt64LE(addressOf(this.#iovecs) + BigInt(i * iovecBytes), at + 16);
      this.#headers.writeBigUInt64LE(1n, at + 24);
      this.#headers.writeBigUInt64LE(addressOf(this.#control) + BigInt(i * controlBytes), at + 32);
    }
  }

  owns(fd: number): boolean {
    return this.#fds.has(fd);
  }

  /** Opens the socket for a remote port unless there is one; returns the new descriptor to watch, or null. */
  open(remotePort: number): number | null {
    if (this.#sockets.has(remotePort)) return null;
    const fd = openTapSocket(remotePort);
    this.#sockets.set(remotePort, fd);
    this.#fds.add(fd);
    return fd;
  }

  /** Binds the not yet connected socket to a local port, so that its SYN-ACK is recognised however early it comes. */
  reserve(fd: number, family: number, id: number): number {
    const address = memory(28);
    const bytes = encodeSockaddr(address, family === AF_INET ? '0.0.0.0' : '::', 0);
    check(libc().bind(fd, address, bytes), 'bind');
    this.#length.writeUInt32LE(28, 0);
    check(libc().getsockname(fd, address, this.#length), 'getsockname');
    const localPort = address.readUInt16BE(2);
    this.#flows.set(localPort, { id, base: null, ourBase: 0, synAckMs: null, highest: 0, firstTsval: -1 });
    this.#portOf.set(id, localPort);
    return localPort;
  }

  synAckMs(id: number): number | null {
    const localPort = this.#portOf.get(id);
    return localPort === undefined ? null : (this.#flows.get(localPort)?.synAckMs ?? null);
  }

  release(id: number): void {
    const localPort = this.#portOf.get(id);
    if (localPort !== undefined) this.#flows.delete(localPort);
    this.#portOf.delete(id);
  }

  /** Reads all waiting packets. Returns false when the kernel dropped some for lack of buffer. */
  drain(sink: SegmentSink): boolean {
    let complete = true;
    for (const fd of this.#fds) {
      for (;;) {
        this.#reset();
        const count = libc().recvmmsg(fd, this.#headers, batch, MSG_DONTWAIT, null);
        if (count <= 0) break;
        for (let i = 0; i < count; i++) this.#take(i, sink);
        if (count < batch) break;
      }
      if (this.#dropped(fd) > 0) complete = false;
    }
    return complete;
  }

  close(): void {
    for (const fd of this.#fds) libc().close(fd);
    this.#fds.clear();
    this.#sockets.clear();
  }

  #reset(): void {
    for (let i = 0; i < batch; i++) {
      this.#headers.writeUInt32LE(controlBytes, i * mmsghdrBytes + 40);
    }
  }

  #take(index: number, sink: SegmentSink): void {
    const captured = this.#headers.readUInt32LE(index * mmsghdrBytes + 56);
    const segment = this.#segment;
    if (!parseTapPacket(this.#view, index * tapSnapLength, captured, segment)) return;
    const flow = this.#flows.get(segment.localPort);
    if (!flow) return;
    const controlAt = index * controlBytes;
    readControl(this.#control.subarray(controlAt, controlAt + controlBytes), controlBytes, this.#said);
    const atMs = this.#said.hasStamp
      ? this.#clock.toMonoMs(this.#said.stampSec, this.#said.stampNsec)
      : this.#clock.monoMs();
    if (segment.syn) {
      flow.base = (segment.sequence + 1) >>> 0;
      flow.ourBase = segment.acknowledged;
      flow.synAckMs ??= atMs;
      flow.firstTsval = segment.tsval;
      flow.highest = 0;
      sink(flow.id, 0, 0, atMs, segment.tsval < 0 ? -1 : 0, 0);
      return;
    }
    if (flow.base === null) return;
    // Offsets beyond 4 GiB: unwrap against the highest offset seen.
    const start = flow.highest + wrappedDifference(segment.sequence, (flow.base + flow.highest) >>> 0);
    const end = start + segment.payloadBytes;
    if (end > flow.highest) flow.highest = end;
    const ticks = segment.tsval < 0 || flow.firstTsval < 0 ? -1 : wrappedDifference(segment.tsval, flow.firstTsval);
    sink(flow.id, start, end, atMs, ticks < 0 ? -1 : ticks, wrappedDifference(segment.acknowledged, flow.ourBase));
  }

  #dropped(fd: number): number {
    this.#length.writeUInt32LE(8, 0);
    if (libc().getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, this.#scratch, this.#length) < 0) return 0;
    return this.#scratch.readUInt32LE(4);
  }
}

/** A packet socket for TCP from `remotePort`. @throws SystemCallError (EPERM without CAP_NET_RAW). */
function openTapSocket(remotePort: number): number {
  const c = libc();
  const fd = check(c.socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket', 'AF_PACKET');
  const value = memory(4);
  const set = (level: number, name: number, number: number) => {
    value.writeInt32LE(number, 0);
    return c.setsockopt(fd, level, name, value, 4);
  };
  attachBpf(fd, tapFilter(remotePort));
  set(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
  if (set(SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20) < 0) set(SOL_SOCKET, SO_RCVBUF, 4 << 20);
  // Bound only now, when the filter stands: no foreign packet was ever taken in.
  const address = memory(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16LE(ETH_P_ALL_BE, 2);
  check(c.bind(fd, address, 20), 'bind', 'AF_PACKET');
  return fd;
}

/** Whether this process may open the tap; the errno name when not. */
export function tapAllowed(): { allowed: true } | { allowed: false; errno: number } {
  const fd = libc().socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return { allowed: false, errno: lastErrno() };
  libc().close(fd);
  return { allowed: true };
}
