import { assembleBpf, BPF } from '../bpf.ts';
import { ICMP_ECHO, ICMP_ECHO_REPLY, ICMP6_ECHO, ICMP6_ECHO_REPLY } from '../icmp.ts';
import { type Codec, fold, PAYLOAD_BYTES, readPayload, type Token, writeToken, youngestEndingIn } from './codec.ts';

/** Octets of the ICMP header of an echo. */
const HEADER = 8;

export interface IcmpCodecOptions {
  family: 4 | 6;
  /** A raw IPv4 socket delivers the IP header, too; a ping socket's kernel puts in its own identifier. */
  raw: boolean;
  /** Of the first 65,536 probes; each further 65,536 have the next one. */
  identifier: number;
  token: Token;
  /** Octets behind the ICMP header; at least PAYLOAD_BYTES are sent. */
  payloadBytes: number;
}

/**
 * ICMP echo (RFC 792, RFC 4443 §4). Identifier and sequence number together count the probes, so there is no limit at 65,535
 * of them; what tells an answer is the token and the number in the payload.
 */
export function icmpCodec({ family, raw, identifier, token, payloadBytes }: IcmpCodecOptions): Codec {
  const packetBytes = HEADER + Math.max(PAYLOAD_BYTES, payloadBytes);
  const request = family === 4 ? ICMP_ECHO : ICMP6_ECHO;
  const reply = family === 4 ? ICMP_ECHO_REPLY : ICMP6_ECHO_REPLY;
  let constantSum = 0;
  return {
    packetBytes,
    usesPort: false,
    refused: false,
    prepare(out) {
      for (let slot = 0; slot < out.slots; slot++) {
        const at = slot * out.dataBytes;
        out.data.fill(0, at, at + packetBytes);
        for (let i = HEADER + PAYLOAD_BYTES; i < packetBytes; i++) out.data[at + i] = i & 0xff;
        out.data[at] = request;
        writeToken(out.data32, at + HEADER, token);
      }
      constantSum = wordSum(out.data, packetBytes);
    },
    write(out, slot, probe) {
      const word = (slot * out.dataBytes) >>> 2;
      const words = out.data32;
      const id = (identifier + (probe >>> 16)) & 0xffff;
      // Network order as a little-endian word: identifier first, then sequence number.
      const idAndSequence =
        ((id >>> 8) | ((id & 0xff) << 8) | (((probe >>> 8) & 0xff) << 16) | ((probe & 0xff) << 24)) >>> 0;
      words[word + 1] = idAndSequence;
      words[word + 4] = probe;
      if (family === 6) return; // the kernel fills in the checksum of ICMPv6
      const sum = constantSum + (idAndSequence & 0xffff) + (idAndSequence >>> 16) + (probe & 0xffff) + (probe >>> 16);
      words[word] = (request | ((~fold(sum) & 0xffff) << 16)) >>> 0;
    },
    read(into, slot, bytes) {
      const start = slot * into.dataBytes;
      let at = start;
      if (raw && family === 4) at += (into.data[start]! & 0x0f) * 4;
      const available = start + bytes - at - HEADER;
      if (available < PAYLOAD_BYTES || into.data[at] !== reply) return -1;
      return readPayload(into.data32, at + HEADER, available, token);
    },
    readQuote(into, slot, bytes, sent) {
      const at = slot * into.dataBytes;
      if (bytes < HEADER || into.data[at] !== request) return -1;
      const whole = bytes >= HEADER + PAYLOAD_BYTES;
      if (whole) return readPayload(into.data32, at + HEADER, bytes - HEADER, token);
      const sequence = (into.data[at + 6]! << 8) | into.data[at + 7]!;
      if (!raw) return youngestEndingIn(sequence, sent);
      const id = (into.data[at + 4]! << 8) | into.data[at + 5]!;
      const probe = ((id - identifier) & 0xffff) * 0x10000 + sequence;
      return probe < sent ? probe : -1;
    },
  };
}

/** Lets in echo replies that carry our token. A raw IPv4 socket's filter sees the IP header, an IPv6 one's does not. */
export function icmpFilter(family: 4 | 6, token: Token): Uint8Array {
  const words = [swap(token.first), swap(token.second)] as const;
  if (family === 6)
    return assembleBpf([
      [BPF.loadByte, 0, 0, 0],
      [BPF.jumpEqual, 0, 5, ICMP6_ECHO_REPLY],
      [BPF.loadWord, 0, 0, HEADER],
      [BPF.jumpEqual, 0, 3, words[0]],
      [BPF.loadWord, 0, 0, HEADER + 4],
      [BPF.jumpEqual, 0, 1, words[1]],
      [BPF.ret, 0, 0, 0xffff],
      [BPF.ret, 0, 0, 0],
    ]);
  return assembleBpf([
    [BPF.loadXHeaderLength, 0, 0, 0],
    [BPF.loadByteAtX, 0, 0, 0],
    [BPF.jumpEqual, 0, 5, ICMP_ECHO_REPLY],
    [BPF.loadWordAtX, 0, 0, HEADER],
    [BPF.jumpEqual, 0, 3, words[0]],
    [BPF.loadWordAtX, 0, 0, HEADER + 4],
    [BPF.jumpEqual, 0, 1, words[1]],
    [BPF.ret, 0, 0, 0xffff],
    [BPF.ret, 0, 0, 0],
  ]);
}

/** BPF loads words in network order; the token is written as little-endian words. */
function swap(word: number): number {
  return (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

/** Sum of the first `length` octets as little-endian 16-bit words, folded. */
function wordSum(bytes: Uint8Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i += 2) sum += bytes[i]! | (i + 1 < length ? bytes[i + 1]! << 8 : 0);
  return fold(sum);
}
