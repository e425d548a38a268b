import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { controlMessages, MessageBuffers, readControl, SO_EE_ORIGIN } from './msghdr.ts';
import { encodeSockaddr } from './sockaddr.ts';

function cmsg(level: number, type: number, data: Buffer): Buffer {
  const bytes = Buffer.alloc((16 + data.length + 7) & ~7);
  bytes.writeUInt32LE(16 + data.length, 0);
  bytes.writeInt32LE(level, 8);
  bytes.writeInt32LE(type, 12);
  data.copy(bytes, 16);
  return bytes;
}

function stamp(sec: number, nsec: number): Buffer {
  const data = Buffer.alloc(48);
  data.writeBigUInt64LE(BigInt(sec), 0);
  data.writeBigUInt64LE(BigInt(nsec), 8);
  return cmsg(1, 37, data);
}

function extendedError(level: number, type: number, offender: string): Buffer {
  const data = Buffer.alloc(16 + 28);
  data.writeUInt32LE(113, 0);
  data.set([level === 0 ? SO_EE_ORIGIN.ICMP : SO_EE_ORIGIN.ICMP6, 11, 1], 4);
  data.writeUInt32LE(1400, 8);
  data.writeUInt32LE(9, 12);
  const length = encodeSockaddr(data.subarray(16), offender, 0);
  return cmsg(level, type, data.subarray(0, 16 + length));
}

describe('readControl()', () => {
  test.each([
    [0, 11, '192.0.2.9'],
    [41, 25, '2001:db8::9'],
  ])('reads stamp, TTL and the error queue of level %d', (level, type, offender) => {
    const ttl = Buffer.alloc(4);
    ttl.writeInt32LE(61);
    const control = Buffer.concat([
      stamp(1_900_000_000, 123_456_789),
      cmsg(99, 99, Buffer.alloc(5)),
      cmsg(level, level === 0 ? 2 : 52, ttl),
      extendedError(level, type, offender),
    ]);
    const out = controlMessages();
    readControl(control, control.length, out);
    expect(out).toMatchObject({ hasStamp: true, stampSec: 1_900_000_000, stampNsec: 123_456_789, ttl: 61 });
    expect(out).toMatchObject({
      hasError: true,
      errorNumber: 113,
      errorType: 11,
      errorCode: 1,
      errorInfo: 1400,
      errorData: 9,
      offender,
    });
  });

  test('forgets what the call before said', () => {
    const out = controlMessages();
    const control = Buffer.concat([stamp(1, 1), extendedError(0, 11, '192.0.2.9')]);
    readControl(control, control.length, out);
    readControl(control, 0, out);
    expect(out).toMatchObject({ hasStamp: false, hasError: false, offender: null, ttl: -1 });
  });

  test('ends at a message that claims more than there is', () => {
    const control = Buffer.concat([stamp(1, 1), extendedError(0, 11, '192.0.2.9')]);
    control.writeUInt32LE(0xffff, 64);
    const out = controlMessages();
    readControl(control, control.length, out);
    expect(out).toMatchObject({ hasStamp: true, hasError: false });
  });

  test('never throws, whatever the bytes', () => {
    const out = controlMessages();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), fc.integer({ min: 0, max: 512 }), (octets, length) => {
        readControl(Buffer.from(octets), length, out);
        expect(out.ttl).toBeTypeOf('number');
      }),
    );
  });

  test('never throws on true headers around random payloads', () => {
    const out = controlMessages();
    const header = fc.constantFrom([1, 37], [1, 35], [0, 11], [41, 25], [0, 2], [41, 52]);
    const message = fc.tuple(header, fc.uint8Array({ maxLength: 64 }));
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
        const control = Buffer.concat(
          messages.map(([[level = 0, type = 0], data]) => cmsg(level, type, Buffer.from(data))),
        );
        readControl(control, control.length, out);
        expect(out.hasError || out.offender === null).toBe(true);
      }),
    );
  });
});

describe.runIf(process.platform === 'linux')('MessageBuffers', () => {
  test('reset() restores the lengths that the kernel overwrites', () => {
    const message = new MessageBuffers(100, 256);
    message.header.writeUInt32LE(16, 8);
    message.header.writeUInt32LE(48, 40);
    expect([message.nameLength, message.controlLength]).toEqual([16, 48]);
    message.reset();
    expect([message.nameLength, message.controlLength, message.flags]).toEqual([128, 256, 0]);
  });
});
