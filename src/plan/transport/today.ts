import type { Figure } from '../../model/figure.ts';
import type { Network } from '../../model/network.ts';
import type { TransportToday } from '../../model/plan/transport.ts';
import { computed } from '../figures.ts';
import { linkCapacities } from '../link-capacities.ts';
import { type LinkDelay, linkDelays } from '../link-delays.ts';
import { type Measured, pairKey } from '../measured.ts';
import { ratesKey } from '../measured-rates.ts';

/** The connections that are there, of any two sites; null where nothing joins them and nothing was measured between them. */
export function connectionsOf(network: Network, measured: Measured) {
  const { delays } = linkDelays(network, measured);
  const capacities = linkCapacities(network, measured);
  const siteOf = new Map(network.nodes.map(({ name, site }) => [name, site]));
  const end = (name: string) => siteOf.get(name) ?? name;
  return (from: string, to: string): TransportToday | null => {
    const own = network.links.flatMap((link, l) => {
      const ends = [end(link.from), end(link.to)];
      return ends.includes(from) && ends.includes(to) && from !== to ? [l] : [];
    });
    const seen = [measuredRtt(measured, from, to), ...measuredRatesOf(measured, from, to)].flatMap((one) => one ?? []);
    if (own.length === 0 && seen.length === 0) return null;
    const links = own.map((l) => network.links[l]!.name);
    const counted = own.map((l) => capacities[l]!.counted);
    return {
      links,
      rttMs: measuredRtt(measured, from, to) ?? shortest(own.map((l) => delays[l]!)),
      capacityGbps: counted.length > 0 && counted.every((one) => one !== null) ? together(counted) : null,
      measured: seen,
    };
  };
}

function measuredRtt({ rtts }: Measured, from: string, to: string): Figure | null {
  const seen = rtts.get(pairKey(from, to));
  return seen ? { name: 'round trip', value: seen.rttMs, unit: 'ms', origin: 'measured', how: seen.how } : null;
}

function measuredRatesOf({ rates }: Measured, from: string, to: string): Figure[] {
  return [rates.get(ratesKey(from, to)), rates.get(ratesKey(to, from))].flatMap((rate) =>
    rate
      ? [
          {
            name: `throughput ${rate.from} → ${rate.to}`,
            value: rate.gbps,
            unit: 'Gbit/s',
            origin: 'measured' as const,
            how: `best of ${rate.n} (${rate.how})`,
          },
        ]
      : [],
  );
}

function shortest(delays: readonly LinkDelay[]): Figure | null {
  const [least] = delays.toSorted((a, b) => a.rttMs - b.rttMs);
  if (!least) return null;
  const { rttMs, origin, how } = least;
  return { name: 'round trip', value: rttMs, unit: 'ms', origin, how };
}

function together(figures: readonly Figure[]): Figure {
  const [first] = figures;
  if (figures.length === 1) return first!;
  const sum = figures.reduce((total, { value }) => total + value, 0);
  return computed('capacity', sum, 'Gbit/s', `sum of ${figures.length} links`, figures);
}
