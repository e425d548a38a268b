import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ControlReader,
  COOKIE_BYTES,
  decodeCookie,
  decodeJson,
  encodeCookie,
  encodeJson,
  encodeServerError,
  IperfProtocolError,
  iperfState,
  makeCookie,
  stateName,
  streamId,
} from './control.ts';

test('stateName() writes states as iperf3 does, and unknown ones by number', () => {
  expect(stateName(iperfState.paramExchange)).toBe('PARAM_EXCHANGE');
  expect(stateName(iperfState.accessDenied)).toBe('ACCESS_DENIED');
  expect(stateName(99)).toBe('state 99');
});

test('streamId() leaves out the number 2', () => {
  expect([0, 1, 2, 3].map(streamId)).toEqual([1, 3, 4, 5]);
});

test('makeCookie() and its codec go round for any random source', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), (stream) => {
      const cookie = makeCookie(() => stream.next().value!);
      expect(cookie).toMatch(/^[a-z2-7]{36}$/);
      expect(decodeCookie(encodeCookie(cookie))).toBe(cookie);
    }),
    { numRuns: 200 },
  );
});

test('decodeCookie() takes any octets without throwing and says null for what is no cookie', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const cookie = decodeCookie(bytes);
      if (cookie !== null) expect(cookie).toMatch(/^[!-~]{36}$/);
    }),
    { numRuns: 5000 },
  );
  expect(decodeCookie(Buffer.alloc(COOKIE_BYTES))).toBeNull();
  expect(decodeCookie(encodeCookie('a'.repeat(36)).subarray(0, 36))).toBeNull();
});

test('decodeJson() gives back what encodeJson() framed', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (value) => {
      const framed = encodeJson(value);
      expect(framed.readUInt32BE(0)).toBe(framed.length - 4);
      expect(decodeJson(framed.subarray(4))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 500 },
  );
});

test('decodeJson() never throws anything but its own error, whatever comes in', () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc.nat(200_000).map((n) => Buffer.from('['.repeat(n))),
    fc.nat(2000).map((n) => Buffer.from('{"a":'.repeat(n) + '1' + '}'.repeat(n))),
  );
  fc.assert(
    fc.property(hostile, (bytes) => {
      try {
        expect(typeof decodeJson(bytes)).toBe('object');
      } catch (error) {
        expect(error).toBeInstanceOf(IperfProtocolError);
      }
    }),
    { numRuns: 5000 },
  );
});

test('decodeJson() refuses arrays, scalars and what is nested too deep, and takes a counted NUL', () => {
  expect(() => decodeJson(Buffer.from('[1]'))).toThrow('no object');
  expect(() => decodeJson(Buffer.from('7'))).toThrow('no object');
  expect(() => decodeJson(Buffer.from('{"a":'.repeat(17) + '1' + '}'.repeat(17)))).toThrow('too deep');
  expect(decodeJson(Buffer.from('{"a":1}\0'))).toEqual({ a: 1 });
});

test('encodeServerError() is the state and two numbers in network order', () => {
  expect([...encodeServerError(27, 5)]).toEqual([0xfe, 0, 0, 0, 27, 0, 0, 0, 5]);
});

test('ControlReader hands out the same octets however they were cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.array(fc.nat(30)), (chunks, takes) => {
      const reader = new ControlReader();
      const all = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk)));
      let at = 0;
      for (const chunk of chunks) reader.push(Buffer.from(chunk));
      for (const count of takes) {
        const got = reader.take(count);
        expect(got === null).toBe(all.length - at < count);
        if (got) expect([...got]).toEqual([...all.subarray(at, (at += count))]);
        expect(reader.bytes).toBe(all.length - at);
      }
    }),
    { numRuns: 2000 },
  );
});
