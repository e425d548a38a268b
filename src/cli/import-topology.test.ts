import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cli } from '../../test/fixtures/cli.ts';
import { sharedData } from '../../test/shared-data.ts';
import { parseTopologyCsv } from '../gather/topology/csv.ts';
import { draftDemands } from '../gather/topology/draft.ts';
import { plannedNetwork } from '../model/network.ts';
import { parseNetwork } from './network-file.ts';

const tables = {
  'sites.csv': 'name;lat;lon;users\nFrankfurt am Main;50.1;8.7;100\n"New York";40.7;-74;\n',
  'links.csv':
    'from,to,lengthKm,capacityGbps,carrier,riskGroups,name\nFrankfurt am Main,New York,8000,100,Carrier A,sea|duct 1,on\nNew York,Ashburn,400,,Carrier A,,\n',
  'demands.csv': 'from,to,gbps,backGbps\nNew York,Frankfurt am Main,0,7\nAshburn,New York,1.5,\n',
};

async function networkOf(args: readonly string[], files: Record<string, string>) {
  const { code, stdout, stderr } = await cli(['import', 'topology', ...args], { files });
  expect(code, stderr).toBe(0);
  const parsed = parseNetwork(stdout, plannedNetwork);
  if ('mistakes' in parsed) throw new Error(parsed.mistakes[0]!.message);
  return { network: parsed.network, stdout, stderr };
}

test('tables become a network file, with names that it allows and what was guessed on top', async () => {
  const { network, stdout, stderr } = await networkOf(Object.keys(tables), tables);
  expect(network.sites).toMatchObject([
    { name: 'frankfurt-am-main', users: 100, location: { lat: 50.1, lon: 8.7 } },
    { name: 'new-york', role: 'dc' },
    { name: 'ashburn' },
  ]);
  expect(network.carriers.map(({ name }) => name)).toEqual(['carrier-a']);
  // "1" is a group of its own: a space separates as well.
  expect(network.riskGroups.map(({ name }) => name)).toEqual(['sea', 'duct', '1']);
  expect(network.links).toMatchObject([
    { name: 'on', from: 'frankfurt-am-main', to: 'new-york', lengthKm: 8000, capacityGbps: 100, carrier: 'carrier-a' },
    { name: 'new-york--ashburn', lengthKm: 400 },
  ]);
  expect(network.links[1]!.capacityGbps).toBeUndefined();
  expect(network.demands).toMatchObject([
    { from: 'frankfurt-am-main', to: 'new-york', gbps: 7, backGbps: 0 },
    { from: 'ashburn', to: 'new-york', gbps: 1.5, backGbps: 1.5 },
  ]);
  expect(stdout).toContain('# New York');
  expect(stdout).toContain('# - 1 sites are named by links or demands only');
  expect(stderr).toContain('1 sites are named by links or demands only');
});

test.each([
  ['links.csv', 'lengthKm', 'length', 'links.csv:1: header: found "length"; allowed in links: from, to, name'],
  ['links.csv', '8000', '-8', 'links.csv:2: lengthKm: found "-8"; allowed: a number from 0 to 40000'],
  ['demands.csv', '1.5', '', 'demands.csv:3: gbps: found nothing; it is required'],
  ['sites.csv', '50.1', '95', 'sites.csv:2: lat: found "95"; allowed: a number from -90 to 90'],
  ['sites.csv', 'name;', 'title;', 'sites.csv:1: header: found "title;lat;lon;users"; allowed: columns of sites'],
])('%s with %j as %j', async (file, right, wrong, message) => {
  const files = { ...tables, [file]: tables[file as keyof typeof tables].replace(right, wrong) };
  const { code, stderr } = await cli(['import', 'topology', ...Object.keys(tables)], { files });
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test('whatever stands in a table, reading it ends with a value or with mistakes that have lines', () => {
  const cell = fc.oneof(
    fc.constantFrom('from', 'to', 'gbps', 'name', 'lat', '1', '-1', '', '"', '\n', ';', ','),
    fc.string({ maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(cell, { maxLength: 30 }), fc.boolean(), (cells, withHeader) => {
      const parsed = parseTopologyCsv(`${withHeader ? 'from,to,lengthKm,riskGroups\n' : ''}${cells.join(',')}`);
      if (parsed.ok) return;
      for (const { line } of parsed.mistakes) expect(line).toBeGreaterThanOrEqual(1);
    }),
    { numRuns: 5000, seed: 9 },
  );
});

const data = sharedData('planning');
const gnpy = sharedData('gnpy');

test.skipIf(data === null)(
  'networks of SNDlib and REPETITA become files that planning reads',
  async () => {
    for (const file of ['abilene.txt', 'polska.txt', 'cost266.txt', 'zib54.txt']) {
      const text = readFileSync(`${data}/sndlib/${file}`, 'utf8');
      const { network } = await networkOf([file], { [file]: text });
      expect(network.links.length, file).toBeGreaterThan(10);
      expect(network.demands.length, file).toBeGreaterThan(10);
    }
    const files = Object.fromEntries(
      ['Geant2012.graph', 'Geant2012.0000.demands'].map((name) => [
        name,
        readFileSync(`${data}/repetita/${name}`, 'utf8'),
      ]),
    );
    const { network } = await networkOf(Object.keys(files), files);
    expect([network.sites.length, network.links.length, network.demands.length]).toEqual([40, 61, 780]);
  },
  60_000,
);

test.skipIf(data === null)(
  'maps of the Topology Zoo become files, too',
  async () => {
    const folder = `${data}/topologyzoo/graphml`;
    for (const file of ['Abilene.graphml', 'Geant2012.graphml', 'Cogentco.graphml']) {
      const { network } = await networkOf([file], { [file]: readFileSync(`${folder}/${file}`, 'utf8') });
      expect(network.sites.length, file).toBeGreaterThan(1);
      expect(network.links.length, file).toBeGreaterThan(0);
    }
  },
  60_000,
);

test('of very many pairs the largest are kept, with the share that they are', () => {
  const rows = Array.from({ length: 4000 }, (_, i) => ({ from: `a${i}`, to: 'b', gbps: i < 3000 ? 1 : 0.5 }));
  const notes: string[] = [];
  expect(draftDemands(rows, notes)).toHaveLength(3000);
  expect(notes).toEqual(['of 4000 pairs with demand only the 3000 largest are here, 85.7 % of the traffic']);
});

test('two topologies at once are refused, and so is what is none', async () => {
  const sndlib = '?SNDlib native format; type: network\nNODES (\n A\n)\nLINKS (\n)\nDEMANDS (\n)\n';
  const files = { a: sndlib, b: sndlib, c: 'hello' };
  expect((await cli(['import', 'topology', 'a', 'b'], { files })).stderr).toContain(
    'found sndlib, sndlib; allowed: one topology',
  );
  expect((await cli(['import', 'topology', 'c'], { files })).stderr).toContain('c:1: header: found "hello"');
  expect((await cli(['import', 'topology', 'nowhere'], { files })).code).toBe(2);
});

test.skipIf(gnpy === null)('a line system of GNPy keeps its spans', async () => {
  const name = 'meshTopologyExampleV2.json';
  const path = readdirSync(gnpy!, { recursive: true, encoding: 'utf8' }).find((one) => one.endsWith(name));
  expect(path).toBeDefined();
  const { network } = await networkOf([name], { [name]: readFileSync(`${gnpy}/${path}`, 'utf8') });
  expect(network.sites.length).toBe(5);
  expect(network.links.length).toBeGreaterThanOrEqual(4);
  for (const { fibre, lengthKm } of network.links) {
    const sum = fibre!.spansKm!.reduce((total, km) => total + km, 0);
    expect(sum).toBeCloseTo(lengthKm!, 6);
  }
});
