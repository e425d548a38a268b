/**
 * How long a proof takes: `npx tsx bench/policy/prove.ts`. Policies at random (seeded), emitted for nftables, read back and held against
 * the policy: as emitted; with ports changed; and, the hard case, with every tenth rule turned into a denial, so that the list is
 * ordered and nothing can be taken as equal without a look.
 */
import { families, permitsAt } from '../../src/secure/policy/policy.ts';
import { prove } from '../../src/secure/policy/prove.ts';
import { randomPolicy } from '../../src/secure/policy/random-policy.case.ts';
import { policyTargets, readRules } from '../../src/secure/policy/targets.ts';
import { seededRandom } from '../../src/stats/random.ts';

const variants = {
  'as emitted': (text: string) => text,
  'ports off': (text: string) =>
    text.replace(
      /(ip6? daddr \S+ tcp dport )(\d+)( accept)/g,
      (_, a: string, p: string, b: string) => `${a}${Number(p) + 1}${b}`,
    ),
  'tenth denied': (text: string) => text.replaceAll(/ accept (comment "line-\d*7")/g, ' drop $1'),
};

console.log(
  '| lines | spread | family | rules | read, ms | as emitted, ms | ports off, ms | tenth denied, ms (cells) |',
);
console.log('|---|---|---|---|---|---|---|---|');
for (const spread of ['sparse', 'dense'] as const)
  for (const lines of [100, 1000]) {
    const meaning = randomPolicy({ random: seededRandom(lines), lines, spread, enforce: ['inbound'], anyShare: 0.02 });
    const text = policyTargets.nftables(meaning, { deny: 'drop', source: 'x' });
    for (const family of families) {
      const permits = permitsAt(meaning, 'inbound', family);
      let [rules, readMs] = [0, 0];
      const cells = Object.entries(variants).map(([name, change]) => {
        const changed = change(text);
        const times = Array.from({ length: 5 }, () => {
          const start = performance.now();
          const read = readRules(changed, 'nftables');
          const between = performance.now();
          const proof = prove({
            hook: 'inbound',
            family,
            path: read.firewall.pathAt('inbound', family, 'new'),
            permits,
          });
          ({ rules } = read);
          return { readMs: between - start, ms: performance.now() - between, proof };
        }).sort((a, b) => a.ms - b.ms);
        const { ms, proof, readMs: r } = times[2]!;
        readMs = r;
        return `${ms.toFixed(0)}${name === 'tenth denied' ? ` (${proof.cells})` : ''}${proof.verdict === 'refuted' ? '' : ` ${proof.verdict}`}`;
      });
      console.log(`| ${lines} | ${spread} | IPv${family} | ${rules} | ${readMs.toFixed(0)} | ${cells.join(' | ')} |`);
    }
  }
