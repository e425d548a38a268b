import { cityRows } from './cities-data.ts';

/** A city of the world. */
export interface City {
  name: string;
  /** ISO 3166-1, two letters. */
  country: string;
  lat: number;
  lon: number;
  population: number;
}

/** The smallest city of the list, inhabitants. */
export const leastPopulation = 100_000;

export interface CityChoice {
  /** So many of the largest. */
  top?: number | undefined;
  /** All of at least so many inhabitants. */
  over?: number | undefined;
  /** Of these countries only (ISO 3166-1, two letters). */
  countries?: readonly string[] | undefined;
}

/** The cities chosen, largest first. */
export function citiesOf({ top, over = 0, countries }: CityChoice): City[] {
  const lines = cityRows.split('\n').filter((line) => !countries || countries.includes(line.slice(0, 2)));
  const cities = lines.flatMap((line) => {
    const country = line.slice(0, 2);
    return line
      .slice(3)
      .split(';')
      .map((row) => {
        const [name = '', lat, lon, population] = row.split('|');
        return { name, country, lat: Number(lat), lon: Number(lon), population: Number(population) };
      });
  });
  return cities
    .filter(({ population }) => population >= over)
    .sort((a, b) => b.population - a.population)
    .slice(0, top);
}

/** Countries that have a city in the list. */
export function countriesWithCities(): string[] {
  return cityRows.split('\n').map((line) => line.slice(0, 2));
}
