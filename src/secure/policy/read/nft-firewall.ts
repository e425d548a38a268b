import { everything } from '../box.ts';
import type { Action, Chain, Firewall, Path, Rule, RuleRef } from '../program.ts';
import { type Meaning, meaningOfMatch, type Place, together } from './nft-meaning.ts';
import type { NftChain, NftRule, NftRuleset, NftVerdict } from './nft-rules.ts';
import type { Universe } from './universe.ts';

/** Hooks of the kernel that a packet passes, in order. */
const hooksOf = {
  inbound: ['ingress', 'prerouting', 'input'],
  outbound: ['output', 'postrouting'],
  published: ['ingress', 'prerouting', 'forward', 'postrouting'],
  forward: ['ingress', 'prerouting', 'forward', 'postrouting'],
} as const;

/** Destinations are rewritten at this priority of prerouting (`dstnat`), and at -100 of output. */
const rewritingPriority = -100;

/** A ruleset of nftables, ready to be asked. */
export function nftFirewall(ruleset: NftRuleset): Firewall {
  return {
    pathAt: (hook, family, state) => {
      const universe: Universe = { hook, family, state };
      const hooks: readonly string[] = hooksOf[hook];
      const rank = ({ base }: NftChain) => hooks.indexOf(base?.hook ?? '') * 1e10 + (base?.priority ?? 0);
      return (
        ruleset.chains
          .filter((chain) => chain.base && hooks.includes(chain.base.hook) && isOfFamily(chain.family, family))
          // What translates addresses lets everything pass: what it rewrites is in the hook that is asked about.
          .filter((chain) => chain.base?.type !== 'nat')
          .sort((a, b) => rank(a) - rank(b))
          .map((chain) => readerOf(ruleset, universe, chain)(chain))
      );
    },
  };
}

function isOfFamily(tableFamily: string, family: 4 | 6): boolean {
  return tableFamily === 'inet' || tableFamily === 'netdev' || tableFamily === (family === 4 ? 'ip' : 'ip6');
}

/** Reads chains of one table, each once; a chain that leads back to itself is found by whoever unrolls it. */
function readerOf(ruleset: NftRuleset, universe: Universe, base: NftChain): (chain: NftChain) => Chain {
  const { hook = '', priority = 0 } = base.base ?? {};
  const isBefore = hook === 'ingress' || (hook === 'prerouting' && priority < rewritingPriority);
  const place: Place = {
    universe,
    isRewritten: !isBefore,
    sets: ruleset.sets,
    tableKey: `${base.family} ${base.table}`,
  };
  const done = new Map<string, Chain>();
  const chainOf = (name: string): Chain | undefined => {
    const known = done.get(name);
    if (known) return known;
    const found = ruleset.chains.find((c) => c.family === base.family && c.table === base.table && c.name === name);
    return found && read(found);
  };
  const read = (chain: NftChain): Chain => {
    const rules: Rule[] = [];
    const out: Chain = {
      name: `${chain.family} ${chain.table} ${chain.name}`,
      rules,
      ...(chain.base ? { policy: chain.base.policy } : {}),
    };
    done.set(chain.name, out);
    for (const rule of chain.rules) rules.push(...rulesOf(rule, out.name, place, chainOf));
    return out;
  };
  return read;
}

function rulesOf(rule: NftRule, chain: string, place: Place, chainOf: (name: string) => Chain | undefined): Rule[] {
  const { family } = place.universe;
  const ref: RuleRef = {
    chain,
    text: rule.text,
    ...(rule.line === undefined ? {} : { line: rule.line }),
    ...(rule.comment === undefined ? {} : { comment: rule.comment }),
  };
  const meanings: Meaning[] = [];
  const out: Rule[] = [];
  const add = (verdict: NftVerdict, more: readonly Meaning[]) => {
    const action = actionOf(verdict, chainOf);
    for (const { box, doubt } of together([...meanings, ...more], family))
      out.push({ box, action, ref, ...(doubt === undefined ? {} : { unsure: doubt }) });
  };
  for (const statement of rule.statements) {
    if (statement.kind === 'match') meanings.push(meaningOfMatch(statement, place));
    else if (statement.kind === 'doubt') meanings.push({ box: everything(family), doubt: statement.why });
    else if (statement.kind === 'verdict') {
      add(statement.verdict, []);
      break;
    } else if (statement.kind === 'map') {
      // Keys of a map exclude each other, and what has none of them goes on within the rule.
      for (const { value, verdict } of statement.entries)
        add(verdict, [meaningOfMatch({ what: statement.what, op: '==', values: [value] }, place)]);
    }
  }
  return out;
}

function actionOf(verdict: NftVerdict, chainOf: (name: string) => Chain | undefined): Action {
  if (typeof verdict === 'string') return verdict;
  const isJump = 'jump' in verdict;
  const target = chainOf(isJump ? verdict.jump : verdict.goto);
  if (!target) return 'unknown';
  return isJump ? { jump: target } : { goto: target };
}

/** Firewalls that judge the same packets, one after the other: as when a host has nftables and iptables. */
export function both(firewalls: readonly Firewall[]): Firewall {
  return { pathAt: (hook, family, state): Path => firewalls.flatMap((one) => one.pathAt(hook, family, state)) };
}
