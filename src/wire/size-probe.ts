import { randomInt } from 'node:crypto';
import { IPPROTO_UDP, SOCK_DGRAM, SOCK_RAW } from './abi.ts';
import { errnoOf, StampedSocket } from './error-queue.ts';
import {
  describeIcmp,
  ICMP_HEADER_BYTES,
  isTimeExceeded,
  isTooBig,
  readEcho,
  readIPv4Header,
  writeEcho,
} from './icmp.ts';
import { memory, SystemCallError } from './libc.ts';
import { type ControlMessages, SOL_IP, SOL_IPV6 } from './msghdr.ts';

/**
 * Packets of an exact size that nobody may fragment, and what comes back for each. Needs no privilege for UDP; ICMP echo where
 * the system permits it. IP_PMTUDISC_PROBE sets DF and ignores the path MTU that the kernel has cached: the size asked for is
 * the size sent, up to the MTU of the interface.
 */
export interface SizeProbe {
  /** What is sent, for people: `ICMP echo (ping socket)`, `UDP to port 33434`. */
  how: string;
  kind: 'icmp' | 'udp' | 'stamp';
  /** Octets of the IP header and that of the protocol: no packet can be smaller. */
  headerBytes: number;
  /**
   * @param request.sizeBytes octets of the whole IP packet
   * @param request.hops TTL or hop limit; the system's default when left out
   * @throws SystemCallError, EMSGSIZE when the packet is larger than the interface takes
   */
  send(request: { sequence: number; sizeBytes: number; hops?: number }): void;
  /** Reads what has come. */
  drain(events: SizeEvents): void;
  close(): void;
}

/** What became of packets, by sequence number; it is null where a router quoted too little to tell. */
export interface SizeEvents {
  /** The packet arrived: the target answered it, be it by an error of its own (port unreachable). */
  arrived(sequence: number | null): void;
  /** ICMP 3/4 or ICMPv6 2; `mtuBytes` is null where the router named no MTU (older than RFC 1191). */
  tooBig(sequence: number | null, by: string, mtuBytes: number | null): void;
  /** The TTL ran out at this router. */
  expired(sequence: number | null, by: string): void;
  /** Somebody who is not the target says that there is no way. */
  unreachable(sequence: number | null, by: string, message: string): void;
}

// linux/in.h, linux/in6.h
const IP_MTU_DISCOVER = 10;
const IP_PMTUDISC_PROBE = 3;
const IPV6_MTU_DISCOVER = 23;
const IPV6_PMTUDISC_PROBE = 3;
const IPV6_DONTFRAG = 62;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
export const UDP_HEADER_BYTES = 8;
export const DEFAULT_HOPS = 64;

/** What marks a UDP payload as ours, behind two octets of sequence number. */
const MARK = Buffer.from('inferpath mtu probe', 'latin1');

/** Sets DF, and makes the kernel send what it is told whatever it has heard of the path. @throws SystemCallError */
function forbidFragments(socket: StampedSocket): void {
  if (socket.family === 4) socket.setOption(SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  else {
    socket.setOption(SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    socket.setOption(SOL_IPV6, IPV6_DONTFRAG, 1);
  }
}

export function ipHeaderBytes(family: 4 | 6): number {
  return family === 4 ? 20 : 40;
}

interface Carrier {
  kind: 'icmp' | 'udp';
  how: string;
  socket: StampedSocket;
  /** Makes a payload of `packet.length` octets for the socket. */
  fill(packet: Buffer, sequence: number): void;
  /** The sequence number in a payload that a router quoted; null when it is not ours or cut short. */
  quoted(data: Buffer, bytes: number): number | null;
  /** The same for a packet that came; undefined when it is no answer to us. */
  answer(data: Buffer, bytes: number): number | undefined;
}

/** UDP to one port: that nothing listens there is the answer. @throws SystemCallError */
export function openUdpSizeProbe(address: string, family: 4 | 6, port: number, maxBytes: number): SizeProbe {
  const socket = connectUnfragmented(new StampedSocket(family, SOCK_DGRAM, IPPROTO_UDP, 'rx'), address, port);
  return sizeProbe(address, maxBytes, {
    kind: 'udp',
    how: `UDP to port ${port}`,
    socket,
    fill(packet, sequence) {
      packet.writeUInt16BE(sequence & 0xffff, 0);
      MARK.copy(packet, 2);
    },
    quoted: quotedSequence,
    // What a service answers does not say which packet it answers, and a late answer to a small one must not vouch for a large.
    answer: () => undefined,
  });
}

/** ICMP echo by a ping socket where permitted, else by a raw one. @throws SystemCallError EACCES or EPERM where neither is */
export function openEchoSizeProbe(address: string, family: 4 | 6, maxBytes: number): SizeProbe {
  const { socket, raw } = echoSocket(family);
  connectUnfragmented(socket, address, 0);
  const identifier = randomInt(0x10000);
  // A ping socket's kernel puts the local port in the identifier's place and hands over only our own.
  const ours = (echo: { identifier: number } | null) => echo !== null && (!raw || echo.identifier === identifier);
  return sizeProbe(address, maxBytes, {
    kind: 'icmp',
    how: `ICMP echo (${raw ? 'raw' : 'ping'} socket)`,
    socket,
    fill: (packet, sequence) => writeEcho(packet, family, identifier, sequence),
    quoted(data, bytes) {
      const echo = readEcho(data, 0, bytes, family);
      return echo && !echo.reply && ours(echo) ? echo.sequence : null;
    },
    answer(data, bytes) {
      const header = raw && family === 4 ? readIPv4Header(data, bytes) : null;
      if (raw && family === 4 && header === null) return undefined;
      const echo = readEcho(data, header?.headerBytes ?? 0, bytes, family);
      return echo && echo.reply && ours(echo) ? echo.sequence : undefined;
    },
  });
}

function echoSocket(family: 4 | 6): { socket: StampedSocket; raw: boolean } {
  const protocol = family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  try {
    return { socket: new StampedSocket(family, SOCK_DGRAM, protocol, 'rx'), raw: false };
  } catch (error) {
    if (errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM') throw error;
  }
  return { socket: new StampedSocket(family, SOCK_RAW, protocol, 'rx'), raw: true };
}

/** Sets DF and connects; closes the socket where that fails. @throws SystemCallError */
export function connectUnfragmented(socket: StampedSocket, address: string, port: number): StampedSocket {
  try {
    forbidFragments(socket);
    const errno = socket.connect(address, port);
    if (errno !== 0) throw new SystemCallError('connect', errno, address);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

function sizeProbe(address: string, maxBytes: number, carrier: Carrier): SizeProbe {
  const { socket, kind, how } = carrier;
  const { family } = socket;
  const ip = ipHeaderBytes(family);
  const headerBytes = ip + (kind === 'icmp' ? ICMP_HEADER_BYTES : UDP_HEADER_BYTES + MARK.length + 2);
  const payload = memory(Math.max(maxBytes, headerBytes));
  let hopsNow: number | undefined;
  return {
    how,
    kind,
    headerBytes,
    send({ sequence, sizeBytes, hops }) {
      if (sizeBytes < headerBytes || sizeBytes > payload.length)
        throw new RangeError(
          `Cannot send ${sizeBytes} octets: between ${headerBytes} and ${payload.length} is possible`,
        );
      if (hops !== hopsNow) socket.setHopLimit(hops ?? DEFAULT_HOPS);
      hopsNow = hops;
      const length = sizeBytes - ip - (kind === 'udp' ? UDP_HEADER_BYTES : 0);
      carrier.fill(payload.subarray(0, length), sequence);
      sendUnlessPending(socket, payload, length, sequence, address);
    },
    drain(events) {
      socket.drain({
        transmitted: () => undefined,
        received: (bytes) => {
          const sequence = carrier.answer(socket.message.data, bytes);
          if (sequence !== undefined) events.arrived(sequence);
        },
        icmpError: (control, bytes) =>
          tellIcmp(control, carrier.quoted(socket.message.data, bytes), address, family, events),
      });
    },
    close: () => socket.close(),
  };
}

/**
 * An ICMP error of an earlier packet may come between the look at the pending error and the send, which then fails with its
 * errno. The error is taken by that, so a second try tells whether it is really this packet that cannot be sent.
 */
export function sendUnlessPending(
  socket: StampedSocket,
  payload: Buffer,
  length: number,
  sequence: number,
  address: string,
): void {
  try {
    socket.send(payload, length, sequence, address);
  } catch {
    socket.send(payload, length, sequence, address);
  }
}

/** Passes on what an ICMP error says; whatever the target itself refuses has come as far as the target. */
export function tellIcmp(
  { errorType, errorCode, errorInfo, offender }: ControlMessages,
  sequence: number | null,
  target: string,
  family: 4 | 6,
  events: SizeEvents,
): void {
  const by = offender ?? 'unknown';
  if (isTooBig(family, errorType, errorCode)) events.tooBig(sequence, by, errorInfo === 0 ? null : errorInfo);
  else if (isTimeExceeded(family, errorType)) events.expired(sequence, by);
  else if (by === target.split('%')[0]) events.arrived(sequence);
  else events.unreachable(sequence, by, describeIcmp(family, errorType, errorCode));
}

/** The sequence number in a quoted UDP payload; null when it is cut short or not ours. */
export function quotedSequence(data: Buffer, bytes: number): number | null {
  const quoted = Math.min(bytes, data.length, 2 + MARK.length);
  if (quoted < 2 || data.compare(MARK, 0, quoted - 2, 2, quoted) !== 0) return null;
  return data.readUInt16BE(0);
}
