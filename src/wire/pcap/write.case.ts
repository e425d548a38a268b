/** Writers of captures for tests: the formats as their drafts have them, apart from the readers. */

export interface Written {
  bytes: Buffer;
  /** Octets of the original beyond those captured. */
  more: number;
  seconds: number;
  nanoseconds: number;
}

interface Numbers {
  u16(value: number): Buffer;
  u32(value: number): Buffer;
  u64(value: bigint): Buffer;
}

function numbers(little: boolean): Numbers {
  const make = (size: number, write: (buffer: Buffer) => void) => {
    const buffer = Buffer.alloc(size);
    write(buffer);
    return buffer;
  };
  return {
    u16: (value) => make(2, (b) => (little ? b.writeUInt16LE(value) : b.writeUInt16BE(value))),
    u32: (value) => make(4, (b) => (little ? b.writeUInt32LE(value) : b.writeUInt32BE(value))),
    u64: (value) => make(8, (b) => (little ? b.writeBigUInt64LE(value) : b.writeBigUInt64BE(value))),
  };
}

export interface ClassicShape {
  little: boolean;
  nano: boolean;
  modified: boolean;
  link: number;
}

export function classicFile(packets: readonly Written[], { little, nano, modified, link }: ClassicShape): Buffer {
  const { u16, u32 } = numbers(little);
  const magic = nano ? 0xa1b23c4d : modified ? 0xa1b2cd34 : 0xa1b2c3d4;
  const header = [u32(magic), u16(2), u16(4), u32(0), u32(0), u32(65_535), u32(link)];
  const records = packets.flatMap(({ bytes, more, seconds, nanoseconds }) => [
    u32(seconds),
    u32(nano ? nanoseconds : Math.floor(nanoseconds / 1000)),
    u32(bytes.length),
    u32(bytes.length + more),
    ...(modified ? [Buffer.alloc(8)] : []),
    bytes,
  ]);
  return Buffer.concat([...header, ...records]);
}

export interface SectionShape {
  little: boolean;
  /** if_tsresol; undefined: microseconds by default. */
  resolution: number | undefined;
  offsetSeconds: number;
  /** Blocks that no reader knows, between the others. */
  unknown: boolean;
  link: number;
  /** isb_ifdrop of statistics blocks at the end. */
  lost?: readonly number[];
}

/** One section of PCAP Next Generation with one interface. */
export function nextGenerationFile(packets: readonly Written[], shape: SectionShape): Buffer {
  const { little, resolution, offsetSeconds, unknown, link, lost = [] } = shape;
  const { u16, u32, u64 } = numbers(little);
  const pad = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  const option = (code: number, value: Buffer) => Buffer.concat([u16(code), u16(value.length), pad(value)]);
  const block = (type: number, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([u32(type), u32(body.length + 12), body, u32(body.length + 12)]);
  };
  const section = block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1), u16(0), u64(0xffff_ffff_ffff_ffffn));
  const described = block(
    1,
    u16(link),
    u16(0),
    u32(0),
    ...(resolution === undefined ? [] : [option(9, Buffer.from([resolution]))]),
    ...(offsetSeconds === 0 ? [] : [option(14, u64(BigInt.asUintN(64, BigInt(offsetSeconds))))]),
    option(0, Buffer.alloc(0)),
  );
  const exponent = resolution ?? 6;
  const units = exponent & 0x80 ? 2n ** BigInt(exponent & 0x7f) : 10n ** BigInt(exponent);
  const strange = unknown ? [block(0x0000_0bad, Buffer.alloc(28, 7))] : [];
  const blocks = packets.flatMap(({ bytes, more, seconds, nanoseconds }) => {
    const count = BigInt(seconds) * units + (BigInt(nanoseconds) * units) / 1_000_000_000n;
    const head = [u32(0), u32(Number(count >> 32n)), u32(Number(count & 0xffff_ffffn))];
    return [...strange, block(6, ...head, u32(bytes.length), u32(bytes.length + more), pad(bytes))];
  });
  const statistics = lost.map((count) => block(5, u32(0), u32(0), u32(0), option(5, u64(BigInt(count)))));
  return Buffer.concat([section, ...strange, described, ...blocks, ...statistics]);
}
