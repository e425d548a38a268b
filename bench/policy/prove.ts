/**
 * How long a proof takes: `npx tsx bench/policy/prove.ts`. Policies at random (seeded), emitted for nftables, read back and held against
 * the policy: as emitted; with ports changed; and, the hard case, with every tenth rule turned into a denial, so that the list is
 * ordered and nothing can be taken as equal without a look. Then rules of which each overlaps a third of the others on every side, half of
 * them denials: as bad as it gets.
 */
import { type Box, everything } from '../../src/secure/policy/box.ts';
import { compare } from '../../src/secure/policy/compare.ts';
import { families, permitsAt } from '../../src/secure/policy/policy.ts';
import { prove } from '../../src/secure/policy/prove.ts';
import { randomPolicy } from '../../src/secure/policy/random-policy.case.ts';
import { policyTargets, readRules } from '../../src/secure/policy/targets.ts';
import type { Ranges } from '../../src/secure/policy/ranges.ts';
import type { Step } from '../../src/secure/policy/steps.ts';
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

const runs = 5;

/** Median and spread, as this process used the processor: others work on the machine too. */
function shown(all: readonly number[]): string {
  const sorted = all.toSorted((a, b) => a - b);
  const [low, middle, high] = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!];
  return `${middle.toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)})`;
}

function timed<T>(work: () => T): { ms: number; result: T } {
  const start = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(start);
  return { ms: (user + system) / 1000, result };
}

console.log('Processor time in ms: median of five and (least–most). In brackets, cells.\n');
console.log('| lines | spread | family | rules | read | as emitted | ports off | tenth denied |');
console.log('|---|---|---|---|---|---|---|---|');
for (const spread of ['sparse', 'dense'] as const)
  for (const lines of [100, 1000]) {
    const meaning = randomPolicy({ random: seededRandom(lines), lines, spread, enforce: ['inbound'], anyShare: 0.02 });
    const text = policyTargets.nftables(meaning, { deny: 'drop', source: 'x' });
    for (const family of families) {
      const permits = permitsAt(meaning, 'inbound', family);
      const reads: number[] = [];
      let rules = 0;
      const cells = Object.values(variants).map((change) => {
        const changed = change(text);
        const proofs = Array.from({ length: runs }, () => {
          const read = timed(() => readRules(changed, 'nftables'));
          reads.push(read.ms);
          ({ rules } = read.result);
          return timed(() => {
            const path = read.result.firewall.pathAt('inbound', family, 'new');
            return prove({ hook: 'inbound', family, path, permits });
          });
        });
        const { verdict, cells: looked } = proofs[0]!.result;
        return `${shown(proofs.map(({ ms }) => ms))} ${verdict} [${looked}]`;
      });
      console.log(`| ${lines} | ${spread} | IPv${family} | ${rules} | ${shown(reads)} | ${cells.join(' | ')} |`);
    }
  }

console.log('\n| rules that all overlap | family | ms | cells | resident, MB |');
console.log('|---|---|---|---|---|');
for (const family of families)
  for (const count of [100, 200, 400]) {
    const random = seededRandom(count);
    const side = (bits: number): Ranges => {
      const [a, b] = [0, 1].map(() => BigInt(Math.floor(random() * 2 ** 48)) << BigInt(Math.max(0, bits - 48)));
      const [x, y] = [a! >> BigInt(Math.max(0, 48 - bits)), b! >> BigInt(Math.max(0, 48 - bits))];
      return [x < y ? [x, y] : [y, x]];
    };
    const bits = family === 4 ? 32 : 128;
    const ref = { chain: 'c', text: '' };
    const steps: Step[] = Array.from({ length: count }, (_, i) => ({
      box: { src: side(bits), dst: side(bits), service: side(24) },
      action: i % 2 === 0 ? 'drop' : 'accept',
      ref,
    }));
    const permits: Box[] = steps.filter(({ action }) => action === 'accept').map(({ box }) => box);
    const all: Step[] = [...steps, { box: everything(family), action: 'drop', ref }];
    const measured = Array.from({ length: 3 }, () => timed(() => compare(all, permits, family)));
    const [{ result }] = measured as [(typeof measured)[0]];
    const mega = (process.memoryUsage().rss / 1e6).toFixed(0);
    console.log(
      `| ${count} | IPv${family} | ${shown(measured.map(({ ms }) => ms))} | ${result.cells}${result.isComplete ? '' : ', not all'} | ${mega} |`,
    );
  }
