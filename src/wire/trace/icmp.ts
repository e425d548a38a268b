import { randomInt } from 'node:crypto';
import { SOCK_DGRAM } from '../abi.ts';
import { StampedSocket } from '../error-queue.ts';
import { ICMP6_ECHO, ICMP_ECHO, readEcho } from '../icmp.ts';
import type { QuotedPacket } from '../icmp-error.ts';
import { checksumAdd, checksumFold, protocol } from '../ip.ts';
import { memory, SystemCallError } from '../libc.ts';
import { counterweight, InFlight } from './in-flight.ts';
import { errorKind, type IcmpListener, plainAddress } from './icmp-listener.ts';
import { readySockets } from './poll.ts';
import { RawPackets } from './raw-packets.ts';
import {
  seenTtl,
  targetReply,
  type TraceEvents,
  type TraceReply,
  type TraceTarget,
  type TraceTransport,
} from './transport.ts';

/**
 * Echo requests. The sequence number is the mark of a probe; the last two octets hold the checksum constant, because type,
 * code and checksum stand where balancers look for ports. A flow is such a checksum, and an identifier.
 * By a raw socket where there is a listener, else by one ping socket per flow (net.ipv4.ping_group_range).
 */
export function openIcmpTransport(target: TraceTarget, listener: IcmpListener | null): TraceTransport {
  return listener === null ? new PingTransport(target) : new RawTransport(target, listener);
}

const PACKET_BYTES = 64;
const CHECKSUM_STEP = 257;

/**
 * Writes the echo request of a flow and a mark; returns its checksum.
 * @param pseudoSum of the pseudo header that ICMPv6 sums up, 0 over IPv4 and where the kernel adds it
 */
function writeProbe(
  packet: Buffer,
  family: 4 | 6,
  identifier: number,
  mark: number,
  flow: number,
  pseudoSum: number,
): number {
  packet.fill(0, 0, 8);
  packet[0] = family === 4 ? ICMP_ECHO : ICMP6_ECHO;
  packet.writeUInt16BE(identifier, 4);
  packet.writeUInt16BE(mark, 6);
  packet.writeUInt16BE(0, PACKET_BYTES - 2);
  const wanted = ((flow + 1) * CHECKSUM_STEP) & 0xffff;
  packet.writeUInt16BE(counterweight(checksumAdd(packet, 0, PACKET_BYTES, pseudoSum), wanted), PACKET_BYTES - 2);
  const checksum = checksumFold(checksumAdd(packet, 0, PACKET_BYTES, pseudoSum));
  packet.writeUInt16BE(checksum, 2);
  return checksum;
}

class RawTransport implements TraceTransport {
  readonly method = 'icmp';
  readonly how = 'ICMP echo by a raw socket, kernel TX and RX stamps';
  readonly #target: TraceTarget;
  readonly #packets: RawPackets;
  readonly #protocol: number;
  readonly #checksums = new Map<number, number>();
  readonly #firstIdentifier = randomInt(0x10000);

  constructor(target: TraceTarget, listener: IcmpListener) {
    this.#target = target;
    this.#protocol = target.family === 4 ? protocol.icmp : protocol.icmp6;
    this.#packets = new RawPackets(target, listener, { protocol: this.#protocol, bytes: PACKET_BYTES });
  }

  ready(): boolean {
    return true;
  }

  send(id: number, flow: number, ttl: number): void {
    const { probes, message, pseudoSum } = this.#packets;
    const { family } = this.#target;
    const mark = probes.add(id, flow);
    const sum = family === 6 ? pseudoSum : 0;
    this.#checksums.set(flow, writeProbe(message, family, this.#identifier(flow), mark, flow, sum));
    this.#packets.send(id, flow, ttl);
  }

  forget(id: number): void {
    this.#packets.probes.forget(id);
  }

  drain(events: TraceEvents): number {
    return this.#packets.drain(events, {
      heard: (quoted, reply) => this.#heard(quoted, reply, events),
      received: (message, replyTtl, atMs) => this.#received(message, replyTtl, atMs, events),
    });
  }

  close(): void {
    this.#packets.close();
  }

  #identifier(flow: number): number {
    return (this.#firstIdentifier + flow) & 0xffff;
  }

  #heard(quoted: QuotedPacket, reply: TraceReply, events: TraceEvents): void {
    if (quoted.protocol !== this.#protocol) return;
    const { probes, source } = this.#packets;
    const probe = probes.byMark(quoted.echoSequence);
    if (probe === undefined) return;
    const identifier = this.#identifier(probe.flow);
    // A NAT may have changed the identifier; whose else it could be is said by the checksum.
    const checksumFits = quoted.checksum === this.#checksums.get(probe.flow);
    if (quoted.echoIdentifier !== identifier && !checksumFits && quoted.source === source) return;
    const rewritten = quoted.source !== source || quoted.echoIdentifier !== identifier || !checksumFits;
    events.replied(probe.id, { ...reply, rewritten });
  }

  #received(message: Buffer, replyTtl: number | null, atMs: number | null, events: TraceEvents): void {
    const { family, address } = this.#target;
    const echo = readEcho(message, 0, message.length, family);
    const probe = echo?.reply ? this.#packets.probes.byMark(echo.sequence) : undefined;
    if (probe === undefined || echo?.identifier !== this.#identifier(probe.flow)) return;
    events.replied(probe.id, targetReply(address, atMs, { replyTtl }));
  }
}

function pingSocket({ family, address }: TraceTarget): StampedSocket {
  const socket = new StampedSocket(family, SOCK_DGRAM, family === 4 ? protocol.icmp : protocol.icmp6, 'tx+rx');
  const errno = socket.connect(address, 0);
  if (errno !== 0) {
    socket.close();
    throw new SystemCallError('connect', errno, address);
  }
  socket.receiveHopLimit();
  return socket;
}

class PingTransport implements TraceTransport {
  readonly method = 'icmp';
  readonly how =
    'ICMP echo by ping sockets and their error queues, kernel TX and RX stamps; the quoted header (TTL, DSCP, NAT) and extensions cannot be seen without CAP_NET_RAW';
  readonly #target: TraceTarget;
  readonly #flows: (StampedSocket | undefined)[] = [];
  readonly #packet = memory(PACKET_BYTES);
  readonly #probes = new InFlight();

  constructor(target: TraceTarget) {
    this.#target = target;
    // So that a refusal comes before the first probe.
    this.#flows[0] = pingSocket(target);
  }

  ready(): boolean {
    return true;
  }

  send(id: number, flow: number, ttl: number): void {
    const socket = (this.#flows[flow] ??= pingSocket(this.#target));
    writeProbe(this.#packet, this.#target.family, 0, this.#probes.add(id, flow), flow, 0);
    socket.setHopLimit(ttl);
    socket.send(this.#packet, PACKET_BYTES, id, this.#target.address);
  }

  forget(id: number): void {
    this.#probes.forget(id);
  }

  drain(events: TraceEvents): number {
    const { family, address } = this.#target;
    let stepMs = 0;
    for (const { socket } of readySockets(this.#flows.flatMap((socket) => (socket ? [{ socket }] : [])))) {
      const markIn = (bytes: number) =>
        this.#probes.byMark(readEcho(socket.message.data, 0, bytes, family)?.sequence ?? null);
      const step = socket.drain({
        transmitted: (id, atMs) => events.transmitted(id, atMs),
        received: (bytes, control, atMs) => {
          const probe = markIn(bytes);
          if (probe) events.replied(probe.id, targetReply(address, atMs, { replyTtl: seenTtl(control) }));
        },
        icmpError: (control, bytes, atMs) => {
          const probe = markIn(bytes);
          if (!probe) return;
          const from = plainAddress(control.offender ?? undefined) ?? 'unknown';
          const { errorType: type, errorCode: code } = control;
          const kind = errorKind(family, type, code, from === address);
          events.replied(probe.id, targetReply(from, atMs, { kind, icmp: { type, code }, replyTtl: seenTtl(control) }));
        },
      });
      if (step !== 0) stepMs = step;
    }
    return stepMs;
  }

  close(): void {
    for (const socket of this.#flows) socket?.close();
  }
}
