import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import type { HopEvent } from '../../wire/hop-limited-tcp.ts';
import { locateFailure } from './locate.ts';

/** A way of routers, and something that does not bear a segment, at the exit of one of them. */
interface Way {
  /** For each router whether it speaks. */
  speaks: readonly boolean[];
  /** The router that looks; 0 is the own host, one more than the routers the server. */
  at: number;
  segment: number;
  answers: 'nothing' | 'reset';
}

const target = { address: '10.9.9.9', family: 4 as const, port: 443 };
const written = { id: 'browser', failing: [Buffer.alloc(50, 1), Buffer.alloc(60, 2)], passing: Buffer.alloc(20, 9) };

/** Sockets of such a way: a hop answers what ends there when it speaks and the segment comes so far. */
function socketsOf({ speaks, at, segment, answers }: Way) {
  const server = speaks.length + 1;
  const routerAddress = (ttl: number) => `10.0.0.${ttl}`;
  return {
    syn: ({ hops = 64 }: { hops?: number }) => ({
      sentMs: 0,
      poll: () => {
        if (hops >= server) return { kind: 'accepted' as const, rttMs: 1, synRetransmits: 0 };
        if (!speaks[hops - 1]) return null;
        return { kind: 'icmp' as const, by: routerAddress(hops), type: 11, code: 0, message: '', rttMs: 1 };
      },
      close: () => undefined,
    }),
    tcp: () => {
      const events: HopEvent[] = [{ kind: 'connected', rttMs: 1 }];
      let isDead = false;
      return {
        poll: () => events.shift() ?? null,
        send: (bytes: Uint8Array, hops: number) => {
          const isHit = bytes[0] === segment;
          // The hop limit is looked at before the exit.
          const reach = isHit || isDead ? at : server;
          if (hops <= reach && hops < server) {
            if (speaks[hops - 1]) events.push({ kind: 'expired' });
          } else if (isHit && hops > at) {
            isDead = true;
            if (answers === 'reset') events.push({ kind: 'reset' });
          } else if (bytes.length === 20) events.push({ kind: 'data' });
        },
        close: () => undefined,
      };
    },
  };
}

const locate = (way: Way) => {
  const options = { target, starttls: null, timeoutMs: 500, mssBytes: 1460, pace: () => Promise.resolve() };
  return locateFailure(written, options, fakeIo(), new AbortController().signal, socketsOf(way));
};

describe('locateFailure()', () => {
  test('brackets the place as tightly as the routers that speak allow, on any way', async () => {
    const ways = fc.record({
      speaks: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
      place: fc.nat(12),
      segment: fc.constantFrom(1, 2),
      answers: fc.constantFrom('nothing' as const, 'reset' as const),
    });
    await fc.assert(
      fc.asyncProperty(ways, async ({ speaks, place, ...rest }) => {
        const at = place % (speaks.length + 1);
        const found = await locate({ speaks, at, ...rest });
        const loud = speaks.flatMap((one, i) => (one ? [i + 1] : []));
        if (loud.length === 0) {
          expect(found.kind).toBe('unknown');
          return;
        }
        const after = loud.findLast((ttl) => ttl <= at) ?? 0;
        const before = loud.find((ttl) => ttl > at);
        expect(found).toMatchObject({ afterTtl: after, beforeTtl: before ?? speaks.length + 1 });
        expect(found.kind).toBe(before === undefined ? 'at-the-server' : 'between');
        const next = before ?? speaks.length + 1;
        expect(found.confidence).toBe(next - after === 1 ? 'high' : 'medium');
        expect(found.connections).toBeLessThanOrEqual(2 * speaks.length + 8 + 30);
      }),
      { numRuns: 200 },
    );
  });

  test('says so where it cannot look', async () => {
    const sockets = socketsOf({ speaks: [true], at: 1, segment: 1, answers: 'nothing' });
    const options = { target, starttls: null, timeoutMs: 500, mssBytes: null, pace: () => Promise.resolve() };
    const ask = (platform: string, more: Partial<typeof options> | { starttls: 'smtp' }) =>
      locateFailure(written, { ...options, ...more }, fakeIo({ platform }), new AbortController().signal, sockets);
    expect(await ask('darwin', {})).toMatchObject({
      kind: 'unknown',
      why: expect.stringMatching(/on darwin/) as string,
    });
    expect(await ask('linux', { starttls: 'smtp' })).toMatchObject({ kind: 'unknown', connections: 0 });
    const stopped = AbortSignal.abort(new Error('stop'));
    const interrupted = await locateFailure(written, options, fakeIo(), stopped, sockets);
    expect(interrupted).toMatchObject({ kind: 'unknown', why: 'interrupted' });
  });

  test('what passes when its segments come one by one is not laid at anybody’s door', async () => {
    const sockets = socketsOf({ speaks: [true, true], at: 3, segment: 99, answers: 'nothing' });
    const options = { target, starttls: null, timeoutMs: 500, mssBytes: 1460, pace: () => Promise.resolve() };
    const passing = { ...written, failing: [Buffer.alloc(20, 9)] };
    const found = await locateFailure(passing, options, fakeIo(), new AbortController().signal, sockets);
    expect(found).toMatchObject({ kind: 'unknown', why: expect.stringMatching(/does not fail/) as string });
  });
});
