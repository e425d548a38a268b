/**
 * RoCEv2: InfiniBand's transport in UDP (InfiniBand Architecture Specification, volume 1, chapter 9; annex A17). Only its headers are
 * read, which no RoCEv2 encrypts.
 */

/** UDP destination port of RoCEv2 (IANA). The source port is only there to spread over paths. */
export const rocePort = 4791;

/** Base transport header of one packet, with what follows it where the opcode says so. One object is filled again and again. */
export interface RoceHeader {
  opcode: number;
  /** Backward notification: the receiver asks for less. Forward: a switch met congestion (InfiniBand's, beside ECN of IP). */
  becn: boolean;
  fecn: boolean;
  pad: number;
  destinationQp: number;
  ackRequested: boolean;
  /** Packet sequence number, 24 bits. */
  psn: number;
  /** Syndrome of the ACK extended transport header; -1 where there is none. */
  syndrome: number;
  /** Octets that a WRITE or READ is about, by the RDMA extended transport header; -1 where there is none. */
  messageBytes: number;
  /** Octets between these headers and the invariant CRC. */
  payloadBytes: number;
}

export const bthBytes = 12;
const crcBytes = 4;
const rethBytes = 16;
const aethBytes = 4;

/** Upper three bits of an opcode: the service. */
export const roceService = { rc: 0, uc: 1, rd: 2, ud: 3, cnp: 4, xrc: 5 } as const;
/** Congestion notification packet (annex A17.9). */
export const cnpOpcode = 0x81;

/** Lower five bits of an opcode: what the packet is to its message. */
export const operation = {
  sendFirst: 0x00,
  sendMiddle: 0x01,
  sendLast: 0x02,
  sendLastImmediate: 0x03,
  sendOnly: 0x04,
  sendOnlyImmediate: 0x05,
  writeFirst: 0x06,
  writeMiddle: 0x07,
  writeLast: 0x08,
  writeLastImmediate: 0x09,
  writeOnly: 0x0a,
  writeOnlyImmediate: 0x0b,
  readRequest: 0x0c,
  readResponseFirst: 0x0d,
  readResponseMiddle: 0x0e,
  readResponseLast: 0x0f,
  readResponseOnly: 0x10,
  acknowledge: 0x11,
  atomicAcknowledge: 0x12,
  compareSwap: 0x13,
  fetchAdd: 0x14,
  sendLastInvalidate: 0x16,
  sendOnlyInvalidate: 0x17,
} as const;

export function newRoceHeader(): RoceHeader {
  return {
    opcode: 0,
    becn: false,
    fecn: false,
    pad: 0,
    destinationQp: 0,
    ackRequested: false,
    psn: 0,
    syndrome: -1,
    messageBytes: -1,
    payloadBytes: 0,
  };
}

/**
 * Reads the header in octets `at` to `end` of what UDP carries.
 * @param carriedBytes what UDP carried on the wire, where more than was captured; -1 where that cannot be known
 * @returns false where it is none: too short, or of a version that does not exist
 */
export function readRoce(bytes: Buffer, at: number, end: number, carriedBytes: number, header: RoceHeader): boolean {
  if (at < 0 || end > bytes.length || end - at < bthBytes) return false;
  const marks = bytes[at + 1]!;
  if ((marks & 0x0f) !== 0 || bytes[at]! >> 5 > roceService.xrc) return false;
  header.opcode = bytes[at]!;
  header.pad = (marks >> 4) & 3;
  header.fecn = (bytes[at + 4]! & 0x80) !== 0;
  header.becn = (bytes[at + 4]! & 0x40) !== 0;
  header.destinationQp = (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!;
  header.ackRequested = (bytes[at + 8]! & 0x80) !== 0;
  header.psn = (bytes[at + 9]! << 16) | (bytes[at + 10]! << 8) | bytes[at + 11]!;
  const service = header.opcode >> 5;
  const what = header.opcode & 0x1f;
  let next = at + bthBytes + (service === roceService.xrc ? 4 : service === roceService.ud ? 8 : 0);
  header.syndrome = -1;
  header.messageBytes = -1;
  const isReliable = service === roceService.rc || service === roceService.xrc;
  if (hasReth(service, what)) {
    if (next + rethBytes <= end) header.messageBytes = bytes.readUInt32BE(next + 12);
    next += rethBytes;
  } else if (isReliable && hasAeth(what)) {
    if (next + aethBytes <= end) header.syndrome = bytes[next]!;
    next += aethBytes;
  }
  next += furtherBytes(what);
  header.payloadBytes = Math.max(0, carriedBytes - (next - at) - crcBytes - header.pad);
  return true;
}

function hasReth(service: number, what: number): boolean {
  if (service === roceService.ud || service === roceService.cnp) return false;
  return (
    what === operation.writeFirst ||
    what === operation.writeOnly ||
    what === operation.writeOnlyImmediate ||
    what === operation.readRequest
  );
}

function hasAeth(what: number): boolean {
  return (
    what === operation.readResponseFirst || (what >= operation.readResponseLast && what <= operation.atomicAcknowledge)
  );
}

/** Immediate data, keys to invalidate, operands of atomics. */
function furtherBytes(what: number): number {
  switch (what) {
    case operation.sendLastImmediate:
    case operation.sendOnlyImmediate:
    case operation.writeLastImmediate:
    case operation.writeOnlyImmediate:
    case operation.sendLastInvalidate:
    case operation.sendOnlyInvalidate:
      return 4;
    case operation.atomicAcknowledge:
      return 8;
    case operation.compareSwap:
    case operation.fetchAdd:
      return 28;
    default:
      return 0;
  }
}

/** The packet takes part in the sequence of requests of its sender. */
export function isRequest(what: number): boolean {
  return what <= operation.readRequest || (what >= operation.compareSwap && what <= operation.sendOnlyInvalidate);
}

/** The packet is the last of its message, in either direction. */
export function endsMessage(what: number): boolean {
  switch (what) {
    case operation.sendFirst:
    case operation.sendMiddle:
    case operation.writeFirst:
    case operation.writeMiddle:
    case operation.readRequest:
    case operation.readResponseFirst:
    case operation.readResponseMiddle:
    case operation.acknowledge:
      return false;
    default:
      return true;
  }
}

export type NakKind =
  | 'psn-sequence-error'
  | 'receiver-not-ready'
  | 'invalid-request'
  | 'remote-access-error'
  | 'remote-operational-error'
  | 'invalid-rd-request'
  | 'reserved';

const nakCodes: readonly NakKind[] = [
  'psn-sequence-error',
  'invalid-request',
  'remote-access-error',
  'remote-operational-error',
  'invalid-rd-request',
];

/** What a syndrome of the AETH refuses; null: it acknowledges. */
export function nakOf(syndrome: number): NakKind | null {
  if (syndrome < 0) return null;
  switch ((syndrome >> 5) & 3) {
    case 0:
      return null;
    case 1:
      return 'receiver-not-ready';
    case 3:
      return nakCodes[syndrome & 0x1f] ?? 'reserved';
    default:
      return 'reserved';
  }
}

/** How far `psn` is behind (negative) or before `reference`, modulo 2²⁴. */
export function psnDistance(psn: number, reference: number): number {
  return ((psn - reference) << 8) >> 8;
}
