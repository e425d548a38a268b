import type { Link, Network } from '../model/network.ts';
import { greatCircleKm } from '../stats/globe.ts';

/** The length of a link, km, and where it comes from. */
export interface LinkLength {
  lengthKm: number;
  how: 'entered' | 'along its route' | 'great circle × route factor';
}

type Place = NonNullable<Network['sites'][number]['location']>;

/** Where each site and node of a network is, by name; those without a location are absent. */
export function placesOf({ sites, nodes }: Network): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const { name, location } of sites) if (location) places.set(name, location);
  for (const { name, site } of nodes) {
    const location = places.get(site);
    if (location) places.set(name, location);
  }
  return places;
}

/**
 * As entered, else along the route, else the great circle times `planning.routeFactor`; null when nothing of that is known.
 */
export function linkLength(
  { lengthKm, route, from, to }: Pick<Link, 'lengthKm' | 'route' | 'from' | 'to'>,
  places: ReadonlyMap<string, Place>,
  routeFactor: number,
): LinkLength | null {
  if (lengthKm !== undefined) return { lengthKm, how: 'entered' };
  if (route) {
    const parts = route.slice(1).map((place, i) => greatCircleKm(route[i]!, place));
    return { lengthKm: parts.reduce((sum, part) => sum + part, 0), how: 'along its route' };
  }
  const [a, b] = [places.get(from), places.get(to)];
  return a && b ? { lengthKm: greatCircleKm(a, b) * routeFactor, how: 'great circle × route factor' } : null;
}
