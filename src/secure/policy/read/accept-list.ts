import { type Family, parseCidr } from '../../../model/cidr.ts';
import { type Box, services } from '../box.ts';
import type { PolicyHook } from '../policy.ts';
import type { Firewall, Rule, RuleRef, Verdict } from '../program.ts';
import { type Range, rangesOf, type Ranges } from '../ranges.ts';

/** A rule of a target without order, before it is asked about a family. */
export interface ListedRule {
  hook: 'inbound' | 'outbound';
  action: Verdict;
  /** Null where it holds for no packet of the family. */
  box(family: Family): Box | null;
  unsure?: string;
  ref: RuleRef;
}

/** Rules without order: what denies wins over what accepts, then the default. Answers pass, as all such targets remember connections. */
export function unorderedFirewall(
  name: string,
  rules: readonly ListedRule[],
  defaults: Readonly<Record<'inbound' | 'outbound', Verdict>>,
): Firewall {
  return {
    pathAt: (hook: PolicyHook, family, state) => {
      // What they forward they do not judge.
      if (hook === 'published' || hook === 'forward') return [];
      if (state === 'established' || state === 'related') return [];
      const own = rules.filter((rule) => rule.hook === hook);
      const inTurn = [
        ...own.filter(({ action }) => action === 'drop'),
        ...own.filter(({ action }) => action === 'accept'),
      ];
      return [
        {
          name: `${name} ${hook}`,
          policy: defaults[hook],
          rules: inTurn.flatMap(({ box, action, unsure, ref }): Rule[] => {
            const matched = box(family);
            return matched ? [{ box: matched, action, ref, ...(unsure === undefined ? {} : { unsure }) }] : [];
          }),
        },
      ];
    },
  };
}

/** CIDRs, single addresses and `first-last` of one family, and whether any word was none of them. */
export function addressRanges(words: readonly string[], family: Family): { ranges: Ranges; wrong: string[] } {
  const found: Range[] = [];
  const wrong: string[] = [];
  for (const word of words) {
    const [a, b, ...more] = word.split('-').map((one) => parseCidr(one.trim()));
    const isRange = a && b && more.length === 0 && [a, b].every(({ first, last }) => first === last);
    const isOne = word.split('-').length === 1 && a?.isAligned;
    if (!a || !(isOne || (isRange && b.family === a.family && b.first >= a.first))) wrong.push(word);
    else if (a.family === family) found.push([a.first, b ? b.last : a.last]);
  }
  return { ranges: rangesOf(found), wrong };
}

/** `443` and `8000-8010` of a protocol; null for what is neither. */
export function portRanges(protocol: number, words: readonly string[]): Ranges | null {
  const found: Range[] = [];
  for (const word of words) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(word);
    const [first, last] = match ? [Number(match[1]), Number(match[2] ?? match[1])] : [1, 0];
    if (first > last || last > 65_535) return null;
    found.push(...services(protocol, first, last));
  }
  return rangesOf(found);
}

/** A value of a document as text: what is neither text nor number is shown as JSON. */
export function wordOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value) ?? 'nothing';
}
