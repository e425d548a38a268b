import type { BreakEven, TransportCost } from '../../model/plan/transport.ts';

/** Prices of a quote. What is absent is not known, and is not zero. */
export interface Prices {
  capacityGbps: number;
  maxUnits: number | undefined;
  monthly: number | undefined;
  setup: number | undefined;
  baseMonthly: number | undefined;
  baseSetup: number | undefined;
  termMonths: number | undefined;
}

/** What is needed over time. */
export interface Need {
  gbps: number;
  growthPerYear: number;
  /** Share of a unit that may be used. */
  share: number;
}

/** Months that totals cover for a number of years ahead: at least one year. */
export const horizonMonths = (years: number): number => 12 * Math.max(1, years);

export function needAt({ gbps, growthPerYear }: Need, month: number): number {
  return gbps * (1 + growthPerYear) ** (month / 12);
}

/** Units that carry the need of a month; those once bought stay. */
export function unitsAt(capacityGbps: number, need: Need, month: number): number {
  return Math.max(1, Math.ceil(needAt(need, month) / (capacityGbps * need.share) - 1e-9));
}

/** A price without its monthly side is no price: nothing could be compared. */
export function isPriced({ monthly, baseMonthly, setup, baseSetup }: Prices): boolean {
  return monthly !== undefined || (baseMonthly !== undefined && (setup !== undefined || baseSetup !== undefined));
}

/** Paid up to the end of each month, beginning with the setup at month 0: linear in units, with the steps of what is bought once. */
export function cumulative(prices: Prices, need: Need, months: number): Float64Array {
  const { capacityGbps, monthly = 0, setup = 0, baseMonthly = 0, baseSetup = 0 } = prices;
  const paid = new Float64Array(months + 1);
  let units = unitsAt(capacityGbps, need, 0);
  paid[0] = baseSetup + units * setup;
  for (let month = 1; month <= months; month++) {
    // The month begins with what its end will need; the light has to be there before the traffic.
    const wanted = Math.max(units, unitsAt(capacityGbps, need, month));
    paid[month] = paid[month - 1]! + (wanted - units) * setup + baseMonthly + wanted * monthly;
    units = wanted;
  }
  return paid;
}

/** Cost over the years ahead; a term that is longer is paid to its end, at what runs in the last month. */
export function costOf(prices: Prices, need: Need, years: number): TransportCost | null {
  if (!isPriced(prices)) return null;
  const months = horizonMonths(years);
  const { capacityGbps, monthly = 0, setup = 0, baseMonthly = 0, baseSetup = 0, termMonths = 1 } = prices;
  const units = unitsAt(capacityGbps, need, 0);
  const unitsAtEnd = Math.max(units, unitsAt(capacityGbps, need, months));
  const beyond = Math.max(0, termMonths - months) * (baseMonthly + unitsAtEnd * monthly);
  return {
    units,
    unitsAtEnd,
    setup: baseSetup + units * setup,
    monthly: baseMonthly + Math.max(units, unitsAt(capacityGbps, need, 1)) * monthly,
    total: cumulative(prices, need, months)[months]! + beyond,
    months,
    missing: missing(prices),
  };
}

function missing({ monthly, setup }: Prices): string[] {
  return [...(monthly === undefined ? ['monthly'] : []), ...(setup === undefined ? ['setup'] : [])];
}

/** First month by which the one that was cheaper at the start has cost as much as the other; null when that does not come. */
export function breakEven(
  a: { name: string; paid: Float64Array },
  b: { name: string; paid: Float64Array },
  need: Need,
): BreakEven | null {
  const first = a.paid[0]! === b.paid[0]! ? (a.paid[1]! <= b.paid[1]! ? a : b) : a.paid[0]! < b.paid[0]! ? a : b;
  const then = first === a ? b : a;
  const month = first.paid.findIndex((paid, m) => m > 0 && paid >= then.paid[m]! && paid > 0);
  if (month < 1) return null;
  return { cheaperFirst: first.name, cheaperThen: then.name, month, needGbps: needAt(need, month) };
}
