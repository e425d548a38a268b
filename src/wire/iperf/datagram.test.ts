import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  answerEcho,
  countPacket,
  decodeEchoAnswer,
  ECHO_BYTES,
  encodeEchoRequest,
  isWelcome,
  readUdpSentMs,
  readUdpSequence,
  UDP_HELLO,
  UDP_WELCOME,
  udpHeaderBytes,
  udpTally,
  writeUdpHeader,
} from './datagram.ts';

test('isWelcome() takes the word of today and that of old versions in either byte order', () => {
  expect(isWelcome(UDP_WELCOME)).toBe(true);
  const old = Buffer.alloc(4);
  old.writeUInt32LE(987_654_321);
  expect(isWelcome(old)).toBe(true);
  old.writeUInt32BE(987_654_321);
  expect(isWelcome(old)).toBe(true);
  expect(isWelcome(UDP_HELLO)).toBe(false);
  expect(isWelcome(Buffer.alloc(5))).toBe(false);
});

test('a UDP header goes round with 32 and 64 bits', () => {
  const packet = Buffer.alloc(16);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 40, noNaN: true }), fc.nat(Number.MAX_SAFE_INTEGER), (ms, sequence) => {
      writeUdpHeader(packet, 0, ms, sequence, true);
      expect(readUdpSequence(packet, 0, true)).toBe(sequence);
      expect(Math.abs(readUdpSentMs(packet, 0) - ms)).toBeLessThan(0.002);
      writeUdpHeader(packet, 0, ms, sequence % 2 ** 32, false);
      expect(readUdpSequence(packet, 0, false)).toBe(sequence % 2 ** 32);
    }),
  );
  expect([udpHeaderBytes(false), udpHeaderBytes(true)]).toEqual([12, 16]);
});

test('countPacket() agrees with counting who is missing, whatever is lost or overtaken', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (arrived) => {
      const tally = udpTally();
      for (const sequence of arrived) countPacket(tally, sequence, sequence, sequence + 5);
      const highest = Math.max(...arrived);
      expect(tally.packets).toBe(arrived.length);
      expect(tally.lost).toBe(highest - arrived.length);
      expect(tally.outOfOrder).toBe(arrived.filter((s, i) => i > 0 && s < Math.max(...arrived.slice(0, i))).length);
      expect(tally.jitterMs).toBeCloseTo(0, 9);
    }),
  );
});

test('countPacket() runs the jitter of RFC 3550: a sixteenth of each change of transit', () => {
  const tally = udpTally();
  countPacket(tally, 1, 0, 100);
  expect(tally.jitterMs).toBe(0);
  countPacket(tally, 2, 10, 126);
  expect(tally.jitterMs).toBe(1);
  countPacket(tally, 3, 20, 120);
  expect(tally.jitterMs).toBeCloseTo(1 + (16 - 1) / 16);
});

test('an echo request becomes its answer in place, with the time it lay there', () => {
  const bytes = Buffer.alloc(ECHO_BYTES);
  encodeEchoRequest(bytes, 7, 0x1234_5678_9abc_def0n);
  expect(decodeEchoAnswer(bytes, ECHO_BYTES)).toBeNull();
  expect(answerEcho(bytes, ECHO_BYTES, 1_500_000)).toBe(true);
  expect(decodeEchoAnswer(bytes, ECHO_BYTES)).toEqual({ sequence: 7, token: 0x1234_5678_9abc_def0n, dwellMs: 1.5 });
  expect(answerEcho(bytes, ECHO_BYTES, 0)).toBe(false); // an answer is never answered, so two servers cannot play ping-pong
});

test('the echo codec ignores whatever else comes in', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: ECHO_BYTES, maxLength: 64 }), fc.nat(64), (octets, length) => {
      const bytes = Buffer.from(octets);
      if (bytes.readUInt32BE(0) === 0x6970_7468) return;
      expect(answerEcho(bytes, length, 5)).toBe(false);
      expect(decodeEchoAnswer(bytes, length)).toBeNull();
    }),
    { numRuns: 3000 },
  );
});
