import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decodePacket } from '../../src/wire/packet/decode.ts';
import { newPacket } from '../../src/wire/packet/packet.ts';
import { CaptureError, newFrame } from '../../src/wire/pcap/frame.ts';
import { captureReader } from '../../src/wire/pcap/reader.ts';

const mostNs = 3_600_000_000_000n;

interface MixPacket {
  octets: Buffer;
  originalLength: number;
  /** Since the first packet of its file. */
  atNs: bigint;
  interface: number;
  /** Where the two innermost IP addresses stand, and their length; 0: there are none. */
  addresses: readonly [number, number];
  addressBytes: number;
}

/** All packets of all captures of a folder, file by file, and the link types that they have. */
export function readMix(folder: string): { files: MixPacket[][]; linkTypes: number[] } {
  const linkTypes: number[] = [];
  const names = readdirSync(folder).filter((name) => /\.(pcap|pcapng|cap|dmp)(\.gz)?$/.test(name));
  const files = names.sort().map((name) => packetsOf(readFileSync(join(folder, name)), linkTypes));
  return { files: files.filter((packets) => packets.length > 0), linkTypes };
}

function packetsOf(file: Buffer, linkTypes: number[]): MixPacket[] {
  const reader = captureReader();
  const frame = newFrame();
  const packet = newPacket();
  const packets: MixPacket[] = [];
  let first: bigint | null = null;
  try {
    reader.push(file[0] === 0x1f && file[1] === 0x8b ? gunzipSync(file) : file);
    while (reader.next(frame)) {
      const ns = BigInt(frame.seconds) * 1_000_000_000n + BigInt(frame.nanoseconds);
      first ??= ns;
      if (!linkTypes.includes(frame.linkType)) linkTypes.push(frame.linkType);
      const isIp = decodePacket(frame, packet);
      packets.push({
        octets: Buffer.from(frame.bytes.subarray(frame.start, frame.end)),
        originalLength: frame.originalLength,
        // Some of them have times that no clock shows.
        atNs: ns < first ? 0n : ns - first > mostNs ? mostNs : ns - first,
        interface: linkTypes.indexOf(frame.linkType),
        addresses: [packet.sourceAt - frame.start, packet.destinationAt - frame.start],
        addressBytes: isIp ? (packet.version === 6 ? 16 : 4) : 0,
      });
    }
  } catch (error) {
    // Some of them are broken on purpose: what comes before counts.
    if (!(error instanceof CaptureError)) throw error;
  }
  return packets;
}

/** The captures one behind the other as one pcapng, over and over, each time between other hosts, until so many octets are there. */
export function* mixed({ files, linkTypes }: ReturnType<typeof readMix>, octets: number): Generator<Buffer> {
  yield block(0x0a0d0d0a, Buffer.from('4d3c2b1a01000000ffffffffffffffff', 'hex'));
  // if_tsresol: nanoseconds.
  for (const linkType of linkTypes) {
    const description = Buffer.from('0000000000000400090001000900000000000000', 'hex');
    description.writeUInt16LE(linkType, 0);
    yield block(1, description);
  }
  let beginNs = 1_795_000_000_000_000_000n;
  let written = 0;
  for (let round = 0; written < octets; round++) {
    for (const packets of files) {
      const blocks = packets.map((packet) => enhanced(packet, beginNs, round));
      const piece = Buffer.concat(blocks);
      written += piece.length;
      yield piece;
      beginNs += packets.at(-1)!.atNs + 1_000_000n;
    }
  }
}

function enhanced(packet: MixPacket, beginNs: bigint, round: number): Buffer {
  const { octets, atNs, originalLength } = packet;
  const body = Buffer.alloc(20 + ((octets.length + 3) & ~3));
  const ns = beginNs + atNs;
  body.writeUInt32LE(packet.interface, 0);
  body.writeUInt32LE(Number(ns >> 32n), 4);
  body.writeUInt32LE(Number(ns & 0xffff_ffffn), 8);
  body.writeUInt32LE(octets.length, 12);
  body.writeUInt32LE(originalLength, 16);
  octets.copy(body, 20);
  for (const at of packet.addressBytes > 0 ? packet.addresses : []) {
    const middle = 20 + at + (packet.addressBytes === 4 ? 1 : 8);
    body[middle]! ^= round & 255;
    body[middle + 1]! ^= round >>> 8;
  }
  return block(6, body);
}

function block(type: number, body: Buffer): Buffer {
  const whole = Buffer.alloc(12 + body.length);
  whole.writeUInt32LE(type, 0);
  whole.writeUInt32LE(whole.length, 4);
  body.copy(whole, 8);
  whole.writeUInt32LE(whole.length, whole.length - 4);
  return whole;
}
