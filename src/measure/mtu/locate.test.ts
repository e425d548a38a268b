import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { seededRandom } from '../../stats/random.ts';
import { type FakePath, fakeProbe } from './fake-path.case.ts';
import { askHops, type HopAnswers, whereLost } from './locate.ts';

async function locate(path: Omit<FakePath, 'nowMs'>, largeBytes: number, echo = false) {
  const io = fakeIo();
  const probe = fakeProbe({ ...path, nowMs: () => io.clock.monoMs() });
  const hops = await askHops(probe, io, new AbortController().signal, {
    smallBytes: 68,
    largeBytes,
    address: 'target',
    maxHops: 30,
    waitMs: 100,
    rounds: 3,
  });
  return { hops, hop: whereLost(hops, { rounds: 3, lossShare: 0.05, echo }), sent: probe.sent };
}

describe('askHops() and whereLost()', () => {
  test('name the two hops between which large packets get lost', async () => {
    const { hop } = await locate({ links: [1500, 1500, 1450, 1500, 1500] }, 1451);
    expect(hop).toMatchObject({
      afterTtl: 2,
      afterAddress: 'r2',
      beforeTtl: 3,
      beforeAddress: 'r3',
      confidence: 'high',
    });
  });

  test('agree with the truth for any path, wherever its routers are silent', async () => {
    const router = fc.record({ mtu: fc.constantFrom(1400, 1450, 1500), silent: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(router, { minLength: 1, maxLength: 12 }), async (routers) => {
        const links = [1500, ...routers.map(({ mtu }) => mtu)];
        const silent = routers.flatMap((one, i) => (one.silent ? [`r${i + 1}`] : []));
        const narrow = links.findIndex((mtu) => mtu < 1500);
        // Five silent hops in a row end the search: such a path says nothing.
        fc.pre(!/(1){5}/.test(routers.map((one) => Number(one.silent)).join('')));
        const { hop } = await locate({ links, silent }, 1500);
        if (narrow === -1) {
          expect(hop).toBeNull();
          return;
        }
        // The router in front of the narrow link is the last that gets large packets; where it is silent, one nearer.
        expect(hop?.afterTtl).toBeLessThanOrEqual(narrow);
        expect(hop?.beforeTtl).toBeGreaterThan(narrow);
        if (!silent.includes(`r${narrow}`)) expect(hop?.afterTtl).toBe(narrow);
        const neighbours = hop!.beforeTtl - hop!.afterTtl === 1;
        expect(hop?.confidence === 'high').toBe(neighbours);
      }),
      { numRuns: 100 },
    );
  });

  test('survive loss: a router that misses one packet is asked again', async () => {
    const random = seededRandom(7);
    const { hop } = await locate({ links: [1500, 1450, 1500], loses: () => random() < 0.25 }, 1451);
    expect(hop).toMatchObject({ afterTtl: 1, beforeTtl: 2 });
  });

  test('send a bounded number of packets to a path that never ends', async () => {
    const links = Array.from({ length: 60 }, () => 1500);
    const { sent, hop } = await locate({ links }, 1501);
    expect(sent.length).toBeLessThanOrEqual(30 * 3 * 2);
    expect(hop).toMatchObject({ afterTtl: 0, beforeTtl: 1 });
  });

  test('say nothing where nobody answers, and nothing where the target gets large packets', async () => {
    expect((await locate({ links: [1500, 1500], loses: () => true }, 1400)).hop).toBeNull();
    expect((await locate({ links: [1500, 1500] }, 1400)).hop).toBeNull();
  });

  test('with echo, and only the target beyond, it may be the way back: no high confidence', async () => {
    const path = { links: [1500, 1450] };
    expect((await locate(path, 1451, true)).hop).toMatchObject({
      confidence: 'medium',
      why: expect.stringContaining('way back'),
    });
    expect((await locate(path, 1451, false)).hop).toMatchObject({ confidence: 'high' });
  });

  test('never throw for any answers', () => {
    const hop: fc.Arbitrary<HopAnswers> = fc.record({
      ttl: fc.nat(64),
      address: fc.option(fc.string()),
      target: fc.boolean(),
      small: fc.boolean(),
      large: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(hop), fc.double({ min: 0, max: 1, noNaN: true }), (hops, lossShare) => {
        const sorted = hops.toSorted((a, b) => a.ttl - b.ttl);
        const found = whereLost(sorted, { rounds: 3, lossShare, echo: false });
        if (found) expect(found.beforeTtl).toBeGreaterThan(found.afterTtl);
      }),
    );
  });
});
