import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import { knownMtus } from '../../model/mtu-hints.ts';
import { chooseSize } from './choose.ts';
import { MtuSearch, type Reply, type SearchOptions, type SearchResult } from './search.ts';

/** What stands between the search and the target, decided by brute force: a packet fits when it is not above `mtuBytes`. */
interface Path {
  mtuBytes: number;
  /** Share of packets or answers lost, whatever their size. */
  loss?: number;
  /** silent: a black hole. liar: a "too big" with any number comes for whatever does not fit. vague: without a number. */
  icmp?: 'honest' | 'silent' | 'liar' | 'vague';
  /** Acknowledgements a second, after a burst of six: as Linux rations "port unreachable". */
  acksPerS?: number;
  /** Nothing is answered at all. */
  dead?: boolean;
}

interface Run {
  result: SearchResult;
  sizes: Set<number>;
}

const options: SearchOptions = { family: 4, maxBytes: 9216, probesPerSize: 3 };

function run(path: Path, { seed = 1, ...more }: Partial<SearchOptions> & { seed?: number } = {}): Run {
  const search = new MtuSearch({ ...options, ...more });
  const random = seededRandom(seed);
  const sizes = new Set<number>();
  let nowMs = 0;
  let [tokens, filledMs] = [6, 0];
  const answers = (): boolean => {
    if (path.acksPerS === undefined) return true;
    tokens = Math.min(6, tokens + ((nowMs - filledMs) / 1000) * path.acksPerS);
    filledMs = nowMs;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
  const replyTo = (sizeBytes: number): Reply => {
    if (path.dead || random() < (path.loss ?? 0)) return { kind: 'silent' };
    if (sizeBytes <= path.mtuBytes) return answers() ? { kind: 'acked' } : { kind: 'silent' };
    if (path.icmp === 'silent') return { kind: 'silent' };
    const mtuBytes =
      path.icmp === 'vague' ? null : path.icmp === 'liar' ? Math.floor(random() * 10_000) : path.mtuBytes;
    return { kind: 'tooBig', by: '192.0.2.1', mtuBytes };
  };
  for (let steps = 0; steps < 1000; steps++) {
    const step = search.next();
    if (step === null) return { result: search.result(), sizes };
    nowMs += step.pauseMs;
    sizes.add(step.sizeBytes);
    search.sent(step.sizeBytes);
    const reply = replyTo(step.sizeBytes);
    nowMs += reply.kind === 'silent' ? 200 : 20;
    search.take(step.sizeBytes, reply);
  }
  throw new Error('the search does not end');
}

const anyMtu = fc.oneof(fc.integer({ min: 68, max: 9300 }), fc.constantFrom(1280, 1420, 1450, 1492, 1500, 9000));

describe('MtuSearch', () => {
  test.each(['honest', 'silent', 'liar', 'vague'] as const)(
    'without loss finds exactly the MTU, with %s ICMP, in a bounded number of probes',
    (icmp) => {
      fc.assert(
        fc.property(anyMtu, fc.nat(), fc.integer({ min: 600, max: 9216 }), (mtuBytes, seed, maxBytes) => {
          const { result, sizes } = run({ mtuBytes, icmp }, { seed, maxBytes });
          expect(result.state).toBe('complete');
          expect(result.confirmedBytes).toBe(Math.min(mtuBytes, maxBytes));
          expect(result.refutedBytes).toBe(mtuBytes < maxBytes ? mtuBytes + 1 : null);
          expect(sizes.size).toBeLessThanOrEqual(50);
          expect(result.probes).toBeLessThanOrEqual(200);
        }),
        { numRuns: 400 },
      );
    },
  );

  test('an honest router is named, and six probes are enough', () => {
    const { result } = run({ mtuBytes: 1437, icmp: 'honest' }, { maxBytes: 1500 });
    expect(result).toMatchObject({
      confirmedBytes: 1437,
      refutedBytes: 1438,
      saidBy: { by: '192.0.2.1', mtuBytes: 1437 },
      chanceOfLoss: 0,
      ignoredTooBig: 0,
    });
    expect(result.probes).toBeLessThanOrEqual(6);
  });

  test('a silent router is inferred, with the chance that it was loss, and never named', () => {
    const { result } = run({ mtuBytes: 1450, icmp: 'silent' }, { maxBytes: 1500 });
    expect(result).toMatchObject({ confirmedBytes: 1450, refutedBytes: 1451, saidBy: null });
    expect(result.chanceOfLoss).toBeGreaterThan(0);
    expect(result.chanceOfLoss).toBeLessThanOrEqual(0.01);
  });

  test('the common MTUs take few sizes, even behind a black hole', () => {
    for (const mtuBytes of [1500, 1492, 1450, 1420, 1400, 1280]) {
      const { sizes } = run({ mtuBytes, icmp: 'silent' }, { maxBytes: 1500 });
      expect(sizes.size, String(mtuBytes)).toBeLessThanOrEqual(12);
      // These are the dear ones: each costs several timeouts.
      expect([...sizes].filter((size) => size > mtuBytes).length, String(mtuBytes)).toBeLessThanOrEqual(4);
    }
  });

  test('a path that carries the largest packet takes two or three probes and has no limit', () => {
    const { result } = run({ mtuBytes: 9216, icmp: 'silent' }, { maxBytes: 1500 });
    expect(result).toMatchObject({ state: 'complete', confirmedBytes: 1500, refutedBytes: null, chanceOfLoss: null });
    expect(result.probes).toBeLessThanOrEqual(3);
  });

  test('under loss the result is never above the MTU, and almost always it', () => {
    let wrong = 0;
    let runs = 0;
    fc.assert(
      fc.property(
        anyMtu,
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        fc.nat(),
        fc.boolean(),
        (mtuBytes, loss, seed, silent) => {
          const { result } = run({ mtuBytes, loss, icmp: silent ? 'silent' : 'honest' }, { seed });
          expect(result.confirmedBytes ?? 0).toBeLessThanOrEqual(Math.min(mtuBytes, options.maxBytes));
          expect(result.probes).toBeLessThanOrEqual(400);
          runs++;
          if (result.confirmedBytes !== Math.min(mtuBytes, options.maxBytes)) wrong++;
        },
      ),
      { numRuns: 1000, seed: 8899 },
    );
    expect(wrong / runs).toBeLessThan(0.05);
  });

  test('acknowledgements that are rationed to one a second are waited for, not taken for a limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 68, max: 1500 }), fc.boolean(), (mtuBytes, silent) => {
        const { result } = run({ mtuBytes, acksPerS: 1, icmp: silent ? 'silent' : 'honest' }, { maxBytes: 1500 });
        expect(result.confirmedBytes).toBe(mtuBytes);
      }),
      { numRuns: 200 },
    );
  });

  test('a target that says nothing is an error after three probes of two sizes, and no statement about sizes', () => {
    const { result } = run({ mtuBytes: 1500, dead: true });
    expect(result).toMatchObject({ state: 'error', confirmedBytes: null, refutedBytes: null, probes: 6 });
  });

  test('over IPv6 nobody may claim less than 1280, and a path below that is found by silence', () => {
    const { result } = run({ mtuBytes: 1100, icmp: 'honest' }, { family: 6, maxBytes: 1500 });
    expect(result).toMatchObject({ confirmedBytes: 1100, saidBy: null });
    expect(result.ignoredTooBig).toBeGreaterThan(0);
  });

  test('a "too big" below what is known to fit, or not below what was sent, is ignored', () => {
    const search = new MtuSearch({ ...options, maxBytes: 1500 });
    search.take(1200, { kind: 'acked' });
    search.take(1500, { kind: 'tooBig', by: '192.0.2.9', mtuBytes: 600 });
    search.take(1500, { kind: 'tooBig', by: '192.0.2.9', mtuBytes: 1500 });
    search.take(1100, { kind: 'tooBig', by: '192.0.2.9', mtuBytes: 1000 });
    expect(search.result()).toMatchObject({ confirmedBytes: 1200, refutedBytes: null, saidBy: null, ignoredTooBig: 3 });
  });

  test('a late acknowledgement raises the result even after the size was given up', () => {
    const search = new MtuSearch({ ...options, maxBytes: 1500 });
    search.take(1200, { kind: 'acked' });
    search.take(1500, { kind: 'tooBig', by: '192.0.2.9', mtuBytes: 1300 });
    expect(search.result()).toMatchObject({ confirmedBytes: 1200, refutedBytes: 1500 });
    search.take(1500, { kind: 'acked' });
    expect(search.result()).toMatchObject({
      state: 'complete',
      confirmedBytes: 1500,
      refutedBytes: null,
      saidBy: null,
    });
  });

  test('any sequence of replies, asked for or not, leaves consistent bounds and an end', () => {
    const reply: fc.Arbitrary<Reply> = fc.oneof(
      fc.constant<Reply>({ kind: 'acked' }),
      fc.constant<Reply>({ kind: 'silent' }),
      fc.record({
        kind: fc.constant('tooBig' as const),
        by: fc.string(),
        mtuBytes: fc.option(fc.oneof(fc.nat(0xffff_ffff), fc.integer())),
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(10_000), reply, fc.boolean()), { maxLength: 600 }), (events) => {
        const search = new MtuSearch({ ...options, family: 6 });
        for (const [size, reply, asked] of events) {
          const step = search.next();
          search.take(asked && step ? step.sizeBytes : size, reply);
          if (step) expect(step.sizeBytes).toBeLessThanOrEqual(options.maxBytes);
        }
        const { confirmedBytes, refutedBytes, probes } = search.result();
        if (confirmedBytes !== null && refutedBytes !== null) expect(confirmedBytes).toBeLessThan(refutedBytes);
        expect(probes).toBeLessThanOrEqual(400);
      }),
      { numRuns: 300 },
    );
  });
});

describe('chooseSize()', () => {
  test('lies strictly between its bounds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 2, max: 3000 }), (low, more) => {
        const size = chooseSize(low, low + more);
        expect(size).toBeGreaterThan(low);
        expect(size).toBeLessThan(low + more);
      }),
      { numRuns: 200 },
    );
  });

  test('asks about a well-known MTU or the octet above one while there is one between the bounds', () => {
    const worthAsking = new Set(knownMtus.flatMap(({ bytes }) => [bytes, bytes + 1]));
    for (const [low, high] of [
      [1200, 1500],
      [1200, 9000],
      [1420, 1492],
      [1449, 1452],
      [1500, 9216],
    ] as const)
      expect(worthAsking).toContain(chooseSize(low, high));
  });
});
