import { IPPROTO_UDP, SOCK_DGRAM } from '../abi.ts';
import { errnoOf, StampedSocket } from '../error-queue.ts';
import { readExtensions } from '../icmp-extension.ts';
import type { QuotedPacket } from '../icmp-error.ts';
import { addressBytes, checksumAdd, checksumFold, protocol, word } from '../ip.ts';
import { memory, SystemCallError } from '../libc.ts';
import { type ControlMessages, IP_RECVERR_RFC4884, IPV6_RECVERR_RFC4884, SOL_IP, SOL_IPV6 } from '../msghdr.ts';
import { counterweight, InFlight } from './in-flight.ts';
import { errorKind, type IcmpListener, plainAddress } from './icmp-listener.ts';
import { readySockets } from './poll.ts';
import {
  seenTtl,
  targetReply,
  type TraceEvents,
  type TraceReply,
  type TraceTarget,
  type TraceTransport,
} from './transport.ts';

/**
 * Datagrams to a closed port. A flow is an ordinary socket and so its source port; the mark of a probe stands in its first two
 * octets and is its checksum, too, made so by the last two: routers that quote eight octets of UDP show it, and nothing that
 * balancers look at differs. Answers come by the sockets' error queues, or whole by a listener where that is permitted.
 */
export function openUdpTransport(target: TraceTarget, listener: IcmpListener | null): TraceTransport {
  return new UdpTransport(target, listener);
}

const TEXT = Buffer.from('inferpath path probe', 'latin1');
const PAYLOAD_BYTES = 2 + TEXT.length + 2;
const UDP_HEADER_BYTES = 8;

interface Flow {
  socket: StampedSocket;
  port: number;
  /** Sum of everything that the checksum covers but the mark and its counterweight. */
  baseSum: number;
}

class UdpTransport implements TraceTransport {
  readonly method = 'udp';
  readonly how: string;
  readonly #target: TraceTarget;
  readonly #listener: IcmpListener | null;
  readonly #flows: (Flow | undefined)[] = [];
  readonly #probes = new InFlight();
  readonly #payload = memory(PAYLOAD_BYTES);
  #source = '';
  /**
   * What stands in place of the checksum where a network card, or nobody on a way inside this machine, was to finish it: the
   * sum of the pseudo header. A quote of that is no sign of a NAT.
   */
  #unfinished = 0;

  constructor(target: TraceTarget, listener: IcmpListener | null) {
    this.#target = target;
    this.#listener = listener;
    TEXT.copy(this.#payload, 2);
    this.how =
      listener === null
        ? 'UDP by ordinary sockets and their error queues, kernel TX and RX stamps; the quoted header (TTL, DSCP, NAT) cannot be seen without CAP_NET_RAW'
        : 'UDP by ordinary sockets, ICMP by a raw socket, kernel TX and RX stamps';
  }

  ready(): boolean {
    return true;
  }

  send(id: number, flow: number, ttl: number): void {
    const { socket, baseSum } = (this.#flows[flow] ??= this.#open());
    const mark = this.#probes.add(id, flow);
    this.#payload.writeUInt16BE(mark, 0);
    this.#payload.writeUInt16BE(counterweight(baseSum + mark, mark), PAYLOAD_BYTES - 2);
    socket.setHopLimit(ttl);
    socket.send(this.#payload, PAYLOAD_BYTES, id, this.#target.address);
  }

  forget(id: number): void {
    this.#probes.forget(id);
  }

  drain(events: TraceEvents): number {
    let stepMs = this.#listener?.drain((quoted, reply) => this.#heard(quoted, reply, events)) ?? 0;
    const open = this.#flows.flatMap((flow, number) => (flow === undefined ? [] : [{ ...flow, number }]));
    for (const { socket, number } of readySockets(open)) {
      const step = socket.drain({
        transmitted: (id, atMs) => events.transmitted(id, atMs),
        received: (_bytes, control, atMs) => this.#answered(number, control, atMs, events),
        icmpError: (control, bytes, atMs) => {
          if (this.#listener === null) this.#failed(number, control, bytes, atMs, events);
        },
      });
      if (Math.abs(step) > Math.abs(stepMs)) stepMs = step;
    }
    return stepMs;
  }

  close(): void {
    for (const flow of this.#flows) flow?.socket.close();
    this.#listener?.close();
  }

  #open(): Flow {
    const { address, family, port } = this.#target;
    const socket = new StampedSocket(family, SOCK_DGRAM, IPPROTO_UDP, 'tx+rx');
    try {
      socket.receiveHopLimit();
      askForExtensions(socket);
      const errno = socket.connect(address, port);
      if (errno !== 0) throw new SystemCallError('connect', errno, address);
      this.#source ||= plainAddress(socket.localAddress()) ?? '';
      const own = socket.localPort();
      return { socket, port: own, baseSum: this.#sumWithoutMark(own) };
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  #sumWithoutMark(sourcePort: number): number {
    const { address, port } = this.#target;
    const length = UDP_HEADER_BYTES + PAYLOAD_BYTES;
    const addresses = [this.#source, address].map((text) => addressBytes(text.split('%', 1)[0]!));
    const pseudo = addresses.reduce((sum, bytes) => checksumAdd(bytes, 0, bytes.length, sum), protocol.udp + length);
    this.#unfinished = ~checksumFold(pseudo) & 0xffff;
    return checksumAdd(TEXT, 0, TEXT.length, pseudo + sourcePort + port + length);
  }

  /** A whole ICMP error. By the mark in the payload where that is quoted: the checksum is what a NAT changes. */
  #heard(quoted: QuotedPacket, reply: TraceReply, events: TraceEvents): void {
    if (quoted.protocol !== protocol.udp) return;
    const quotesText = quoted.transport.length >= UDP_HEADER_BYTES + 2 + TEXT.length;
    if (
      quotesText &&
      !quoted.transport
        .subarray(UDP_HEADER_BYTES + 2)
        .subarray(0, TEXT.length)
        .equals(TEXT)
    )
      return;
    const byPort = this.#flows.findIndex((flow) => flow?.port === quoted.sourcePort);
    if (!quotesText && (byPort < 0 || quoted.destinationPort !== this.#target.port)) return;
    const mark = quotesText ? word(quoted.transport, UDP_HEADER_BYTES) : quoted.checksum;
    const probe = this.#probes.byMark(mark) ?? (quotesText ? undefined : this.#probes.soleOf(byPort));
    if (probe === undefined) return;
    const rewritten =
      quoted.source !== this.#source ||
      quoted.sourcePort !== this.#flows[probe.flow]?.port ||
      quoted.destinationPort !== this.#target.port ||
      (quoted.checksum !== null && quotesText && quoted.checksum !== mark && quoted.checksum !== this.#unfinished);
    events.replied(probe.id, { ...reply, rewritten });
  }

  /** An ICMP error by the error queue: what is quoted begins with the payload. */
  #failed(flow: number, control: ControlMessages, bytes: number, atMs: number | null, events: TraceEvents): void {
    const { data } = this.#flows[flow]!.socket.message;
    const { family, address } = this.#target;
    const text = Math.min(bytes - 2, TEXT.length);
    const known = text >= 0 && data.compare(TEXT, 0, text, 2, 2 + text) === 0;
    const probe = known ? this.#probes.byMark(word(data, 0)) : this.#probes.soleOf(flow);
    if (probe === undefined) return;
    const from = plainAddress(control.offender ?? undefined) ?? 'unknown';
    const { errorType: type, errorCode: code } = control;
    events.replied(probe.id, {
      ...targetReply(from, atMs, { icmp: { type, code }, ...extensionsOf(control, data, bytes) }),
      kind: errorKind(family, type, code, from === address),
      replyTtl: seenTtl(control),
    });
  }

  /** Something listens on the port and speaks: whichever probe it answers, the flow has come to the target. */
  #answered(flow: number, control: ControlMessages, atMs: number | null, events: TraceEvents): void {
    const probe = this.#probes.soleOf(flow);
    if (probe === undefined) return;
    events.replied(probe.id, targetReply(this.#target.address, atMs, { replyTtl: seenTtl(control) }));
  }
}

/** RFC 4884 by the error queue (Linux 5.9): the kernel says where in the quoted payload the extensions begin. */
function askForExtensions(socket: StampedSocket): void {
  try {
    if (socket.family === 4) socket.setOption(SOL_IP, IP_RECVERR_RFC4884, 1);
    else socket.setOption(SOL_IPV6, IPV6_RECVERR_RFC4884, 1);
  } catch (error) {
    if (errnoOf(error) !== 'ENOPROTOOPT') throw error;
  }
}

const EXTENSIONS_INVALID = 1;

function extensionsOf(control: ControlMessages, data: Buffer, bytes: number) {
  const [offset, flags] = [control.errorData & 0xffff, (control.errorData >>> 16) & 0xff];
  if (offset === 0 || (flags & EXTENSIONS_INVALID) !== 0) return null;
  return readExtensions(data, offset, bytes, { needChecksum: false });
}
