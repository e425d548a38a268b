import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * STAMP, the Simple Two-way Active Measurement Protocol: packets of RFC 8762, optional extensions (TLVs) of RFC 8972.
 * A sender's packet carries T1; the reflector answers with the same length, its own T2 (received) and T3 (sent) and everything
 * of the sender's packet, so that (T4 − T1) − (T3 − T2) is the round trip without the time that the reflector took.
 *
 * Layouts, octets from the start; both are 44 long without and 112 with authentication:
 *
 *                      sender       reflector        sender, auth.  reflector, auth.
 *     Sequence Number  0            0                0              0
 *     Timestamp        4            4   (T3)         16             16   (T3)
 *     Error Estimate   12           12               24             24
 *     SSID             14           14               26             26
 *     Receive Timestamp             16  (T2)                        32   (T2)
 *     Sender's Sequence Number      24                              48
 *     Sender's Timestamp            28  (T1)                        64   (T1)
 *     Sender's Error Estimate       36                              72
 *     Sender's TTL                  40                              80
 *     HMAC (128 bits)                                96             96
 */
export const STAMP_BYTES = 44;
export const STAMP_AUTH_BYTES = 112;

const HMAC_BYTES = 16;
const HMAC_AT = STAMP_AUTH_BYTES - HMAC_BYTES;
const OPEN = { time: 4, error: 12, ssid: 14, received: 16, sequence: 24, sent: 28, sentError: 36, ttl: 40 } as const;
const SECURE = { time: 16, error: 24, ssid: 26, received: 32, sequence: 48, sent: 64, sentError: 72, ttl: 80 } as const;

/** Whether a packet has the longer layout with an HMAC. */
export type StampMode = 'open' | 'authenticated';

/** A moment: seconds since 1970 (UTC) and nanoseconds, as the kernel's stamps are. */
export interface StampTime {
  sec: number;
  nsec: number;
}

/** RFC 4656 §4.1.2: how wrong a timestamp may be, and in which of two formats it stands. */
export interface ErrorEstimate {
  /** S: the clock is synchronised to UTC by an external source. */
  synchronised: boolean;
  /** Z: the timestamp has the truncated format of PTP (seconds and nanoseconds) and not that of NTP (RFC 8762 §4.2.1). */
  ptp: boolean;
  /** The error is multiplier × 2^(scale − 32) seconds. 6 bits. */
  scale: number;
  /** 8 bits; 0 is forbidden: such a packet counts as corrupt. */
  multiplier: number;
}

export interface SenderPacket {
  sequence: number;
  time: StampTime;
  error: ErrorEstimate;
  /** STAMP Session Identifier (RFC 8972 §3); 0 for none. */
  ssid: number;
}

export interface ReflectorPacket extends SenderPacket {
  /** T2. In the format that `error.ptp` says, as T3. */
  received: StampTime;
  sender: Omit<SenderPacket, 'ssid'> & {
    /** TTL or hop limit with which the sender's packet arrived. */
    ttl: number;
  };
}

/** Octets of the base packet, behind which TLVs may follow. */
export function stampBytes(mode: StampMode): number {
  return mode === 'open' ? STAMP_BYTES : STAMP_AUTH_BYTES;
}

/** Writes a sender's packet at the start of `target`; must-be-zero fields are zeroed. An authenticated one has to be signed. */
export function writeSender(target: Buffer, packet: SenderPacket, mode: StampMode = 'open'): number {
  const at = mode === 'open' ? OPEN : SECURE;
  const bytes = stampBytes(mode);
  target.fill(0, 0, bytes);
  target.writeUInt32BE(packet.sequence >>> 0, 0);
  writeTime(target, at.time, packet.time, packet.error.ptp);
  writeError(target, at.error, packet.error);
  target.writeUInt16BE(packet.ssid, at.ssid);
  return bytes;
}

/** The sender's packet in the first `length` octets; null when it is too short or its error estimate is corrupt. */
export function readSender(bytes: Buffer, length: number, mode: StampMode = 'open'): SenderPacket | null {
  if (Math.min(length, bytes.length) < stampBytes(mode)) return null;
  const at = mode === 'open' ? OPEN : SECURE;
  const error = readError(bytes, at.error);
  if (error.multiplier === 0) return null;
  return {
    sequence: bytes.readUInt32BE(0),
    time: readTime(bytes, at.time, error.ptp),
    error,
    ssid: bytes.readUInt16BE(at.ssid),
  };
}

/** Writes a reflector's packet. An authenticated one has to be signed. */
export function writeReflector(target: Buffer, packet: ReflectorPacket, mode: StampMode = 'open'): number {
  const at = mode === 'open' ? OPEN : SECURE;
  const bytes = writeSender(target, packet, mode);
  const { received, sender } = packet;
  writeTime(target, at.received, received, packet.error.ptp);
  target.writeUInt32BE(sender.sequence >>> 0, at.sequence);
  writeTime(target, at.sent, sender.time, sender.error.ptp);
  writeError(target, at.sentError, sender.error);
  target.writeUInt8(sender.ttl, at.ttl);
  return bytes;
}

/** The reflector's packet in the first `length` octets; null when it is too short or an error estimate is corrupt. */
export function readReflector(bytes: Buffer, length: number, mode: StampMode = 'open'): ReflectorPacket | null {
  const own = readSender(bytes, length, mode);
  if (own === null) return null;
  const at = mode === 'open' ? OPEN : SECURE;
  const error = readError(bytes, at.sentError);
  if (error.multiplier === 0) return null;
  return {
    ...own,
    received: readTime(bytes, at.received, own.error.ptp),
    sender: {
      sequence: bytes.readUInt32BE(at.sequence),
      time: readTime(bytes, at.sent, error.ptp),
      error,
      ttl: bytes.readUInt8(at.ttl),
    },
  };
}

/** Puts T3 into a reflector's packet, in the format that its error estimate announces: the last thing before it is sent. */
export function writeSentTime(target: Buffer, time: StampTime, mode: StampMode = 'open'): void {
  const at = mode === 'open' ? OPEN : SECURE;
  writeTime(target, at.time, time, readError(target, at.error).ptp);
}

/** RFC 8762 §4.4: HMAC-SHA-256 over the first 96 octets, truncated to 128 bits. */
export function signStamp(packet: Buffer, key: Buffer): void {
  hmacOf(packet, key).copy(packet, HMAC_AT);
}

/** Whether the HMAC of a packet of at least STAMP_AUTH_BYTES is right. */
export function verifyStamp(packet: Buffer, key: Buffer): boolean {
  if (packet.length < STAMP_AUTH_BYTES) return false;
  return timingSafeEqual(hmacOf(packet, key), packet.subarray(HMAC_AT, STAMP_AUTH_BYTES));
}

function hmacOf(packet: Buffer, key: Buffer): Buffer {
  return createHmac('sha256', key).update(packet.subarray(0, HMAC_AT)).digest().subarray(0, HMAC_BYTES);
}

/** The smallest estimate that is not below `errorSec`; what is beyond the format (about 2^39 s) becomes its largest. */
export function errorEstimate(errorSec: number, synchronised: boolean, ptp = false): ErrorEstimate {
  const units = Math.max(1, errorSec * 2 ** 32);
  const scale = Math.min(63, Math.max(0, Math.ceil(Math.log2(units / 255))));
  return { synchronised, ptp, scale, multiplier: Math.min(255, Math.max(1, Math.ceil(units / 2 ** scale))) };
}

/** What an estimate says, in seconds. */
export function errorSeconds({ scale, multiplier }: ErrorEstimate): number {
  return multiplier * 2 ** (scale - 32);
}

function writeError(target: Buffer, at: number, { synchronised, ptp, scale, multiplier }: ErrorEstimate): void {
  target.writeUInt8((synchronised ? 0x80 : 0) | (ptp ? 0x40 : 0) | (scale & 0x3f), at);
  target.writeUInt8(multiplier, at + 1);
}

function readError(bytes: Buffer, at: number): ErrorEstimate {
  const first = bytes.readUInt8(at);
  return {
    synchronised: (first & 0x80) !== 0,
    ptp: (first & 0x40) !== 0,
    scale: first & 0x3f,
    multiplier: bytes.readUInt8(at + 1),
  };
}

/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_UNIX_SEC = 2_208_988_800;

/** NTP (RFC 5905 §6): seconds since 1900 and 1/2^32 s. PTP (IEEE 1588, truncated): seconds since 1970 and nanoseconds. */
function writeTime(target: Buffer, at: number, { sec, nsec }: StampTime, ptp: boolean): void {
  target.writeUInt32BE((ptp ? sec : sec + NTP_UNIX_SEC) % 2 ** 32, at);
  target.writeUInt32BE(ptp ? nsec : Math.min(2 ** 32 - 1, Math.round((nsec / 1e9) * 2 ** 32)), at + 4);
}

function readTime(bytes: Buffer, at: number, ptp: boolean): StampTime {
  const sec = bytes.readUInt32BE(at);
  const fraction = bytes.readUInt32BE(at + 4);
  // A nonsense count of nanoseconds is kept within its second, so that no time from outside has an odd shape.
  if (ptp) return { sec, nsec: Math.min(fraction, 999_999_999) };
  // NTP's seconds wrap in 2036: what lies in the lower half is of the era that begins there (RFC 5905 §6).
  const era = sec < 2 ** 31 ? 2 ** 32 : 0;
  return { sec: sec + era - NTP_UNIX_SEC, nsec: Math.min(999_999_999, Math.round((fraction / 2 ** 32) * 1e9)) };
}
