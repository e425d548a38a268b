import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** One packet of a template: where its octets lie, and when it passed. */
interface TemplatePacket {
  atUs: number;
  start: number;
  end: number;
}

/** A classic capture (little-endian, microseconds, Ethernet) that is played many times, each time between other hosts. */
export interface Template {
  bytes: Buffer;
  packets: TemplatePacket[];
  durationUs: number;
}

export function readTemplate(path: string): Template {
  const file = readFileSync(path);
  const bytes = file[0] === 0x1f ? gunzipSync(file) : file;
  if (bytes.readUInt32LE(0) !== 0xa1b2c3d4 || bytes.readUInt32LE(20) !== 1)
    throw new Error(`${path}: only little-endian pcap of Ethernet with microseconds is made into a template`);
  const packets: TemplatePacket[] = [];
  let firstUs = -1;
  for (let at = 24; at + 16 <= bytes.length;) {
    const us = bytes.readUInt32LE(at) * 1e6 + bytes.readUInt32LE(at + 4);
    if (firstUs < 0) firstUs = us;
    const start = at + 16;
    at = start + bytes.readUInt32LE(at + 8);
    if (at <= bytes.length) packets.push({ atUs: us - firstUs, start, end: at });
  }
  packets.sort((a, b) => a.atUs - b.atUs);
  return { bytes, packets, durationUs: packets.at(-1)!.atUs };
}

/**
 * Makes what the connections of a template carry look like TLS on port 443: the first flights of a real connection, then records of 16 KiB,
 * also where the capture had cut it off. The way of the packets (losses, order, times) stays as it was.
 */
export function asTls(template: Template, flights: { client: Buffer; server: Buffer }): Template {
  const began = new Map<number, { first: number; flight: Buffer; isServer: boolean }>();
  const pieces: Buffer[] = [];
  const packets: TemplatePacket[] = [];
  let used = 0;
  for (const { atUs, start, end } of template.packets) {
    const length = template.bytes.readUInt32LE(start - 4);
    // Four octets in front: the length on the wire.
    const copy = Buffer.alloc(4 + length);
    template.bytes.copy(copy, 0, start - 4, end);
    const tcp = 18 + (copy[18]! & 15) * 4;
    const key = copy.readUInt32BE(tcp);
    const sequence = copy.readUInt32BE(tcp + 4);
    const flags = copy[tcp + 13]!;
    const isServer = (flags & 18) === 18;
    if ((flags & 2) !== 0)
      began.set(key, { first: (sequence + 1) >>> 0, flight: isServer ? flights.server : flights.client, isServer });
    const side = began.get(key);
    if (side) {
      copy.writeUInt16BE(443, tcp + (side.isServer ? 0 : 2));
      const payload = tcp + (copy[tcp + 12]! >>> 4) * 4;
      const offset = (sequence - side.first) >>> 0;
      for (let at = payload; at < copy.length; at++) copy[at] = octetAt(offset + at - payload, side.flight);
    }
    pieces.push(copy);
    packets.push({ atUs, start: used + 4, end: used + copy.length });
    used += copy.length;
  }
  return { bytes: Buffer.concat(pieces), packets, durationUs: template.durationUs };
}

const recordBytes = 16_384 + 22;
const recordHead = Buffer.from([23, 3, 3, (recordBytes - 5) >> 8, (recordBytes - 5) & 255]);

function octetAt(offset: number, flight: Buffer): number {
  if (offset < flight.length) return flight[offset]!;
  const inRecord = (offset - flight.length) % recordBytes;
  if (inRecord < recordHead.length) return recordHead[inRecord]!;
  return (Math.imul(offset, 0x9e37_79b1) >>> 24) & 255;
}

/** The ClientHello and the ServerHello of the first connections that have one. */
export function flightsOf({ bytes, packets }: Template): { client: Buffer; server: Buffer } {
  const found: Buffer[] = [];
  for (const message of [1, 2])
    for (const { start, end } of packets) {
      const tcp = start + 14 + (bytes[start + 14]! & 15) * 4;
      const at = tcp + (bytes[tcp + 12]! >>> 4) * 4;
      if (at + 6 > end || bytes[at] !== 22 || bytes[at + 5] !== message) continue;
      found.push(Buffer.from(bytes.subarray(at, Math.min(end, at + 5 + bytes.readUInt16BE(at + 3)))));
      break;
    }
  if (found.length < 2) throw new Error('the template holds no handshake of TLS');
  return { client: found[0]!, server: found[1]! };
}

/** Plays templates over and over, so many at once, merged in the order of time; pieces of about a megabyte until `octets` are there. */
export function* play(
  templates: readonly Template[],
  { octets, atOnce, random }: { octets: number; atOnce: number; random: () => number },
): Generator<Buffer> {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(1, 20);
  yield header;
  const everyUs = templates.reduce((sum, { durationUs }) => sum + durationUs, 0) / templates.length / atOnce;
  const playing = new Heap();
  let copies = 0;
  let nextStartUs = 0;
  const begin = () => {
    playing.push({ template: templates[copies % templates.length]!, copy: copies++, startUs: nextStartUs, at: 0 });
    nextStartUs += Math.round(-Math.log(1 - random()) * everyUs);
  };
  let piece = Buffer.allocUnsafe(1 << 20);
  let used = 0;
  for (let left = octets - header.length; left > 0;) {
    while (playing.size === 0 || nextStartUs <= playing.nextUs) begin();
    const one = playing.top;
    const { start, end, atUs } = one.template.packets[one.at]!;
    const size = 16 + end - start;
    if (used + size > piece.length) {
      yield piece.subarray(0, used);
      piece = Buffer.allocUnsafe(1 << 20);
      used = 0;
    }
    const us = beganS * 1e6 + one.startUs + atUs;
    piece.writeUInt32LE(Math.floor(us / 1e6), used);
    piece.writeUInt32LE(us % 1e6, used + 4);
    piece.writeUInt32LE(end - start, used + 8);
    // Where it was cut, the length on the wire stands in the template.
    one.template.bytes.copy(piece, used + 12, start - 4, end);
    move(piece, used + 16, one.copy);
    used += size;
    left -= size;
    one.at++;
    playing.settle();
  }
  yield piece.subarray(0, used);
}

const beganS = 1_795_000_000;

/** Between other hosts, 10.a.b.x for 10.y.z.x, with checksums kept right (RFC 1624). */
function move(piece: Buffer, frame: number, copy: number): void {
  if (piece.readUInt16BE(frame + 12) !== 0x0800) return;
  const ip = frame + 14;
  const tcp = ip + (piece[ip]! & 15) * 4;
  const checksum = [ip + 10, tcp + 16];
  for (const address of [ip + 12, ip + 16]) {
    const [high, low] = [piece.readUInt16BE(address), piece.readUInt16BE(address + 2)];
    piece[address + 1] = (copy >>> 8) & 255;
    piece[address + 2] = copy & 255;
    for (const at of checksum) {
      let sum = (~piece.readUInt16BE(at) & 0xffff) + (~high & 0xffff) + (~low & 0xffff);
      sum += piece.readUInt16BE(address) + piece.readUInt16BE(address + 2);
      sum = (sum & 0xffff) + (sum >>> 16);
      sum = (sum & 0xffff) + (sum >>> 16);
      piece.writeUInt16BE(~sum & 0xffff, at);
    }
  }
}

interface Playing {
  template: Template;
  copy: number;
  startUs: number;
  at: number;
}

/** Those that play, the one with the earliest next packet on top. */
class Heap {
  readonly #items: Playing[] = [];

  get size(): number {
    return this.#items.length;
  }

  get top(): Playing {
    return this.#items[0]!;
  }

  get nextUs(): number {
    return timeOf(this.top);
  }

  push(one: Playing): void {
    const items = this.#items;
    items.push(one);
    for (let at = items.length - 1; at > 0;) {
      const up = (at - 1) >> 1;
      if (timeOf(items[up]!) <= timeOf(items[at]!)) return;
      [items[up], items[at]] = [items[at]!, items[up]!];
      at = up;
    }
  }

  /** The top has moved on, or is over. */
  settle(): void {
    const items = this.#items;
    if (this.top.at === this.top.template.packets.length) {
      const last = items.pop()!;
      if (items.length === 0) return;
      items[0] = last;
    }
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < items.length && timeOf(items[child]!) < timeOf(items[least]!)) least = child;
      if (least === at) return;
      [items[least], items[at]] = [items[at]!, items[least]!];
      at = least;
    }
  }
}

function timeOf({ template, startUs, at }: Playing): number {
  return startUs + template.packets[at]!.atUs;
}
