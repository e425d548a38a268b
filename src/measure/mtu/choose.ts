import { knownMtus } from '../../model/mtu-hints.ts';

/** What any size that is no well-known MTU weighs, against 100 for Ethernet: small, so that the known ones are tried first. */
const UNKNOWN_WEIGHT = 0.005;
/**
 * A size that fits costs a round trip, one that does not a few timeouts when ICMP is silent: a guess that is likely to
 * fit is worth more than an even split.
 */
const COST_FITS = 1;
const COST_FAILS = 4;

const weightOf = new Map(knownMtus.map(({ bytes, weight }) => [bytes, weight]));

/**
 * The size to try next, when `lowBytes` is known to fit and `highBytes` not to: the one that tells most about where the limit
 * lies per expected cost, given how often each MTU is met. Always lies strictly between the two.
 */
export function chooseSize(lowBytes: number, highBytes: number): number {
  let total = 0;
  for (let size = lowBytes; size < highBytes; size++) total += weight(size);
  let below = 0;
  let best = lowBytes + 1;
  let bestWorth = -1;
  for (let size = lowBytes + 1; size < highBytes; size++) {
    below += weight(size - 1);
    const fits = 1 - below / total;
    const worth = entropy(fits) / (fits * COST_FITS + (1 - fits) * COST_FAILS);
    if (worth > bestWorth) {
      best = size;
      bestWorth = worth;
    }
  }
  return best;
}

function weight(sizeBytes: number): number {
  return weightOf.get(sizeBytes) ?? UNKNOWN_WEIGHT;
}

/** Bits that the answer to a question with this chance of "yes" brings. */
function entropy(chance: number): number {
  if (chance <= 0 || chance >= 1) return 0;
  return -chance * Math.log2(chance) - (1 - chance) * Math.log2(1 - chance);
}
