import { packetText, everything } from './box.ts';
import { compare } from './compare.ts';
import { type Addresses, families, permitsAt, type PolicyHook, type PolicyMeaning } from './policy.ts';
import { nftFirewall } from './read/nft-firewall.ts';
import { readNftText } from './read/nft-text.ts';
import { stepsOf } from './steps.ts';
import type { Family } from '../../model/cidr.ts';

/** What new rules of a host change at one hook, for one family: kinds of packets, each with the smallest one. */
export interface MeaningChange {
  hook: PolicyHook;
  family: Family;
  /** Newly let through, and newly kept out; null: nothing. */
  allowed: { example: string; cells: number } | null;
  denied: { example: string; cells: number } | null;
  /** False when not all packets were looked at, or the old rules hold something that was not understood. */
  isComplete: boolean;
}

/**
 * What changes when a policy takes the place of what stood in our table, over all packets and none sampled. Other tables are left alone
 * and are not asked: what they drop stays dropped.
 */
export function differenceOf(before: string | null, meaning: PolicyMeaning, self?: Addresses): MeaningChange[] {
  const old = before === null ? null : nftFirewall(readNftText(before));
  return meaning.enforce.flatMap((hook) =>
    families.map((family): MeaningChange => {
      const steps = stepsOf(old?.pathAt(hook, family, 'new') ?? [], everything(family));
      const permits = permitsAt(meaning, hook, family, self).map(({ box }) => box);
      const { missing, extra, maybeExtra, maybeMissing, isComplete } = compare(steps, permits, family);
      const of = (found: typeof missing) => (found ? { example: packetText(found.packet), cells: found.cells } : null);
      return {
        hook,
        family,
        allowed: of(missing),
        denied: of(extra),
        isComplete: isComplete && !maybeExtra && !maybeMissing,
      };
    }),
  );
}
