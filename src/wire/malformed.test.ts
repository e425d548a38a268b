import { describe, expect, test } from 'vitest';
import { icmpCodec } from './batch/icmp-codec.ts';
import { MessageBatch } from './batch/messages.ts';
import { synCodec } from './batch/syn-codec.ts';
import { udpCodec } from './batch/udp-codec.ts';
import { readIcmpError } from './icmp-error.ts';
import { readEcho, readIPv4Header, writeEcho } from './icmp.ts';
import {
  ControlReader,
  decodeCookie,
  decodeJson,
  encodeCookie,
  encodeJson,
  IperfProtocolError,
} from './iperf/control.ts';
import { decodeEchoAnswer, readUdpSentMs, readUdpSequence } from './iperf/datagram.ts';
import { controlMessages, readControl } from './msghdr.ts';
import { readCos, readSizeTlv, readTlvs } from './stamp-tlv.ts';
import { readReflector, readSender } from './stamp.ts';

/**
 * A hundred thousand malformed inputs over every parser that sees octets of the path: random ones, and good ones with bits
 * flipped, cut short or stretched. Fast and without shrinking, beside the property tests of each parser. The seed is fixed: a
 * failure is the same for everybody.
 */
const INPUTS = 10_000;

/** xorshift32 (Marsaglia 2003). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** `INPUTS` inputs out of good ones. */
function* malformed(good: readonly Buffer[], seed: number): Generator<Buffer> {
  const random = numbers(seed);
  const below = (n: number) => Math.floor(random() * n);
  for (let i = 0; i < INPUTS; i++) {
    const template = good[below(good.length)]!;
    const isRandom = below(4) === 0;
    const length = isRandom || below(2) === 0 ? below(2 * template.length + 40) : template.length;
    const bytes = Buffer.alloc(length);
    if (isRandom) for (let at = 0; at < length; at++) bytes[at] = below(256);
    else template.copy(bytes);
    for (let flips = length === 0 ? 0 : below(8); flips > 0; flips--) bytes[below(length)] = below(256);
    yield bytes;
  }
}

function ipv4(protocol: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + payload.length, 2);
  header[8] = 1;
  header[9] = protocol;
  return Buffer.concat([header, payload]);
}

/** Time exceeded with a quoted packet, padded to 128 octets, and an MPLS stack behind it (RFC 4884, 4950). */
function timeExceeded(): Buffer {
  const quote = Buffer.concat([ipv4(17, Buffer.alloc(64)), Buffer.alloc(44)]);
  const stack = Buffer.from([0x20, 0, 0, 0, 0, 8, 1, 1, 0, 0, 0x11, 0xff]);
  return Buffer.concat([Buffer.from([11, 0, 0, 0, 0, quote.length / 4, 0, 0]), quote, stack]);
}

const echo = Buffer.alloc(64);
writeEcho(echo, 4, 7, 1);
const stamp = Buffer.concat([Buffer.alloc(44), Buffer.from([0, 1, 0, 8]), Buffer.alloc(8)]);
const token = { first: 1, second: 2 };

describe('malformed octets neither throw nor run away', () => {
  test.each([4, 6] as const)('ICMP errors of IPv%d with their extensions', (family) => {
    for (const bytes of malformed([timeExceeded()], 11 + family)) {
      const error = readIcmpError(bytes, 0, bytes.length, family);
      expect(error?.mpls.length ?? 0).toBeLessThanOrEqual(16 * 16);
      expect(error?.interfaces.length ?? 0).toBeLessThanOrEqual(16);
    }
  });

  test('echo replies behind any IPv4 header', () => {
    for (const bytes of malformed([ipv4(1, echo)], 23)) {
      const header = readIPv4Header(bytes, bytes.length);
      const found = readEcho(bytes, header?.headerBytes ?? 0, bytes.length, 4);
      expect(found === null || found.sequence <= 0xffff).toBe(true);
    }
  });

  test('answers and quotes of every method of the sweep', () => {
    const codecs = [
      icmpCodec({ family: 4, raw: true, identifier: 9, token, payloadBytes: 56 }),
      icmpCodec({ family: 6, raw: true, identifier: 9, token, payloadBytes: 56 }),
      udpCodec({ token, payloadBytes: 56 }),
    ];
    const slotBytes = 256;
    for (const bytes of malformed([ipv4(1, echo), echo], 37)) {
      const batch = new MessageBatch(1, slotBytes, 64);
      batch.data.set(bytes.subarray(0, slotBytes));
      for (const codec of codecs) {
        expect(codec.read(batch, 0, Math.min(slotBytes, bytes.length))).toBeGreaterThanOrEqual(-1);
        expect(codec.readQuote(batch, 0, Math.min(slotBytes, bytes.length), 1000)).toBeLessThan(1000);
      }
    }
  });

  test('STAMP packets and their TLVs', () => {
    for (const bytes of malformed([stamp], 41)) {
      for (const mode of ['open', 'authenticated'] as const) {
        readSender(bytes, bytes.length, mode);
        readReflector(bytes, bytes.length, mode);
      }
      const tlvs = readTlvs(bytes, 44, bytes.length);
      expect(tlvs.length).toBeLessThanOrEqual(bytes.length / 4 + 1);
      for (const tlv of tlvs) {
        readCos(bytes, tlv);
        readSizeTlv(bytes, tlv);
      }
    }
  });

  test('iperf3 control messages: cookie and JSON', () => {
    const good = [
      encodeJson({ tcp: true, omit: 0, streams: [{ id: 1, bytes: 5 }] }).subarray(4),
      encodeCookie('a'.repeat(36)),
    ];
    let refused = 0;
    for (const bytes of malformed(good, 53)) {
      expect(decodeCookie(bytes)?.length ?? 36).toBe(36);
      try {
        expect(typeof decodeJson(bytes)).toBe('object');
      } catch (error) {
        expect(error).toBeInstanceOf(IperfProtocolError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(INPUTS / 2);
  });

  test('iperf3 control octets in any pieces come out as they went in', () => {
    const random = numbers(59);
    for (const bytes of malformed([encodeCookie('b'.repeat(36))], 61)) {
      const reader = new ControlReader();
      for (let at = 0; at < bytes.length;) {
        const next = at + 1 + Math.floor(random() * 20);
        reader.push(bytes.subarray(at, next));
        at = next;
      }
      expect(reader.take(bytes.length + 1)).toBeNull();
      if (bytes.length > 0) expect(reader.take(bytes.length)?.equals(bytes)).toBe(true);
      expect(reader.bytes).toBe(0);
    }
  });

  test('iperf3 datagrams and echo answers', () => {
    for (const bytes of malformed([Buffer.alloc(32, 7)], 67)) {
      decodeEchoAnswer(bytes, bytes.length);
      if (bytes.length < 16) continue;
      expect(readUdpSentMs(bytes, 0)).toBeGreaterThanOrEqual(0);
      expect(readUdpSequence(bytes, 0, true)).toBeGreaterThanOrEqual(0);
    }
  });

  test('control messages of the kernel', () => {
    const out = controlMessages();
    const good = Buffer.alloc(64);
    good.writeUInt32LE(32, 0);
    good.writeInt32LE(11, 12);
    for (const bytes of malformed([good], 71)) {
      readControl(bytes, bytes.length, out);
      expect(out.offender === null || out.hasError).toBe(true);
    }
  });

  test('SYN-ACKs, resets and their quotes', () => {
    const codec = synCodec({
      family: 4,
      sourcePort: 40_000,
      base: 77,
      columns: { targets: 1, port: new Uint16Array([443]), address32: new Uint32Array([0x0200000a, 0, 0, 0]) },
      sourceWord: () => 0x0100000a,
    });
    const slotBytes = 128;
    for (const bytes of malformed([ipv4(6, Buffer.alloc(20))], 73)) {
      const batch = new MessageBatch(1, slotBytes, 64);
      batch.data.set(bytes.subarray(0, slotBytes));
      expect(codec.read(batch, 0, Math.min(slotBytes, bytes.length))).toBeGreaterThanOrEqual(-1);
      expect(codec.readQuote(batch, 0, Math.min(slotBytes, bytes.length), 1000)).toBeLessThan(1000);
    }
  });
});
