/** Makers of frames for tests, layer by layer, by their RFCs and apart from the decoder. */
import { type Frame, newFrame } from '../pcap/frame.ts';

const be16 = (value: number): Buffer => Buffer.from([(value >>> 8) & 255, value & 255]);
const be24 = (value: number): Buffer => Buffer.from([(value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
const be32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value >>> 0);
  return out;
};
const join = (...parts: (Buffer | number[])[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part)));

const macs = Buffer.from('0200000000020200000000 01'.replaceAll(' ', ''), 'hex');

export const ethernetFrame = (type: number, inner: Buffer): Buffer => join(macs, be16(type), inner);
/** IEEE 802.3 with LLC and SNAP. */
export const snapFrame = (type: number, inner: Buffer): Buffer =>
  join(macs, be16(inner.length + 8), [0xaa, 0xaa, 3, 0, 0, 0], be16(type), inner);
/** A tag and what follows, to be put behind the EtherType 0x8100 and its like. */
export const tag = (id: number, type: number, inner: Buffer): Buffer => join(be16(id | 0x6000), be16(type), inner);
export const pppoe = (session: number, inner: Buffer): Buffer =>
  join([0x11, 0], be16(session), be16(inner.length), inner);
export const pppFrame = (protocol: number, inner: Buffer): Buffer => join(be16(protocol), inner);
export const labels = (ids: readonly number[], inner: Buffer): Buffer =>
  join(...ids.map((id, i) => be32(((id << 12) | (i === ids.length - 1 ? 0x100 : 0) | 64) >>> 0)), inner);

export interface Ip4 {
  from?: string;
  to?: string;
  protocol: number;
  id?: number;
  /** As it stands there: flags in the upper three bits. */
  fragment?: number;
  /** Instead of the true one. */
  totalLength?: number;
  options?: Buffer;
  ttl?: number;
  tos?: number;
}

const address4 = (text: string): Buffer => Buffer.from(text.split('.').map(Number));

export function ip4(shape: Ip4, inner: Buffer): Buffer {
  const { from = '10.0.0.1', to = '10.0.0.2', protocol, id = 7, fragment = 0, ttl = 64, tos = 0 } = shape;
  const options = shape.options ?? Buffer.alloc(0);
  const length = 20 + options.length;
  const total = shape.totalLength ?? length + inner.length;
  const first = join([0x40 | (length / 4), tos], be16(total), be16(id), be16(fragment), [ttl, protocol, 0, 0]);
  return join(first, address4(from), address4(to), options, inner);
}

export interface Ip6 {
  next: number;
  payloadLength?: number;
  hopLimit?: number;
  trafficClass?: number;
  lastOctet?: number;
}

export function ip6(shape: Ip6, inner: Buffer): Buffer {
  const { next, payloadLength = inner.length, hopLimit = 64, trafficClass = 0, lastOctet = 2 } = shape;
  const from = Buffer.from('fd000000000000000000000000000001', 'hex');
  const to = Buffer.from('fd0000000000000000000000000000ff', 'hex');
  to[15] = lastOctet;
  return join(be32((0x6000_0000 | (trafficClass << 20)) >>> 0), be16(payloadLength), [next, hopLimit], from, to, inner);
}

/** An extension header of a multiple of 8 octets, filled with PadN. */
export const extensionHeader = (next: number, units = 0): Buffer =>
  join([next, units, 1, 4 + units * 8], Buffer.alloc(4 + units * 8));
export const fragmentHeader = (next: number, offset: number, more: boolean, id: number): Buffer =>
  join([next, 0], be16(offset | (more ? 1 : 0)), be32(id));
export const jumboOption = (next: number, length: number): Buffer => join([next, 0, 0xc2, 4], be32(length));
export const authenticationHeader = (next: number): Buffer => join([next, 4, 0, 0], Buffer.alloc(20));

export interface Tcp {
  from?: number;
  to?: number;
  sequence?: number;
  acknowledgement?: number;
  flags?: number;
  window?: number;
  options?: Buffer;
}

export function tcp(shape: Tcp, payload: Buffer): Buffer {
  const { from = 40_000, to = 443, sequence = 1, acknowledgement = 0, flags = 16, window = 500 } = shape;
  const options = shape.options ?? Buffer.alloc(0);
  const padded = join(options, Buffer.alloc((4 - (options.length % 4)) % 4));
  const head = be16((((20 + padded.length) / 4) << 12) | flags);
  return join(
    be16(from),
    be16(to),
    be32(sequence),
    be32(acknowledgement),
    head,
    be16(window),
    be32(0),
    padded,
    payload,
  );
}

export const timestampsOption = (value: number, echo: number, aligned = true): Buffer =>
  join(aligned ? [1, 1] : [], [8, 10], be32(value), be32(echo));
export const mssOption = (mss: number): Buffer => join([2, 4], be16(mss));
export const windowScaleOption = (shift: number): Buffer => Buffer.from([3, 3, shift]);
export const sackPermittedOption = Buffer.from([4, 2]);
export const sackOption = (edges: readonly number[]): Buffer => join([5, 2 + edges.length * 4], ...edges.map(be32));

export const udp = (from: number, to: number, payload: Buffer, length = 8 + payload.length): Buffer =>
  join(be16(from), be16(to), be16(length), be16(0), payload);

/** GRE with the optional fields by bits. */
export function gre(
  type: number,
  inner: Buffer,
  fields: { key?: number; sequence?: number; checksum?: true } = {},
): Buffer {
  const { key, sequence, checksum } = fields;
  const bits = (checksum ? 0x8000 : 0) | (key === undefined ? 0 : 0x2000) | (sequence === undefined ? 0 : 0x1000);
  const words = [...(checksum ? [0] : []), ...[key, sequence].filter((word) => word !== undefined)];
  return join(be16(bits), be16(type), ...words.map(be32), inner);
}

export const erspan2 = (vlan: number, session: number, inner: Buffer): Buffer =>
  join(be16(0x1000 | vlan), be16(session), be32(0), inner);
export const erspan3 = (vlan: number, session: number, inner: Buffer, subheader: boolean): Buffer =>
  join(
    be16(0x2000 | vlan),
    be16(session),
    be32(0),
    be16(0),
    be16(subheader ? 1 : 0),
    Buffer.alloc(subheader ? 8 : 0),
    inner,
  );
export const vxlan = (vni: number, inner: Buffer): Buffer => join([8, 0, 0, 0], be24(vni), [0], inner);
export const geneve = (vni: number, type: number, inner: Buffer, optionWords = 0): Buffer =>
  join([optionWords, 0], be16(type), be24(vni), [0], Buffer.alloc(optionWords * 4), inner);
export const gtp = (teid: number, inner: Buffer, extension = false): Buffer =>
  join(
    [extension ? 0x34 : 0x30, 255],
    be16(inner.length + (extension ? 8 : 0)),
    be32(teid),
    extension ? [0, 0, 0, 0x85, 1, 0, 9, 0] : [],
    inner,
  );
export const teredoOrigin = (inner: Buffer): Buffer => join(Buffer.alloc(8), inner);
export const l2tp = (inner: Buffer): Buffer => join(be16(0x4002), be16(inner.length + 8), be16(1), be16(2), inner);
export const icmpError = (type: number, quote: Buffer): Buffer => join([type, 0, 0, 0, 0, 0, 0, 0], quote);
export const sll = (type: number, inner: Buffer): Buffer => join(Buffer.alloc(14), be16(type), inner);
export const sll2 = (type: number, inner: Buffer): Buffer => join(be16(type), Buffer.alloc(18), inner);

/** A frame of these octets as the reader would give it; somewhere inside a larger buffer. */
export function frameOf(octets: Buffer, linkType = 1, shape: { original?: number; fcsBytes?: number } = {}): Frame {
  const frame = newFrame();
  frame.bytes = join(Buffer.alloc(3, 0xee), octets, Buffer.alloc(60, 0x45));
  frame.start = 3;
  frame.end = 3 + octets.length;
  frame.originalLength = shape.original ?? octets.length;
  frame.fcsBytes = shape.fcsBytes ?? 0;
  frame.linkType = linkType;
  return frame;
}
