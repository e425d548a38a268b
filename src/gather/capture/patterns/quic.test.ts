import { describe, expect, test } from 'vitest';
import { quicFlow } from '../../../model/capture/quic.ts';
import { seededRandom } from '../../../stats/random.ts';
import { datagram } from './datagram.case.ts';
import { QuicFlow } from './quic.ts';
import { SpinBit } from './spin-bit.ts';

/** Both ends of a connection as RFC 9000 section 17.4 wants it, seen at a tap somewhere between; each sends every so often. */
function spinning({
  rttMs = 40,
  tap = 0.3,
  everyMs = 2,
  forMs = 2000,
  mode = 'spins' as 'spins' | 'random' | 'constant',
  seed = 1,
}) {
  const bit = new SpinBit();
  const random = seededRandom(seed);
  const half = rttMs / 2;
  /** What each end saw last, and what is under way: [when, bit]. */
  const ends = { client: false, server: false };
  const forth: [number, boolean][] = [];
  const back: [number, boolean][] = [];
  const seen: { ms: number; spin: boolean; fromClient: boolean }[] = [];
  const value = (kept: boolean) => (mode === 'spins' ? kept : mode === 'random' ? random() < 0.5 : false);
  for (let ms = 0; ms < forMs; ms += everyMs) {
    while (forth.length > 0 && forth[0]![0] <= ms) ends.server = forth.shift()![1];
    while (back.length > 0 && back[0]![0] <= ms) ends.client = !back.shift()![1];
    const [c, s] = [value(ends.client), value(ends.server)];
    forth.push([ms + half, c]);
    back.push([ms + half, s]);
    seen.push(
      { ms: ms + half * tap, spin: c, fromClient: true },
      { ms: ms + half * (1 - tap), spin: s, fromClient: false },
    );
  }
  seen.sort((x, y) => x.ms - y.ms);
  for (const { ms, spin, fromClient } of seen) bit.add(spin, ms, fromClient);
  return bit.result();
}

describe('SpinBit', () => {
  test.each([5, 40, 180])('gives a round trip of %d ms, and its two parts around the tap', (rttMs) => {
    const found = spinning({ rttMs, everyMs: rttMs / 40, forMs: 40 * rttMs });
    if (found.kind !== 'spins') throw new Error(found.why);
    expect(found.client.samples).toBeGreaterThan(20);
    expect(Math.abs(found.client.minMs - rttMs)).toBeLessThanOrEqual(0.1 * rttMs);
    expect(Math.abs(found.client.p50Ms - rttMs)).toBeLessThanOrEqual(0.3 * rttMs);
    expect(Math.abs(found.beyondTap.toServerMinMs! - 0.7 * rttMs)).toBeLessThanOrEqual(0.1 * rttMs);
    expect(Math.abs(found.beyondTap.toClientMinMs! - 0.3 * rttMs)).toBeLessThanOrEqual(0.1 * rttMs);
  });

  test('random bits are told from spinning, whatever the seed', () => {
    for (let seed = 0; seed < 50; seed++) {
      for (const everyMs of [2, 20, 40]) {
        const found = spinning({ mode: 'random', everyMs, seed });
        expect(found.kind, `every ${everyMs} ms, seed ${seed}`).toBe('does-not-spin');
      }
    }
  });

  test('a constant bit gives no round trip, nor do a few packets', () => {
    expect(spinning({ mode: 'constant' })).toEqual({ kind: 'does-not-spin', why: 'the bit never changes' });
    expect(spinning({ forMs: 100 })).toMatchObject({ why: expect.stringMatching(/only \d+ changes/) });
    expect(new SpinBit().result()).toMatchObject({ kind: 'does-not-spin' });
  });

  test('packets that overtook each other at an edge make no tiny round trips', () => {
    const bit = new SpinBit();
    for (let n = 0; n < 400; n++) {
      const spin = Math.floor(n / 20) % 2 === 1;
      const late = n % 20 === 1 && n > 40; // one of before the edge comes behind it
      bit.add(late ? !spin : spin, 2 * n, true);
    }
    const found = bit.result();
    if (found.kind !== 'spins') throw new Error(found.why);
    expect(found.client.minMs).toBeGreaterThan(30);
  });
});

describe('QuicFlow', () => {
  const initial = Buffer.concat([Buffer.from('c300000001088394c8f03e5157080000449e', 'hex'), Buffer.alloc(1182)]);
  const short = (spin: boolean) => Buffer.concat([Buffer.from([spin ? 0x60 : 0x40]), Buffer.alloc(40, 7)]);

  test('counts packets by kind and never says anything of loss', () => {
    const first = datagram({ destinationPort: 443, payload: initial });
    const flow = QuicFlow.recognise(first)!;
    flow.add(first, 0, true);
    for (let n = 0; n < 50; n++)
      flow.add(
        datagram({ destinationPort: 443, payload: short(Math.floor(n / 5) % 2 === 0) }),
        10 + 10 * n,
        n % 2 === 0,
      );
    const report = quicFlow.parse(flow.report());
    expect(report).toMatchObject({
      versions: ['0x00000001'],
      lost: null,
      connectionIdBytes: { client: 0, server: null },
    });
    expect(report.packets).toMatchObject({ initial: 1, short: 50 });
    expect(report.gaps.serverP50Ms).toBeGreaterThan(14);
    expect(report.gaps.serverP50Ms).toBeLessThan(28);
    expect(report.how.join()).toMatch(/loss and reordering cannot be seen/);
  });

  test('other UDP is none; a short header is believed on port 443 only, and said to be', () => {
    const dns = Buffer.from('123401000001000000000000076578616d706c65', 'hex');
    expect(QuicFlow.recognise(datagram({ destinationPort: 53, payload: dns }))).toBeNull();
    expect(QuicFlow.recognise(datagram({ destinationPort: 4500, payload: short(true) }))).toBeNull();
    const assumed = QuicFlow.recognise(datagram({ destinationPort: 443, payload: short(true) }));
    expect(assumed!.report().how.join()).toMatch(/taken for QUIC by its port/);
  });
});
