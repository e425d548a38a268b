import { SOCK_RAW } from '../abi.ts';
import { attachBpf } from '../bpf.ts';
import { StampedSocket } from '../error-queue.ts';
import { readIPv4Header } from '../icmp.ts';
import type { QuotedPacket } from '../icmp-error.ts';
import { addressBytes, checksumAdd } from '../ip.ts';
import { memory, SystemCallError } from '../libc.ts';
import { HEADER6_BYTES, includeHeader6, startHeader6, writeProbe6 } from './header6.ts';
import { type IcmpListener, plainAddress } from './icmp-listener.ts';
import { InFlight } from './in-flight.ts';
import { seenTtl, type TraceEvents, type TraceReply, type TraceTarget } from './transport.ts';

/** What came for a transport of raw packets. */
export interface RawEvents {
  /** A router or host quotes a packet that went to the target. */
  heard(quoted: QuotedPacket, reply: TraceReply): void;
  /** A packet of the target, without its IP header. */
  received(message: Buffer, replyTtl: number | null, atMs: number | null): void;
}

/**
 * Probes whose transport header is written by us, one packet laid out once and sent again and again: a raw socket connected to the target,
 * a listener for what routers say of it, and the books of what is on its way.
 */
export class RawPackets {
  /** Our address towards the target. */
  readonly source: string;
  /** The transport header and what follows: to be written before each send(). */
  readonly message: Buffer;
  /** Sum of the pseudo header of `message`. */
  readonly pseudoSum: number;
  readonly probes = new InFlight();
  readonly #target: TraceTarget;
  readonly #listener: IcmpListener;
  readonly #socket: StampedSocket;
  readonly #packet: Buffer;

  /** @param filter of what comes in, see bpf.ts @throws SystemCallError EPERM without CAP_NET_RAW, or what connect() says */
  constructor(
    target: TraceTarget,
    listener: IcmpListener,
    { protocol, bytes, filter }: { protocol: number; bytes: number; filter?: Uint8Array },
  ) {
    const { address, family } = target;
    this.#target = target;
    this.#listener = listener;
    this.#socket = new StampedSocket(family, SOCK_RAW, protocol, 'tx+rx');
    try {
      if (filter !== undefined) attachBpf(this.#socket.fd, filter);
      if (family === 6) {
        // A raw IPv4 socket hands out the header, TTL included.
        this.#socket.receiveHopLimit();
        includeHeader6(this.#socket);
      }
      const errno = this.#socket.connect(address, 0);
      if (errno !== 0) throw new SystemCallError('connect', errno, address);
      this.source = plainAddress(this.#socket.localAddress()) ?? '';
    } catch (error) {
      this.#socket.close();
      throw error;
    }
    const before = family === 6 ? HEADER6_BYTES : 0;
    this.#packet = memory(before + bytes);
    this.message = this.#packet.subarray(before);
    if (family === 6) startHeader6(this.#packet, this.source, address, protocol);
    const ends = [this.source, address].map((text) => addressBytes(text.split('%', 1)[0]!));
    this.pseudoSum = ends.reduce((sum, end) => checksumAdd(end, 0, end.length, sum), protocol + bytes);
  }

  /** Sends what stands in `message`. @throws SystemCallError */
  send(id: number, flow: number, ttl: number): void {
    if (this.#target.family === 6) writeProbe6(this.#packet, flow, ttl);
    else this.#socket.setHopLimit(ttl);
    this.#socket.send(this.#packet, this.#packet.length, id, this.#target.address);
  }

  /** As TraceTransport.drain(). */
  drain(events: TraceEvents, { heard, received }: RawEvents): number {
    const listenerStepMs = this.#listener.drain(heard);
    const ownStepMs = this.#socket.drain({
      transmitted: (id, atMs) => events.transmitted(id, atMs),
      icmpError: () => undefined,
      received: (bytes, control, atMs) => {
        const { data } = this.#socket.message;
        const header = this.#target.family === 4 ? readIPv4Header(data, bytes) : null;
        if (this.#target.family === 4 && header === null) return;
        received(data.subarray(header?.headerBytes ?? 0, bytes), header?.ttl ?? seenTtl(control), atMs);
      },
    });
    return listenerStepMs === 0 ? ownStepMs : listenerStepMs;
  }

  close(): void {
    this.#socket.close();
    this.#listener.close();
  }
}
