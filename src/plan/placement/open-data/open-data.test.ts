import { describe, expect, test } from 'vitest';
import { greatCircleKm } from '../../../stats/globe.ts';
import { cityRows as fromPackage } from './cities.case.ts';
import { cityRows } from './cities-data.ts';
import { citiesOf, countriesWithCities, leastPopulation } from './cities.ts';
import { cloudProviders, regionsOf } from './regions.ts';

describe('cities', () => {
  test('are those of the package, made by scripts/cities.ts and not by hand', () => {
    expect(cityRows === fromPackage()).toBe(true);
  });

  test('come largest first, each with a place on the globe and enough inhabitants', () => {
    const all = citiesOf({});
    expect(all.length).toBeGreaterThan(4000);
    all.forEach(({ name, country, lat, lon, population }, i) => {
      expect(name.length > 0 && /^[A-Z]{2}$/.test(country), name).toBe(true);
      expect(Math.abs(lat) <= 90 && Math.abs(lon) <= 180, name).toBe(true);
      expect(population).toBeGreaterThanOrEqual(leastPopulation);
      if (i > 0) expect(population).toBeLessThanOrEqual(all[i - 1]!.population);
    });
  });

  test('are chosen by number, by inhabitants and by country', () => {
    expect(citiesOf({ top: 2, countries: ['DE'] }).map(({ name }) => name)).toEqual(['Berlin', 'Hamburg']);
    const large = citiesOf({ over: 1_000_000, countries: ['DE', 'FR'] });
    expect(large.map(({ name }) => name)).toEqual(['Berlin', 'Paris', 'Hamburg', 'Munich']);
    expect(countriesWithCities()).toContain('SG');
  });

  test('count nobody of New York twice', () => {
    const near = citiesOf({ countries: ['US'] }).filter((one) => greatCircleKm(one, { lat: 40.7, lon: -73.95 }) < 15);
    expect(near.map(({ name }) => name)).toContain('New York City');
    expect(near.map(({ name }) => name)).not.toContain('Brooklyn');
  });
});

describe('regions of clouds', () => {
  const all = cloudProviders.flatMap((provider) => regionsOf(provider));

  test('have each a code of its own and a place', () => {
    expect(new Set(all.map(({ provider, code }) => `${provider} ${code}`)).size).toBe(all.length);
    for (const provider of cloudProviders) expect(regionsOf(provider).length).toBeGreaterThan(30);
    for (const { lat, lon, code } of all) expect(Math.abs(lat) <= 90 && Math.abs(lon) <= 180, code).toBe(true);
  });

  test('lie where a city of that country is', () => {
    const cities = citiesOf({});
    for (const one of all) {
      const least = Math.min(
        ...cities.filter(({ country }) => country === one.country).map((city) => greatCircleKm(city, one)),
      );
      // Hamina is far from any. The others are Azure's states, whose position is not that of a city.
      expect(least, `${one.provider} ${one.code}`).toBeLessThan(one.city.endsWith('(state)') ? 250 : 150);
    }
  });

  test('are chosen by the beginning of their code', () => {
    expect(regionsOf('aws', 'eu-central').map(({ city }) => city)).toEqual(['Frankfurt', 'Zürich']);
    expect(regionsOf('aws', 'xx')).toEqual([]);
  });
});
