import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../stats/random.ts';
import { type Family } from '../../model/cidr.ts';
import { hasPacket, type Packet, packetText } from './box.ts';
import { judgePolicy, verdictOf } from './judge.ts';
import { mutantOf } from './mutants.case.ts';
import { families, permitsAt, type PolicyMeaning } from './policy.ts';
import { prove } from './prove.ts';
import { randomPolicy } from './random-policy.case.ts';
import { policyTargets, readRules } from './targets.ts';
import { iptablesVerdict, nftVerdict } from './twin.case.ts';

/** INFERPATH_POLICIES=1000 runs all that bench/policy tells of; by default as many as fit a CI run. */
const policies = Number(process.env['INFERPATH_POLICIES'] ?? 60);
const mutants = Number(process.env['INFERPATH_MUTANTS'] ?? 150);
const targets = ['nftables', 'iptables'] as const;
const twins = { nftables: nftVerdict, iptables: iptablesVerdict };

const drawn = (seed: number): PolicyMeaning => {
  const random = seededRandom(seed);
  return randomPolicy({
    random,
    lines: 1 + Math.floor(random() * 12),
    spread: seed % 3 === 0 ? 'sparse' : 'dense',
    enforce: seed % 4 === 0 ? ['inbound', 'outbound', 'published', 'forward'] : ['inbound', 'published'],
  });
};

test(`${policies} policies at random, IPv4 and IPv6, overlapping: what is emitted is proved equal, and answers pass`, () => {
  for (let seed = 0; seed < policies; seed++) {
    const meaning = drawn(seed);
    for (const target of targets) {
      const text = policyTargets[target](meaning, { deny: seed % 2 ? 'drop' : 'reject', source: 'x' });
      const proofs = judgePolicy(meaning, readRules(text, target).firewall);
      expect(verdictOf(proofs), `seed ${seed} ${target}`).toBe('proved');
    }
  }
}, 90_000);

/** Packets at the corners of all boxes and one step beyond, as many as told, drawn at random. */
function corners(meaning: PolicyMeaning, family: Family, count: number, random: () => number): Packet[] {
  const boxes = permitsAt(meaning, 'inbound', family).map(({ box }) => box);
  const limits = { src: family === 4 ? 32n : 128n, dst: family === 4 ? 32n : 128n, service: 24n };
  const values = (key: 'src' | 'dst' | 'service') =>
    boxes
      .flatMap((box) => box[key].flatMap(([first, last]) => [first - 1n, first, last, last + 1n]))
      .filter((v) => v >= 0n && v < 1n << limits[key]);
  const [src, dst, service] = [values('src'), values('dst'), values('service')];
  const pick = (list: readonly bigint[]) => list[Math.floor(random() * list.length)]!;
  return Array.from({ length: count }, () => ({ family, src: pick(src), dst: pick(dst), service: pick(service) }));
}

test('the twin, which walks the emitted lines packet by packet, agrees with the policy at the corners of its boxes', () => {
  let accepted = 0;
  for (let seed = 0; seed < 30; seed++) {
    const meaning = drawn(seed);
    for (const family of families) {
      const packets = corners(meaning, family, 60, seededRandom(seed));
      const permits = permitsAt(meaning, 'inbound', family);
      for (const target of targets) {
        const text = policyTargets[target](meaning, { deny: 'reject', source: 'x' });
        for (const packet of packets) {
          const permitted = permits.some(({ box }) => hasPacket(box, packet));
          accepted += Number(permitted);
          expect(twins[target](text, packet), `${target} ${packetText(packet)}`).toBe(permitted ? 'accept' : 'drop');
        }
      }
    }
  }
  expect(accepted).toBeGreaterThan(500);
});

describe('rules with one small change', () => {
  test.each(targets)(
    `%s: ${mutants} mutants are refuted with a witness on which the twin sees the change, or mean the same`,
    (target) => {
      const tally = { killed: 0, same: 0, kinds: new Set<string>() };
      for (let seed = 0; tally.killed < mutants; seed++) {
        const random = seededRandom(1_000_003 * (seed + 1));
        const meaning = drawn(seed);
        const text = policyTargets[target](meaning, { deny: 'reject', source: 'x' });
        const mutant = mutantOf(text, target, random);
        if (!mutant) continue;
        const { firewall } = readRules(mutant.text, target);
        const proofs = families.map((family) =>
          prove({
            hook: 'inbound',
            family,
            path: firewall.pathAt('inbound', family, 'new'),
            permits: permitsAt(meaning, 'inbound', family),
          }),
        );
        const refuted = proofs.find((proof) => proof.verdict === 'refuted');
        if (refuted) {
          for (const one of [refuted.extra, refuted.missing]) {
            if (!one) continue;
            expect(twins[target](text, one.packet), `seed ${seed} ${mutant.line}`).toBe(
              one === refuted.extra ? 'drop' : 'accept',
            );
            expect(twins[target](mutant.text, one.packet), `seed ${seed} ${mutant.line}`).toBe(
              one === refuted.extra ? 'accept' : 'drop',
            );
          }
          tally.killed++;
          tally.kinds.add(mutant.kind);
          continue;
        }
        // A mutant that is proved to mean the same: no corner of any box, before or after, says otherwise.
        expect(proofs.map(({ verdict }) => verdict)).toEqual(['proved', 'proved']);
        tally.same++;
        for (const family of families)
          for (const packet of corners(meaning, family, 150, random))
            expect(twins[target](mutant.text, packet), `seed ${seed} ${mutant.line}`).toBe(twins[target](text, packet));
      }
      expect([...tally.kinds].sort()).toEqual(['missing', 'network', 'order', 'port', 'verdict']);
      // A change within what another line permits means nothing; if most did, the policies would be badly drawn.
      expect(tally.same).toBeLessThan(tally.killed);
    },
  );
});
