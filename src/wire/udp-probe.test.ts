import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errnoOf, holdStamps, isNoRoute } from './error-queue.ts';
import { SystemCallError } from './libc.ts';
import { openUdpProbe, quotedHops } from './udp-probe.ts';

const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

describe('quotedHops()', () => {
  test('knows our own payload, whole or cut short, and nothing else', () => {
    const payload = Buffer.concat([Buffer.from([7]), Buffer.from('inferpath path probe', 'latin1')]);
    expect(quotedHops(payload, payload.length)).toBe(7);
    expect(quotedHops(payload, 3)).toBe(7);
    expect(quotedHops(payload, 0)).toBeNull();
    expect(quotedHops(Buffer.from([7, 1, 2, 3]), 4)).toBeNull();
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(100), (octets, bytes) => {
        const hops = quotedHops(Buffer.from(octets), bytes);
        expect(hops === null || hops === octets[0]).toBe(true);
      }),
    );
  });
});

describe('errnos', () => {
  test('errnoOf() reads system calls, Node errors and anything else', () => {
    expect(errnoOf(new SystemCallError('send', 13, ''))).toBe('EACCES');
    expect(errnoOf(Object.assign(new Error('x'), { code: 'ECONNRESET' }))).toBe('ECONNRESET');
    expect([errnoOf(null), errnoOf('x'), errnoOf(new Error('x'))]).toEqual(['EUNKNOWN', 'EUNKNOWN', 'EUNKNOWN']);
  });

  test('isNoRoute() is true for what the routing table says only', () => {
    expect([isNoRoute('ENETUNREACH'), isNoRoute('EHOSTUNREACH'), isNoRoute('EPERM')]).toEqual([true, true, false]);
  });
});

describe.runIf(process.platform === 'linux')('openUdpProbe() on loopback', () => {
  test('gets "port unreachable" from the target with kernel stamps for both directions', async () => {
    const release = await holdStamps(sleep);
    const probe = openUdpProbe('127.0.0.1', 4, 9);
    const sent = new Map<number, number>();
    const errors: { hops: number | null; by: string; type: number; code: number; atMs: number | null }[] = [];
    try {
      for (const hops of [1, 2, 3]) probe.send(hops);
      for (let i = 0; i < 200 && errors.length < 3; i++) {
        probe.drain({
          transmitted: (hops, atMs) => sent.set(hops, atMs),
          icmpError: (hops, by, type, code, atMs) => errors.push({ hops, by, type, code, atMs }),
        });
        await sleep(1);
      }
    } finally {
      probe.close();
      probe.close();
      release();
    }
    expect(errors.map(({ hops, by, type, code }) => [hops, by, type, code])).toEqual([
      [1, '127.0.0.1', 3, 3],
      [2, '127.0.0.1', 3, 3],
      [3, '127.0.0.1', 3, 3],
    ]);
    for (const { hops, atMs } of errors) expect(atMs).toBeGreaterThan(sent.get(hops ?? 0) ?? Number.POSITIVE_INFINITY);
  });
});
