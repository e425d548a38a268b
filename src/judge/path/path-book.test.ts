import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { observation } from '../../model/observation.ts';
import { pathId } from '../../model/path-id.ts';
import type { TraceRecord } from '../../model/trace-record.ts';
import type { TraceGraph } from '../../model/trace.ts';
import { roundsForChange } from './flow-route.ts';
import { PathBook } from './path-book.ts';
import { plainPath, type SimulatedHop, simulateRounds } from './simulated.case.ts';

/** The path with other addresses at some hops. */
function detour(length: number, ...ttls: number[]): SimulatedHop[] {
  return plainPath(length).map((hop, k) => (ttls.includes(k + 1) ? { ...hop, addresses: [`10.99.${k + 1}.1`] } : hop));
}

function bookOf(...parts: TraceRecord[][][]): PathBook {
  const book = new PathBook();
  for (const [round, records] of parts.flat().entries()) {
    book.add(records.map((r) => ({ ...r, atMs: round * 1000 })));
  }
  return book;
}

describe('pathId()', () => {
  test('depends on the addresses and their order, not on silent hops at the end, nor on the order of turns', () => {
    const id = pathId([['a'], ['b']]);
    expect(id).toMatch(/^[0-9a-f]{12}$/);
    expect(pathId([['a'], ['b'], [], []])).toBe(id);
    expect(pathId([['b'], ['a']])).not.toBe(id);
    expect(pathId([['a'], [], ['b']])).not.toBe(id);
    expect(pathId([['a', 'c']])).toBe(pathId([['c', 'a']]));
    expect(pathId([['10.0.0.1'], ['10.0.0.2']])).toBe('49f1043d6fae');
  });
});

describe('PathBook', () => {
  test('a steady path is one path, with the id of its addresses', () => {
    const { paths, changes } = bookOf(simulateRounds(plainPath(4), { rounds: 20 }));
    expect(changes).toEqual([]);
    expect(paths).toMatchObject([{ rounds: 20, share: 1, isCurrent: true, firstMs: 0, lastMs: 19_000 }]);
    expect(paths[0]!.id).toBe(pathId([1, 2, 3, 4].map((n) => [`10.0.${n}.1`])));
  });

  test('a change is one change, dated at its first probe, whatever number of hops it moves; loss stays with its path', () => {
    const before = simulateRounds(plainPath(5), { rounds: 20 });
    const after = simulateRounds(
      detour(5, 2, 3).map((hop, k) => ({ ...hop, loss: k === 4 ? 0.5 : 0 })),
      { rounds: 40 },
    );
    const book = bookOf(before, after);
    expect(book.changes).toHaveLength(1);
    expect(book.changes[0]).toMatchObject({
      atMs: 20_000,
      hops: [
        { ttl: 2, from: ['10.0.2.1'], to: ['10.99.2.1'] },
        { ttl: 3, from: ['10.0.3.1'], to: ['10.99.3.1'] },
      ],
    });
    const [now, old] = book.paths;
    expect([now!.rounds, old!.rounds, now!.isCurrent, old!.isCurrent]).toEqual([40, 20, true, false]);
    expect(old!.hops.every((hop) => hop.received === hop.sent)).toBe(true);
    expect(now!.hops[4]!.received).toBeLessThan(35);
  });

  test('back again is the first path again, not a third one', () => {
    const there = simulateRounds(plainPath(4), { rounds: 15 });
    const away = simulateRounds(detour(4, 3), { rounds: 15 });
    const { changes, paths } = bookOf(there, away, there);
    expect(changes.map((c) => [c.from, c.to])).toEqual([
      [paths[0]!.id, paths[1]!.id],
      [paths[1]!.id, paths[0]!.id],
    ]);
    expect(paths.map((p) => p.rounds)).toEqual([30, 15]);
  });

  test('a path that becomes longer or shorter is a change', () => {
    const target = ['10.255.0.1'];
    const ending = (length: number) =>
      plainPath(length).map((h, k) => (k === length - 1 ? { ...h, addresses: target } : h));
    const [short, long] = [simulateRounds(ending(4), { rounds: 12 }), simulateRounds(ending(6), { rounds: 12 })];
    const { changes, paths } = bookOf(short, long, short);
    expect(changes.map((c) => c.hops.map((h) => h.ttl))).toEqual([
      [4, 5, 6],
      [4, 5, 6],
    ]);
    expect(paths.map((p) => p.hops.length)).toEqual([4, 6]);
  });

  test('fewer rounds than that are no change, and are said to be undecided while they last', () => {
    const before = simulateRounds(plainPath(4), { rounds: 10 });
    const blip = simulateRounds(detour(4, 2), { rounds: roundsForChange - 1 });
    expect(bookOf(before, blip)).toMatchObject({ changes: [], undecided: roundsForChange - 1 });
    const { changes, paths, undecided } = bookOf(before, blip, before);
    expect([changes.length, paths.length, undecided]).toEqual([0, 1, 0]);
    expect([...paths[0]!.hops[1]!.addresses.keys()]).toEqual(['10.0.2.1', '10.99.2.1']);
    expect(paths[0]!.rounds).toBe(20 + roundsForChange - 1);
  });

  test('silence is no change, and neither is a silent hop that begins to answer', () => {
    const quiet = plainPath(4).map((hop, k) => (k === 1 ? { ...hop, addresses: [] } : hop));
    const { changes, paths } = bookOf(
      simulateRounds(quiet, { rounds: 20 }),
      simulateRounds(plainPath(4), { rounds: 20 }),
    );
    expect([changes.length, paths.length]).toEqual([0, 1]);
  });

  test('an outage with "no route" by a router is loss of the hops behind it', () => {
    const before = simulateRounds(plainPath(4), { rounds: 10 });
    const outage = simulateRounds(plainPath(2), { rounds: 10 }).map((round) =>
      round.map((r) => ({
        ...r,
        answer: r.answer && { ...r.answer, end: r.ttl === 2 ? ('unreachable' as const) : null },
      })),
    );
    const { changes, paths } = bookOf(before, outage);
    expect(changes).toEqual([]);
    expect(paths[0]!.hops.map((h) => [h.sent, h.received])).toEqual([
      [20, 20],
      [20, 20],
      [20, 10],
      [20, 10],
    ]);
  });

  test('packets that take turns are no flapping: rarely called a change, never a dozen', () => {
    let changes = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const spread = plainPath(5).map((hop, k) => (k === 2 ? { ...hop, addresses: ['10.1.1.1', '10.1.1.2'] } : hop));
      changes += bookOf(simulateRounds(spread, { rounds: 100, seed })).changes.length;
    }
    // 1 of 64 per begin of a turn of a new address, and there are at most a few such begins.
    expect(changes).toBeLessThan(15);
  });

  test('what discovery knows to take turns is never called a change', () => {
    const spread = plainPath(4).map((hop, k) => (k === 1 ? { ...hop, addresses: ['10.1.1.1', '10.1.1.2'] } : hop));
    for (let seed = 1; seed <= 50; seed++) {
      const book = new PathBook();
      book.learn(perPacketGraph());
      for (const round of simulateRounds(spread, { rounds: 60, seed })) book.add(round);
      expect(book.changes).toEqual([]);
      expect(book.paths).toHaveLength(1);
    }
  });

  test('ways of different lengths that take turns are one path with two ends', () => {
    const long = simulateRounds(
      plainPath(5).map((h, k) =>
        k === 4 ? { ...h, addresses: ['10.0.4.1'] } : k === 3 ? { ...h, addresses: ['10.7.7.7'] } : h,
      ),
      { rounds: 200 },
    );
    const short = simulateRounds(plainPath(4), { rounds: 200 });
    const { changes, paths } = bookOf(short.map((round, i) => (i % 3 === 1 ? long[i]! : round)));
    expect([changes.length, paths.length]).toEqual([0, 1]);
    expect(paths[0]!.hops[3]!.addresses.size).toBe(2);
  });

  test('flows over one path are counted together, those over another apart', () => {
    const book = new PathBook();
    for (let round = 0; round < 10; round++)
      for (const flow of [0, 1, 2]) {
        const hops = flow === 2 ? detour(3, 2) : plainPath(3);
        book.add(simulateRounds(hops, { rounds: 1, flow, startMs: round * 1000 })[0]!);
      }
    expect(book.paths.map((p) => [p.flows, p.rounds])).toEqual([
      [[0, 1], 20],
      [[2], 10],
    ]);
    expect(book.paths[0]!.hops[0]).toMatchObject({ sent: 20, received: 20 });
    book.reset();
    expect(book.paths).toEqual([]);
  });

  test('an echo of the target at higher TTLs is not a hop', () => {
    const book = new PathBook();
    const [round] = simulateRounds(plainPath(3), { rounds: 1 });
    book.add([...round!, { ...round![2]!, ttl: 4 }, { ...round![2]!, ttl: 5 }]);
    expect(book.paths[0]!.hops).toHaveLength(3);
  });

  test.each([0, 1, 10])('a lost probe to the target, in round %d, makes no path longer', (lostAt) => {
    const rounds = simulateRounds(plainPath(4), { rounds: 20 }).map((round, i) => {
      if (i !== lostAt) return round;
      // The probe with TTL 4 is lost, the target answers the next one.
      const target = round[3]!;
      return [...round.slice(0, 3), { ...target, answer: null }, { ...target, ttl: 5 }];
    });
    const { changes, paths } = bookOf(rounds);
    expect(changes).toEqual([]);
    expect(paths).toHaveLength(1);
    expect(paths[0]!.hops.map((h) => [h.ttl, h.sent, h.received])).toEqual([
      [1, 20, 20],
      [2, 20, 20],
      [3, 20, 20],
      [4, 20, 19],
    ]);
  });

  test('a path that grows behind a hop that fell silent is a change', () => {
    const target = ['10.255.0.1'];
    const short = plainPath(3).map((h, k) => (k === 2 ? { ...h, addresses: target } : h));
    const long = plainPath(4).map((h, k) => ({ ...h, addresses: k === 3 ? target : k === 2 ? [] : h.addresses }));
    const book = bookOf(simulateRounds(short, { rounds: 12 }), simulateRounds(long, { rounds: 12 }));
    expect(book.changes).toHaveLength(1);
    expect(book.paths.map((p) => p.hops.length)).toEqual([4, 3]);
  });

  test('whatever records come, every decided probe is counted exactly once', () => {
    const record = fc.record({
      flow: fc.nat(2),
      ttl: fc.integer({ min: 1, max: 5 }),
      atMs: fc.nat(1000),
      answer: fc.option(fc.constantFrom('a', 'b', 'c').map((address) => ({ ...answerOf(address) }))),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 200 }), (records) => {
        const book = new PathBook();
        for (const one of records) book.add([one]);
        const counted = book.paths.flatMap((p) => p.hops).reduce((n, hop) => n + hop.sent, 0);
        expect(counted).toBeLessThanOrEqual(records.length);
        if (book.undecided === 0) expect(counted).toBe(records.length);
      }),
      { numRuns: 300 },
    );
  });
});

function answerOf(address: string) {
  return simulateRounds([{ addresses: [address], rttMs: 1 }, ...plainPath(1)], { rounds: 1 })[0]![0]!.answer!;
}

function perPacketGraph(): TraceGraph {
  const node = (id: number, ttl: number, address: string) => ({
    id,
    ttl,
    address,
    sent: 1,
    received: 1,
    rtts: null,
    flows: [0],
    icmp: null,
    replyTtl: null,
    quotedTtl: null,
    natRewrite: null,
    dscp: null,
    mpls: [],
    interfaces: [],
    name: null,
    asn: null,
  });
  const graph = {
    nodes: [node(0, 1, '10.0.1.1'), node(1, 2, '10.1.1.1'), node(2, 2, '10.1.1.2')],
    edges: [],
    paths: [],
    balancers: [{ node: 0, kind: 'per-packet' as const, branches: 2 }],
    algorithm: 'mda' as const,
    fallback: null,
    confidence: 0.95,
    probes: 20,
    complete: true,
  };
  const parsed = observation.parse({
    kind: 'trace',
    at: '',
    from: '',
    to: '',
    how: '',
    outcome: { kind: 'answered' },
    address: '',
    method: 'udp',
    reached: true,
    hops: [],
    graph,
  });
  return (parsed as { graph: TraceGraph }).graph;
}
