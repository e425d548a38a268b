import type { BreakEven, TransportChoice, TransportOption } from '../../model/plan/transport.ts';
import { availabilityOf, judge, type Offer, type Other, rttOf, type Wish } from './constraints.ts';
import { breakEven, costOf, cumulative, isPriced, needAt, type Prices } from './cost.ts';

export interface Priced extends Offer {
  quote: string | null;
  prices: Prices | null;
}

/** Hard constraints first, then cost; every loser with its reason. Cheapest first, then what could be, then what cannot. */
export function choose(
  wish: Wish,
  offers: readonly Priced[],
  existing: readonly Other[],
  years: number,
): Pick<TransportChoice, 'chosen' | 'options' | 'breakEvens'> {
  const options = offers.map((offer) => judged(offer, wish, offers, existing, years));
  const able = options.filter((o) => o.status === 'dearer').toSorted((a, b) => a.cost!.total - b.cost!.total);
  const [best, ...rest] = able;
  if (best) {
    best.status = 'chosen';
    best.why = rest[0]
      ? `keeps everything and costs least over ${best.cost!.months} months; the next, ${rest[0].quote}, costs ${times(rest[0].cost!.total, best.cost!.total)}`
      : `keeps everything, and no other priced quote does`;
  }
  for (const lost of rest)
    lost.why = `keeps everything but costs ${times(lost.cost!.total, best!.cost!.total)} over ${lost.cost!.months} months`;
  const rank = { chosen: 0, dearer: 1, notPriced: 2, undecided: 3, excluded: 4 } as const;
  return {
    chosen: best?.quote ?? null,
    options: options.toSorted((a, b) => rank[a.status] - rank[b.status] || (a.cost?.total ?? 0) - (b.cost?.total ?? 0)),
    breakEvens: breakEvens(offers, able, wish, best?.cost?.months ?? 0),
  };
}

function judged(
  offer: Priced,
  wish: Wish,
  offers: readonly Priced[],
  existing: readonly Other[],
  years: number,
): TransportOption {
  const others = [...existing, ...offers.filter((o) => o !== offer && o.quote !== null).map(asOther)];
  const constraints = judge(offer, wish, others);
  const failed = constraints.filter((c) => c.verdict === 'fail');
  const open = constraints.filter((c) => c.verdict === 'unknown');
  const cost = offer.prices ? costOf(offer.prices, wish.need, years) : null;
  const claims = (list: typeof failed) => list.map((c) => c.claim).join('; ');
  const [status, why]: [TransportOption['status'], string] =
    failed.length > 0
      ? ['excluded', claims(failed)]
      : open.length > 0
        ? ['undecided', claims(open)]
        : cost
          ? ['dearer', '']
          : ['notPriced', offer.quote === null ? 'no quote' : `quote ${offer.quote} names no price`];
  return {
    kind: offer.facts.kind,
    name: offer.facts.name,
    quote: offer.quote,
    carrier: offer.carrier,
    unitGbps: offer.capacityGbps,
    status,
    why: status === 'undecided' && !cost ? `${why}; no price either` : why,
    constraints,
    rttMs: rttOf(offer, wish),
    availability: availabilityOf(offer),
    cost,
  };
}

function asOther(offer: Priced): Other {
  const { quote, carrier, riskGroups } = offer;
  return { name: `quote ${quote}`, carrier, riskGroups, availability: availabilityOf(offer) };
}

/** Between any two that keep everything: when the one that is cheaper at first has cost as much. */
function breakEvens(
  offers: readonly Priced[],
  able: readonly TransportOption[],
  wish: Wish,
  months: number,
): BreakEven[] {
  const paid = able.flatMap(({ quote }) => {
    const prices = offers.find((o) => o.quote === quote)?.prices;
    return prices && isPriced(prices) ? [{ name: quote!, paid: cumulative(prices, wish.need, months) }] : [];
  });
  return paid.flatMap((a, i) => paid.slice(i + 1).flatMap((b) => breakEven(a, b, wish.need) ?? []));
}

/** What is needed when the years are over. */
export const needAtEnd = ({ need, months }: Wish): number => needAt(need, months);

function times(more: number, less: number): string {
  return less > 0 ? `${Number((more / less).toFixed(2))} times as much` : 'more';
}
