import { viewOf } from '../view.ts';
import { CaptureError, type FormatReader, type Frame, maxPacketBytes } from './frame.ts';

/** Octets of the file header. */
export const classicHeaderBytes = 24;

const magics: Readonly<Record<number, { nanoseconds: boolean; modified: boolean }>> = {
  0xa1b2c3d4: { nanoseconds: false, modified: false },
  0xa1b23c4d: { nanoseconds: true, modified: false },
  // Alexey Kuznetsov's patches of 1999: eight octets more in each record.
  0xa1b2cd34: { nanoseconds: false, modified: true },
};

/** Whether a file begins like a classic capture, in either order of octets. */
export function isClassic(bytes: Buffer, at: number): boolean {
  return magics[bytes.readUInt32LE(at)] !== undefined || magics[bytes.readUInt32BE(at)] !== undefined;
}

/**
 * The format of libpcap (draft-ietf-opsawg-pcap): a header of 24 octets and records, in the order of octets of the machine that wrote
 * it. `header` is the first 24 octets.
 */
export function classicReader(header: Buffer): FormatReader {
  const isLittle = magics[header.readUInt32LE(0)] !== undefined;
  const u16 = (bytes: Buffer, at: number) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const { nanoseconds, modified } = magics[isLittle ? header.readUInt32LE(0) : header.readUInt32BE(0)]!;
  const [major, minor] = [u16(header, 4), u16(header, 6)];
  if (major < 2) throw new CaptureError(`version ${major}.${minor} of the format is older than 2 and not known`, 4);
  const network = isLittle ? header.readUInt32LE(20) : header.readUInt32BE(20);
  // Bit 26 says that the top four bits count the frame check sequence, in units of 16 bits.
  const fcsBytes = network & 0x04000000 ? (network >>> 28) * 2 : 0;
  const linkType = network & 0xffff;
  const headBytes = modified ? 24 : 16;
  const perFraction = nanoseconds ? 1 : 1000;
  // Before 2.3 both lengths stood the other way round, in 2.3 some wrote them so.
  const swapped = major === 2 && minor < 3;
  const maybeSwapped = major === 2 && minor === 3;
  const reader: FormatReader = { step, hasFrame: false, skipBytes: 0, drops: 0 };
  return reader;

  function step(bytes: Buffer, at: number, end: number, offset: number, frame: Frame): number {
    reader.hasFrame = false;
    if (end - at < headBytes) return 0;
    const view = viewOf(bytes);
    let captured = view.getUint32(at + 8, isLittle);
    let original = view.getUint32(at + 12, isLittle);
    if (swapped || (maybeSwapped && captured > original)) [captured, original] = [original, captured];
    if (captured > maxPacketBytes)
      throw new CaptureError(
        `the record says that it holds ${captured} octets; ${maxPacketBytes} are the most`,
        offset,
      );
    if (end - at < headBytes + captured) return 0;
    let seconds = view.getUint32(at, isLittle);
    let nano = view.getUint32(at + 4, isLittle) * perFraction;
    if (nano >= 1e9) {
      // Fractions of a second and more are seen in the wild.
      seconds += Math.floor(nano / 1e9);
      nano %= 1e9;
    }
    frame.bytes = bytes;
    frame.start = at + headBytes;
    frame.end = frame.start + captured;
    frame.originalLength = original;
    frame.seconds = seconds;
    frame.nanoseconds = nano;
    frame.hasTime = true;
    frame.linkType = linkType;
    frame.fcsBytes = fcsBytes;
    frame.interfaceId = 0;
    frame.offset = offset;
    reader.hasFrame = true;
    return headBytes + captured;
  }
}
