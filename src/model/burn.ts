/**
 * Multi-window, multi-burn-rate alerting (Site Reliability Workbook, chapter 5): a rule fires while a long and a short window
 * both use up the error budget faster than a factor. Factor = share of the budget × period / long window.
 */
export interface BurnPair {
  severity: 'page' | 'ticket';
  longMs: number;
  shortMs: number;
  /** How many times faster than allowed the budget is used. */
  factor: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Of a period of 30 days: 2 % of the budget in 1 h, 5 % in 6 h, 10 % in a day (sloth adds it), 10 % in 3 days. */
const monthly: readonly BurnPair[] = [
  { severity: 'page', longMs: hourMs, shortMs: 5 * minuteMs, factor: 14.4 },
  { severity: 'page', longMs: 6 * hourMs, shortMs: 30 * minuteMs, factor: 6 },
  { severity: 'ticket', longMs: dayMs, shortMs: 2 * hourMs, factor: 3 },
  { severity: 'ticket', longMs: 3 * dayMs, shortMs: 6 * hourMs, factor: 1 },
];

/** Fewer bad events than this are chance, not a trend: no budget rule fires on them. */
export const leastBadEvents = 3;

/**
 * The four pairs for a period: the windows grow and shrink with it, so that the factors, and the share of the budget that
 * each stands for, stay those of the workbook.
 */
export function burnPairs(periodMs: number): BurnPair[] {
  const scale = periodMs / (30 * dayMs);
  const scaled = (ms: number) => Math.max(10_000, Math.round((ms * scale) / 10_000) * 10_000);
  return monthly.map((pair) => ({ ...pair, longMs: scaled(pair.longMs), shortMs: scaled(pair.shortMs) }));
}

/** How many bad events of `events` make the rule fire: the least number that is more than the factor allows. */
export function badToFire(events: number, factor: number, objective: number): number {
  // Objectives are decimal fractions: without the rounding 0.99 allows 0.010000000000000009.
  return Math.floor(Number((events * factor * (1 - objective)).toFixed(9))) + 1;
}
