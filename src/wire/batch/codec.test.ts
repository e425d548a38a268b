import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { internetChecksum, readEcho } from '../icmp.ts';
import { youngestEndingIn } from './codec.ts';
import { icmpCodec } from './icmp-codec.ts';
import { MessageBatch } from './messages.ts';
import { synCodec } from './syn-codec.ts';
import { udpCodec } from './udp-codec.ts';

const word = fc.integer({ min: 0, max: 0xffffffff });
const probe = fc.integer({ min: 0, max: 2 ** 31 - 1 });

/** A received batch whose first slot holds `bytes`. */
function received(bytes: Uint8Array): MessageBatch {
  const batch = new MessageBatch(1, 96, 64);
  batch.data.set(bytes.subarray(0, 96));
  return batch;
}

describe('icmpCodec()', () => {
  test('writes echo requests with a right checksum, and reads its own reply back from behind any IP header', () => {
    fc.assert(
      fc.property(
        word,
        word,
        fc.nat(0xffff),
        probe,
        fc.nat(200),
        fc.integer({ min: 5, max: 15 }),
        (first, second, identifier, n, payloadBytes, headerWords) => {
          const codec = icmpCodec({ family: 4, raw: true, identifier, token: { first, second }, payloadBytes });
          const out = new MessageBatch(3, (codec.packetBytes + 7) & ~3, 24);
          codec.prepare(out);
          codec.write(out, 1, n ^ 1, 0); // what a slot held before must not show
          codec.write(out, 1, n, 0);
          const packet = Buffer.from(out.data.slice(out.dataBytes, out.dataBytes + codec.packetBytes));
          expect(internetChecksum(packet, packet.length)).toBe(0);
          expect(readEcho(packet, 0, packet.length, 4)).toEqual({
            reply: false,
            identifier: (identifier + (n >>> 16)) & 0xffff,
            sequence: n & 0xffff,
          });
          packet[0] = 0;
          const header = Buffer.alloc(headerWords * 4, 0xaa);
          header[0] = 0x40 | headerWords;
          const back = Buffer.concat([header, packet]);
          expect(codec.read(received(back), 0, Math.min(96, back.length))).toBe(n);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('knows its probe by eight quoted octets, as RFC 792 promises no more', () => {
    const codec = icmpCodec({
      family: 4,
      raw: true,
      identifier: 65_530,
      token: { first: 1, second: 2 },
      payloadBytes: 56,
    });
    const out = new MessageBatch(1, 72, 24);
    codec.prepare(out);
    for (const n of [0, 65_535, 65_536, 900_001]) {
      codec.write(out, 0, n, 0);
      const quote = received(out.data.slice(0, 8));
      expect(codec.readQuote(quote, 0, 8, 1_000_000)).toBe(n);
      expect(codec.readQuote(quote, 0, 8, n)).toBe(-1); // not sent yet: somebody else's
      expect(codec.readQuote(quote, 0, 7, 1_000_000)).toBe(-1);
    }
  });

  test('takes no packet for an answer that does not carry its token', () => {
    const codec = icmpCodec({
      family: 6,
      raw: true,
      identifier: 1,
      token: { first: 0x01020304, second: 5 },
      payloadBytes: 56,
    });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 96 }), fc.nat(96), (bytes, length) => {
        const batch = received(bytes);
        expect(codec.read(batch, 0, length)).toBe(-1);
        const quoted = codec.readQuote(batch, 0, length, 10);
        expect(quoted === -1 || (quoted >= 0 && quoted < 10)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('udpCodec()', () => {
  test('reads back what it wrote, and nothing else', () => {
    const codec = udpCodec({ token: { first: 7, second: 8 }, payloadBytes: 20 });
    fc.assert(
      fc.property(probe, fc.nat(95), fc.nat(255), (n, at, octet) => {
        const out = new MessageBatch(1, 24, 24);
        codec.prepare(out);
        codec.write(out, 0, n, 0);
        const packet = out.data.slice(0, 20);
        expect(codec.read(received(packet), 0, 20)).toBe(n);
        expect(codec.read(received(packet), 0, 11)).toBe(-1);
        if (at < 8 && packet[at] !== octet) {
          packet[at] = octet;
          expect(codec.readQuote(received(packet), 0, 20, n + 1)).toBe(-1);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('synCodec()', () => {
  const make = (family: 4 | 6, base: number, port: number) =>
    synCodec({
      family,
      sourcePort: 40_000,
      base,
      columns: {
        targets: 1,
        port: new Uint16Array([((port & 0xff) << 8) | (port >>> 8)]),
        address32: new Uint32Array([0x0200000a, 0, 0, 0]),
      },
      sourceWord: () => 0x0100000a,
    });

  /** RFC 9293 §3.1: over a pseudo-header of both addresses, protocol and length, told by the general routine. */
  const checksumOver = (segment: Uint8Array) => {
    const pseudo = Buffer.from([10, 0, 0, 1, 10, 0, 0, 2, 0, 6, 0, segment.length]);
    const all = Buffer.concat([pseudo, segment]);
    return internetChecksum(all, all.length);
  };

  test('writes a SYN with a right checksum and knows the SYN-ACK and the reset to it', () => {
    fc.assert(
      fc.property(word, probe, fc.integer({ min: 1, max: 65_535 }), fc.boolean(), (base, n, port, refused) => {
        const codec = make(4, base, port);
        const out = new MessageBatch(2, 28, 24);
        codec.prepare(out);
        codec.write(out, 1, n ^ 1, 0);
        codec.write(out, 1, n, 0);
        const syn = Buffer.from(out.data.slice(28, 28 + codec.packetBytes));
        expect(checksumOver(syn)).toBe(0);
        expect(syn.readUInt16BE(2)).toBe(port);
        expect(codec.readQuote(received(syn.subarray(0, 8)), 0, 8, n + 1)).toBe(n);
        const answer = Buffer.alloc(40);
        answer[0] = 0x45;
        answer.writeUInt16BE(port, 20);
        answer.writeUInt16BE(40_000, 22);
        answer.writeUInt32BE((syn.readUInt32BE(4) + 1) >>> 0, 28);
        answer[33] = refused ? 0x14 : 0x12;
        expect(codec.read(received(answer), 0, 40)).toBe(n);
        expect(codec.refused).toBe(refused);
        answer.writeUInt16BE(port ^ 1, 20); // another port of the same host
        expect(codec.read(received(answer), 0, 40)).toBe(-1);
      }),
      { numRuns: 1000 },
    );
  });

  test('reads any octets without harm', () => {
    for (const family of [4, 6] as const) {
      const codec = make(family, 7, 443);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 96 }), fc.nat(96), (bytes, length) => {
          expect(codec.read(received(bytes), 0, length)).toBeGreaterThanOrEqual(-1);
          const quoted = codec.readQuote(received(bytes), 0, length, 10);
          expect(quoted >= -1 && quoted < 10).toBe(true);
        }),
        { numRuns: 5000 },
      );
    }
  });
});

test('youngestEndingIn() finds the last probe with these sixteen bits', () => {
  const slow = (low: number, sent: number) => {
    for (let n = sent - 1; n >= 0; n--) if ((n & 0xffff) === low) return n;
    return -1;
  };
  for (const sent of [1, 2, 65_536, 65_537, 140_000])
    for (const low of [0, 1, 2, 100, 8_927, 8_928, 65_535])
      expect(Math.max(-1, youngestEndingIn(low, sent))).toBe(slow(low, sent));
});
