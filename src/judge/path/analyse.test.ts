import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analysePath, type PathAnalysis } from './analyse.ts';
import { PathBook } from './path-book.ts';
import { pathReports } from './reports.ts';
import { plainPath, type SimulatedHop, type SimulationOptions, simulateRounds } from './simulated.case.ts';

function analyse(
  hops: readonly SimulatedHop[],
  options: SimulationOptions,
  protocol: 'icmp' | 'udp' | 'tcp' = 'tcp',
): PathAnalysis {
  const book = new PathBook();
  for (const round of simulateRounds(hops, options)) book.add(round);
  expect(book.paths).toHaveLength(1);
  const path = book.paths[0]!.hops;
  return analysePath(path, protocol, path.at(-1)!.recent);
}

/** What a datagram to a closed port gets. */
const portUnreachable = { icmp: { type: 3, code: 3, message: 'port unreachable' } };

/** The path of `length` hops with some of them changed, by TTL. */
function pathWith(length: number, changes: Record<number, Partial<SimulatedHop>>): SimulatedHop[] {
  return plainPath(length).map((hop, k) => ({ ...hop, ...changes[k + 1] }));
}

/** A path of those round trips. */
function rttPath(...rtts: number[]): SimulatedHop[] {
  return plainPath(rtts.length).map((hop, k) => ({ ...hop, rttMs: rtts[k]! }));
}

const kinds = ({ hops }: PathAnalysis) => hops.map(({ loss }) => loss.kind);

describe('loss', () => {
  test('a clean path has none, with an interval', () => {
    const { loss, hops } = analyse(plainPath(5), { rounds: 50 });
    expect(loss).toMatchObject({ kind: 'none', share: 0 });
    expect(loss.interval![1]).toBeGreaterThan(0);
    expect(hops.every((hop) => hop.loss.kind === 'none')).toBe(true);
  });

  test('loss on a link shows from there to the target, and is placed there', () => {
    const analysis = analyse(pathWith(8, { 4: { loss: 0.3 } }), { rounds: 200 });
    expect(kinds(analysis)).toEqual(['none', 'none', 'none', 'real', 'real', 'real', 'real', 'real']);
    expect(analysis.loss).toMatchObject({ kind: 'real', after: { ttl: 3 }, by: { ttl: 4 } });
    const [low, high] = analysis.loss.interval!;
    expect(low < 0.3 && 0.3 < high).toBe(true);
  });

  test('a hop that answers rarely is not blamed', () => {
    const analysis = analyse(pathWith(6, { 3: { willing: 0.4 } }), { rounds: 100 });
    expect(kinds(analysis)).toEqual(['none', 'none', 'answers-rarely', 'none', 'none', 'none']);
    expect(analysis.loss.kind).toBe('none');
  });

  test('a token bucket is recognised, with its rate', () => {
    const limited = pathWith(6, { 2: { limit: { perS: 1, burst: 6 } } });
    const { hops, loss } = analyse(limited, { rounds: 100, intervalMs: 250 });
    expect(hops[1]!.loss.kind).toBe('rate-limited');
    expect(hops[1]!.loss.answersPerS).toBeCloseTo(1, 1);
    expect(loss.kind).toBe('none');
  });

  test('where every router is limited, none is blamed', () => {
    const limit = { perS: 1, burst: 6 };
    const changes = Object.fromEntries([1, 2, 3, 4, 5].map((ttl) => [ttl, { limit }]));
    const analysis = analyse(pathWith(6, changes), { rounds: 120, intervalMs: 200 });
    expect(kinds(analysis)).toEqual([...Array.from({ length: 5 }, () => 'rate-limited'), 'none']);
  });

  test('a target that limits its ICMP gives no loss of the path', () => {
    const limited = pathWith(4, { 4: { limit: { perS: 1, burst: 6 }, answer: portUnreachable } });
    const analysis = analyse(limited, { rounds: 100, intervalMs: 250 }, 'udp');
    expect(analysis.loss.why).toMatch(/evenly spaced.*--protocol tcp/);
    expect(analysis.loss.kind).toBe('undetermined');
    expect(analysis.hops[3]!.loss.kind).toBe('rate-limited');
  });

  test.each([6, 12, 25, 50, 100])(
    'port unreachables of a host that limits them are no loss, after %i rounds',
    (rounds) => {
      for (const intervalMs of [50, 200, 700, 1000]) {
        // The search has emptied the bucket before.
        const limited = pathWith(4, { 4: { limit: { perS: 1, burst: 0 }, answer: portUnreachable } });
        for (const limit of [
          { perS: 1, burst: 6 },
          { perS: 1, burst: 1 },
        ]) {
          const hops = limited.map((hop) => (hop.limit ? { ...hop, limit } : hop));
          const { loss, hops: told } = analyse(hops, { rounds, intervalMs }, 'udp');
          expect(loss.kind).not.toBe('real');
          expect(told.map((hop) => hop.loss.kind)).not.toContain('real');
          if (loss.kind === 'undetermined') expect(loss.why).toMatch(/--protocol tcp to an open port, or icmp/);
        }
      }
    },
  );

  test('datagrams by more than one path are answered from one bucket', () => {
    const book = new PathBook();
    // Each path is asked every two seconds, the host twice as often as it answers.
    for (let flow = 0; flow < 4; flow++) {
      const hops = [
        ...plainPath(2),
        { addresses: [`10.0.7.${flow}`], rttMs: 6 },
        { addresses: ['10.0.9.1'], rttMs: 8 },
      ];
      const rounds = simulateRounds(
        hops.map((hop, k) => (k === 3 ? { ...hop, answer: portUnreachable, willing: 0.5 } : hop)),
        { rounds: 30, intervalMs: 2000, startMs: flow * 500, flow, seed: 1 + flow },
      );
      for (const round of rounds) book.add(round);
    }
    const paths = pathReports(book, 'udp', String);
    expect(paths).toHaveLength(4);
    for (const { loss } of paths) expect(loss).toMatchObject({ kind: 'undetermined', after: null, by: null });
  });

  test('at one datagram per second no usual limit explains the loss, and more answers than errors need no excuse', () => {
    const lossy = pathWith(6, { 3: { loss: 0.25 }, 6: { answer: portUnreachable } });
    expect(analyse(lossy, { rounds: 100, intervalMs: 1000 }, 'udp').loss).toMatchObject({ kind: 'real' });
    expect(analyse(lossy, { rounds: 100, intervalMs: 200 }, 'udp').loss).toMatchObject({ kind: 'undetermined' });
    const speaks = pathWith(6, { 3: { loss: 0.25 }, 6: { answer: { icmp: null } } });
    expect(analyse(speaks, { rounds: 100, intervalMs: 200 }, 'udp').loss).toMatchObject({ kind: 'real' });
  });

  test('a stray loss in front of the lossy link does not move its place, in all but a few of many runs', () => {
    const runs = Array.from({ length: 60 }, (_, seed) => {
      const rounds = simulateRounds(pathWith(6, { 4: { loss: 0.3 } }), { rounds: 100, seed: seed + 1 });
      for (const [round, ttl] of [
        [41 + (seed % 3), 1 + (seed % 3)],
        [50, 3],
      ] as const)
        rounds[round]![ttl - 1] = { ...rounds[round]![ttl - 1]!, answer: null };
      const book = new PathBook();
      for (const round of rounds) book.add(round);
      const { loss, hops } = analysePath(book.paths[0]!.hops, 'tcp', []);
      expect(hops[2]!.loss.kind).not.toBe('real');
      return `${loss.after?.ttl}-${loss.by?.ttl}`;
    });
    expect(runs.filter((place) => place !== '3-4').length).toBeLessThan(10);
  });

  test('too few losses are not placed at all', () => {
    const rounds = simulateRounds(plainPath(6), { rounds: 100 });
    for (const [round, ttl] of [
      [10, 6],
      [20, 6],
      [30, 3],
      [40, 2],
      [50, 5],
      [60, 4],
    ] as const)
      rounds[round]![ttl - 1] = { ...rounds[round]![ttl - 1]!, answer: null };
    const book = new PathBook();
    for (const round of rounds) book.add(round);
    const { loss } = analysePath(book.paths[0]!.hops, 'tcp', []);
    expect(loss).toMatchObject({ kind: 'real', share: 0.02, after: null, by: null });
  });

  test('loss on the first link is placed there, in all but a few of many runs', () => {
    const runs = Array.from({ length: 60 }, (_, seed) => {
      const { loss } = analyse(pathWith(6, { 1: { loss: 0.2 } }), { rounds: 150, seed: seed + 1 });
      return `${loss.after?.ttl}-${loss.by?.ttl}`;
    });
    expect(runs.filter((place) => place !== '0-1').length).toBeLessThan(10);
  });

  test('both at once: a limited router in front of a lossy link', () => {
    const hops = pathWith(7, { 2: { limit: { perS: 1, burst: 6 } }, 5: { loss: 0.25 } });
    const analysis = analyse(hops, { rounds: 300, intervalMs: 250 });
    expect(analysis.hops[1]!.loss.kind).toBe('rate-limited');
    expect(kinds(analysis).slice(4)).toEqual(['real', 'real', 'real']);
    expect(analysis.loss).toMatchObject({ kind: 'real', after: { ttl: 4 }, by: { ttl: 5 } });
  });

  test('a silent hop is silent, and a target that never answers leaves loss open', () => {
    const silent = { addresses: [] };
    const analysis = analyse(pathWith(5, { 2: silent, 5: silent }), { rounds: 30 });
    expect(kinds(analysis)).toEqual(['none', 'silent', 'none', 'none', 'silent']);
    expect(analysis.loss).toMatchObject({ kind: 'undetermined', share: null });
    expect(analysis.reached).toBe(false);
  });

  test('one lost probe of a hop decides nothing, and the target lost none', () => {
    const rounds = simulateRounds(plainPath(4), { rounds: 20 });
    rounds[7]![1] = { ...rounds[7]![1]!, answer: null };
    const book = new PathBook();
    for (const round of rounds) book.add(round);
    const analysis = analysePath(book.paths[0]!.hops, 'tcp', []);
    expect(kinds(analysis)).toEqual(['none', 'undetermined', 'none', 'none']);
    expect(analysis.loss.kind).toBe('none');
  });

  test('whatever routers do by themselves, no path loss is made of it and no hop of it is called real', () => {
    const hop = fc.record({
      willing: fc.constantFrom(1, 1, 0.9, 0.5, 0.1, 0),
      limit: fc.constantFrom(undefined, undefined, { perS: 1, burst: 6 }, { perS: 0.3, burst: 1 }),
      slowMs: fc.constantFrom(0, 0, 30),
    });
    const setup = fc.tuple(fc.array(hop, { minLength: 1, maxLength: 8 }), fc.nat(1e6), fc.integer({ min: 1, max: 60 }));
    fc.assert(
      fc.property(setup, ([routers, seed, rounds]) => {
        const path = plainPath(routers.length + 1).map((h, k) => {
          const { limit, ...rest } = routers[k] ?? { limit: undefined };
          return { ...h, ...rest, ...(limit && { limit }) };
        });
        const analysis = analyse(path, { rounds, seed, intervalMs: 400 });
        expect(analysis.loss.kind).toBe('none');
        expect(kinds(analysis)).not.toContain('real');
      }),
      { numRuns: 150 },
    );
  });

  test('the place of loss holds the truth, in all but a few of many runs', () => {
    let [wrong, placed] = [0, 0];
    const runs = 60;
    for (let seed = 1; seed <= runs; seed++) {
      const at = 1 + (seed % 8);
      const { loss } = analyse(pathWith(8, { [at]: { loss: 0.15 }, 5: { loss: at === 5 ? 0.15 : 0, willing: 0.8 } }), {
        rounds: 100,
        seed,
      });
      const isRight = loss.kind === 'real' && (loss.after?.ttl ?? 0) < at && (loss.by?.ttl ?? 8) >= at;
      if (loss.after !== null) placed++;
      if (!isRight) wrong++;
    }
    // Each is right with 95 %; ten or more of 60 wrong would come about once in 1,000.
    expect(wrong).toBeLessThan(10);
    expect(placed).toBeGreaterThan(runs / 2);
  });
});

describe('delay', () => {
  test('names the pair of hops and holds the true step', () => {
    const path = plainPath(8, 1).map((hop, k) => ({ ...hop, rttMs: hop.rttMs + (k >= 4 ? 40 : 0) }));
    const { delay } = analyse(path, { rounds: 30, noiseMs: 3 });
    expect(delay).toMatchObject({ kind: 'named', from: { ttl: 4 }, to: { ttl: 5, address: '10.0.5.1' } });
    const [low, high] = delay.interval!;
    expect(low).toBeLessThanOrEqual(41);
    expect(high).toBeGreaterThanOrEqual(41);
    expect(delay.share).toBeCloseTo(41 / 48, 1);
  });

  test('a router that answers slowly for itself adds nothing', () => {
    const path = pathWith(8, { 3: { slowMs: 80 } }).map((hop, k) => ({ ...hop, rttMs: hop.rttMs + (k >= 5 ? 20 : 0) }));
    const { delay, hops } = analyse(path, { rounds: 30 });
    expect(delay).toMatchObject({ kind: 'named', from: { ttl: 5 }, to: { ttl: 6 } });
    expect(hops[2]!.lasting!.ms).toBeLessThan(hops[2]!.rtts!.medianMs - 70);
  });

  test('where a slow router stands at the step, the step is around it: it says nothing of the way to itself', () => {
    const path = rttPath(2, 6, 30, 32).map((hop, k) => (k === 1 ? { ...hop, slowMs: 60 } : hop));
    expect(analyse(path, { rounds: 30, noiseMs: 3 }).delay).toMatchObject({
      kind: 'named',
      from: { ttl: 1 },
      to: { ttl: 3 },
    });
  });

  test('passes over silent hops and names the pair around them', () => {
    const path = pathWith(6, { 4: { addresses: [] } }).map((hop, k) => ({
      ...hop,
      rttMs: hop.rttMs + (k >= 3 ? 30 : 0),
    }));
    expect(analyse(path, { rounds: 30 }).delay).toMatchObject({ kind: 'named', from: { ttl: 3 }, to: { ttl: 5 } });
  });

  test.each([
    ['too few answers', plainPath(5, 10), { rounds: 6 }, /needs 7 answers/],
    ['two steps alike', rttPath(20, 21, 43, 44), { rounds: 30, noiseMs: 6 }, /no step stands out/],
    ['spread above all steps', rttPath(0, 7), { rounds: 7, noiseMs: 10 }, /may be as large|spread/],
  ] as const)('is undetermined: %s', (_, path, options, why) => {
    const { delay } = analyse(path, options);
    expect(delay.kind).toBe('undetermined');
    expect(delay.why).toMatch(why);
  });

  test('a step next to a router that is slow for itself is named around it: nobody can tell on which side it lies', () => {
    // Hop 3 answers late by 80 ms, and 20 ms are added either before or behind it.
    const added = [2, 3].map((from) =>
      pathWith(8, { 3: { slowMs: 80 } }).map((hop, k) => ({ ...hop, rttMs: hop.rttMs + (k >= from ? 20 : 0) })),
    );
    for (const path of added)
      expect(analyse(path, { rounds: 30 }).delay).toMatchObject({ kind: 'named', from: { ttl: 2 }, to: { ttl: 4 } });
  });

  test('lasting delays never fall along the path, and none is above its own median', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 10 }), (rtts) => {
        const path = rtts.map((rttMs, k) => ({ addresses: [`10.0.${k}.1`], rttMs }));
        const { hops } = analyse(path, { rounds: 9 });
        for (const [k, hop] of hops.entries()) {
          expect(hop.lasting!.ms).toBeLessThanOrEqual(hop.rtts!.medianMs);
          expect(hop.lasting!.ms).toBeGreaterThanOrEqual(hops[k - 1]?.lasting?.ms ?? 0);
          expect(hop.lasting!.interval![0]).toBeLessThanOrEqual(hop.lasting!.interval![1]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('names no wrong step in nearly all of many runs', () => {
    let [named, wrong] = [0, 0];
    for (let seed = 1; seed <= 200; seed++) {
      const at = 2 + (seed % 6);
      const path = plainPath(8, 1).map((hop, k) => ({
        ...hop,
        rttMs: hop.rttMs + (k + 1 >= at ? 4 : 0),
        // Some routers are slow for themselves, among them the one before the step and the one behind it.
        slowMs: k < 7 && (seed * 7 + k) % 5 === 0 ? 25 : 0,
      }));
      const { delay } = analyse(path, { rounds: 20, seed, noiseMs: 6 });
      if (delay.kind !== 'named') continue;
      named++;
      if (!(delay.from!.ttl < at && at <= delay.to!.ttl)) wrong++;
    }
    expect(named).toBeGreaterThan(20);
    expect(wrong / named).toBeLessThan(0.05);
  });
});

describe('marks', () => {
  test('a way back of another length, TTLs that were set anew, and the first hop behind a NAT', () => {
    const path = pathWith(5, {
      1: { answer: { replyTtl: 64, quotedTtl: 1, natRewrite: false } },
      2: { answer: { replyTtl: 254, quotedTtl: 0, natRewrite: false } },
      3: { answer: { replyTtl: 249, quotedTtl: 4, natRewrite: true } },
      4: { answer: { replyTtl: 61, quotedTtl: 1, natRewrite: true } },
      5: { answer: { replyTtl: 125, quotedTtl: 9, natRewrite: null } },
    });
    const { hops } = analyse(path, { rounds: 3 });
    expect(hops.map((h) => h.reverseHops)).toEqual([1, 2, 7, 4, 4]);
    expect(hops.map((h) => h.isAsymmetric)).toEqual([false, false, true, false, false]);
    expect(hops.map((h) => h.rewritesTtl)).toEqual([false, false, true, false, false]);
    expect(hops.map((h) => h.nat)).toEqual([false, false, true, false, false]);
  });

  test('labels that a hop shows explain the TTL that it quotes', () => {
    const label = { label: 17, trafficClass: 0, bottom: true, ttl: 1 };
    const { hops } = analyse(
      pathWith(3, { 1: { answer: { quotedTtl: 2, mpls: [label] } }, 2: { answer: { quotedTtl: 2 } } }),
      { rounds: 3 },
    );
    expect(hops.map((h) => h.rewritesTtl)).toEqual([false, true, false]);
  });
});
