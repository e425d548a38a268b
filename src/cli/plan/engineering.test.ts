import { expect, test } from 'vitest';
import { engineeringReport } from '../../model/plan/engineering.ts';
import { cli } from '../../../test/fixtures/cli.ts';

/** A square 0-1-2-3: most traffic from 0 to 2, with the short way by 1. */
const graph = `NODES 4
label x y
a 0 0
b 0 0
c 0 0
d 0 0

EDGES 8
label src dest weight bw delay
ab 0 1 1 10 1
ba 1 0 1 10 1
bc 1 2 1 10 1
cb 2 1 1 10 1
cd 2 3 2 10 1
dc 3 2 2 10 1
da 3 0 2 10 1
ad 0 3 2 10 1
`;
const demands = `DEMANDS 2
label src dest bw
one 0 2 12
two 1 0 1
`;
const files = { 'x.graph': graph, 'x.demands': demands };
const args = ['plan', 'engineering', '--repetita', 'x.graph', 'x.demands'];

async function reportOf(...more: string[]) {
  const { stdout, code } = await cli([...args, ...more, '--json'], { files });
  expect(code).toBe(0);
  return engineeringReport.parse(JSON.parse(stdout));
}

test('a square: shortest paths overload one side, splitting halves it, and a failure brings it back', async () => {
  const report = await reportOf('--limit', '0.7', '--growth', '0.1', '--years', '2');
  expect(report.shortestPath.maxUtilisation).toBeCloseTo(1.2, 12);
  expect(report.maxUtilisation).toBeCloseTo(0.6, 9);
  expect(report.lowerBound).toBeCloseTo(0.6, 8);
  expect(report.headroom).toBeCloseTo(0.7 / 0.6, 8);
  expect(report.links.map(({ link }) => link)).toEqual(['ab', 'ba', 'bc', 'cb', 'cd', 'dc', 'da', 'ad']);
  const broken = report.failures.find(({ name }) => name === 'ab')!;
  expect(broken).toMatchObject({ kind: 'link', unroutedVolume: 0, strandedVolume: 0 });
  expect(broken.maxUtilisation).toBeCloseTo(1.2, 12);
  expect(broken.best!.maxUtilisation).toBeCloseTo(1.2, 8);
  const node = report.failures.find(({ name }) => name === 'c')!;
  expect(node).toMatchObject({ kind: 'node', strandedVolume: 12, maxUtilisation: 0.1 });
  // 0.6 · 1.1² = 0.726 is over 0.7; the best routing holds for 1.6 years.
  expect(report.years.map(({ best }) => best > 0.7)).toEqual([false, false, true]);
  // 1.2 · 1.21 / 0.7 = 2.07: three times its capacity.
  expect(report.upgrades.given[0]).toMatchObject({ link: 'ab', inYears: 0, units: 3 });
  expect(report.upgrades.best).toEqual([]);
  expect(report.findings.map(({ id, verdict }) => [id, verdict])).toEqual([
    ['link-over-limit', 'fail'],
    ['routing-spread', 'fail'],
  ]);
  expect(report.changes[0]).toMatchObject({ id: 'upgrade-link', target: 'ab' });
});

test('demands without a path are told and left out', async () => {
  const cut = {
    'x.graph': graph.replace('ba 1 0 1 10 1', 'ba 1 0 1 0 1').replace('bc 1 2 1 10 1', 'bc 1 2 1 0 1'),
    'x.demands': demands,
  };
  const { stdout } = await cli([...args, '--json'], { files: cut });
  const report = engineeringReport.parse(JSON.parse(stdout));
  expect(report.unroutedVolume).toBe(1);
  expect(report.findings.at(-1)).toMatchObject({ id: 'demand-without-path', verdict: 'fail' });
  expect(report.notes).toContain('2 edges have no capacity and are left out');
});

test('the text names the verdict, the links and what growth makes of them, within the width', async () => {
  const { stdout } = await cli(args, { files, columns: 80 });
  expect(stdout).toContain('routing as given');
  expect(stdout).toMatch(/best routing .*60 % \(proved least\)/);
  expect(stdout).toContain('ab (a – b)');
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
});

test('mistakes name file, line and key; flags that do not fit are refused', async () => {
  const wrong = await cli(args, { files: { ...files, 'x.demands': demands.replace('0 2 12', '0 9 12') } });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('x.demands:3: DEMANDS dest: found "9"; allowed: a node from 0 to 3');
  expect((await cli(['plan', 'engineering', '--repetita', 'x.graph'], { files })).code).toBe(2);
  expect((await cli(['plan', 'engineering', '--repetita', 'x.graph', '--sndlib', 'y'], { files })).code).toBe(2);
});

test('SNDlib: modules are the cheapest that hold the load, and what is assumed is said', async () => {
  const sndlib = `?SNDlib native format; type: network; version: 1.0
NODES (
  A
  B
)
LINKS (
  L ( A B ) 0 0 0 0 ( 10 5 40 16 )
)
DEMANDS (
  D ( A B ) 1 48 UNLIMITED
)
`;
  const { stdout } = await cli(['plan', 'engineering', '--sndlib', 's.txt', '--limit', '1', '--years', '0', '--json'], {
    files: { 's.txt': sndlib },
  });
  const report = engineeringReport.parse(JSON.parse(stdout));
  expect(report.maxUtilisation).toBeCloseTo(4.8, 9);
  expect(report.modules).toMatchObject({ cost: 21, links: [{ link: 'L', load: 48, capacity: 50 }] });
  expect(report.notes[0]).toContain('1 of 1 links have nothing installed');
});

const network = `version: 1
sites:
  - { name: a, role: dc, location: { lat: 50, lon: 8 } }
  - { name: b, role: dc, location: { lat: 51, lon: 8 } }
  - { name: c, role: dc }
nodes:
  - { name: r1, site: a }
riskGroups:
  - { name: duct }
links:
  - { name: short, from: r1, to: b, capacityGbps: 100, lengthKm: 100, riskGroups: [duct] }
  - { name: there, from: a, to: c, capacityGbps: 100, lengthKm: 100, riskGroups: [duct] }
  - { name: on, from: c, to: b, capacityGbps: 100, lengthKm: 100 }
  - { name: far, from: a, to: b, capacityGbps: 40, rttMs: 9 }
demands:
  - { name: copy, from: a, to: b, gbps: 60, backGbps: 10 }
planning: { years: 2, growthPerYear: 0.5, maxUtilisation: 0.7 }
`;

test('a network file: traffic of its demands, devices at their sites, risk groups among the failures', async () => {
  const { stdout } = await cli(['plan', 'engineering', 'n.yaml', '--json'], { files: { 'n.yaml': network } });
  const report = engineeringReport.parse(JSON.parse(stdout));
  expect(report.source).toMatchObject({ kind: 'network', unit: 'Gbit/s', links: 4, volume: 70 });
  expect(report).toMatchObject({ limit: 0.7, growthPerYear: 0.5 });
  expect(report.links.map(({ link }) => link)).toEqual(['short', 'short', 'there', 'there', 'on', 'on', 'far', 'far']);
  expect(report.shortestPath.maxUtilisation).toBeCloseTo(0.6, 9);
  // 60 over 100 + 100 + 40.
  expect(report.maxUtilisation).toBeCloseTo(0.25, 9);
  expect(report.failures.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'link short',
    'link there',
    'link on',
    'link far',
    'node r1',
    'site a',
    'site b',
    'site c',
    'risk-group duct',
  ]);
  const duct = report.failures.at(-1)!;
  expect(duct).toMatchObject({ hottest: 'far', unroutedVolume: 0 });
  expect(duct.maxUtilisation).toBeCloseTo(1.5, 9);
  expect(report.findings[0]).toMatchObject({ id: 'link-over-limit', verdict: 'fail' });
  expect(report.upgrades.given[0]).toMatchObject({ link: 'far', because: 'load after duct fails', inYears: 0 });
  const short = report.upgrades.given.find(({ link }) => link === 'short')!;
  expect(short.inYears).toBeCloseTo(Math.log(0.7 / 0.6) / Math.log(1.5), 9);
});

test('a link of unknown capacity is not judged, and then nothing passes', async () => {
  const unknown = network
    .replace('capacityGbps: 40, ', '')
    .replace('gbps: 60', 'gbps: 6')
    .replace('growthPerYear: 0.5', 'growthPerYear: 0');
  const { stdout } = await cli(['plan', 'engineering', 'n.yaml', '--json'], { files: { 'n.yaml': unknown } });
  const report = engineeringReport.parse(JSON.parse(stdout));
  expect(report.findings[0]).toMatchObject({ verdict: 'unknown', coverage: 0.75 });
  expect(report.links.some(({ link }) => link === 'far')).toBe(false);
  expect(report.notes.join()).toContain('no capacityGbps is known of far');
});

test('other weights: set as the change says, they do what it says', async () => {
  const report = await reportOf('--optimise-weights', '--no-failures', '--years', '0');
  const { weights } = report;
  expect(weights!.maxUtilisation).toBeCloseTo(0.6, 9);
  expect(report.findings.find(({ id }) => id === 'link-weights')).toMatchObject({
    verdict: 'fail',
    severity: 'warning',
  });
  expect(report.changes[0]).toMatchObject({ id: 'set-link-weights', buys: [{ before: 1.2 }] });
  const set = graph.replace(/^(\w+) (\d \d) \d+ 10 1$/gm, (line, link: string, ends: string) => {
    const changed = weights!.changed.find((one) => one.link === link);
    return changed ? `${link} ${ends} ${changed.after} 10 1` : line;
  });
  expect(set).not.toBe(graph);
  const again = await cli([...args, '--no-failures', '--years', '0', '--json'], {
    files: { ...files, 'x.graph': set },
  });
  const { shortestPath } = engineeringReport.parse(JSON.parse(again.stdout));
  expect(shortestPath.maxUtilisation).toBeCloseTo(weights!.maxUtilisation, 9);
});

test('carriers fail, too', async () => {
  const network = `version: 1
sites: [{ name: a, role: dc }, { name: b, role: dc }]
carriers: [{ name: north }]
links:
  - { name: one, from: a, to: b, rttMs: 1, capacityGbps: 10, carrier: north }
  - { name: two, from: a, to: b, rttMs: 2, capacityGbps: 4, carrier: north }
  - { name: three, from: a, to: b, rttMs: 3, capacityGbps: 2 }
demands: [{ name: copies, from: a, to: b, gbps: 1, backGbps: 0 }]
`;
  const ran = await cli(['plan', 'engineering', 'n.yaml', '--load', 'mean', '--json'], {
    files: { 'n.yaml': network },
  });
  const { failures } = engineeringReport.parse(JSON.parse(ran.stdout));
  const carrier = failures.find(({ kind }) => kind === 'carrier')!;
  expect(carrier).toMatchObject({ name: 'north', hottest: 'three' });
  expect(carrier.maxUtilisation).toBeCloseTo(0.5, 9);
});
