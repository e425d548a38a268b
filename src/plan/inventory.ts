import type { Network } from '../model/network.ts';
import type { Inventory } from '../model/plan/plan.ts';
import { linkLength, placesOf } from './lengths.ts';

/** Counts what a network file holds for planning. */
export function inventoryOf(network: Network): Inventory {
  const places = placesOf(network);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    sites: network.sites.length,
    users: sum(network.sites.map(({ users = 0 }) => users)),
    endpoints: network.endpoints.length,
    links: network.links.length,
    linksKm: sum(network.links.map((link) => linkLength(link, places, network.planning.routeFactor)?.lengthKm ?? 0)),
    carriers: network.carriers.length,
    riskGroups: network.riskGroups.length,
    quotes: network.quotes.length,
    candidates: network.candidates.length,
  };
}
