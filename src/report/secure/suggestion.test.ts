import fc from 'fast-check';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseCidr } from '../../model/cidr.ts';
import { policy as policySchema } from '../../model/network-policy.ts';
import { plannedNetwork, type Network } from '../../model/network.ts';
import type { Flow } from '../../model/secure/snapshot.ts';
import { policyYaml } from './policy-yaml.ts';
import { hasPacket, service } from '../../secure/policy/box.ts';
import { meaningOf, type PolicyMeaning } from '../../secure/policy/policy.ts';
import { policyOf } from '../../secure/suggest/names.ts';
import { isWithin, permitsAll } from '../../secure/suggest/proof.ts';
import { suggest, type SuggestOptions } from '../../secure/suggest/suggest.ts';

const flow = (from: string, to: string, port: number, more: Partial<Flow> = {}): Flow => ({
  from,
  to,
  protocol: 'tcp',
  port,
  direction: 'in',
  seen: 2,
  denied: 0,
  firstMs: 0,
  lastMs: 86_400_000,
  how: 'test',
  ...more,
});
const network = (policy?: unknown): Network => plannedNetwork.parse({ version: 1, ...(policy ? { policy } : {}) });
const options = (more: Partial<SuggestOptions> = {}): SuggestOptions => ({
  slack: 0,
  dropOneOff: false,
  current: null,
  ...more,
});

/** What the text says that a user would paste, read as their network file is. */
function readBack(flows: readonly Flow[], given: SuggestOptions, base: Network = network()): PolicyMeaning {
  const text = policyYaml(
    policyOf(suggest(flows, given), base, () => 'seen'),
    new Map(),
  );
  const { policy } = parse(text) as { policy: unknown };
  return meaningOf({ ...base, policy: policySchema.parse(policy) })!;
}

const permits = ({ lines }: PolicyMeaning, src: bigint, dst: bigint, port: number) =>
  lines.some(({ boxes }) => boxes[4].some((box) => hasPacket(box, { family: 4, src, dst, service: service(6, port) })));

describe('suggest()', () => {
  it('joins clients of one service into blocks, and lines with the same clients', () => {
    const flows = ['10.1.0.4', '10.1.0.5', '10.1.0.9'].flatMap((from) => [
      flow(from, '10.2.0.1', 8000),
      flow(from, '10.2.0.1', 9100),
      flow(from, '10.2.0.2', 8000),
      flow(from, '10.2.0.2', 9100),
    ]);
    const { lines, isLeast } = suggest(flows, options());
    expect(isLeast).toBe(true);
    expect(lines).toMatchObject([
      {
        from: ['10.1.0.4/31', '10.1.0.9'],
        to: ['10.2.0.1', '10.2.0.2'],
        services: [service(6, 8000), service(6, 9100)],
        flows: 12,
        seen: 24,
        slack: [],
      },
    ]);
  });

  it('lists the addresses that slack adds', () => {
    const { lines } = suggest(
      [flow('10.1.0.4', '10.2.0.1', 22), flow('10.1.0.6', '10.2.0.1', 22)],
      options({ slack: 2 }),
    );
    expect(lines).toMatchObject([{ from: ['10.1.0.4/30'], slack: ['10.1.0.5', '10.1.0.7'] }]);
  });

  it('leaves out what was kept out, what is no part of a policy, and on demand what was seen once; each with its reason', () => {
    const { leftOut, oneOff, included } = suggest(
      [
        flow('10.1.0.4', '10.2.0.1', 22, { denied: 2 }),
        flow('10.1.0.4', '10.2.0.1', 0, { protocol: 'gre' }),
        flow('10.1.0.4', '10.2.0.1', 0, { protocol: 'chaosnet' }),
        flow('10.1.0.4', '10.2.0.1', 3, { protocol: 'icmp' }),
        flow('10.1.0.4', '10.2.0.1', 11, { protocol: 'icmp' }),
        flow('10.1.0.4', '10.2.0.1', 42, { protocol: 'icmp' }),
        flow('10.1.0.4', '10.2.0.1', 443, { seen: 1 }),
      ],
      options({ dropOneOff: true }),
    );
    expect(leftOut.map(({ why }) => why)).toEqual([
      'a firewall kept it out',
      'a policy has lines for TCP, UDP and ICMP',
      'its protocol has no number here',
      'every policy permits it by itself',
      'its ICMP message has no name in a policy',
      'it was seen once',
    ]);
    expect(oneOff.map(({ port }) => port)).toEqual([443]);
    expect(included.map(({ port }) => port)).toEqual([3]);
  });

  it('calls addresses by the name that the network file has for exactly them, and keeps what such a group is made of', () => {
    const base = network({
      groups: [
        { name: 'pair', cidrs: ['10.1.0.4/31'] },
        { name: 'web', groups: ['pair'] },
        { name: 'server', cidrs: ['10.2.0.1'] },
        { name: 'unrelated', cidrs: ['10.3.0.0/16'] },
      ],
    });
    const flows = ['10.1.0.4', '10.1.0.5'].map((from) => flow(from, '10.2.0.1', 22));
    const made = policyOf(suggest(flows, options()), base, () => 'seen');
    expect(made.allow).toMatchObject([{ from: ['pair'], to: ['server'], services: ['tcp/22'] }]);
    expect(made.groups.map(({ name }) => name)).toEqual(['pair', 'server']);
  });

  it('writes messages of ICMP as services, and IPv6 in quotes', () => {
    const flows = [
      flow('2001:db8::4', '2001:db8::1', 128, { protocol: 'icmpv6' }),
      flow('10.1.0.4', '10.2.0.1', 8, { protocol: 'icmp' }),
    ];
    expect(permitsAll(readBack(flows, options()), flows)).toEqual({ verdict: 'proved' });
  });

  const block = fc.constantFrom(0n, 64n, 4096n);
  const address = fc.tuple(block, fc.nat(7)).map(([base, n]) => formatAddress(4, 0x0a010000n + base + BigInt(n)));
  const some = fc.array(
    fc.record({ from: address, to: address, port: fc.constantFrom(22, 80, 81), seen: fc.integer({ min: 1, max: 3 }) }),
    { minLength: 1, maxLength: 25 },
  );
  const current = fc
    .array(
      fc.record({
        at: block,
        length: fc.constantFrom(24, 28, 29, 30, 31, 32),
        port: fc.constantFrom('22', '80-81', '22-81'),
      }),
      { minLength: 1, maxLength: 4 },
    )
    .map((lines) => ({
      groups: lines.map(({ at, length }, i) => ({
        name: `g${i}`,
        cidrs: [`${formatAddress(4, 0x0a010000n + (length < 26 ? 0n : at))}/${length}`],
      })),
      allow: lines.map(({ port }, i) => ({
        name: `l${i}`,
        from: [`g${i}`],
        to: ['any'],
        services: [`tcp/${port}`],
        why: 'x',
      })),
    }));

  it('permits all that was taken, and without slack not one packet more: every packet of a small space is asked', () => {
    const all = [0n, 64n, 4096n].flatMap((base) => Array.from({ length: 9 }, (_, n) => 0x0a010000n + base + BigInt(n)));
    fc.assert(
      fc.property(some, (records) => {
        const flows = records.map(({ from, to, port, seen }) => flow(from, to, port, { seen }));
        const meaning = readBack(flows, options());
        const wanted = new Set(flows.map(({ from, to, port }) => `${from} ${to} ${port}`));
        for (const src of all)
          for (const dst of all)
            for (const port of [21, 22, 80, 81]) {
              const is = permits(meaning, src, dst, port);
              if (is !== wanted.has(`${formatAddress(4, src)} ${formatAddress(4, dst)} ${port}`))
                expect.fail(`${formatAddress(4, src)} → ${formatAddress(4, dst)} ${port}: ${is}`);
            }
        expect(wanted.size).toBeGreaterThan(0);
      }),
      { numRuns: 30, seed: 65 },
    );
  });

  it('stays within the policy in force however much slack there is, and permits all that was taken', () => {
    fc.assert(
      fc.property(some, current, fc.nat(40), (records, policy, slack) => {
        const now = meaningOf(network(policy))!;
        const flows = records.map(({ from, to, port, seen }) => flow(from, to, port, { seen }));
        const given = options({ slack, current: now });
        const { included, leftOut, lines } = suggest(flows, given);
        const meaning = readBack(flows, given);
        expect(permitsAll(meaning, included)).toEqual({ verdict: 'proved' });
        expect(isWithin(meaning, now)).toEqual({ verdict: 'proved' });
        expect(included.length + leftOut.length).toBe(flows.length);
        // What is listed as slack is what no flow of the line has.
        for (const line of lines) {
          const unseen = line.slack.map((text) => parseCidr(text)!);
          const isUnseen = ({ from, to }: Flow) =>
            line.to.length === 1 &&
            line.to[0] === to &&
            line.services.length === 1 &&
            unseen.some(
              ({ first, length }) => parseCidr(from)!.first >> BigInt(32 - length) === first >> BigInt(32 - length),
            );
          expect(included.filter((one) => line.services.includes(service(6, one.port)) && isUnseen(one))).toEqual([]);
        }
      }),
      { numRuns: 150, seed: 66 },
    );
  });
});

describe('isWithin()', () => {
  it('gives the smallest packet that speaks against it', () => {
    const of = (cidr: string) =>
      meaningOf(
        network({
          groups: [{ name: 'g', cidrs: [cidr] }],
          allow: [{ name: 'l', from: ['g'], to: ['any'], services: ['tcp/22'], why: 'x' }],
        }),
      )!;
    expect(isWithin(of('10.0.0.0/24'), of('10.0.0.0/25'))).toEqual({
      verdict: 'refuted',
      example: '10.0.0.128 → 0.0.0.0 tcp/22',
    });
    expect(isWithin(of('10.0.0.0/25'), of('10.0.0.0/24'))).toEqual({ verdict: 'proved' });
  });
});
