import { SOCK_RAW } from '../abi.ts';
import { StampedSocket } from '../error-queue.ts';
import { isTimeExceeded, isPortUnreachable, readIPv4Header } from '../icmp.ts';
import { type QuotedPacket, readIcmpError } from '../icmp-error.ts';
import { check, libc, memory } from '../libc.ts';
import { protocol } from '../ip.ts';
import { decodeSockaddr } from '../sockaddr.ts';
import type { TraceReply } from './transport.ts';

/** Every ICMP error that comes to this host, whole. Needs CAP_NET_RAW. */
export interface IcmpListener {
  /** Calls back with each error whose quote goes to the target. Returns as StampedSocket.drain(). */
  drain(found: (quoted: QuotedPacket, reply: TraceReply) => void): number;
  close(): void;
}

const SOL_RAW = 255;
const ICMP_FILTER = 1;
const ICMP6_FILTER = 1;

/** @throws SystemCallError EPERM without CAP_NET_RAW */
export function openIcmpListener(target: { address: string; family: 4 | 6 }): IcmpListener {
  const { family, address } = target;
  const socket = new StampedSocket(family, SOCK_RAW, family === 4 ? protocol.icmp : protocol.icmp6, 'rx');
  try {
    onlyErrors(socket);
    if (family === 6) socket.receiveHopLimit();
  } catch (error) {
    socket.close();
    throw error;
  }
  return {
    drain: (found) =>
      socket.drain({
        transmitted: () => undefined,
        icmpError: () => undefined,
        received: (bytes, control, atMs) => {
          const { data, name, nameLength } = socket.message;
          const header = family === 4 ? readIPv4Header(data, bytes) : null;
          if (family === 4 && header === null) return;
          const from = header?.source ?? plainAddress(decodeSockaddr(name, 0, nameLength)?.address);
          const error = readIcmpError(data, header?.headerBytes ?? 0, bytes, family);
          if (from === undefined || error?.quoted == null || error.quoted.destination !== address) return;
          const { type, code, quoted, mpls, interfaces } = error;
          found(quoted, {
            from,
            kind: errorKind(family, type, code, from === address),
            icmp: { type, code },
            atMs,
            rttMs: null,
            replyTtl: header?.ttl ?? (control.ttl >= 0 ? control.ttl : null),
            quotedTtl: quoted.ttl,
            dscp: quoted.dscp,
            rewritten: null,
            mpls,
            interfaces,
          });
        },
      }),
    close: () => socket.close(),
  };
}

/** What an ICMP error says about the path of the probe that caused it. */
export function errorKind(family: 4 | 6, type: number, code: number, byTarget: boolean): TraceReply['kind'] {
  if (isTimeExceeded(family, type)) return 'exceeded';
  return byTarget && isPortUnreachable(family, type, code) ? 'target' : 'unreachable';
}

/** Link-local routers come with their zone, which is this host's business and no part of who answered. */
export function plainAddress(address: string | undefined): string | undefined {
  return address?.split('%', 1)[0];
}

/** Lets the kernel drop echo, redirects and neighbour discovery: filters of raw(7) and RFC 3542 §3.2, a set bit blocks. */
function onlyErrors(socket: StampedSocket): void {
  if (socket.family === 4) {
    const wanted = [3, 11, 12];
    const mask = wanted.reduce((bits, type) => bits & ~(1 << type), 0xffffffff);
    socket.setOption(SOL_RAW, ICMP_FILTER, mask | 0);
    return;
  }
  const filter = memory(32).fill(0xff);
  for (const type of [1, 2, 3, 4]) filter.writeUInt32LE((filter.readUInt32LE(0) & ~(1 << type)) >>> 0, 0);
  check(libc().setsockopt(socket.fd, protocol.icmp6, ICMP6_FILTER, filter, 32), 'setsockopt ICMP6_FILTER');
}
