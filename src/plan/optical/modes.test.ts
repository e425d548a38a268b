import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { publishedModes } from './mode-table.ts';
import { penaltyAt, type PenaltyTable } from './modes.ts';

const catalogue = sharedData('planning/transceivers/openroadm-operational-modes-18_0-optical-spec-9_0.json');

interface CatalogueMode {
  'openroadm-operational-mode-id': string;
  'baud-rate': string;
  'min-TX-osnr': string;
  'min-RX-osnr-tolerance': string;
  'channel-width': string;
  penalties: { 'parameter-and-unit': string; 'up-to-boundary': string; 'penalty-value': string }[];
}

function catalogueModes(): CatalogueMode[] {
  const file = JSON.parse(readFileSync(catalogue!, 'utf8')) as {
    input: { 'operational-mode-info': { 'xponders-pluggables': Record<string, CatalogueMode[]> } };
  };
  return Object.values(file.input['operational-mode-info']['xponders-pluggables']).flat();
}

test.skipIf(catalogue === null)('every Open ROADM row is what the catalogue of the MSA says', () => {
  const known = new Map(catalogueModes().map((mode) => [mode['openroadm-operational-mode-id'], mode]));
  const rows = publishedModes.filter(({ name }) => name.startsWith('OR-W'));
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) {
    const mode = known.get(row.name)!;
    expect(row.baudHz / 1e9).toBeCloseTo(Number(mode['baud-rate']), 6);
    expect(row.txOsnrDb).toBe(Number(mode['min-TX-osnr']));
    expect(row.requiredOsnrDb).toBe(Number(mode['min-RX-osnr-tolerance']));
    // On the grid of 12.5 GHz, and never narrower than the signal.
    expect(row.slotHz / 12.5e9).toBe(Math.round(row.slotHz / 12.5e9));
    expect(row.slotHz / 1e9).toBeGreaterThanOrEqual(Number(mode['channel-width']));
    const points = (unit: string) =>
      mode.penalties
        .filter((p) => p['parameter-and-unit'] === unit)
        .map((p) => [Number(p['up-to-boundary']), Number(p['penalty-value'])]);
    const { cdPsPerNm, pmdPs, pdlDb } = row.penalties;
    expect(cdPsPerNm.slice(1)).toEqual(points('CD-ps/nm'));
    expect(pmdPs.slice(1)).toEqual(points('PMD-ps'));
    expect(pdlDb.slice(1)).toEqual(points('PDL-dB'));
  }
});

test('rows have a source each, and what no source says is called assumed', () => {
  for (const { source } of publishedModes) expect(source.length).toBeGreaterThan(10);
  expect(publishedModes.filter(({ how }) => how === 'assumed').map(({ name }) => name)).toEqual([
    '800ZR',
    '1.6T (assumed)',
  ]);
  for (const rate of [100, 200, 300, 400, 600, 800, 1600])
    expect(publishedModes.some(({ gbps }) => gbps === rate)).toBe(true);
});

test('penalties never fall as an impairment grows, and end where the table ends', () => {
  const impairment = fc.double({ min: 0, max: 2e5, noNaN: true });
  fc.assert(
    fc.property(fc.constantFrom(...publishedModes), impairment, impairment, ({ penalties }, x, y) => {
      const [less, more] = x < y ? [x, y] : [y, x];
      for (const table of [penalties.cdPsPerNm, penalties.pmdPs, penalties.pdlDb]) {
        expect(penaltyAt(table, less)).toBeLessThanOrEqual(penaltyAt(table, more));
        expect(penaltyAt(table, -less)).toBe(penaltyAt(table, less));
      }
    }),
    { numRuns: 500, seed: 3 },
  );
});

test('a penalty is on the line between two points, nothing before the first, and infinite beyond the last', () => {
  const table: PenaltyTable = [
    [1, 0.5],
    [2, 1],
    [4, 2.5],
  ];
  expect(penaltyAt(table, 0)).toBe(0);
  expect(penaltyAt(table, 0.5)).toBe(0.25);
  expect(penaltyAt(table, 3)).toBe(1.75);
  expect(penaltyAt(table, 4)).toBe(2.5);
  expect(penaltyAt(table, 4.001)).toBe(Infinity);
  expect(penaltyAt([], 9)).toBe(0);
});
