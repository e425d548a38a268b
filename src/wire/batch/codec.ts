import type { MessageBatch } from './messages.ts';

/** How probes of one method look on one kind of socket: numbers to packets and back. Bytes only; nothing throws. */
export interface Codec {
  /** Octets of a packet as it is given to the kernel. */
  packetBytes: number;
  /** Whether the port of the target goes into its address; raw IPv6 sockets refuse one. */
  usesPort: boolean;
  /** Writes what all packets have in common into every slot. */
  prepare(out: MessageBatch): void;
  /** Makes the packet in `slot` that of probe `probe`; `target` is whom it goes to. */
  write(out: MessageBatch, slot: number, probe: number, target: number): void;
  /** The probe that the packet in `slot` answers, or −1 when it is none of ours. */
  read(into: MessageBatch, slot: number, bytes: number): number;
  /**
   * The probe that an ICMP error quotes from behind the IP header, or −1. Routers need not quote more than eight octets
   * (RFC 792), so this must do with that little; `sent` is how many probes there have been.
   */
  readQuote(into: MessageBatch, slot: number, bytes: number, sent: number): number;
  /** Whether what read() found last was a refusal: a TCP reset. */
  refused: boolean;
}

/** Random words that mark every payload of one run, so that other people's packets and forgeries are not taken for answers. */
export interface Token {
  first: number;
  second: number;
}

/** The payload of echo requests and datagrams: token, then the number of the probe, little-endian words. */
export const PAYLOAD_BYTES = 12;

/** Writes the token at a byte offset that is a multiple of 4. */
export function writeToken(words: Uint32Array, offset: number, token: Token): void {
  words[offset >>> 2] = token.first;
  words[(offset >>> 2) + 1] = token.second;
}

/** The probe number of a payload of ours at `offset`; −1 when it is not, or when fewer than PAYLOAD_BYTES are there. */
export function readPayload(words: Uint32Array, offset: number, available: number, token: Token): number {
  const word = offset >>> 2;
  if (available < PAYLOAD_BYTES || words[word] !== token.first || words[word + 1] !== token.second) return -1;
  return words[word + 2]!;
}

/** The youngest of `sent` probes whose number ends in these 16 bits; −1 when there is none. */
export function youngestEndingIn(low16: number, sent: number): number {
  const probe = ((sent - 1) & ~0xffff) + low16;
  // Plain arithmetic, because probe numbers go up to 2³².
  return probe < sent ? probe : probe - 0x10000;
}

/** Sum of 16-bit words, folded to 16 bits: RFC 1071 works in either byte order as long as it is the same throughout. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}
