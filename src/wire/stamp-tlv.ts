/**
 * Optional extensions of STAMP (RFC 8972): TLVs behind the base packet, each of flags, type, length (of the value) and value.
 * The sender sets U in all of them; the reflector clears it in those that it knows, and sends everything back.
 */
export const TLV_HEADER_BYTES = 4;

/** RFC 8972 §5.1; 240 to 251 are for experiments. */
export const TLV_TYPE = {
  EXTRA_PADDING: 1,
  CLASS_OF_SERVICE: 4,
  HMAC: 8,
  /** Ours, see SizeTlv. */
  REPLY_SIZE: 240,
} as const;

/** RFC 8972 §4: unrecognised, malformed, integrity check failed. */
export const TLV_FLAG = { U: 0x80, M: 0x40, I: 0x20 } as const;

/** More than this in one packet are not looked at: the rest is sent back as it came. */
const MAX_TLVS = 64;

/** Where one TLV lies; its value is the `length` octets from `valueAt`. */
export interface Tlv {
  at: number;
  type: number;
  flags: number;
  valueAt: number;
  /** As far as it is there: of a malformed one the octets that are left. */
  length: number;
  /** It claims more than there is, or there is no room for a header: nothing behind it can be read. */
  malformed: boolean;
}

/** The TLVs in the octets [from, to). Never throws; a malformed one is the last. */
export function readTlvs(bytes: Buffer, from: number, to: number): Tlv[] {
  const end = Math.min(to, bytes.length);
  const found: Tlv[] = [];
  for (let at = from; at + TLV_HEADER_BYTES <= end && found.length < MAX_TLVS;) {
    const claimed = bytes.readUInt16BE(at + 2);
    const valueAt = at + TLV_HEADER_BYTES;
    const malformed = valueAt + claimed > end;
    const length = Math.min(claimed, end - valueAt);
    found.push({ at, flags: bytes.readUInt8(at), type: bytes.readUInt8(at + 1), valueAt, length, malformed });
    at = valueAt + length;
    if (malformed) break;
  }
  return found;
}

/** Writes the header of a TLV as a sender does and zeroes its value; returns where the value begins. */
export function writeTlv(target: Buffer, at: number, type: number, length: number): number {
  target.writeUInt8(TLV_FLAG.U, at);
  target.writeUInt8(type, at + 1);
  target.writeUInt16BE(length, at + 2);
  const valueAt = at + TLV_HEADER_BYTES;
  target.fill(0, valueAt, valueAt + length);
  return valueAt;
}

/**
 * Fills the octets [from, to) with one Extra Padding TLV (RFC 8972 §4.1), so that the packet is `to` octets long.
 * @throws RangeError where no header fits: a packet cannot be made 1 to 3 octets longer
 */
export function writePadding(target: Buffer, from: number, to: number): void {
  if (to === from) return;
  if (to < from + TLV_HEADER_BYTES)
    throw new RangeError(`Cannot pad ${from} octets to ${to}: padding takes ${TLV_HEADER_BYTES} octets at least`);
  writeTlv(target, from, TLV_TYPE.EXTRA_PADDING, to - from - TLV_HEADER_BYTES);
}

/** Class of Service (RFC 8972 §4.4). */
export interface CosTlv {
  /** DSCP1: the sender wants the reflected packet marked so. */
  wantedDscp: number;
  /** DSCP2 and ECN: how the sender's packet was marked when it reached the reflector. */
  receivedDscp: number;
  receivedEcn: number;
  /** RP: 1 when the reflector did not mark the reflected packet as wanted. */
  refused: number;
}
export const COS_BYTES = 4;

export function writeCos(target: Buffer, valueAt: number, cos: CosTlv): void {
  const bits = (cos.wantedDscp << 10) | (cos.receivedDscp << 4) | (cos.receivedEcn << 2) | cos.refused;
  target.writeUInt16BE(bits, valueAt);
  target.writeUInt16BE(0, valueAt + 2);
}

/** Null when the TLV has another length. */
export function readCos(bytes: Buffer, { valueAt, length, malformed }: Tlv): CosTlv | null {
  if (malformed || length !== COS_BYTES) return null;
  const bits = bytes.readUInt16BE(valueAt);
  return { wantedDscp: bits >> 10, receivedDscp: (bits >> 4) & 0x3f, receivedEcn: (bits >> 2) & 3, refused: bits & 3 };
}

/**
 * Our experimental TLV "reply size", by which the two directions of a path can be measured for MTU apart. The sender says how
 * many octets of UDP payload the reply shall have. Shorter than the request: the forward direction alone. Longer: the reverse
 * alone, and then only with a cookie, which shows that the sender receives what is sent to its address (return routability, as
 * in RFC 9000 §8.1): else anybody could have a reflector send large packets to somebody else. Value, 24 octets:
 *
 *     0  magic "INFP": experimental types belong to nobody
 *     4  version 1
 *     5  status, see SIZE_STATUS
 *     6  octets of UDP payload: wanted (request) or sent (reply)
 *     8  cookie, 16 octets; all zero in a first request
 */
export interface SizeTlv {
  status: number;
  replyBytes: number;
  cookie: Buffer;
}
export const SIZE_VALUE_BYTES = 24;
export const SIZE_TLV_BYTES = TLV_HEADER_BYTES + SIZE_VALUE_BYTES;
export const COOKIE_BYTES = 16;
export const SIZE_STATUS = {
  /** In a request. */
  ASKED: 0,
  /** The reply has the wanted size. */
  DONE: 1,
  /** Wanted was more than came, without a cookie that is good: here is one; the reply is as long as the request. */
  COOKIE: 2,
  /** The reflector's own interface cannot send so much; this reply is as long as the request. */
  TOO_LARGE: 3,
} as const;
const MAGIC = 0x494e4650;
const VERSION = 1;

/** Writes the whole TLV at `at`; returns where it ends. */
export function writeSizeTlv(target: Buffer, at: number, { status, replyBytes, cookie }: SizeTlv): number {
  const valueAt = writeTlv(target, at, TLV_TYPE.REPLY_SIZE, SIZE_VALUE_BYTES);
  target.writeUInt32BE(MAGIC, valueAt);
  target.writeUInt8(VERSION, valueAt + 4);
  target.writeUInt8(status, valueAt + 5);
  target.writeUInt16BE(replyBytes, valueAt + 6);
  cookie.copy(target, valueAt + 8, 0, COOKIE_BYTES);
  return valueAt + SIZE_VALUE_BYTES;
}

/** Null when it is somebody else's experiment. The cookie is a view of `bytes`. */
export function readSizeTlv(bytes: Buffer, { type, valueAt, length, malformed }: Tlv): SizeTlv | null {
  if (malformed || type !== TLV_TYPE.REPLY_SIZE || length !== SIZE_VALUE_BYTES) return null;
  if (bytes.readUInt32BE(valueAt) !== MAGIC || bytes.readUInt8(valueAt + 4) !== VERSION) return null;
  return {
    status: bytes.readUInt8(valueAt + 5),
    replyBytes: bytes.readUInt16BE(valueAt + 6),
    cookie: bytes.subarray(valueAt + 8, valueAt + 8 + COOKIE_BYTES),
  };
}

/** The first "reply size" TLV behind a base packet of `from` octets, in a packet of `to`. U says that the reflector did not know it. */
export function findSizeTlv(bytes: Buffer, from: number, to: number): (SizeTlv & { recognised: boolean }) | null {
  for (const tlv of readTlvs(bytes, from, to)) {
    const size = readSizeTlv(bytes, tlv);
    if (size !== null) return { ...size, recognised: (tlv.flags & TLV_FLAG.U) === 0 };
  }
  return null;
}
