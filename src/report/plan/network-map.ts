import type { Network } from '../../model/network.ts';
import { printable } from '../../model/outcome.ts';
import type { PlanReport } from '../../model/plan/plan.ts';
import { num } from '../format.ts';
import { land } from './land.ts';
import { map, type MapLink, type MapPlace, type MapSite } from './map.ts';

/** Sites and links of a network file on a map, wide and narrow; empty where fewer than two sites have a location. */
export function networkMap(network: Network, _report: PlanReport): string {
  const places = new Map<string, MapPlace>();
  for (const { name, location } of network.sites) if (location) places.set(name, location);
  for (const { name, site } of network.nodes) if (places.has(site)) places.set(name, places.get(site)!);
  if (places.size < 2) return '';
  const most = Math.max(1, ...network.sites.map(({ users = 0 }) => users));
  const serving = new Set(network.endpoints.map(({ site }) => site));
  const sites = network.sites.flatMap(({ name, location, users = 0 }): MapSite[] => {
    if (!location) return [];
    const kind = serving.has(name) ? 'serves' : 'user';
    return [{ name, ...location, kind, size: users / most, about: `${name}: ${users.toLocaleString('en')} users` }];
  });
  const links = linksOf(network, places);
  const outline = land();
  return `<div class="wide">${map(sites, links, outline, 1040)}</div><div class="narrow">${map(sites, links, outline, 340)}</div>`;
}

function linksOf(network: Network, places: ReadonlyMap<string, MapPlace>): MapLink[] {
  const between = new Map<string, number>();
  return network.links.flatMap((link): MapLink[] => {
    const [a, b] = [places.get(link.from), places.get(link.to)];
    if (!a || !b || a === b) return [];
    const pair = [link.from, link.to].sort().join(' ');
    const nth = between.get(pair) ?? 0;
    between.set(pair, nth + 1);
    const words = [
      `${link.name}: ${link.from} to ${link.to}`,
      link.carrier ?? [],
      link.capacityGbps === undefined ? [] : `${num(link.capacityGbps)} Gbit/s`,
      link.riskGroups.length > 0 ? `shares ${link.riskGroups.join(', ')}` : [],
    ].flat();
    return [{ ends: [a, b], nth, tone: 'calm', about: printable(words.join(' · '), 300) }];
  });
}
