import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { controlMessages, readControl } from '../msghdr.ts';
import { SO_TIMESTAMPING, SOL_SOCKET } from '../msghdr.ts';
import { fastControl, readFastControl } from './stamps.ts';

/** Control messages as a kernel, or somebody who means ill, would lay them out: any length field, any of the kinds we know. */
const message = fc.record({
  bytes: fc.oneof(fc.constantFrom(20, 28, 32, 48, 60, 64), fc.nat(300)),
  level: fc.constantFrom(0, 1, 41, 7),
  type: fc.constantFrom(2, 11, 25, 35, 37, 52),
  body: fc.uint8Array({ minLength: 64, maxLength: 64 }),
});

function layOut(messages: readonly { bytes: number; level: number; type: number; body: Uint8Array }[]): Buffer {
  const control = Buffer.from(new ArrayBuffer(192));
  let at = 0;
  for (const { bytes, level, type, body } of messages) {
    if (at + 16 > control.length) break;
    control.writeUInt32LE(bytes, at);
    control.writeInt32LE(level, at + 8);
    control.writeInt32LE(type, at + 12);
    control.set(body.subarray(0, Math.max(0, Math.min(64, control.length - at - 16))), at + 16);
    at += (Math.max(16, bytes) + 7) & ~7;
  }
  return control;
}

describe('readFastControl()', () => {
  test('finds the same stamp and the same error as readControl(), whatever the octets', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), fc.nat(192), (messages, length) => {
        const control = layOut(messages);
        const slow = controlMessages();
        readControl(control, length, slow);
        const fast = fastControl();
        const words = new Uint32Array(control.buffer);
        readFastControl(words, 0, length, fast);
        // The slow one also knows SO_TIMESTAMPNS, which no sweep asks for.
        if (messages.some(({ type, level }) => type === 35 && level === 1)) return;
        expect(fast.hasStamp).toBe(slow.hasStamp);
        if (fast.hasStamp) expect([fast.sec, fast.nsec]).toEqual([slow.stampSec, slow.stampNsec]);
        expect(fast.errorWord >= 0).toBe(slow.hasError);
        if (fast.errorWord >= 0) expect(words[fast.errorWord + 3]).toBe(slow.errorData);
      }),
      { numRuns: 10_000 },
    );
  });
});

/** struct scm_timestamping as put_cmsg_scm_timestamping() lays it out: three timespecs, of the kernel, unused, of the card. */
function scmTimestamping(kernel: [sec: number, nsec: number], card: [sec: number, nsec: number]): Uint32Array {
  const control = Buffer.from(new ArrayBuffer(64));
  control.writeUInt32LE(64, 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SO_TIMESTAMPING, 12);
  for (const [i, [sec, nsec]] of [kernel, [0, 0] as const, card].entries()) {
    control.writeBigUInt64LE(BigInt(sec), 16 + i * 16);
    control.writeBigUInt64LE(BigInt(nsec), 24 + i * 16);
  }
  return new Uint32Array(control.buffer);
}

describe('stamps of the network card', () => {
  test.each([
    { what: 'beside that of the kernel, on a packet received', kernel: [1_790_000_000, 5], card: [37, 999_999_999] },
    { what: 'alone, of a packet sent', kernel: [0, 0], card: [2 ** 32 + 1, 1] },
    { what: 'missing', kernel: [1_790_000_000, 5], card: [0, 0] },
  ] as { what: string; kernel: [number, number]; card: [number, number] }[])('$what', ({ kernel, card }) => {
    const out = fastControl();
    readFastControl(scmTimestamping(kernel, card), 0, 64, out);
    expect(out.hasStamp).toBe(kernel[0] > 0);
    expect(out.hasNicStamp).toBe(card[0] > 0);
    if (out.hasStamp) expect([out.sec, out.nsec]).toEqual(kernel);
    if (out.hasNicStamp) expect([out.nicSec, out.nicNsec]).toEqual(card);
  });

  test('of one packet are not taken for those of the next', () => {
    const out = fastControl();
    readFastControl(scmTimestamping([1, 1], [2, 2]), 0, 64, out);
    readFastControl(new Uint32Array(16), 0, 0, out);
    expect([out.hasStamp, out.hasNicStamp]).toEqual([false, false]);
  });
});
