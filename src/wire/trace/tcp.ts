import { randomInt } from 'node:crypto';
import { IPPROTO_TCP, SOCK_RAW, SOCK_STREAM } from '../abi.ts';
import { StampedSocket } from '../error-queue.ts';
import { readIPv4Header } from '../icmp.ts';
import type { QuotedPacket } from '../icmp-error.ts';
import { addressBytes, checksumAdd, checksumFold, protocol, word } from '../ip.ts';
import { addressOf, check, libc, memory, SystemCallError } from '../libc.ts';
import { SOL_SOCKET } from '../msghdr.ts';
import { HEADER6_BYTES, includeHeader6, startHeader6, writeProbe6 } from './header6.ts';
import { InFlight } from './in-flight.ts';
import { type IcmpListener, plainAddress } from './icmp-listener.ts';
import { targetReply, type TraceEvents, type TraceReply, type TraceTarget, type TraceTransport } from './transport.ts';
import { seenTtl } from './udp.ts';

/**
 * Bare SYNs to the port of the application, any number of one flow at a time. A flow is a source port, held by an ordinary
 * socket so that nobody else gets it; the lower half of the sequence number is the mark of a probe. Our kernel knows nothing of
 * these connections and answers each SYN-ACK by a reset: nothing stays half open.
 */
export function openTcpTransport(target: TraceTarget, listener: IcmpListener): TraceTransport {
  return new SynTransport(target, listener);
}

const HEADER_BYTES = 24;
const FLAG = { syn: 0x02, rst: 0x04, ack: 0x10 } as const;
const SO_ATTACH_FILTER = 26;
const MSS_OPTION = 0x020405b4; // kind 2, 4 octets, 1460 (RFC 9293 §3.7.1)
const WINDOW = 64_240;

class SynTransport implements TraceTransport {
  readonly method = 'tcp';
  readonly how = 'TCP SYNs by a raw socket, one flow per source port, kernel TX and RX stamps';
  readonly #target: TraceTarget;
  readonly #listener: IcmpListener;
  readonly #socket: StampedSocket;
  readonly #source: string;
  readonly #holders: StampedSocket[] = [];
  readonly #ports: number[] = [];
  readonly #packet: Buffer;
  /** The TCP header inside the packet. */
  readonly #header: Buffer;
  readonly #probes = new InFlight();
  /** Upper half of all sequence numbers. */
  readonly #epoch = randomInt(0x10000);
  readonly #pseudoSum: number;

  constructor(target: TraceTarget, listener: IcmpListener) {
    this.#target = target;
    this.#listener = listener;
    this.#socket = new StampedSocket(target.family, SOCK_RAW, IPPROTO_TCP, 'tx+rx');
    try {
      attachFilter(this.#socket, target.family);
      if (target.family === 6) {
        this.#socket.receiveHopLimit();
        includeHeader6(this.#socket);
      }
      const errno = this.#socket.connect(target.address, 0);
      if (errno !== 0) throw new SystemCallError('connect', errno, target.address);
      this.#source = plainAddress(this.#socket.localAddress()) ?? '';
    } catch (error) {
      this.#socket.close();
      throw error;
    }
    const before = target.family === 6 ? HEADER6_BYTES : 0;
    this.#packet = memory(before + HEADER_BYTES);
    this.#header = this.#packet.subarray(before);
    if (target.family === 6) startHeader6(this.#packet, this.#source, target.address, protocol.tcp);
    const addresses = [this.#source, target.address].map((text) => addressBytes(text.split('%', 1)[0]!));
    this.#pseudoSum = addresses.reduce(
      (sum, bytes) => checksumAdd(bytes, 0, bytes.length, sum),
      protocol.tcp + HEADER_BYTES,
    );
  }

  ready(): boolean {
    return true;
  }

  send(id: number, flow: number, ttl: number): void {
    const header = this.#header.fill(0);
    header.writeUInt16BE((this.#ports[flow] ??= this.#holdPort()), 0);
    header.writeUInt16BE(this.#target.port, 2);
    header.writeUInt16BE(this.#epoch, 4);
    header.writeUInt16BE(this.#probes.add(id, flow), 6);
    header[12] = (HEADER_BYTES / 4) << 4;
    header[13] = FLAG.syn;
    header.writeUInt16BE(WINDOW, 14);
    header.writeUInt32BE(MSS_OPTION, 20);
    header.writeUInt16BE(checksumFold(checksumAdd(header, 0, HEADER_BYTES, this.#pseudoSum)), 16);
    if (this.#target.family === 6) writeProbe6(this.#packet, flow, ttl);
    else this.#socket.setHopLimit(ttl);
    this.#socket.send(this.#packet, this.#packet.length, id, this.#target.address);
  }

  forget(id: number): void {
    this.#probes.forget(id);
  }

  drain(events: TraceEvents): number {
    const heard = this.#listener.drain((quoted, reply) => this.#heard(quoted, reply, events));
    const own = this.#socket.drain({
      transmitted: (id, atMs) => events.transmitted(id, atMs),
      icmpError: () => undefined,
      received: (bytes, control, atMs) => {
        const { data } = this.#socket.message;
        const header = this.#target.family === 4 ? readIPv4Header(data, bytes) : null;
        if (this.#target.family === 4 && header === null) return;
        this.#segment(data.subarray(header?.headerBytes ?? 0, bytes), atMs, header?.ttl ?? seenTtl(control), events);
      },
    });
    return heard === 0 ? own : heard;
  }

  close(): void {
    this.#socket.close();
    for (const holder of this.#holders) holder.close();
    this.#listener.close();
  }

  #holdPort(): number {
    const holder = new StampedSocket(this.#target.family, SOCK_STREAM, IPPROTO_TCP, 'rx');
    this.#holders.push(holder);
    holder.bind(0);
    return holder.localPort();
  }

  /** SYN-ACK or reset: its acknowledgement is our sequence number plus one (RFC 9293 §3.10.7). */
  #segment(segment: Buffer, atMs: number | null, replyTtl: number | null, events: TraceEvents): void {
    if (segment.length < 20 || word(segment, 0) !== this.#target.port) return;
    const flags = segment[13]!;
    const sequence = (segment.readUInt32BE(8) - 1) >>> 0;
    if ((flags & FLAG.ack) === 0 || sequence >>> 16 !== this.#epoch) return;
    const probe = this.#probes.byMark(sequence & 0xffff);
    if (probe === undefined || this.#ports[probe.flow] !== word(segment, 2)) return;
    const kind = (flags & FLAG.rst) !== 0 ? 'refused' : 'target';
    events.replied(probe.id, targetReply(this.#target.address, atMs, { kind, replyTtl }));
  }

  #heard(quoted: QuotedPacket, reply: TraceReply, events: TraceEvents): void {
    if (quoted.protocol !== protocol.tcp || quoted.destinationPort !== this.#target.port) return;
    const { tcpSequence, sourcePort, source } = quoted;
    if (tcpSequence === null || tcpSequence >>> 16 !== this.#epoch) return;
    const probe = this.#probes.byMark(tcpSequence & 0xffff);
    if (probe === undefined) return;
    const rewritten = source !== this.#source || sourcePort !== this.#ports[probe.flow];
    events.replied(probe.id, { ...reply, rewritten });
  }
}

const SOCK_FILTER_BYTES = 8;
const SOCK_FPROG_BYTES = 16;

/**
 * A raw socket sees all segments of the peer, of other connections, too: a classic BPF program (socket filter of linux/filter.h)
 * lets only those with SYN or RST through. IPv4 packets come with their header, IPv6 without.
 */
function attachFilter(socket: StampedSocket, family: 4 | 6): void {
  // code, jump if true, jump if false, constant
  const flagsAt = 13;
  const load: [number, number, number, number][] =
    family === 4
      ? [
          [0xb1, 0, 0, 0],
          [0x50, 0, 0, flagsAt],
        ]
      : [[0x30, 0, 0, flagsAt]];
  const program: [number, number, number, number][] = [
    ...load,
    [0x45, 0, 1, FLAG.syn | FLAG.rst],
    [0x06, 0, 0, 0xffffffff],
    [0x06, 0, 0, 0],
  ];
  const code = memory(program.length * SOCK_FILTER_BYTES);
  program.forEach(([op, yes, no, constant], i) => {
    code.writeUInt16LE(op, i * SOCK_FILTER_BYTES);
    code[i * SOCK_FILTER_BYTES + 2] = yes;
    code[i * SOCK_FILTER_BYTES + 3] = no;
    code.writeUInt32LE(constant, i * SOCK_FILTER_BYTES + 4);
  });
  const fprog = memory(SOCK_FPROG_BYTES);
  fprog.writeUInt16LE(program.length, 0);
  fprog.writeBigUInt64LE(addressOf(code), 8);
  check(
    libc().setsockopt(socket.fd, SOL_SOCKET, SO_ATTACH_FILTER, fprog, SOCK_FPROG_BYTES),
    'setsockopt SO_ATTACH_FILTER',
  );
}
