import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readIcmpError } from './icmp-error.ts';
import { type InterfaceInfo, type MplsLabel, readExtensions } from './icmp-extension.ts';
import { addressBytes, checksumAdd, checksumFold } from './ip.ts';

// Written from the RFCs' figures, apart from the reader: a writer that shared its code would share its mistakes.
const u16 = (value: number) => [(value >> 8) & 0xff, value & 0xff];
const u32 = (value: number) => [...u16(Math.floor(value / 0x10000)), ...u16(value % 0x10000)];

function labelObject(labels: readonly MplsLabel[]): number[] {
  const body = labels.flatMap(({ label, trafficClass, bottom, ttl }) =>
    u32(label * 4096 + trafficClass * 512 + (bottom ? 256 : 0) + ttl),
  );
  return [...u16(4 + body.length), 1, 1, ...body];
}

function interfaceObject({ role, index, address, name, mtuBytes }: InterfaceInfo): number[] {
  let type = ['incoming', 'sub-ip', 'outgoing', 'next-hop'].indexOf(role) * 64;
  const body: number[] = [];
  if (index !== undefined) {
    type += 8;
    body.push(...u32(index));
  }
  if (address !== undefined) {
    type += 4;
    body.push(...u16(address.includes(':') ? 2 : 1), 0, 0, ...addressBytes(address));
  }
  if (name !== undefined) {
    type += 2;
    const text = [...Buffer.from(name, 'utf8')];
    const size = Math.ceil((1 + text.length) / 4) * 4;
    body.push(size, ...text, ...Array<number>(size - 1 - text.length).fill(0));
  }
  if (mtuBytes !== undefined) {
    type += 1;
    body.push(...u32(mtuBytes));
  }
  return [...u16(4 + body.length), 2, type, ...body];
}

function structure(objects: readonly number[][], checksum: 'right' | 'none' | 'wrong' = 'right'): number[] {
  const bytes = Buffer.from([0x20, 0, 0, 0, ...objects.flat()]);
  const sum = checksumFold(checksumAdd(bytes, 0, bytes.length));
  if (checksum !== 'none') bytes.writeUInt16BE(checksum === 'right' ? sum : sum ^ 0x0101, 2);
  return [...bytes];
}

interface Quote {
  family: 4 | 6;
  source: string;
  destination: string;
  ttl: number;
  tos: number;
  identification: number;
  next: 'udp' | 'tcp' | 'echo';
  words: number[];
  payload: number;
}

function quotedPacket(quote: Quote): number[] {
  const transport = [...quote.words.flatMap(u16), ...Array<number>(quote.payload).fill(7)];
  const [source, destination] = [[...addressBytes(quote.source)], [...addressBytes(quote.destination)]];
  const next = { udp: 17, tcp: 6, echo: quote.family === 4 ? 1 : 58 }[quote.next];
  if (quote.family === 6) {
    const first = u32(6 * 2 ** 28 + quote.tos * 2 ** 20);
    return [...first, ...u16(transport.length), next, quote.ttl, ...source, ...destination, ...transport];
  }
  const length = 20 + transport.length;
  const head = [0x45, quote.tos, ...u16(length), ...u16(quote.identification), 0, 0, quote.ttl, next, 0, 0];
  return [...head, ...source, ...destination, ...transport];
}

function errorPacket(
  quote: Quote,
  extension: readonly number[],
  place: 'told' | 'legacy',
  [type, code]: readonly [number, number] = quote.family === 4 ? [11, 0] : [3, 0],
): Buffer {
  const packet = quotedPacket(quote);
  if (extension.length === 0) return Buffer.from([type, code, 0, 0, 0, 0, 0, 0, ...packet]);
  const unit = quote.family === 4 ? 4 : 8;
  const size = place === 'legacy' ? 128 : Math.max(128, Math.ceil(packet.length / unit) * unit);
  const padded = [...packet, ...Array<number>(Math.max(0, size - packet.length)).fill(0)].slice(0, size);
  const words = place === 'told' ? size / unit : 0;
  const rest = quote.family === 4 ? [0, words, 0, 0] : [words, 0, 0, 0];
  return Buffer.from([type, code, 0, 0, ...rest, ...padded, ...extension]);
}

const byte = fc.integer({ min: 0, max: 255 });
const half = fc.integer({ min: 0, max: 0xffff });
const full = fc.integer({ min: 0, max: 0xffffffff });
const label: fc.Arbitrary<MplsLabel> = fc.record({
  label: fc.integer({ min: 0, max: 0xfffff }),
  trafficClass: fc.integer({ min: 0, max: 7 }),
  bottom: fc.boolean(),
  ttl: byte,
});
const anInterface = fc.record(
  {
    role: fc.constantFrom('incoming' as const, 'sub-ip' as const, 'outgoing' as const, 'next-hop' as const),
    index: full,
    address: fc.constantFrom('192.0.2.7', '2001:db8::7'),
    name: fc.constantFrom('eth0', 'xe-0/0/1.100', 'Größe'),
    mtuBytes: full,
  },
  { requiredKeys: ['role'] },
);
const quote: fc.Arbitrary<Quote> = fc
  .record({
    family: fc.constantFrom(4 as const, 6 as const),
    ttl: byte,
    tos: byte,
    identification: half,
    next: fc.constantFrom('udp' as const, 'tcp' as const, 'echo' as const),
    words: fc.array(half, { minLength: 10, maxLength: 10 }),
    payload: fc.integer({ min: 0, max: 80 }),
  })
  .map((one) => ({
    ...one,
    source: one.family === 4 ? '198.51.100.1' : '2001:db8::1',
    destination: one.family === 4 ? '203.0.113.9' : '2001:db8:9::9',
  }));

describe('readIcmpError()', () => {
  test('reads back every field of the quoted packet and of both kinds of extension', () => {
    const inputs = [quote, fc.array(label, { maxLength: 6 }), fc.array(anInterface, { maxLength: 3 })] as const;
    const place = fc.constantFrom('told' as const, 'legacy' as const);
    fc.assert(
      fc.property(...inputs, place, (packet, labels, interfaces, where) => {
        const objects = [...(labels.length > 0 ? [labelObject(labels)] : []), ...interfaces.map(interfaceObject)];
        const bytes = errorPacket(packet, objects.length > 0 ? structure(objects) : [], where);
        const error = readIcmpError(bytes, 0, bytes.length, packet.family);
        const [a, b, c, d] = packet.words as [number, number, number, number];
        const echo = packet.next === 'echo';
        const checksum = { udp: d, echo: b, tcp: packet.words[8]! }[packet.next];
        const sent = Buffer.from(quotedPacket(packet)).subarray(packet.family === 4 ? 20 : 40);
        expect(error?.quoted?.transport.subarray(0, 8)).toEqual(sent.subarray(0, 8));
        expect(error).toEqual({
          type: packet.family === 4 ? 11 : 3,
          code: 0,
          mpls: labels,
          interfaces,
          quoted: {
            source: packet.source,
            destination: packet.destination,
            ttl: packet.ttl,
            dscp: packet.tos >> 2,
            ecn: packet.tos & 3,
            identification: packet.family === 4 ? packet.identification : null,
            lengthBytes: quotedPacket(packet).length,
            protocol: { udp: 17, tcp: 6, echo: packet.family === 4 ? 1 : 58 }[packet.next],
            sourcePort: echo ? null : a,
            destinationPort: echo ? null : b,
            checksum,
            tcpSequence: packet.next === 'tcp' ? c * 0x10000 + d : null,
            echoIdentifier: echo ? c : null,
            echoSequence: echo ? d : null,
            transport: expect.any(Buffer) as Buffer,
          },
        });
      }),
    );
  });

  const plain: Quote = {
    family: 4,
    source: '198.51.100.1',
    destination: '203.0.113.9',
    ttl: 1,
    tos: 0,
    identification: 1,
    next: 'udp',
    words: [40_000, 33_434, 12, 0xbeef],
    payload: 4,
  };
  const one: MplsLabel = { label: 16, trafficClass: 0, bottom: true, ttl: 1 };

  test('a quote that is longer than 128 octets and carries no extension is not taken for one', () => {
    const long = { ...plain, payload: 400 };
    const bytes = errorPacket(long, [], 'told');
    // What stands where a legacy extension would begin looks like its version, but its checksum says otherwise.
    bytes[8 + 128] = 0x20;
    expect(readIcmpError(bytes, 0, bytes.length, 4)).toMatchObject({ mpls: [], quoted: { checksum: 0xbeef } });
  });

  test.each([
    ['with a wrong checksum', 'wrong', 'told', []],
    ['without a checksum where the header did not announce it', 'none', 'legacy', []],
    ['without a checksum where the header announced it', 'none', 'told', [one]],
  ] as const)('an extension %s', (_name, checksum, place, expected) => {
    const bytes = errorPacket(plain, structure([labelObject([one])], checksum), place);
    expect(readIcmpError(bytes, 0, bytes.length, 4)?.mpls).toEqual(expected);
  });

  test('eight octets of transport header are enough to know the packet', () => {
    const bytes = errorPacket({ ...plain, next: 'tcp', payload: 0 }, [], 'told');
    expect(readIcmpError(bytes, 0, 8 + 28, 4)?.quoted).toMatchObject({
      sourcePort: 40_000,
      destinationPort: 33_434,
      tcpSequence: 12 * 0x10000 + 0xbeef,
      checksum: null,
    });
  });

  test('what is no error, or of the other family, is none', () => {
    const bytes = errorPacket(plain, [], 'told');
    expect(readIcmpError(bytes, 0, 7, 4)).toBeNull();
    expect(readIcmpError(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0]), 0, 8, 4)).toBeNull();
    expect(readIcmpError(Buffer.from([129, 0, 0, 0, 0, 0, 0, 0]), 0, 8, 6)).toBeNull();
    bytes[0] = 3;
    expect(readIcmpError(bytes, 0, bytes.length, 6)?.quoted).toBeNull();
  });

  test('whatever comes, 30,000 times: it never throws and stays within its bounds', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      // Right so far as to reach the deeper readers, then damaged at one place.
      fc
        .tuple(quote, fc.array(label, { maxLength: 40 }), fc.array(anInterface, { maxLength: 40 }), half, byte)
        .map(([packet, labels, interfaces, at, value]) => {
          const objects = [labelObject(labels), ...interfaces.map(interfaceObject)];
          const whole = errorPacket(packet, structure(objects, 'none'), 'told');
          whole[at % whole.length] = value;
          return whole.subarray(0, at % 7 === 0 ? value : whole.length);
        }),
    );
    fc.assert(
      fc.property(bytes, byte, fc.constantFrom(4 as const, 6 as const), (input, offset, family) => {
        const buffer = Buffer.from(input);
        const at = offset < 200 ? 0 : offset - 200;
        const error = readIcmpError(buffer, at, buffer.length + (offset % 3) - 1, family);
        if (error === null) return;
        expect(error.mpls.length).toBeLessThanOrEqual(16);
        expect(error.interfaces.length).toBeLessThanOrEqual(16);
      }),
      { numRuns: 30_000 },
    );
  });
});

test('readExtensions() refuses what lies outside of the bytes', () => {
  const bytes = Buffer.from(structure([labelObject([])]));
  expect(readExtensions(bytes, -1, bytes.length, { needChecksum: false })).toBeNull();
  expect(readExtensions(bytes, 0, bytes.length + 1, { needChecksum: false })).toBeNull();
  expect(readExtensions(bytes, 0, 3, { needChecksum: false })).toBeNull();
});
