import { describe, expect, it } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { placementCase, placementPlan } from '../../model/plan/placement.ts';
import { seededRandom } from '../../stats/random.ts';
import { parseArgs } from '../args.ts';
import { plan } from '../commands/plan.ts';

async function run(argv: readonly string[], files: Record<string, string>, interrupt = false) {
  const io = fakeIo({ realClock: true, files });
  const { command, flags, positionals, rest } = parseArgs(plan, ['placement', ...argv]);
  const ended = command.run({ flags, positionals, rest, io });
  if (interrupt) io.interrupt();
  return { code: await ended, stdout: io.stdout(), stderr: io.stderr() };
}

/** A hub and its three neighbours, the last of them far off. */
const star = '4 3 1\n1 2 3\n1 3 4\n1 4 50\n';

/** Large enough to be stopped in the middle of it. */
function large(): string {
  const random = seededRandom(1);
  const [nodes, edges] = [600, 7000];
  const node = () => 1 + Math.floor(random() * nodes);
  const path = Array.from({ length: nodes - 1 }, (_, at) => `${at + 1} ${at + 2} ${1 + Math.floor(random() * 100)}`);
  const rest = Array.from(
    { length: edges - path.length },
    () => `${node()} ${node()} ${1 + Math.floor(random() * 100)}`,
  );
  return [`${nodes} ${edges} 8`, ...path, ...rest].join('\n');
}

describe('inferpath plan placement --pmed', () => {
  it('counts nodes as the file does, and proves what it found', async () => {
    const { code, stdout } = await run(['--pmed', 'a.txt', '--json'], { 'a.txt': star });
    expect(code).toBe(0);
    expect(placementCase.parse(JSON.parse(stdout))).toMatchObject({
      objective: 57,
      lowerBound: 57,
      gap: 0,
      proven: true,
      open: [1],
    });
  });

  it('asks for the least greatest distance with --problem centre', async () => {
    const { stdout } = await run(['--pmed', 'a.txt', '--problem', 'centre', '--json'], {
      'a.txt': star.replace('1 2 3', '1 2 30'),
    });
    expect(placementCase.parse(JSON.parse(stdout))).toMatchObject({
      problem: 'centre',
      objective: 50,
      lowerBound: 50,
      open: [1],
    });
  });

  it('opens as many as the file says, also when fewer serve as well', async () => {
    const { stdout } = await run(['--pmed', 'a.txt', '--json'], { 'a.txt': '3 2 3\n1 2 0\n2 3 0\n' });
    expect(placementCase.parse(JSON.parse(stdout))).toMatchObject({ objective: 0, open: [1, 2, 3], proven: true });
  });

  it('says in words what was found and what is not known', async () => {
    const { stdout } = await run(['--pmed', 'a.txt'], { 'a.txt': star });
    expect(stdout).toMatch(/^a\.txt: median of 4 clients and 4 sites, at most 1 to open\nsum of distances 57, proven/);
    const { stdout: cut } = await run(['--pmed', 'b.txt', '--time-limit', '0.001'], { 'b.txt': large() });
    expect(cut.replace(/\s+/g, ' ')).toMatch(/at most [\d.]+ % above the least \(the time was over\)/);
  });

  it('prints the best so far with its bound when it is interrupted', async () => {
    const { code, stdout } = await run(['--pmed', 'b.txt', '--json'], { 'b.txt': large() }, true);
    expect(code).toBe(130);
    const report = placementCase.parse(JSON.parse(stdout));
    expect(report).toMatchObject({ stopped: 'interrupted', proven: false });
    expect(report.open).toHaveLength(8);
    expect(report.lowerBound).toBeLessThan(report.objective!);
  });

  it.each([
    [['--pmed', 'a.txt'], '4 3 1\n1 2 x\n', 'a.txt:2: length: found "x"; allowed: a number ≥ 0'],
    [['--pmed', 'a.txt'], '4 2 1\n1 2 3\n3 4 3\n', 'a.txt: found nodes that no path joins; allowed: a connected graph'],
    [['--pmed', 'b.txt'], star, 'Cannot read "b.txt"'],
    [[], star, 'found no network.yaml, --pmed FILE or --cflp FILE'],
  ])('%j of %j is refused', async (argv, text, message) => {
    await expect(run(argv, { 'a.txt': text })).rejects.toThrow(message);
  });
});

const network = `version: 1
sites:
  - { name: london, role: user, location: { lat: 51.51, lon: -0.13 }, users: 6000 }
  - { name: madrid, role: user, location: { lat: 40.42, lon: -3.7 }, users: 3000 }
  - { name: new-york, role: user, location: { lat: 40.71, lon: -74.01 }, users: 1000 }
  - { name: frankfurt, role: dc, location: { lat: 50.11, lon: 8.68 } }
endpoints:
  - { name: chat, url: 'https://chat.example', site: frankfurt, workload: assistant }
workloads:
  - { name: assistant, class: chat, targets: { networkRttMs: { max: 30 } } }
candidates:
  - { name: frankfurt, site: frankfurt, isOpen: true, mayClose: true, monthly: 900 }
  - { name: london-edge, site: london, monthly: 400 }
  - { name: ashburn, location: { lat: 39.04, lon: -77.49 }, monthly: 500 }
links:
  - { name: lon-fra, from: london, to: frankfurt, rttMs: 12 }
`;

describe('inferpath plan placement network.yaml', () => {
  it('says the fewest sites that cover enough, with what each change buys', async () => {
    const { code, stdout } = await run(['n.yaml', '--json'], { 'n.yaml': network });
    const report = placementPlan.parse(JSON.parse(stdout));
    expect(report).toMatchObject({ fewest: 2, fewestLowerBound: 2, open: ['london-edge', 'ashburn'], proven: true });
    expect(report.target).toMatchObject({ value: 30, how: 'networkRttMs of the workload assistant' });
    expect(report.now).toMatchObject({ open: ['frankfurt'], coverage: 0.9 });
    expect(report.changes.map(({ id, target }) => `${id} ${target}`)).toEqual([
      'open-site ashburn',
      'open-site london-edge',
      'close-site frankfurt',
    ]);
    expect(report.changes[0]?.buys[0]).toEqual({
      metric: 'users inside the target',
      before: 90,
      after: 100,
      unit: '%',
    });
    expect(report.curve.map(({ sites }) => sites)).toEqual([1, 2, 3]);
    expect(report.findings).toMatchObject([{ id: 'placement-coverage', verdict: 'fail', confidence: 'low' }]);
    expect(code).toBe(1);
  });

  it('takes the round trip of links before that of the map, and says so', async () => {
    const { stdout } = await run(['n.yaml', '--json', '--max-sites', '1', '--coverage', '0.5'], { 'n.yaml': network });
    const report = placementPlan.parse(JSON.parse(stdout));
    expect(report.origins.map(({ origin, ways }) => `${origin} ${ways}`)).toEqual(['assumed 7', 'computed 2']);
    expect(report.findings).toMatchObject([{ verdict: 'pass' }]);
  });

  it('takes more users and candidates from lists', async () => {
    const files = {
      'n.yaml': network,
      'c.csv': 'name,lat,lon,population\nsydney,-33.9,151.2,4000\n',
      'r.csv': 'name,lat,lon\nsyd,-33.8,151.1\n',
    };
    const { stdout } = await run(['n.yaml', '--json', '--cities', 'c.csv', '--regions', 'r.csv'], files);
    const report = placementPlan.parse(JSON.parse(stdout));
    expect(report).toMatchObject({ users: 14_000, places: 4, fewest: 3, fewestLowerBound: 3 });
    expect(report.open).toContain('syd');
    await expect(run(['n.yaml', '--cities', 'r.csv'], files)).rejects.toThrow('r.csv:1: users: found no such column');
  });

  it('believes what was measured first', async () => {
    const at = '2026-01-01T00:00:00.000Z';
    const base = { kind: 'ping', at, from: 'madrid', to: 'chat', how: 'test', address: '127.0.0.1', method: 'icmp' };
    const observations = [33, 34, 35].map((rttMs, sequence) => ({
      ...base,
      outcome: { kind: 'answered' },
      rttMs,
      sequence,
    }));
    const files = { 'n.yaml': network, 'o.json': JSON.stringify({ observations }) };
    const { stdout } = await run(['n.yaml', '--json', '--observations', 'o.json'], files);
    const report = placementPlan.parse(JSON.parse(stdout));
    expect(report.now).toMatchObject({ coverage: 0.6 });
    expect(report.origins).toContainEqual({ origin: 'measured', how: 'median of measured round trips', ways: 1 });
  });

  it('says that no choice is enough, and that this is proven', async () => {
    const { code, stdout } = await run(['n.yaml', '--target', '1', '--coverage', '1'], { 'n.yaml': network });
    expect(stdout.replace(/\s+/g, ' ')).toContain('no 3 sites of the candidates reach 100 %, which is proven');
    expect(code).toBe(1);
  });

  it.each([
    ['version: 1\n', 'n.yaml: users: found no site with users'],
    [
      'version: 1\nsites: [{ name: a, role: user, users: 5 }, { name: b, role: dc }]\n',
      'n.yaml: sites: a has users and neither a location nor links to a candidate',
    ],
  ])('%j is refused', async (text, message) => {
    await expect(run(['n.yaml'], { 'n.yaml': text })).rejects.toThrow(message);
  });
});

describe('inferpath plan placement --cities --regions', () => {
  const open = ['--cities', 'top:6', '--countries', 'DE', '--regions', 'aws:eu-,google:europe-west3'];

  it('needs no file: cities by inhabitants, regions by provider, and says where both come from', async () => {
    const { stdout } = await run([...open, '--target', '9', '--json'], {});
    const report = placementPlan.parse(JSON.parse(stdout));
    expect(report).toMatchObject({ places: 6, wantedCoverage: 0.95 });
    expect(report.candidates).toHaveLength(9);
    expect(report.users).toBeGreaterThan(8e6);
    expect(report.open.every((name) => /Frankfurt/.test(name))).toBe(true);
    expect(report.notes.join()).toMatch(
      /GeoNames.*every inhabitant counts as a user.*regions of clouds as of \d{4}-\d\d-\d\d/,
    );
  });

  it('spreads --users by inhabitants, and puts them beside those of a file', async () => {
    const args = ['n.yaml', '--cities', 'over:1000000', '--countries', 'de', '--users', '500', '--json'];
    const { stdout } = await run(args, { 'n.yaml': network });
    const report = placementPlan.parse(JSON.parse(stdout));
    expect(report.places).toBe(6);
    expect(report.users).toBeCloseTo(10_500, 6);
  });

  it.each([
    [['--cities', 'top:0', '--regions', 'aws'], '--cities: found "top:0"; allowed: top:N with N from 1 to 10000'],
    [['--cities', 'over:50', '--regions', 'aws'], 'allowed: over:N with N from 100000'],
    [['--cities', 'top:5', '--countries', 'DE,XX', '--regions', 'aws'], '--countries: found "XX"'],
    [['--cities', 'top:5', '--regions', 'aws,gogle'], '--regions: found "gogle", did you mean google?'],
    [['--cities', 'top:5', '--regions', 'aws:europe'], 'found no region aws europe…'],
    [['--cities', 'c.csv', '--countries', 'DE', '--regions', 'aws'], '--countries: found beside a file'],
    [['--cities', 'top:5'], 'found no network.yaml'],
    [['n.yaml', '--users', '5'], 'found without --cities'],
  ])('%j is refused', async (argv, message) => {
    await expect(run(argv, { 'n.yaml': network })).rejects.toThrow(message);
  });
});
