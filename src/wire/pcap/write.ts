import type { Frame } from './frame.ts';

const headerBytes = 24;
const recordBytes = 16;

/** Header of a capture with nanoseconds in the format of libpcap (magic a1b23c4d), little-endian. */
export function captureHeader(linkType: number, snapLength: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(0xa1b23c4d, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(snapLength, 16);
  header.writeUInt32LE(linkType, 20);
  return header;
}

/** Octets that a frame takes in a capture. */
export function recordLength(frame: Frame): number {
  return recordBytes + frame.end - frame.start;
}

/** Writes a frame at `at`, where recordLength() octets have to be free; where the next one goes. */
export function writeRecord(target: Buffer, at: number, frame: Frame): number {
  target.writeUInt32LE(frame.seconds, at);
  target.writeUInt32LE(frame.nanoseconds, at + 4);
  target.writeUInt32LE(frame.end - frame.start, at + 8);
  target.writeUInt32LE(frame.originalLength, at + 12);
  frame.bytes.copy(target, at + recordBytes, frame.start, frame.end);
  return at + recordLength(frame);
}
