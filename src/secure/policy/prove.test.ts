import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Box, everything, hasPacket, type Packet, service, services } from './box.ts';
import type { Action, Chain, Path, Rule } from './program.ts';
import { prove } from './prove.ts';
import { type Range, rangesOf, type Ranges } from './ranges.ts';

/**
 * The twin: a small world of 6 × 6 × 6 packets, in which every packet is walked through the chains one by one, as the kernel does it,
 * with every doubtful condition taken both ways.
 */
const size = 6;
const packets: Packet[] = [];
for (let src = 0; src < size; src++)
  for (let dst = 0; dst < size; dst++)
    for (let port = 0; port < size; port++)
      packets.push({ family: 4, src: BigInt(src), dst: BigInt(dst), service: service(6, port) });

type Fate = 'accept' | 'drop';

/** All fates that a packet can have in a path. */
function fates(path: Path, packet: Packet): Set<Fate> {
  let open = new Set<Fate>(['accept']);
  for (const chain of path) {
    const here = walk(chain, packet);
    if (here.delete('end')) here.add(chain.policy ?? 'accept');
    const fatesHere = here as Set<Fate>;
    open = new Set([...open].flatMap((before) => (before === 'drop' ? ['drop' as const] : [...fatesHere])));
  }
  return open;
}

/** What can become of a packet in a chain; `end`: it comes out at the end, or by `return`. */
function walk({ rules }: Chain, packet: Packet): Set<Fate | 'end'> {
  const [rule, ...rest] = rules;
  if (!rule) return new Set(['end']);
  const on = () => walk({ name: '', rules: rest }, packet);
  if (!hasPacket(rule.box, packet) || rule.action === 'continue') return on();
  const taken = act(rule, packet, on);
  return rule.unsure === undefined ? taken : new Set([...taken, ...on()]);
}

function act({ action }: Rule, packet: Packet, on: () => Set<Fate | 'end'>): Set<Fate | 'end'> {
  if (action === 'return') return new Set(['end']);
  if (action === 'unknown') return new Set(['accept', 'drop']);
  if (typeof action === 'string') return new Set([action as Fate]);
  if ('goto' in action) return walk(action.goto, packet);
  const inside = walk(action.jump, packet);
  return inside.delete('end') ? new Set([...inside, ...on()]) : inside;
}

const intervals = (low: number, high: bigint) =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: size }), fc.integer({ min: 0, max: size })), {
      minLength: 1,
      maxLength: 2,
    })
    .map((pairs): Ranges =>
      rangesOf(
        pairs.map(([a, b]): Range => {
          const [first, last] = [Math.min(a, b), Math.max(a, b)];
          // An interval that reaches the end of the small world reaches the end of the real one.
          return [BigInt(first + low), last >= size ? high : BigInt(last + low)];
        }),
      ),
    );
const tcp = Number(service(6, 0));
const box: fc.Arbitrary<Box> = fc.record({
  src: intervals(0, 2n ** 32n - 1n),
  dst: intervals(0, 2n ** 32n - 1n),
  service: intervals(tcp, service(6, 65_535)),
});
const { chain } = fc.letrec<{ chain: Chain; rule: Rule; action: Action }>((tie) => ({
  action: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom<Action>('accept', 'drop', 'return', 'continue'),
    fc.constantFrom<Action>('accept', 'drop'),
    tie('chain').map((jump) => ({ jump })),
    tie('chain').map((goto) => ({ goto })),
  ),
  rule: fc.record({ box, action: tie('action'), ref: fc.constant({ chain: 'c', text: 'r' }) }) as fc.Arbitrary<Rule>,
  chain: fc.record({ name: fc.constant('c'), rules: fc.array(tie('rule'), { maxLength: 6 }) }) as fc.Arbitrary<Chain>,
}));
const base = fc.tuple(chain, fc.constantFrom('accept', 'drop')).map(([c, policy]): Chain => ({ ...c, policy }));
const path = fc.array(base, { minLength: 1, maxLength: 3 });
const doubtful = fc.tuple(path, fc.nat(7)).map(([chains, seed]) => chains.map((one) => withDoubt(one, seed)));

function withDoubt(one: Chain, seed: number): Chain {
  const rules = one.rules.map((rule, i): Rule => {
    const action =
      typeof rule.action === 'object' && 'jump' in rule.action
        ? { jump: withDoubt(rule.action.jump, seed + 1) }
        : rule.action;
    if ((i * 5 + seed) % 3 !== 0) return { ...rule, action };
    return i % 2 === 0 && typeof action !== 'object'
      ? { ...rule, action: 'unknown' }
      : { ...rule, action, unsure: 'x' };
  });
  return { ...one, rules };
}

/** Packets that are not of the small world: one of each kind beyond it stands for them all. */
const outside: Packet[] = [
  { family: 4, src: 0n, dst: 0n, service: service(17, 0) },
  { family: 4, src: BigInt(size) + 5n, dst: 2n ** 32n - 1n, service: service(6, 65_535) },
];
const world = [...packets, ...outside];

describe('prove() agrees with the walk of every packet', () => {
  const check = (chains: Path, boxes: Box[]) => {
    const permits = boxes.map((one, i) => ({ line: `l${i}`, box: one }));
    const proof = prove({ hook: 'inbound', family: 4, path: chains, permits });
    const permitted = (packet: Packet) => boxes.some((one) => hasPacket(one, packet));
    const wrong = world.filter((packet) => !fates(chains, packet).has(permitted(packet) ? 'accept' : 'drop'));
    const unclear = world.filter((packet) => fates(chains, packet).size > 1);
    if (proof.verdict === 'proved') expect([wrong, unclear]).toEqual([[], []]);
    else if (proof.verdict === 'refuted') {
      expect(proof.extra ?? proof.missing).toBeDefined();
      for (const one of [proof.extra, proof.missing]) {
        if (!one) continue;
        expect([...fates(chains, one.packet)]).toEqual(
          [one === proof.extra ? 'drop' : 'accept'].map((f) => (f === 'drop' ? 'accept' : 'drop')),
        );
        expect(permitted(one.packet)).toBe(one === proof.missing);
        expect(one.lines.length > 0).toBe(one === proof.missing);
        // No packet of the small world that differs in this way is smaller.
        const same = wrong.filter((packet) => permitted(packet) === (one === proof.missing));
        for (const other of same) expect(order(one.packet)).toBeLessThanOrEqual(order(other));
      }
    } else {
      expect(wrong).toEqual([]);
      for (const one of [proof.extra, proof.missing]) if (one) expect(fates(chains, one.packet).size).toBe(2);
    }
    return proof.verdict;
  };
  const order = ({ src, dst, service: s }: Packet): number =>
    (Number(src) * 2 ** 8 + Number(dst)) * 2 ** 8 + Number(s) - tcp;

  test('for chains with jumps, goto and return, one after the other', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(path, fc.array(box, { maxLength: 4 }), (chains, boxes) => {
        seen.add(check(chains, boxes));
      }),
      { numRuns: 120 },
    );
    expect(seen).not.toContain('not-proved');
  });

  test('for conditions and verdicts that were not understood', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(doubtful, fc.array(box, { maxLength: 4 }), (chains, boxes) => {
        seen.add(check(chains, boxes));
      }),
      // Among 120 there was one run in which none had that verdict.
      { numRuns: 400 },
    );
    expect(seen).toContain('not-proved');
  });

  test('for the union that the permits are, in any order, with denials of what nobody permits', () => {
    fc.assert(
      fc.property(fc.array(box, { minLength: 1, maxLength: 6 }), fc.nat(5), (boxes, cutAt) => {
        const accept = boxes.map((one): Rule => ({ box: one, action: 'accept', ref: { chain: 'c', text: 'a' } }));
        const drop: Rule = { box: boxes[0]!, action: 'drop', ref: { chain: 'c', text: 'd' } };
        const good: Chain = { name: 'c', policy: 'drop', rules: [...accept].reverse() };
        expect(check([good], boxes)).toBe('proved');
        expect(check([{ ...good, rules: [...accept, drop] }], boxes)).toBe('proved');
        const at = cutAt % accept.length;
        check([{ ...good, rules: [...accept.slice(0, at), drop, ...accept.slice(at)] }], boxes);
      }),
      { numRuns: 60 },
    );
  });
});

test('too many rows is "not proved", and never a pass; with enough of them it is proved', () => {
  const tcp = (i: number) => services(6, i, i);
  const box = (i: number, src: [bigint, bigint], dst: [bigint, bigint]): Box => ({
    src: [[7n * BigInt(i) + src[0], 7n * BigInt(i) + src[1]]],
    dst: [[5n * BigInt(i) + dst[0], 5n * BigInt(i) + dst[1]]],
    service: tcp(i),
  });
  const many = Array.from({ length: 40 }, (_, i) => i);
  const rules = many.map((i): Rule => ({
    box: box(i, [0n, 3n], [0n, 2n]),
    action: 'accept',
    ref: { chain: 'c', text: String(i) },
  }));
  // The same in three parts that overlap, so that none of them is one of the rules.
  const permits = many.flatMap((i) =>
    [box(i, [0n, 3n], [0n, 1n]), box(i, [0n, 1n], [0n, 2n]), box(i, [2n, 3n], [1n, 2n])].map((one) => ({
      line: 'l',
      box: one,
    })),
  );
  const proof = (maxRows?: number) =>
    prove({
      hook: 'inbound',
      family: 4,
      path: [{ name: 'c', policy: 'drop', rules }],
      permits,
      ...(maxRows === undefined ? {} : { maxRows }),
    });
  expect(proof(3)).toMatchObject({ verdict: 'not-proved', why: expect.stringContaining('cells') as string });
  expect(proof()).toMatchObject({ verdict: 'proved' });
});

test('chains that jump without end are "not proved"', () => {
  const loop: { name: string; rules: Rule[]; policy: 'drop' } = { name: 'c', rules: [], policy: 'drop' };
  loop.rules.push({ box: everything(4), action: { jump: loop }, ref: { chain: 'c', text: 'jump c' } });
  const proof = prove({ hook: 'inbound', family: 4, path: [loop], permits: [] });
  expect(proof).toMatchObject({ verdict: 'not-proved', why: 'jumps lead deeper than 32 chains' });
});

test('where nothing judges, everything is accepted', () => {
  const proof = prove({ hook: 'inbound', family: 6, path: [], permits: [] });
  expect(proof).toMatchObject({ verdict: 'refuted', extra: { by: { chain: 'no chain' }, lines: [] } });
});
