import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  errorEstimate,
  errorSeconds,
  readReflector,
  readSender,
  type ReflectorPacket,
  type SenderPacket,
  signStamp,
  STAMP_AUTH_BYTES,
  STAMP_BYTES,
  verifyStamp,
  writeReflector,
  writeSender,
  writeSentTime,
} from './stamp.ts';

// NTP tells the years 1968 to 2104 apart.
const time = fc.record({
  sec: fc.integer({ min: 0, max: 4_233_462_143 }),
  nsec: fc.integer({ min: 0, max: 999_999_999 }),
});
const error = fc.record({
  synchronised: fc.boolean(),
  ptp: fc.boolean(),
  scale: fc.integer({ min: 0, max: 63 }),
  multiplier: fc.integer({ min: 1, max: 255 }),
});
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const sender: fc.Arbitrary<SenderPacket> = fc.record({
  sequence: word,
  time,
  error,
  ssid: fc.integer({ min: 0, max: 0xffff }),
});
const reflector: fc.Arbitrary<ReflectorPacket> = fc.record({
  sequence: word,
  time,
  error,
  ssid: fc.integer({ min: 0, max: 0xffff }),
  received: time,
  sender: fc.record({ sequence: word, time, error, ttl: fc.integer({ min: 0, max: 255 }) }),
});
const mode = fc.constantFrom('open' as const, 'authenticated' as const);

describe('the packets of RFC 8762', () => {
  test("a sender's packet is read as it was written, to the nanosecond", () => {
    fc.assert(
      fc.property(sender, mode, (packet, mode) => {
        const bytes = Buffer.alloc(200, 0xaa);
        const length = writeSender(bytes, packet, mode);
        expect(length).toBe(mode === 'open' ? STAMP_BYTES : STAMP_AUTH_BYTES);
        expect(readSender(bytes, length, mode)).toEqual(packet);
        expect(bytes[length]).toBe(0xaa);
      }),
    );
  });

  test("a reflector's packet is read as it was written, and T3 can be set last", () => {
    fc.assert(
      fc.property(reflector, mode, time, (packet, mode, late) => {
        const bytes = Buffer.alloc(200, 0xaa);
        const length = writeReflector(bytes, packet, mode);
        expect(readReflector(bytes, length, mode)).toEqual(packet);
        writeSentTime(bytes, late, mode);
        expect(readReflector(bytes, length, mode)).toEqual({ ...packet, time: late });
      }),
    );
  });

  test('octets lie where RFC 8762 §4.3.1 puts them', () => {
    const bytes = Buffer.alloc(STAMP_BYTES);
    writeReflector(bytes, {
      sequence: 0x01020304,
      time: { sec: 0, nsec: 500_000_000 },
      error: { synchronised: true, ptp: false, scale: 5, multiplier: 7 },
      ssid: 0xbeef,
      received: { sec: 1, nsec: 250_000_000 },
      sender: {
        sequence: 9,
        time: { sec: 2, nsec: 1 },
        error: { synchronised: false, ptp: true, scale: 0, multiplier: 1 },
        ttl: 61,
      },
    });
    // 2208988800 s = 0x83aa7e80 between 1900 and 1970.
    expect(bytes.toString('hex')).toBe(
      '01020304' +
        '83aa7e8080000000' +
        '8507' +
        'beef' +
        '83aa7e8140000000' +
        '00000009' +
        '0000000200000001' +
        '4001' +
        '0000' +
        '3d000000',
    );
  });

  test('NTP seconds beyond 2036 are of the next era', () => {
    const bytes = Buffer.alloc(STAMP_BYTES);
    const packet = { sequence: 0, time: { sec: 2_300_000_000, nsec: 0 }, error: errorEstimate(0.001, true), ssid: 0 };
    writeSender(bytes, packet);
    expect(readSender(bytes, STAMP_BYTES)?.time.sec).toBe(2_300_000_000);
  });

  test('what is too short, or claims an error of zero, is no packet', () => {
    const bytes = Buffer.alloc(STAMP_AUTH_BYTES);
    const whole = { sequence: 1, time: { sec: 1, nsec: 1 }, error: errorEstimate(1, false), ssid: 1 };
    writeSender(bytes, whole, 'authenticated');
    expect(readSender(bytes, STAMP_AUTH_BYTES - 1, 'authenticated')).toBeNull();
    expect(readSender(bytes.subarray(0, 60), 200, 'authenticated')).toBeNull();
    writeSender(bytes, { ...whole, error: { ...whole.error, multiplier: 0 } });
    expect(readSender(bytes, STAMP_BYTES)).toBeNull();
    expect(readReflector(bytes, STAMP_BYTES)).toBeNull();
  });

  test('any octets are read without an exception, and with times of a sane shape', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 160 }), fc.integer({ min: 0, max: 400 }), mode, (octets, length, mode) => {
        const packet = readReflector(Buffer.from(octets), length, mode);
        for (const { nsec } of packet ? [packet.time, packet.received, packet.sender.time] : [])
          expect(nsec >= 0 && nsec < 1e9).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('authentication', () => {
  const key = Buffer.from('a shared secret');

  test('a signed packet is good, and one with any bit changed is not', () => {
    fc.assert(
      fc.property(sender, fc.integer({ min: 0, max: STAMP_AUTH_BYTES * 8 - 1 }), (packet, bit) => {
        const bytes = Buffer.alloc(STAMP_AUTH_BYTES);
        writeSender(bytes, packet, 'authenticated');
        signStamp(bytes, key);
        expect(verifyStamp(bytes, key)).toBe(true);
        expect(verifyStamp(bytes, Buffer.from('another'))).toBe(false);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(verifyStamp(bytes, key)).toBe(false);
      }),
    );
    expect(verifyStamp(Buffer.alloc(44), key)).toBe(false);
  });
});

describe('errorEstimate()', () => {
  test('never says less than the error, and hardly more', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e6, noNaN: true }), (seconds) => {
        const said = errorSeconds(errorEstimate(seconds, true));
        expect(said).toBeGreaterThanOrEqual(seconds);
        expect(said).toBeLessThanOrEqual(seconds * (1 + 1 / 127) + 2 ** -32);
      }),
    );
  });

  test('keeps a value that nothing can express inside its fields', () => {
    expect(errorEstimate(0, true)).toMatchObject({ scale: 0, multiplier: 1 });
    expect(errorEstimate(1e30, false)).toMatchObject({ scale: 63, multiplier: 255 });
  });
});
