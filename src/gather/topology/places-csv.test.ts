import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mistakeText } from './parsed.ts';
import { parsePlaces } from './places-csv.ts';

describe('parsePlaces()', () => {
  it('finds its columns by their headings, in any order, and population stands for users', () => {
    const parsed = parsePlaces('Population,name,lon,lat\n5,"Köln, West",7,51\n\n0,b,-180,90\n');
    expect(parsed.ok && parsed.value).toEqual([
      { name: 'Köln, West', lat: 51, lon: 7, users: 5, monthly: null },
      { name: 'b', lat: 90, lon: -180, users: 0, monthly: null },
    ]);
  });

  it('names every mistake with its line', () => {
    const told = (text: string) => {
      const parsed = parsePlaces(text);
      return parsed.ok ? [] : parsed.mistakes.map((one) => mistakeText('c.csv', one));
    };
    expect(told('name,lat\na,1')).toEqual([
      'c.csv:1: lon: found "name,lat"; allowed: a line of headings with name, lat, lon',
    ]);
    expect(told('name,lat,lon,users\n,91,x,-1')).toEqual([
      'c.csv:2: name: found nothing; allowed: a name',
      'c.csv:2: lat: found "91"; allowed: a number from -90 to 90',
      'c.csv:2: lon: found "x"; allowed: a number from -180 to 180',
      'c.csv:2: users: found "-1"; allowed: a number from 0 to 10000000000',
    ]);
  });

  it('takes whatever text without throwing', () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom('"', '""', '1', '-1e9', 'name,lat,lon', '\n'));
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 20 }), (cells) => {
        const parsed = parsePlaces(`name,lat,lon\n${cells.join(',')}`);
        if (!parsed.ok) expect(parsed.mistakes.length).toBeGreaterThan(0);
      }),
      { numRuns: 5000 },
    );
  });
});
