import { assembleBpf, BPF } from '../bpf.ts';
import { IPPROTO_TCP } from '../abi.ts';
import { type Codec, fold } from './codec.ts';
import type { Columns } from './columns.ts';

/** RFC 9293 §3.1: header without options, and the maximum segment size option that every real SYN has. */
const HEADER = 20;
const PACKET_BYTES = HEADER + 4;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const WINDOW = 64_240;
const MSS = { 4: 1460, 6: 1440 };

export interface SynCodecOptions {
  family: 4 | 6;
  /** Ours, held by a socket that neither listens nor connects, so that the kernel answers every SYN-ACK by a reset at once. */
  sourcePort: number;
  /** Sequence number of probe 0; that of every further one is one higher. */
  base: number;
  columns: Pick<Columns, 'port' | 'targets' | 'address32'>;
  /** Our address towards a target, as its word in network order; asked for IPv4 only, where the checksum is ours to make. */
  sourceWord(target: number): number;
}

/**
 * A TCP SYN to the port itself, half-open: what answers is a SYN-ACK, or a reset, which is as good a round trip. The
 * acknowledgement number tells the probe, 32 random bits make it hard to guess.
 */
export function synCodec({ family, sourcePort, base, columns, sourceWord }: SynCodecOptions): Codec {
  const codec: Codec = {
    packetBytes: PACKET_BYTES,
    usesPort: false,
    refused: false,
    prepare(out) {
      for (let slot = 0; slot < out.slots; slot++) {
        const at = slot * out.dataBytes;
        out.data.fill(0, at, at + PACKET_BYTES);
        put16(out.data, at, sourcePort);
        out.data[at + 12] = (PACKET_BYTES / 4) << 4;
        out.data[at + 13] = SYN;
        put16(out.data, at + 14, WINDOW);
        out.data[at + HEADER] = 2; // kind: maximum segment size, four octets
        out.data[at + HEADER + 1] = 4;
        put16(out.data, at + HEADER + 2, MSS[family]);
      }
    },
    write(out, slot, probe, target) {
      const at = slot * out.dataBytes;
      const { data } = out;
      const port = columns.port[target]!;
      data[at + 2] = port & 0xff;
      data[at + 3] = port >>> 8;
      const sequence = (base + probe) >>> 0;
      put16(data, at + 4, sequence >>> 16);
      put16(data, at + 6, sequence & 0xffff);
      if (family === 6) return; // IPV6_CHECKSUM has the kernel fill it in
      data[at + 16] = 0;
      data[at + 17] = 0;
      const checksum = tcpChecksum(data, at, sourceWord(target), columns.address32[target * 4]!);
      data[at + 16] = checksum & 0xff;
      data[at + 17] = checksum >>> 8;
    },
    read(into, slot, bytes) {
      const start = slot * into.dataBytes;
      const at = family === 4 ? start + (into.data[start]! & 0x0f) * 4 : start;
      const flags = into.data[at + 13]!;
      if (start + bytes - at < HEADER || get16(into.data, at + 2) !== sourcePort) return -1;
      const isAnswer = (flags & (SYN | ACK | RST)) === (SYN | ACK) || (flags & (RST | ACK)) === (RST | ACK);
      const probe = (get32(into.data, at + 8) - 1 - base) >>> 0;
      if (!isAnswer || get16(into.data, at) !== hostOrder(columns.port[probe % columns.targets]!)) return -1;
      codec.refused = (flags & RST) !== 0;
      return probe;
    },
    readQuote(into, slot, bytes, sent) {
      const at = slot * into.dataBytes;
      if (bytes < 8 || get16(into.data, at) !== sourcePort) return -1;
      const probe = (get32(into.data, at + 4) - base) >>> 0;
      return probe < sent ? probe : -1;
    },
  };
  return codec;
}

/** Lets in TCP to our port. A raw IPv4 socket's filter sees the IP header, an IPv6 one's does not. */
export function synFilter(family: 4 | 6, sourcePort: number): Uint8Array {
  const isOurs = [
    [BPF.jumpEqual, 0, 1, sourcePort],
    [BPF.ret, 0, 0, 0xffff],
    [BPF.ret, 0, 0, 0],
  ] as const;
  if (family === 6) return assembleBpf([[BPF.loadHalf, 0, 0, 2], ...isOurs]);
  return assembleBpf([[BPF.loadXHeaderLength, 0, 0, 0], [BPF.loadHalfAtX, 0, 0, 2], ...isOurs]);
}

/** Of the header at `at` with its pseudo-header, summed as little-endian words and so to be written low octet first. */
function tcpChecksum(bytes: Uint8Array, at: number, source: number, destination: number): number {
  let sum = (source & 0xffff) + (source >>> 16) + (destination & 0xffff) + (destination >>> 16);
  sum += (IPPROTO_TCP << 8) + (PACKET_BYTES << 8);
  for (let i = at; i < at + PACKET_BYTES; i += 2) sum += bytes[i]! | (bytes[i + 1]! << 8);
  return ~fold(sum) & 0xffff;
}

const hostOrder = (port: number): number => ((port & 0xff) << 8) | (port >>> 8);
const get16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const get32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value & 0xff;
}
