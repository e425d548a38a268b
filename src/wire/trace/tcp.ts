import { randomInt } from 'node:crypto';
import { IPPROTO_TCP, SOCK_STREAM } from '../abi.ts';
import { assembleBpf, BPF, type BpfInstruction } from '../bpf.ts';
import { StampedSocket } from '../error-queue.ts';
import type { QuotedPacket } from '../icmp-error.ts';
import { checksumAdd, checksumFold, protocol, word } from '../ip.ts';
import type { IcmpListener } from './icmp-listener.ts';
import { RawPackets } from './raw-packets.ts';
import { targetReply, type TraceEvents, type TraceReply, type TraceTarget, type TraceTransport } from './transport.ts';

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
const MSS_OPTION = 0x020405b4; // kind 2, 4 octets, 1460 (RFC 9293 §3.7.1)
const WINDOW = 64_240;

class SynTransport implements TraceTransport {
  readonly method = 'tcp';
  readonly how = 'TCP SYNs by a raw socket, one flow per source port, kernel TX and RX stamps';
  readonly #target: TraceTarget;
  readonly #packets: RawPackets;
  readonly #holders: StampedSocket[] = [];
  readonly #ports: number[] = [];
  /** Upper half of all sequence numbers. */
  readonly #epoch = randomInt(0x10000);

  constructor(target: TraceTarget, listener: IcmpListener) {
    this.#target = target;
    const filter = synOrResetFilter(target.family);
    this.#packets = new RawPackets(target, listener, { protocol: protocol.tcp, bytes: HEADER_BYTES, filter });
  }

  ready(): boolean {
    return true;
  }

  send(id: number, flow: number, ttl: number): void {
    const { message, probes, pseudoSum } = this.#packets;
    const header = message.fill(0);
    header.writeUInt16BE((this.#ports[flow] ??= this.#holdPort()), 0);
    header.writeUInt16BE(this.#target.port, 2);
    header.writeUInt16BE(this.#epoch, 4);
    header.writeUInt16BE(probes.add(id, flow), 6);
    header[12] = (HEADER_BYTES / 4) << 4;
    header[13] = FLAG.syn;
    header.writeUInt16BE(WINDOW, 14);
    header.writeUInt32BE(MSS_OPTION, 20);
    header.writeUInt16BE(checksumFold(checksumAdd(header, 0, HEADER_BYTES, pseudoSum)), 16);
    this.#packets.send(id, flow, ttl);
  }

  forget(id: number): void {
    this.#packets.probes.forget(id);
  }

  drain(events: TraceEvents): number {
    return this.#packets.drain(events, {
      heard: (quoted, reply) => this.#heard(quoted, reply, events),
      received: (segment, replyTtl, atMs) => this.#segment(segment, atMs, replyTtl, events),
    });
  }

  close(): void {
    this.#packets.close();
    for (const holder of this.#holders) holder.close();
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
    const probe = this.#packets.probes.byMark(sequence & 0xffff);
    if (probe === undefined || this.#ports[probe.flow] !== word(segment, 2)) return;
    const kind = (flags & FLAG.rst) !== 0 ? 'refused' : 'target';
    events.replied(probe.id, targetReply(this.#target.address, atMs, { kind, replyTtl }));
  }

  #heard(quoted: QuotedPacket, reply: TraceReply, events: TraceEvents): void {
    if (quoted.protocol !== protocol.tcp || quoted.destinationPort !== this.#target.port) return;
    const { tcpSequence, sourcePort, source } = quoted;
    if (tcpSequence === null || tcpSequence >>> 16 !== this.#epoch) return;
    const probe = this.#packets.probes.byMark(tcpSequence & 0xffff);
    if (probe === undefined) return;
    const rewritten = source !== this.#packets.source || sourcePort !== this.#ports[probe.flow];
    events.replied(probe.id, { ...reply, rewritten });
  }
}

const FLAGS_AT = 13;

/** A raw socket sees all segments of the peer, of other connections, too: lets only those with SYN or RST through. */
function synOrResetFilter(family: 4 | 6): Uint8Array {
  const isAnswer: BpfInstruction[] = [
    [BPF.jumpSet, 0, 1, FLAG.syn | FLAG.rst],
    [BPF.ret, 0, 0, 0xffffffff],
    [BPF.ret, 0, 0, 0],
  ];
  // IPv4 packets come with their header, IPv6 without.
  if (family === 6) return assembleBpf([[BPF.loadByte, 0, 0, FLAGS_AT], ...isAnswer]);
  return assembleBpf([[BPF.loadXHeaderLength, 0, 0, 0], [BPF.loadByteAtX, 0, 0, FLAGS_AT], ...isAnswer]);
}
