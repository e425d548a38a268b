import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptySegment, parseTapPacket, tapFilter, tapSnapLength, wrappedDifference } from './tap.ts';

/** The few classic BPF instructions that the filter uses, by Documentation/networking/filter.rst: loads beyond the packet reject. */
function runFilter(program: Uint8Array, packet: Uint8Array): number {
  const code = new DataView(program.buffer, program.byteOffset, program.length);
  const data = new DataView(packet.buffer, packet.byteOffset, packet.length);
  let [a, x] = [0, 0];
  for (let pc = 0; ; pc++) {
    expect(pc * 8, 'the program runs off its end').toBeLessThan(program.length);
    const [opcode, jt, jf, k] = [
      code.getUint16(pc * 8, true),
      code.getUint8(pc * 8 + 2),
      code.getUint8(pc * 8 + 3),
      code.getUint32(pc * 8 + 4, true),
    ];
    const need = { 0x30: k + 1, 0x28: k + 2, 0x48: x + k + 2, 0xb1: k + 1 }[opcode];
    if (need !== undefined && need > packet.length) return 0;
    switch (opcode) {
      case 0x30:
        a = data.getUint8(k);
        break;
      case 0x28:
        a = data.getUint16(k);
        break;
      case 0x48:
        a = data.getUint16(x + k);
        break;
      case 0xb1:
        x = (data.getUint8(k) & 15) * 4;
        break;
      case 0x54:
        a &= k;
        break;
      case 0x15:
        pc += a === k ? jt : jf;
        break;
      case 0x45:
        pc += a & k ? jt : jf;
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`opcode ${opcode}`);
    }
  }
}

interface Shape {
  version: 4 | 6;
  /** 32-bit words of IPv4 options. */
  ipOptions: number;
  protocol: number;
  fragmentOffset: number;
  source: number;
  destination: number;
  sequence: number;
  acknowledged: number;
  flags: number;
  /** Bytes of TCP options before the timestamps. */
  padding: number;
  tsval: number | null;
  payload: number;
}

function packetOf(s: Shape): Uint8Array {
  const options = [...Array<number>(s.padding).fill(1)];
  if (s.tsval !== null) options.push(8, 10, ...bytes32(s.tsval), 0, 0, 0, 0);
  while (options.length % 4 !== 0) options.push(0);
  const header = s.version === 4 ? 20 + s.ipOptions * 4 : 40;
  const tcpHeader = 20 + options.length;
  const bytes = new Uint8Array(header + tcpHeader + s.payload);
  const view = new DataView(bytes.buffer);
  if (s.version === 4) {
    bytes[0] = 0x40 | (header / 4);
    view.setUint16(2, bytes.length);
    view.setUint16(6, s.fragmentOffset);
    bytes[9] = s.protocol;
  } else {
    bytes[0] = 0x60;
    view.setUint16(4, bytes.length - 40);
    bytes[6] = s.protocol;
  }
  view.setUint16(header, s.source);
  view.setUint16(header + 2, s.destination);
  view.setUint32(header + 4, s.sequence);
  view.setUint32(header + 8, s.acknowledged);
  bytes[header + 12] = (tcpHeader / 4) << 4;
  bytes[header + 13] = s.flags;
  bytes.set(options, header + 20);
  return bytes;
}

const bytes32 = (n: number) => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const shape: fc.Arbitrary<Shape> = fc.record({
  version: fc.constantFrom(4, 6),
  ipOptions: fc.nat(10),
  protocol: fc.oneof({ weight: 4, arbitrary: fc.constant(6) }, { weight: 1, arbitrary: fc.nat(255) }),
  fragmentOffset: fc.constantFrom(0, 0x4000, 0x2000, 1, 0x1fff),
  source: fc.constantFrom(443, 444),
  destination: u16,
  sequence: u32,
  acknowledged: u32,
  flags: fc.nat(255),
  padding: fc.nat(20),
  tsval: fc.option(u32),
  payload: fc.nat(1460),
});

describe('tapFilter()', () => {
  const program = tapFilter(443);

  test('accepts exactly unfragmented TCP from its port, over IPv4 with any options and over IPv6', () => {
    fc.assert(
      fc.property(shape, (s) => {
        const later = s.version === 4 && (s.fragmentOffset & 0x1fff) !== 0;
        const wanted = s.protocol === 6 && s.source === 443 && !later;
        expect(runFilter(program, packetOf(s))).toBe(wanted ? tapSnapLength : 0);
      }),
      { numRuns: 500 },
    );
  });

  test('lets nothing else in: any bytes end in accept or reject, and other IP versions are rejected', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const verdict = runFilter(program, bytes);
        const version = (bytes[0] ?? 0) >> 4;
        expect(version === 4 || version === 6 ? [0, tapSnapLength] : [0]).toContain(verdict);
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseTapPacket()', () => {
  test('reads back what a packet was made of, wherever it stands and however much payload was cut', () => {
    fc.assert(
      fc.property(shape, fc.nat(50), (s, at) => {
        const packet = packetOf({ ...s, protocol: 6 });
        const view = new DataView(new ArrayBuffer(at + packet.length + 10));
        new Uint8Array(view.buffer).set(packet, at);
        const segment = emptySegment();
        const ipHeader = s.version === 4 ? 20 + s.ipOptions * 4 : 40;
        // With IPv4 options a header may pass the snap length; then the timestamp is not there to read.
        const captured = Math.min(packet.length, Math.max(tapSnapLength, ipHeader + 60));
        expect(parseTapPacket(view, at, captured, segment)).toBe(true);
        expect(segment).toMatchObject({
          family: s.version,
          localPort: s.destination,
          sequence: s.sequence,
          acknowledged: s.acknowledged,
          payloadBytes: s.payload,
          fin: (s.flags & 1) !== 0,
          syn: (s.flags & 2) !== 0,
          rst: (s.flags & 4) !== 0,
          tsval: s.tsval ?? -1,
        });
      }),
      { numRuns: 500 },
    );
  });

  test('never throws on any bytes, nor reads beyond what was captured', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 160 }), fc.nat(200), fc.nat(200), (bytes, at, captured) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const segment = emptySegment();
        if (parseTapPacket(view, at, captured, segment)) expect(segment.payloadBytes).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  test('never throws on TCP with any option bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 40 }), (options) => {
        const packet = new Uint8Array(80);
        packet.set([0x45, 0, 0, 80, 0, 0, 0, 0, 64, 6]);
        packet[32] = 0xf0;
        packet.set(options, 40);
        expect(parseTapPacket(new DataView(packet.buffer), 0, 80, emptySegment())).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

test('wrappedDifference() undoes any step below 2^31, across the wrap', () => {
  fc.assert(
    fc.property(u32, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (b, step) => {
      expect(wrappedDifference((b + step) >>> 0, b)).toBe(step);
    }),
  );
});
