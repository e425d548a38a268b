import { emitIptables } from './emit/iptables.ts';
import { emitNftables } from './emit/nftables.ts';
import type { EmitOptions } from './emit/rules.ts';
import type { Addresses, PolicyMeaning } from './policy.ts';
import type { Firewall } from './program.ts';
import { readIptables } from './read/iptables.ts';
import { nftFirewall } from './read/nft-firewall.ts';
import { readNftJson } from './read/nft-json.ts';
import type { NftRuleset } from './read/nft-rules.ts';
import { readNftText } from './read/nft-text.ts';

export type RulesForm = 'nftables' | 'nftables-json' | 'iptables';

/** Rules that were read, ready to be asked. */
export interface ReadRules {
  form: RulesForm;
  firewall: Firewall;
  rules: number;
  /** What has to be said about what was read, whatever the verdict. */
  notes: string[];
}

/** What a policy can be made into. */
export const policyTargets: Readonly<
  Record<'nftables' | 'iptables', (meaning: PolicyMeaning, options: EmitOptions, self?: Addresses) => string>
> = { nftables: emitNftables, iptables: emitIptables };

const readers: Readonly<Record<RulesForm, (text: string) => NftRuleset>> = {
  nftables: readNftText,
  'nftables-json': readNftJson,
  iptables: readIptables,
};

/** The form that a text is in, by its first words. */
export function formOf(text: string): RulesForm {
  if (/^\s*\{\s*"nftables"/.test(text)) return 'nftables-json';
  return /^\*(filter|nat|mangle|raw|security)\s*$/m.test(text) ? 'iptables' : 'nftables';
}

/** @throws RulesetError for what is no such text */
export function readRules(text: string, form: RulesForm): ReadRules {
  const ruleset = readers[form](text);
  return {
    form,
    firewall: nftFirewall(ruleset),
    rules: ruleset.chains.reduce((sum, { rules }) => sum + rules.length, 0),
    notes: notesOn(ruleset, form),
  };
}

function notesOn({ chains }: NftRuleset, form: RulesForm): string[] {
  const translates = chains.some(({ base, rules }) => base?.type === 'nat' && rules.length > 0);
  const families = new Set(chains.map(({ family }) => family));
  const [one] = families;
  return [
    ...(translates
      ? [
          'Addresses are translated here: inbound is judged as packets arrive at the host itself, published by what the client asked for.',
        ]
      : []),
    ...(form === 'iptables' && families.size === 1
      ? [
          `Only rules for ${one === 'ip' ? 'IPv4' : 'IPv6'} were given: ${one === 'ip' ? 'IPv6' : 'IPv4'} is judged as if nothing kept any packet. Give the output of iptables-save and of ip6tables-save.`,
        ]
      : []),
  ];
}
