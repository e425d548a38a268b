/**
 * Datagrams of an iperf3 UDP test, and of our own echo beside it.
 *
 * Test data: seconds and microseconds of the sender's monotonic clock (so only differences mean anything), a sequence number
 * from 1 in 32 or 64 bits, all in network order, then filler. A stream begins with four octets each way.
 */
export const UDP_HELLO = Buffer.from('9876', 'latin1');
export const UDP_WELCOME = Buffer.from('6789', 'latin1');
/** Before 3.10 or so the words were integers in host order: 123456789 and 987654321. */
const LEGACY_WELCOME = [Buffer.from([0xb1, 0x68, 0xde, 0x3a]), Buffer.from([0x3a, 0xde, 0x68, 0xb1])];

export function isWelcome(bytes: Uint8Array): boolean {
  const word = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return word.equals(UDP_WELCOME) || LEGACY_WELCOME.some((legacy) => word.equals(legacy));
}

/** Octets of the header of a data packet. */
export function udpHeaderBytes(counters64: boolean): number {
  return counters64 ? 16 : 12;
}

/** Writes the header of packet `sequence`, sent at `monoMs`. */
export function writeUdpHeader(
  target: Buffer,
  offset: number,
  monoMs: number,
  sequence: number,
  counters64: boolean,
): void {
  const micro = Math.floor(monoMs * 1000);
  target.writeUInt32BE(Math.floor(micro / 1e6) >>> 0, offset);
  target.writeUInt32BE(micro % 1e6, offset + 4);
  if (counters64) {
    target.writeUInt32BE(Math.floor(sequence / 2 ** 32), offset + 8);
    target.writeUInt32BE(sequence >>> 0, offset + 12);
  } else target.writeUInt32BE(sequence >>> 0, offset + 8);
}

export function readUdpSentMs(bytes: Buffer, offset: number): number {
  return bytes.readUInt32BE(offset) * 1000 + bytes.readUInt32BE(offset + 4) / 1000;
}

export function readUdpSequence(bytes: Buffer, offset: number, counters64: boolean): number {
  const first = bytes.readUInt32BE(offset + 8);
  return counters64 ? first * 2 ** 32 + bytes.readUInt32BE(offset + 12) : first;
}

/**
 * Loss, order and jitter of one UDP stream by iperf3's rules, so that both tools count alike: a gap counts as lost at once, a
 * packet that comes after all is taken off again; jitter is that of RFC 3550 §6.4.1.
 */
export interface UdpTally {
  packets: number;
  highest: number;
  lost: number;
  outOfOrder: number;
  jitterMs: number;
  /** Transit of the last packet, NaN before the first: the clocks differ, so only its changes mean anything. */
  transitMs: number;
}

export function udpTally(): UdpTally {
  return { packets: 0, highest: 0, lost: 0, outOfOrder: 0, jitterMs: 0, transitMs: NaN };
}

export function countPacket(tally: UdpTally, sequence: number, sentMs: number, receivedMs: number): void {
  tally.packets++;
  if (sequence > tally.highest) {
    tally.lost += sequence - tally.highest - 1;
    tally.highest = sequence;
  } else {
    tally.outOfOrder++;
    if (tally.lost > 0) tally.lost--;
  }
  const transitMs = receivedMs - sentMs;
  const stepMs = Math.abs(transitMs - tally.transitMs);
  if (stepMs === stepMs) tally.jitterMs += (stepMs - tally.jitterMs) / 16;
  tally.transitMs = transitMs;
}

/**
 * Our own echo on the server's UDP port, for round trips beside a running test: 32 octets each way, so a forged sender gains
 * nothing. The answer says how long it lay in the server, by the kernel's receive stamp, so that a busy server does not look like
 * a slow network (the idea of STAMP, RFC 8762).
 */
export const ECHO_BYTES = 32;
const ECHO_MAGIC = 0x6970_7468; // "ipth"
const ASK = 1;
const ANSWER = 2;

/** @param token tells our own answers from forged ones */
export function encodeEchoRequest(target: Buffer, sequence: number, token: bigint): void {
  target.fill(0, 0, ECHO_BYTES);
  target.writeUInt32BE(ECHO_MAGIC, 0);
  target.writeUInt8(ASK, 4);
  target.writeUInt32BE(sequence, 8);
  target.writeBigUInt64BE(token, 16);
}

/** Turns a request in place into its answer; false when it is no request. */
export function answerEcho(bytes: Buffer, length: number, dwellNs: number): boolean {
  if (length !== ECHO_BYTES || bytes.readUInt32BE(0) !== ECHO_MAGIC || bytes[4] !== ASK) return false;
  bytes.writeUInt8(ANSWER, 4);
  bytes.writeUInt32BE(Math.min(0xffff_ffff, Math.max(0, Math.round(dwellNs))), 12);
  return true;
}

export interface EchoAnswer {
  sequence: number;
  token: bigint;
  dwellMs: number;
}

export function decodeEchoAnswer(bytes: Buffer, length: number): EchoAnswer | null {
  if (length !== ECHO_BYTES || bytes.readUInt32BE(0) !== ECHO_MAGIC || bytes[4] !== ANSWER) return null;
  return {
    sequence: bytes.readUInt32BE(8),
    token: bytes.readBigUInt64BE(16),
    dwellMs: bytes.readUInt32BE(12) / 1e6,
  };
}
