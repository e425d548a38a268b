import { viewOf } from '../view.ts';
import { CaptureError, type FormatReader, type Frame, maxPacketBytes } from './frame.ts';
import { perSecondOf, split } from './ticks.ts';

/** Section header: the same in both orders of octets. */
export const sectionMagic = 0x0a0d0d0a;
const orderMagic = 0x1a2b3c4d;

const blockType = { interface: 1, packet: 2, simplePacket: 3, statistics: 5, enhancedPacket: 6 } as const;
/** Largest block that is read as a whole: a packet with all its options. Blocks of other kinds are passed over at any size. */
const maxBlockBytes = 2 * 1024 * 1024;
/** Interfaces of one section: more is a file that wants memory. */
const maxInterfaces = 65_536;

interface Interface {
  linkType: number;
  snapLength: number;
  fcsBytes: number;
  perSecond: number;
  offsetSeconds: number;
  /** Packets that the last statistics of it say were lost. */
  drops: number;
}

/**
 * PCAP Next Generation (draft-ietf-opsawg-pcapng): sections with an order of octets and interfaces of their own, in blocks. What is
 * not about packets is passed over.
 */
export function pcapngReader(): FormatReader {
  let isLittle = true;
  let inSection = false;
  let interfaces: Interface[] = [];
  const reader: FormatReader = { step, hasFrame: false, skipBytes: 0, drops: 0 };
  const u32 = (bytes: Buffer, at: number) => viewOf(bytes).getUint32(at, isLittle);
  const u16 = (bytes: Buffer, at: number) => viewOf(bytes).getUint16(at, isLittle);
  return reader;

  function step(bytes: Buffer, at: number, end: number, offset: number, frame: Frame): number {
    reader.hasFrame = false;
    if (end - at < 12) return 0;
    const isSection = viewOf(bytes).getUint32(at, true) === sectionMagic;
    if (isSection) openSection(bytes, at, offset);
    else if (!inSection) throw new CaptureError('a block comes before any section header', offset);
    const type = isSection ? sectionMagic : u32(bytes, at);
    const length = u32(bytes, at + 4);
    if (length < 12 || length % 4 !== 0)
      throw new CaptureError(`the block says that it has ${length} octets, which no block can have`, offset);
    if (!isSection && !isRead(type)) {
      // Passed over unseen; the length behind it is not held against the one before it, for that would need all of it.
      reader.skipBytes = length - 12;
      return 12;
    }
    if (length > maxBlockBytes)
      throw new CaptureError(
        `the block says that it has ${length} octets; ${maxBlockBytes} are the most of its kind`,
        offset,
      );
    if (end - at < length) return 0;
    const behind = u32(bytes, at + length - 4);
    if (behind !== length)
      throw new CaptureError(`the block has ${length} octets by its beginning and ${behind} by its end`, offset);
    const last = at + length - 4;
    if (type === blockType.interface) addInterface(bytes, at + 8, last, offset);
    else if (type === blockType.enhancedPacket) enhanced(bytes, at + 8, last, offset, frame);
    else if (type === blockType.simplePacket) simple(bytes, at + 8, last, offset, frame);
    else if (type === blockType.packet) obsolete(bytes, at + 8, last, offset, frame);
    else if (type === blockType.statistics) statistics(bytes, at + 8, last, offset);
    return length;
  }

  function openSection(bytes: Buffer, at: number, offset: number): void {
    const order = bytes.readUInt32LE(at + 8);
    if (order !== orderMagic && bytes.readUInt32BE(at + 8) !== orderMagic)
      throw new CaptureError('the section header has no byte-order magic', offset);
    isLittle = order === orderMagic;
    inSection = true;
    interfaces = [];
  }

  function addInterface(bytes: Buffer, at: number, end: number, offset: number): void {
    if (end - at < 8) throw new CaptureError('the description of an interface is too short', offset);
    if (interfaces.length >= maxInterfaces) throw new CaptureError(`more than ${maxInterfaces} interfaces`, offset);
    const one: Interface = {
      linkType: u16(bytes, at),
      snapLength: u32(bytes, at + 4),
      fcsBytes: 0,
      perSecond: 1e6,
      offsetSeconds: 0,
      drops: 0,
    };
    options(bytes, at + 8, end, (code, from, length) => {
      if (code === 9 && length >= 1) {
        const perSecond = perSecondOf(bytes[from]!);
        if (perSecond === null) throw new CaptureError('the resolution of the time stamps is none', offset);
        one.perSecond = perSecond;
      }
      if (code === 13 && length >= 1) one.fcsBytes = bytes[from]! & 0x0f;
      if (code === 14 && length >= 8)
        one.offsetSeconds = Number(isLittle ? bytes.readBigInt64LE(from) : bytes.readBigInt64BE(from));
    });
    interfaces.push(one);
  }

  function interfaceOf(id: number, offset: number): Interface {
    const one = interfaces[id];
    if (one) return one;
    throw new CaptureError(`a packet is of interface ${id}; the section has described ${interfaces.length}`, offset);
  }

  function enhanced(bytes: Buffer, at: number, end: number, offset: number, frame: Frame): void {
    if (end - at < 20) throw new CaptureError('a packet block is too short', offset);
    const id = u32(bytes, at);
    const from = interfaceOf(id, offset);
    const captured = u32(bytes, at + 12);
    place(frame, bytes, at + 20, captured, end, offset);
    stamp(frame, u32(bytes, at + 4), u32(bytes, at + 8), from);
    fill(frame, u32(bytes, at + 16), id, from);
    const behind = frame.start + padded(captured);
    if (end - behind < 4) return;
    options(bytes, behind, end, (code, where, length) => {
      if (code === 2 && length >= 4) {
        const fcs = (u32(bytes, where) >>> 5) & 0x0f;
        if (fcs > 0) frame.fcsBytes = fcs;
      }
      if (code === 4 && length >= 8)
        reader.drops += Number(isLittle ? bytes.readBigUInt64LE(where) : bytes.readBigUInt64BE(where));
    });
  }

  function simple(bytes: Buffer, at: number, end: number, offset: number, frame: Frame): void {
    if (end - at < 4) throw new CaptureError('a packet block is too short', offset);
    const from = interfaceOf(0, offset);
    const original = u32(bytes, at);
    const captured = Math.min(original, from.snapLength === 0 ? original : from.snapLength, end - at - 4);
    place(frame, bytes, at + 4, captured, end, offset);
    frame.seconds = 0;
    frame.nanoseconds = 0;
    frame.hasTime = false;
    fill(frame, original, 0, from);
  }

  function obsolete(bytes: Buffer, at: number, end: number, offset: number, frame: Frame): void {
    if (end - at < 20) throw new CaptureError('a packet block is too short', offset);
    const id = u16(bytes, at);
    const from = interfaceOf(id, offset);
    const drops = u16(bytes, at + 2);
    if (drops !== 0xffff) reader.drops += drops;
    place(frame, bytes, at + 20, u32(bytes, at + 12), end, offset);
    stamp(frame, u32(bytes, at + 4), u32(bytes, at + 8), from);
    fill(frame, u32(bytes, at + 16), id, from);
  }

  function statistics(bytes: Buffer, at: number, end: number, offset: number): void {
    if (end - at < 12) throw new CaptureError('a statistics block is too short', offset);
    const from = interfaceOf(u32(bytes, at), offset);
    let lost = 0;
    options(bytes, at + 12, end, (code, where, length) => {
      // isb_ifdrop and isb_osdrop: counted since the capture began.
      if ((code === 5 || code === 7) && length >= 8)
        lost += Number(isLittle ? bytes.readBigUInt64LE(where) : bytes.readBigUInt64BE(where));
    });
    reader.drops += Math.max(0, lost - from.drops);
    from.drops = Math.max(from.drops, lost);
  }

  function place(frame: Frame, bytes: Buffer, start: number, captured: number, end: number, offset: number): void {
    if (captured > maxPacketBytes)
      throw new CaptureError(`a packet says that it holds ${captured} octets; ${maxPacketBytes} are the most`, offset);
    if (captured > end - start)
      throw new CaptureError(
        `a packet says that it holds ${captured} octets, and its block has ${Math.max(0, end - start)}`,
        offset,
      );
    frame.bytes = bytes;
    frame.start = start;
    frame.end = start + captured;
    frame.offset = offset;
    reader.hasFrame = true;
  }

  function stamp(frame: Frame, high: number, low: number, { perSecond, offsetSeconds }: Interface): void {
    split(high, low, perSecond, frame);
    frame.seconds += offsetSeconds;
    frame.hasTime = true;
  }

  function fill(frame: Frame, originalLength: number, id: number, { linkType, fcsBytes }: Interface): void {
    frame.originalLength = originalLength;
    frame.interfaceId = id;
    frame.linkType = linkType;
    frame.fcsBytes = fcsBytes;
  }

  /** Every option up to the end or its end mark; what does not fit is left: the packet before it is whole. */
  function options(
    bytes: Buffer,
    at: number,
    end: number,
    see: (code: number, at: number, length: number) => void,
  ): void {
    for (let here = at; end - here >= 4;) {
      const code = u16(bytes, here);
      const length = u16(bytes, here + 2);
      if (code === 0 || here + 4 + length > end) return;
      see(code, here + 4, length);
      here += 4 + padded(length);
    }
  }
}

function isRead(type: number): boolean {
  return (
    type === blockType.interface ||
    type === blockType.packet ||
    type === blockType.simplePacket ||
    type === blockType.statistics ||
    type === blockType.enhancedPacket
  );
}

const padded = (length: number): number => (length + 3) & ~3;
