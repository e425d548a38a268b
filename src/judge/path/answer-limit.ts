import { seededRandom } from '../../stats/random.ts';
import type { HopProbe } from './tally.ts';

/** Answers and silences that there must be before regularity means anything. */
const fewest = 6;
const shuffles = 400;
/** The latest probes are enough to see a pattern; more cost time in a live view and add nothing. */
const looked = 400;
/** At most so many of the shuffled series may be as regular as the real one. */
const chance = 0.01;

/**
 * Does a hop answer by a token bucket (RFC 1812 §4.3.2.8, RFC 4443 §2.4 f; Linux: icmp_ratelimit)? Loss by chance leaves gaps
 * of all lengths, a bucket that is refilled steadily leaves gaps of one length. So the rarer of the two, answers or silences,
 * must be spaced more evenly than in nearly all random orders of the same series. What a full bucket answered at once at the
 * begin is set aside.
 *
 * @returns answers per second, or null where no such limit shows
 */
export function answerLimit(probes: readonly HopProbe[]): number | null {
  const begin = probes.findIndex((p) => !p.answered);
  if (begin === -1) return null;
  const series = probes.slice(begin).slice(-looked);
  const answered = series.map((p) => p.answered);
  const hits = answered.filter(Boolean).length;
  if (hits < fewest || answered.length - hits < fewest) return null;
  const rarer = hits * 2 <= answered.length;
  const spread = gapVariance(answered, rarer);
  const random = seededRandom(answered.length);
  const order = [...answered];
  let asEven = 0;
  for (let i = 0; i < shuffles; i++) {
    shuffle(order, random);
    if (gapVariance(order, rarer) <= spread) asEven++;
    // Chance alone is as even nearly always: that is clear after a few.
    if (asEven > shuffles * chance) return null;
  }
  const seconds = (series.at(-1)!.atMs - series[0]!.atMs) / 1000;
  return seconds > 0 ? hits / seconds : null;
}

/** Variance of the distances between the places where `series` is `symbol`. */
function gapVariance(series: readonly boolean[], symbol: boolean): number {
  let [last, n, sum, squares] = [-1, 0, 0, 0];
  for (const [i, value] of series.entries()) {
    if (value !== symbol) continue;
    if (last >= 0) {
      n++;
      sum += i - last;
      squares += (i - last) ** 2;
    }
    last = i;
  }
  return n === 0 ? Infinity : squares / n - (sum / n) ** 2;
}

function shuffle(items: boolean[], random: () => number): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
}
