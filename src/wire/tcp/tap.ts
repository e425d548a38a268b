import { assembleBpf, BPF } from '../bpf.ts';

/**
 * The tap: a packet socket that sees the headers of the segments a server sends us. Where the process may have one
 * (CAP_NET_RAW), every segment brings two facts that TCP_INFO does not give: its own kernel arrival time even when it came out
 * of order, and the server kernel's clock at the moment of sending (TSval of the TCP timestamps option, RFC 7323). The
 * difference of two TSvals is time that passed *at the server*, free of any queue between us.
 */

/** Bytes of each packet that the filter lets through: IPv6 40 + TCP 60, never payload worth reading. */
export const tapSnapLength = 120;

const { loadByte, loadHalf, loadHalfAtX, loadXHeaderLength, and, jumpEqual, jumpSet, ret } = BPF;
const accept = tapSnapLength;

/**
 * Classic BPF program for SO_ATTACH_FILTER on a SOCK_DGRAM packet socket: TCP over IPv4 or IPv6 from source port `port`,
 * no fragments but the first.
 */
export function tapFilter(port: number): Uint8Array {
  return assembleBpf([
    [loadByte, 0, 0, 0],
    [and, 0, 0, 0xf0],
    [jumpEqual, 0, 7, 0x40],
    [loadByte, 0, 0, 9],
    [jumpEqual, 0, 11, 6],
    [loadHalf, 0, 0, 6],
    [jumpSet, 9, 0, 0x1fff],
    [loadXHeaderLength, 0, 0, 0],
    [loadHalfAtX, 0, 0, 0],
    [jumpEqual, 5, 6, port],
    [jumpEqual, 0, 5, 0x60],
    [loadByte, 0, 0, 6],
    [jumpEqual, 0, 3, 6],
    [loadHalf, 0, 0, 40],
    [jumpEqual, 0, 1, port],
    [ret, 0, 0, accept],
    [ret, 0, 0, 0],
  ]);
}

/** A segment as the tap saw it; one object is reused by the caller for every packet. */
export interface TapSegment {
  localPort: number;
  sequence: number;
  acknowledged: number;
  payloadBytes: number;
  syn: boolean;
  fin: boolean;
  rst: boolean;
  /** TSval in the server's ticks, or -1 without the option. */
  tsval: number;
  family: 4 | 6;
  /** Offset of the source address in the packet bytes: 4 or 16 bytes long. */
  sourceOffset: number;
}

export function emptySegment(): TapSegment {
  return {
    localPort: 0,
    sequence: 0,
    acknowledged: 0,
    payloadBytes: 0,
    syn: false,
    fin: false,
    rst: false,
    tsval: -1,
    family: 4,
    sourceOffset: 0,
  };
}

/** Reads one IP packet of which `captured` bytes are in `view` from `at`. Fills `into`; false when it is not whole TCP. */
export function parseTapPacket(view: DataView, at: number, captured: number, into: TapSegment): boolean {
  if (captured < 40 || at + captured > view.byteLength) return false;
  const version = view.getUint8(at) >> 4;
  let header: number;
  let total: number;
  if (version === 4) {
    header = (view.getUint8(at) & 15) * 4;
    total = view.getUint16(at + 2);
    if (header < 20 || view.getUint8(at + 9) !== 6) return false;
    into.family = 4;
    into.sourceOffset = at + 12;
  } else if (version === 6) {
    header = 40;
    total = 40 + view.getUint16(at + 4);
    if (view.getUint8(at + 6) !== 6) return false;
    into.family = 6;
    into.sourceOffset = at + 8;
  } else return false;
  if (captured < header + 20) return false;
  const tcp = at + header;
  const tcpHeader = (view.getUint8(tcp + 12) >> 4) * 4;
  if (tcpHeader < 20 || header + tcpHeader > total) return false;
  const flags = view.getUint8(tcp + 13);
  into.localPort = view.getUint16(tcp + 2);
  into.sequence = view.getUint32(tcp + 4);
  into.acknowledged = view.getUint32(tcp + 8);
  into.payloadBytes = total - header - tcpHeader;
  into.fin = (flags & 1) !== 0;
  into.syn = (flags & 2) !== 0;
  into.rst = (flags & 4) !== 0;
  into.tsval = timestampOption(view, tcp + 20, Math.min(tcp + tcpHeader, at + captured));
  return true;
}

/** TSval of the option list between `from` and `to`, or -1 (RFC 7323 §3.2: kind 8, length 10). */
function timestampOption(view: DataView, from: number, to: number): number {
  let i = from;
  while (i < to) {
    const kind = view.getUint8(i);
    if (kind === 0) return -1;
    if (kind === 1) {
      i++;
      continue;
    }
    if (i + 1 >= to) return -1;
    const length = view.getUint8(i + 1);
    if (length < 2) return -1;
    if (kind === 8 && length === 10 && i + 6 <= to) return view.getUint32(i + 2);
    i += length;
  }
  return -1;
}

/** a − b for 32-bit numbers that wrap (sequence numbers, TSval): in [−2³¹, 2³¹). */
export function wrappedDifference(a: number, b: number): number {
  return (a - b) | 0;
}
