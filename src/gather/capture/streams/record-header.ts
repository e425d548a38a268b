import { contentType } from '../../../wire/tls/code-points.ts';

export const headerBytes = 5;
/** Largest fragment that may come: RFC 8446 §5.2 allows 2^14 + 256, RFC 5246 §6.2.3 2^14 + 2048; nobody sends more than the former. */
const maxFragmentBytes = 16_640;

/** 0: from the client. */
export type Direction = 0 | 1;

/** Takes the records of one direction as they are complete. Lengths pass through and are not kept. */
export interface RecordSink {
  /**
   * @param direction of the cutter that tells
   * @param length of the fragment, without the header
   * @param deliverableMs when all octets up to its end had come
   * @param wireMs when the last of its own octets passed
   * @param streamOffset of its first octet
   */
  record(
    direction: Direction,
    type: number,
    length: number,
    deliverableMs: number,
    wireMs: number,
    streamOffset: number,
  ): void;
  /** Octets of a handshake record that is not encrypted yet, as far as `wantsHandshake`. */
  handshake(direction: Direction, bytes: Buffer, start: number, end: number): void;
  /** Octets of a handshake record are missing. */
  handshakeCut(direction: Direction): void;
  wantsHandshake(direction: Direction): boolean;
  /** The capture does not have octets here, and it is not known where a record begins: some may pass unseen. */
  lost(direction: Direction): void;
}

/**
 * Whether five octets can be the header of a record (RFC 8446 §5.1). The version is a relic: 0x0301 in first hellos, 0x0303 in
 * everything else; what is older is accepted for handshakes.
 */
export function isRecordHeader(type: number, major: number, minor: number, length: number): boolean {
  if (major !== 3 || minor > 4 || length > maxFragmentBytes) return false;
  if (type === contentType.applicationData || type === contentType.handshake) return true;
  if (type === contentType.changeCipherSpec) return length === 1 || length >= 17;
  return type === contentType.alert && length >= 2 && length <= 256;
}
