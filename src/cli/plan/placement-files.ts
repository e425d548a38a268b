import { parsePlaces } from '../../gather/topology/places-csv.ts';
import { printable } from '../../model/outcome.ts';
import type { SitePlace, UserPlace } from '../../plan/placement/from-network.ts';
import { citiesOf, countriesWithCities, leastPopulation } from '../../plan/placement/open-data/cities.ts';
import { type CloudProvider, cloudProviders, regionsAsOf, regionsOf } from '../../plan/placement/open-data/regions.ts';
import type { Io } from '../../wire/io.ts';
import { UsageError } from '../command.ts';
import { parsedOrMistakes, readInput } from '../input-file.ts';
import { nearest } from '../suggest.ts';

/** Largest file of places or of a published case. */
export const maxPlacementBytes = 64 * 1024 * 1024;

/** Places, and where they come from. */
export interface Listed<T> {
  places: T[];
  notes: string[];
}

export interface CitiesAsked {
  cities: string;
  countries: readonly string[] | undefined;
  /** In place of the inhabitants: so many users in all, by inhabitants. */
  users: number | undefined;
}

/** Users of cities: those of the list that comes with inferpath (`top:N`, `over:N`), or of a file; those without any are left out. */
export async function readCities({ cities, countries, users }: CitiesAsked, io: Io): Promise<Listed<UserPlace>> {
  const choice = /^(top|over):(.*)$/.exec(cities);
  if (!choice && countries)
    throw new UsageError('--countries: found beside a file; allowed: with --cities top:N or over:N');
  const listed = choice
    ? { places: listedCities(choice[1] as 'top' | 'over', choice[2]!, countries), notes: [citiesNote] }
    : { places: await citiesOfFile(cities, io), notes: [] };
  if (users === undefined) {
    const ofList = 'every inhabitant counts as a user; --users says how many there are';
    return choice ? { ...listed, notes: [`${citiesNote}; ${ofList}`] } : listed;
  }
  const all = listed.places.reduce((sum, place) => sum + place.users, 0);
  return { ...listed, places: listed.places.map((place) => ({ ...place, users: (place.users * users) / all })) };
}

const citiesNote =
  'cities and their inhabitants: GeoNames (CC BY 4.0), places of 100,000 inhabitants and more; who lives there is not who uses you';

function listedCities(kind: 'top' | 'over', text: string, countries: readonly string[] | undefined): UserPlace[] {
  const [least, most] = kind === 'top' ? [1, 10_000] : [leastPopulation, 1e8];
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most))
    throw new UsageError(
      `--cities: found ${JSON.stringify(`${kind}:${printable(text, 40)}`)}; allowed: ${kind}:N with N from ${least} to ${most}`,
    );
  const known = countriesWithCities();
  const unknown = (countries ?? []).filter((country) => !known.includes(country));
  if (unknown.length > 0)
    throw new UsageError(
      `--countries: found ${JSON.stringify(printable(unknown.join(','), 80))}; allowed: ISO codes of countries with a city of 100,000, like DE,FR,US`,
    );
  const cities = citiesOf({ [kind]: value, countries });
  if (cities.length === 0) throw new UsageError(`--cities: found none of over ${value} inhabitants; allowed: fewer`);
  return cities.map(({ name, country, lat, lon, population }) => ({
    name: `${name}, ${country}`,
    site: null,
    place: { lat, lon },
    users: population,
  }));
}

async function citiesOfFile(file: string, io: Io): Promise<UserPlace[]> {
  const { value } = parsedOrMistakes(file, parsePlaces(await readInput(file, maxPlacementBytes, io)));
  if (value.some(({ users }) => users === null))
    throw new UsageError(`${file}:1: users: found no such column; allowed: users or population`);
  return value.flatMap(({ name, lat, lon, users }) =>
    users ? [{ name: printable(name, 100), site: null, place: { lat, lon }, users }] : [],
  );
}

/** Candidates: regions of clouds by the name of the provider (`aws`, `azure:westeurope`), or of a file. */
export async function readRegions(asked: string, io: Io): Promise<Listed<SitePlace>> {
  const parts = asked.split(',').map((part) => part.split(':'));
  if (parts.some(([provider]) => isProvider(provider))) {
    const note = `regions of clouds as of ${regionsAsOf}, at the city that stands for each (docs/plan/placement.md)`;
    return { places: parts.flatMap(([provider = '', begin]) => cloudSites(provider, begin)), notes: [note] };
  }
  const { value } = parsedOrMistakes(asked, parsePlaces(await readInput(asked, maxPlacementBytes, io)));
  return {
    places: value.map(({ name, lat, lon, monthly }) => candidate(printable(name, 100), lat, lon, monthly ?? 0)),
    notes: [],
  };
}

const isProvider = (name: string | undefined): name is CloudProvider => cloudProviders.some((one) => one === name);

function cloudSites(provider: string, begin: string | undefined): SitePlace[] {
  const allowed = `allowed: ${cloudProviders.join(', ')}, each with the beginning of codes if wanted, like aws:eu-`;
  if (!isProvider(provider)) {
    const meant = nearest(provider, cloudProviders);
    throw new UsageError(
      `--regions: found ${JSON.stringify(printable(provider, 40))}${meant ? `, did you mean ${meant}?` : ''}; ${allowed}`,
    );
  }
  const regions = regionsOf(provider, begin);
  if (regions.length === 0)
    throw new UsageError(
      `--regions: found no region ${provider} ${printable(begin ?? '', 40)}…; ${allowed}; there are ${regionsOf(
        provider,
      )
        .map(({ code }) => code)
        .join(', ')}`,
    );
  return regions.map(({ code, city, lat, lon }) => candidate(`${provider} ${code} (${city})`, lat, lon, 0));
}

function candidate(name: string, lat: number, lon: number, monthly: number): SitePlace {
  return {
    name,
    site: null,
    place: { lat, lon },
    isOpen: false,
    mayClose: false,
    capacityUsers: Infinity,
    monthly,
    monthlyPerUser: 0,
  };
}
