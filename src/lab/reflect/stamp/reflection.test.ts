import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorEstimate, readReflector, signStamp, verifyStamp, writeSender } from '../../../wire/stamp.ts';
import {
  COS_BYTES,
  findSizeTlv,
  readCos,
  readTlvs,
  SIZE_STATUS,
  TLV_FLAG,
  TLV_TYPE,
  writeCos,
  writePadding,
  writeSizeTlv,
  writeTlv,
} from '../../../wire/stamp-tlv.ts';
import { Reflection, type ReflectionPolicy, type StampArrival } from './reflection.ts';

const error = errorEstimate(0.001, true);
const limits = { sessions: 100, perSecond: 1e6, perSessionPerSecond: 1e6 };
const received = { sec: 1000, nsec: 5 };
const noCookie = Buffer.alloc(16);

function reflecting(policy: Partial<ReflectionPolicy> = {}): Reflection {
  return new Reflection({ stateful: true, key: null, sizes: false, limits, ...policy }, Buffer.from('secret'), 0);
}

function arrival(sequence: number, more: Partial<StampArrival> = {}): StampArrival {
  const slot = more.slot ?? Buffer.alloc(9000, 0xee);
  writeSender(slot, { sequence, time: { sec: 999, nsec: 7 }, error, ssid: 3 });
  return { length: 44, peer: 'a', received, ttl: 60, tos: 0, nowMs: 0, ...more, slot };
}

describe('a reflected packet', () => {
  test("carries T2, T3 and what the sender's packet said", () => {
    const reflection = reflecting();
    const request = arrival(77);
    expect(reflection.reflect(request, error)).toMatchObject({ length: 44 });
    reflection.seal(request.slot, { sec: 1000, nsec: 9 });
    expect(readReflector(request.slot, 44)).toEqual({
      sequence: 0,
      time: { sec: 1000, nsec: 9 },
      error,
      ssid: 3,
      received,
      sender: { sequence: 77, time: { sec: 999, nsec: 7 }, error, ttl: 60 },
    });
  });

  test('counts per session when stateful, and repeats the number of the sender when not', () => {
    const numbers = (reflection: Reflection) =>
      [arrival(5), arrival(7), arrival(9, { peer: 'b' }), arrival(8)].map((request) => {
        reflection.reflect(request, error);
        return request.slot.readUInt32BE(0);
      });
    expect(numbers(reflecting())).toEqual([0, 1, 0, 2]);
    expect(numbers(reflecting({ stateful: false }))).toEqual([5, 7, 9, 8]);
  });

  test('is as long as the request, whatever the request was', () => {
    const reflection = reflecting({ sizes: true });
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 44, maxLength: 300 }),
        fc.uint8Array({ maxLength: 44 }),
        (octets, short) => {
          for (const raw of [octets, short]) {
            const slot = Buffer.alloc(2000, 0xee);
            slot.set(raw);
            const request = { slot, length: raw.length, peer: 'a', received, ttl: 1, tos: 0, nowMs: 0 };
            const reply = reflection.reflect(request, error);
            expect(reply?.length ?? raw.length).toBeLessThanOrEqual(raw.length);
            expect(slot.subarray(raw.length).every((octet) => octet === 0xee)).toBe(true);
          }
        },
      ),
      { numRuns: 5000 },
    );
    expect(reflection.unanswered.malformed).toBeGreaterThan(1000);
  });
});

describe('TLVs', () => {
  test('known ones come back recognised, unknown ones marked, a malformed one marked so', () => {
    const request = arrival(0);
    const { slot } = request;
    writeTlv(slot, 44, TLV_TYPE.EXTRA_PADDING, 4);
    writeTlv(slot, 52, 200, 4);
    writeTlv(slot, 60, TLV_TYPE.EXTRA_PADDING, 4);
    slot.writeUInt16BE(999, 62);
    reflecting().reflect({ ...request, length: 68 }, error);
    expect(readTlvs(slot, 44, 68).map(({ flags }) => flags)).toEqual([0, TLV_FLAG.U, TLV_FLAG.M]);
  });

  test('class of service says how the packet came, and marks the reply', () => {
    const request = arrival(0);
    const cos = { wantedDscp: 46, receivedDscp: 0, receivedEcn: 0, refused: 0 };
    writeCos(request.slot, writeTlv(request.slot, 44, TLV_TYPE.CLASS_OF_SERVICE, COS_BYTES), cos);
    const reply = reflecting().reflect({ ...request, length: 52, tos: (10 << 2) | 1 }, error);
    expect(reply?.tos).toBe(46 << 2);
    const [tlv] = readTlvs(request.slot, 44, 52);
    expect(readCos(request.slot, tlv!)).toEqual({ wantedDscp: 46, receivedDscp: 10, receivedEcn: 1, refused: 0 });
  });
});

describe('replies of another size', () => {
  /** A request of `length` octets that wants a reply of `wanted`; the reply, and what its TLV says. */
  const ask = (
    reflection: Reflection,
    length: number,
    wanted: number,
    cookie = noCookie,
    more: Partial<StampArrival> = {},
  ) => {
    const request = arrival(0, more);
    const end = writeSizeTlv(request.slot, 44, { status: SIZE_STATUS.ASKED, replyBytes: wanted, cookie });
    writePadding(request.slot, end, length);
    const reply = reflection.reflect({ ...request, length }, error)!;
    const said = findSizeTlv(request.slot, 44, reply.length);
    return { ...reply, slot: request.slot, said: said && { ...said, cookie: Buffer.from(said.cookie) } };
  };

  test('are not known to a reflector that was not told to', () => {
    const { length, said } = ask(reflecting(), 1000, 72);
    expect({ length, recognised: said?.recognised, status: said?.status }).toEqual({
      length: 1000,
      recognised: false,
      status: SIZE_STATUS.ASKED,
    });
  });

  test('may be shorter without more ado', () => {
    const { length, said, slot } = ask(reflecting({ sizes: true }), 1400, 100);
    expect({ length, said }).toMatchObject({
      length: 100,
      said: { recognised: true, status: SIZE_STATUS.DONE, replyBytes: 100 },
    });
    expect(readTlvs(slot, 44, 100).map(({ malformed, flags }) => ({ malformed, flags }))).toEqual([
      { malformed: false, flags: 0 },
      { malformed: false, flags: 0 },
    ]);
    expect(ask(reflecting({ sizes: true }), 1400, 0).length).toBe(72);
    expect(ask(reflecting({ sizes: true }), 1400, 74).length).toBe(72);
  });

  test('are longer only with a cookie, of this address, of the last minutes', () => {
    const reflection = reflecting({ sizes: true });
    const first = ask(reflection, 72, 1400);
    expect(first).toMatchObject({ length: 72, said: { status: SIZE_STATUS.COOKIE, replyBytes: 72 } });
    const { cookie } = first.said!;
    const second = ask(reflection, 72, 1400, cookie);
    expect(second).toMatchObject({ length: 1400, said: { status: SIZE_STATUS.DONE, replyBytes: 1400 } });
    // Nothing of what other packets left in the memory goes out.
    expect(second.slot.subarray(76, 1400).every((octet) => octet === 0)).toBe(true);
    expect(ask(reflection, 72, 1400, cookie, { peer: 'b' }).length).toBe(72);
    expect(ask(reflection, 72, 1400, cookie, { nowMs: 61_000 }).length).toBe(1400);
    expect(ask(reflection, 72, 1400, cookie, { nowMs: 121_000 }).length).toBe(72);
    expect(ask(reflecting({ sizes: true }), 72, 1400, Buffer.alloc(16, 1)).length).toBe(72);
  });

  test('fall back to the length of the request where the interface cannot carry them', () => {
    const reflection = reflecting({ sizes: true });
    const { said } = ask(reflection, 72, 8000);
    const big = ask(reflection, 80, 8000, said!.cookie);
    expect(big.fallback).toEqual({ length: 80, sizeAt: 44 });
    expect(reflection.tooLarge(big.slot, big.fallback!)).toBe(80);
    expect(findSizeTlv(big.slot, 44, 80)).toMatchObject({ status: SIZE_STATUS.TOO_LARGE, replyBytes: 80 });
  });

  test('longer ones are limited in rate', () => {
    const reflection = reflecting({ sizes: true });
    const { cookie } = ask(reflection, 72, 1400).said!;
    const long = Array.from({ length: 500 }, () => ask(reflection, 72, 1400, cookie)).filter(
      ({ length }) => length === 1400,
    );
    expect(long.length).toBeGreaterThan(10);
    expect(long.length).toBeLessThanOrEqual(50);
  });
});

describe('bounds', () => {
  test('more packets than allowed are not answered, and counted', () => {
    const reflection = reflecting({ limits: { sessions: 10, perSecond: 1000, perSessionPerSecond: 100 } });
    const answered = (peer: string, nowMs: number) =>
      Array.from({ length: 100 }, (_, i) => reflection.reflect(arrival(i, { peer, nowMs }), error)).filter(Boolean)
        .length;
    expect(answered('a', 0)).toBe(25);
    expect(answered('b', 0)).toBe(25);
    expect(answered('a', 100)).toBe(10);
    expect(reflection.unanswered.rateLimited).toBe(300 - 60);
  });

  test('running sessions keep their place; new ones wait until one is silent for a minute', () => {
    const reflection = reflecting({ limits: { ...limits, sessions: 2 } });
    const ask = (peer: string, nowMs: number) => {
      const request = arrival(0, { peer, nowMs });
      return reflection.reflect(request, error) && request.slot.readUInt32BE(0);
    };
    expect([ask('a', 0), ask('b', 0), ask('c', 1), ask('a', 50_000)]).toEqual([0, 0, null, 1]);
    expect(reflection.unanswered.sessionsFull).toBe(1);
    expect([ask('c', 61_000), ask('b', 61_000), ask('a', 61_000)]).toEqual([0, null, 2]);
    expect(reflection.sessions.size).toBe(2);
  });
});

describe('with a key', () => {
  const key = Buffer.from('shared');
  const signed = () => {
    const slot = Buffer.alloc(300);
    writeSender(slot, { sequence: 4, time: { sec: 1, nsec: 1 }, error, ssid: 0 }, 'authenticated');
    signStamp(slot, key);
    return { slot, length: 112, peer: 'a', received, ttl: 9, tos: 0, nowMs: 0 };
  };

  test('signed packets are answered with signed ones, others not at all', () => {
    const reflection = reflecting({ key });
    const request = signed();
    expect(reflection.reflect(request, error)?.length).toBe(112);
    reflection.seal(request.slot, { sec: 2, nsec: 2 });
    expect(verifyStamp(request.slot, key)).toBe(true);
    expect(readReflector(request.slot, 112, 'authenticated')).toMatchObject({
      sequence: 0,
      sender: { sequence: 4, ttl: 9 },
    });
    const forged = signed();
    forged.slot[3]! ^= 1;
    expect(reflection.reflect(forged, error)).toBeNull();
    expect(reflection.reflect(arrival(0), error)).toBeNull();
    expect(reflection.unanswered).toMatchObject({ unauthenticated: 1, malformed: 1 });
  });

  test('no TLV is acted upon, because none is vouched for', () => {
    const request = signed();
    const end = writeSizeTlv(request.slot, 112, { status: 0, replyBytes: 112, cookie: noCookie });
    const reply = reflecting({ key, sizes: true }).reflect({ ...request, length: end }, error);
    expect(reply?.length).toBe(end);
    expect(request.slot[112]).toBe(TLV_FLAG.I);
  });
});
