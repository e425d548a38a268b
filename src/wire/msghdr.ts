import { addressOf, memory } from './libc.ts';
import { AF_INET, AF_INET6, formatIPv4, formatIPv6 } from './sockaddr.ts';

/**
 * struct msghdr, iovec and cmsghdr for recvmsg(2) and sendmsg(2), laid out by hand for 64-bit little-endian Linux (x86-64 and
 * arm64 agree), and a reader of the control messages that the kernel attaches: timestamps, the error queue, TTL.
 * Nothing is allocated per call: one MessageBuffers and one ControlMessages serve a socket for its life.
 */
export const MSGHDR_BYTES = 56;
const IOVEC_BYTES = 16;
const CMSGHDR_BYTES = 16;
const NAME_BYTES = 128; // sizeof(struct sockaddr_storage)

export const MSG_DONTWAIT = 0x40;
export const MSG_ERRQUEUE = 0x2000;
export const MSG_NOSIGNAL = 0x4000;

// asm-generic/socket.h, linux/in.h, linux/in6.h
export const SOL_SOCKET = 1;
export const SOL_IP = 0;
export const SOL_IPV6 = 41;
export const SO_TIMESTAMPNS = 35;
export const SO_TIMESTAMPING = 37;
export const IP_TOS = 1;
export const IP_TTL = 2;
export const IP_RECVERR = 11;
export const IP_RECVTTL = 12;
export const IP_RECVERR_RFC4884 = 26;
export const IPV6_UNICAST_HOPS = 16;
export const IPV6_RECVERR = 25;
export const IPV6_RECVERR_RFC4884 = 31;
export const IPV6_RECVHOPLIMIT = 51;
export const IPV6_HOPLIMIT = 52;
export const IPV6_TCLASS = 67;

/** Bits of SO_TIMESTAMPING (linux/net_tstamp.h; Documentation/networking/timestamping.rst). */
export const SOF_TIMESTAMPING = {
  TX_HARDWARE: 1 << 0,
  TX_SOFTWARE: 1 << 1,
  RX_HARDWARE: 1 << 2,
  RX_SOFTWARE: 1 << 3,
  SOFTWARE: 1 << 4,
  RAW_HARDWARE: 1 << 6,
  OPT_ID: 1 << 7,
  TX_SCHED: 1 << 8,
  TX_ACK: 1 << 9,
  OPT_CMSG: 1 << 10,
  OPT_TSONLY: 1 << 11,
  /** The stamp of the kernel comes beside that of the card, not only in its place. */
  OPT_TX_SWHW: 1 << 14,
  OPT_ID_TCP: 1 << 16,
} as const;

/** ee_origin of struct sock_extended_err (linux/errqueue.h). */
export const SO_EE_ORIGIN = { LOCAL: 1, ICMP: 2, ICMP6: 3, TIMESTAMPING: 4 } as const;
/** ee_info when ee_origin is TIMESTAMPING: which moment the stamp is of. */
export const SCM_TSTAMP = { SND: 0, SCHED: 1, ACK: 2 } as const;

/** A struct msghdr with one iovec, a name and a control buffer, in memory that never moves. */
export class MessageBuffers {
  readonly header: Buffer;
  readonly data: Buffer;
  readonly control: Buffer;
  readonly name: Buffer;
  readonly #iovec: Buffer;

  constructor(dataBytes: number, controlBytes = 512) {
    this.header = memory(MSGHDR_BYTES);
    this.data = memory(dataBytes);
    this.control = memory(controlBytes);
    this.name = memory(NAME_BYTES);
    this.#iovec = memory(IOVEC_BYTES);
    this.#iovec.writeBigUInt64LE(addressOf(this.data), 0);
    this.#iovec.writeBigUInt64LE(BigInt(dataBytes), 8);
    this.header.writeBigUInt64LE(addressOf(this.name), 0);
    this.header.writeBigUInt64LE(addressOf(this.#iovec), 16);
    this.header.writeUInt32LE(1, 24);
    this.header.writeBigUInt64LE(addressOf(this.control), 32);
    this.reset();
  }

  /** To be called before every recvmsg: the kernel overwrites lengths and flags with what it delivered. */
  reset(): void {
    this.header.writeUInt32LE(NAME_BYTES, 8);
    this.header.writeUInt32LE(this.control.length, 40);
    this.header.writeInt32LE(0, 48);
  }

  /** Octets of `name` that the last recvmsg filled. */
  get nameLength(): number {
    return Math.min(this.header.readUInt32LE(8), NAME_BYTES);
  }

  /** Octets of `control` that the last recvmsg filled. */
  get controlLength(): number {
    return Math.min(this.header.readUInt32LE(40), this.control.length);
  }

  /** msg_flags of the last recvmsg: MSG_TRUNC, MSG_CTRUNC, MSG_ERRQUEUE. */
  get flags(): number {
    return this.header.readInt32LE(48);
  }
}

/** What the control messages of one recvmsg said; filled anew by each readControl(). */
export interface ControlMessages {
  /** True when a software timestamp came along: `stampSec` and `stampNsec` on CLOCK_REALTIME. */
  hasStamp: boolean;
  stampSec: number;
  stampNsec: number;
  /** True when a struct sock_extended_err came along; the `error…` fields and `offender` are of it. */
  hasError: boolean;
  /** ee_errno. For a transmit stamp it is ENOMSG and means no error. */
  errorNumber: number;
  /** ee_origin, see SO_EE_ORIGIN. */
  errorOrigin: number;
  /** ICMP type and code where the origin is ICMP or ICMP6. */
  errorType: number;
  errorCode: number;
  /** ee_info: next-hop MTU for EMSGSIZE; SCM_TSTAMP for a transmit stamp. */
  errorInfo: number;
  /** ee_data: the packet or byte counter of SOF_TIMESTAMPING_OPT_ID for a transmit stamp. */
  errorData: number;
  /** Address of the router or host that sent the ICMP error; null when the kernel named none. */
  offender: string | null;
  /** TTL or hop limit of the packet, where asked for by IP_RECVTTL or IPV6_RECVHOPLIMIT; else −1. */
  ttl: number;
}

export function controlMessages(): ControlMessages {
  return {
    hasStamp: false,
    stampSec: 0,
    stampNsec: 0,
    hasError: false,
    errorNumber: 0,
    errorOrigin: 0,
    errorType: 0,
    errorCode: 0,
    errorInfo: 0,
    errorData: 0,
    offender: null,
    ttl: -1,
  };
}

/**
 * Reads the control messages in the first `length` octets of `control` into `out`. Lengths are checked: a message that claims
 * more than there is ends the walk, unknown ones are skipped, nothing throws.
 */
export function readControl(control: Buffer, length: number, out: ControlMessages): void {
  out.hasStamp = false;
  out.hasError = false;
  out.offender = null;
  out.ttl = -1;
  const end = Math.min(length, control.length);
  let at = 0;
  while (at + CMSGHDR_BYTES <= end) {
    const bytes = control.readUInt32LE(at);
    // cmsg_len is a size_t: a value that does not fit 32 bits cannot be ours.
    if (control.readUInt32LE(at + 4) !== 0 || bytes < CMSGHDR_BYTES || at + bytes > end) return;
    readOne(control, control.readInt32LE(at + 8), control.readInt32LE(at + 12), at + CMSGHDR_BYTES, at + bytes, out);
    at += (bytes + 7) & ~7;
  }
}

function readOne(control: Buffer, level: number, type: number, start: number, end: number, out: ControlMessages): void {
  const bytes = end - start;
  if (level === SOL_SOCKET) {
    // struct scm_timestamping is three timespecs of which the first is the software stamp; SO_TIMESTAMPNS sends just one.
    if ((type === SO_TIMESTAMPING && bytes >= 48) || (type === SO_TIMESTAMPNS && bytes >= 16))
      readStamp(control, start, out);
  } else if ((level === SOL_IP && type === IP_RECVERR) || (level === SOL_IPV6 && type === IPV6_RECVERR)) {
    if (bytes >= 16) readExtendedError(control, start, end, out);
  } else if ((level === SOL_IP && type === IP_TTL) || (level === SOL_IPV6 && type === IPV6_HOPLIMIT)) {
    if (bytes >= 4) out.ttl = control.readInt32LE(start);
  }
}

function readStamp(control: Buffer, start: number, out: ControlMessages): void {
  const sec = control.readUInt32LE(start) + control.readUInt32LE(start + 4) * 2 ** 32;
  const nsec = control.readUInt32LE(start + 8);
  // A zero stamp means that the kernel had none (for instance only a hardware stamp was made).
  if (sec === 0 && nsec === 0) return;
  out.hasStamp = true;
  out.stampSec = sec;
  out.stampNsec = nsec;
}

/** struct sock_extended_err, 16 octets, then a sockaddr of the offender (SO_EE_OFFENDER). */
function readExtendedError(control: Buffer, start: number, end: number, out: ControlMessages): void {
  out.hasError = true;
  out.errorNumber = control.readUInt32LE(start);
  out.errorOrigin = control.readUInt8(start + 4);
  out.errorType = control.readUInt8(start + 5);
  out.errorCode = control.readUInt8(start + 6);
  out.errorInfo = control.readUInt32LE(start + 8);
  out.errorData = control.readUInt32LE(start + 12);
  const address = start + 16;
  const family = end - address >= 8 ? control.readUInt16LE(address) : 0;
  if (family === AF_INET) out.offender = formatIPv4(control, address + 4);
  else if (family === AF_INET6 && end - address >= 24) out.offender = formatIPv6(control, address + 8);
}
