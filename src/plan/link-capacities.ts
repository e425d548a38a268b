import type { Figure } from '../model/figure.ts';
import type { Network } from '../model/network.ts';
import type { LinkCapacity } from '../model/plan/engineering.ts';
import { entered } from './figures.ts';
import { linkDelays } from './link-delays.ts';
import { type Measured, nothingMeasured } from './measured.ts';
import { type MeasuredRate, ratesKey } from './measured-rates.ts';
import { siteRoutes } from './site-routes.ts';

/** Headers take up to a tenth of a link: from this share of its capacity on, payload confirms it. */
const confirmedShare = 0.9;
/** Clocks and the rounding of rates. */
const aboveShare = 1.02;

/** The capacity of every link of the file, measured where traffic between the measured sites takes this link and no other. */
export function linkCapacities(network: Network, measured: Measured = nothingMeasured): LinkCapacity[] {
  const rates = ratesOfLinks(network, measured);
  return network.links.map(({ name, capacityGbps }): LinkCapacity => {
    const known = rates.get(name);
    const own = capacityGbps === undefined ? null : entered('capacity', capacityGbps, 'Gbit/s', `links.${name}`);
    const common = { link: name, entered: capacityGbps ?? null };
    if (!known) return { ...common, counted: own, measured: null, is: own ? 'entered' : 'unknown' };
    const seen = figureOf(known);
    if (!own) return { ...common, counted: seen, measured: seen, is: 'atLeast' };
    const share = known.gbps / own.value;
    if (share > aboveShare) return { ...common, counted: seen, measured: seen, is: 'above' };
    if (share >= confirmedShare) return { ...common, counted: own, measured: seen, is: 'confirmed' };
    return known.isFull
      ? { ...common, counted: seen, measured: seen, is: 'limited' }
      : { ...common, counted: own, measured: seen, is: 'below' };
  });
}

/** By link: the better of its two directions, unless one of them is known to be full. */
function ratesOfLinks(network: Network, measured: Measured): Map<string, MeasuredRate> {
  const found = new Map<string, MeasuredRate>();
  if (measured.rates.size === 0) return found;
  const routes = siteRoutes(
    network,
    linkDelays(network, measured).delays.map(({ rttMs }) => rttMs),
  );
  for (const rate of measured.rates.values()) {
    const route = routes(rate.from, rate.to);
    if (route?.links.length !== 1 || !route.isOnly) continue;
    const { name } = network.links[route.links[0]!]!;
    const back = measured.rates.get(ratesKey(rate.to, rate.from));
    found.set(name, back ? better(rate, back) : rate);
  }
  return found;
}

function better(a: MeasuredRate, b: MeasuredRate): MeasuredRate {
  if (a.isFull !== b.isFull) return a.isFull ? a : b;
  return a.gbps < b.gbps === a.isFull ? a : b;
}

function figureOf({ from, to, gbps, n, isFull, how }: MeasuredRate): Figure {
  const fits = isFull ? 'datagrams beyond it were lost' : 'at least so much fits through';
  return {
    name: 'throughput',
    value: gbps,
    unit: 'Gbit/s',
    origin: 'measured',
    how: `${from} → ${to}, best of ${n} ${n === 1 ? 'transfer' : 'transfers'} (${how}); ${fits}`,
  };
}

/** What was measured of capacities, in a sentence each. */
export function capacityNotes(capacities: readonly LinkCapacity[]): string[] {
  return capacities.flatMap((one) => (one.measured ? [`${one.link}: ${capacityInWords(one)}`] : []));
}

/** `6.1 Gbit/s measured where 10 Gbit/s are entered`, and what the plan makes of it. */
export function capacityInWords({ measured, entered: known, is }: LinkCapacity): string {
  const gbps = (value: number) => `${Number(value.toPrecision(3))} Gbit/s`;
  const seen = `${gbps(measured!.value)} measured`;
  if (known === null) return `${seen}, no capacity is entered: the plan counts with what was measured; it may be more`;
  const both = `${seen} where ${gbps(known)} are entered`;
  if (is === 'confirmed') return `${both}, which confirms them`;
  if (is === 'above') return `${both}: the plan counts with what was measured`;
  if (is === 'limited') return `${both}, and datagrams beyond that were lost: the plan counts with what was measured`;
  return `${both}: the plan counts with what is entered, which is not confirmed`;
}
