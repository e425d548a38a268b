import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import type { OpticalReport } from '../../model/plan/optical.ts';
import type { OpticalNetworkReport } from '../../model/plan/optical-network.ts';
import { runCli } from '../run.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../../test/fixtures/optical/${name}.json`, import.meta.url), 'utf8');
const [topology, equipment] = [fixture('topology'), fixture('equipment')];
const gnpy = JSON.parse(fixture('gnpy')) as {
  path: string[];
  amplifiers: { uid: string; model: string; gainDb: number }[];
  gsnrDb01nm: number[];
};

async function run(args: string[], files: Record<string, string> = {}) {
  const io = fakeIo({ files: { '/home/test/t.json': topology, '/home/test/e.json': equipment, ...files } });
  const code = await runCli(['plan', 'optical', ...args], io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

const both = ['--gnpy', 't.json', '--equipment', 'e.json'];

describe('plan optical', () => {
  test('gives the numbers of GNPy for a topology that it has to design', async () => {
    const { code, stdout } = await run([...both, '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as OpticalReport;
    expect(report.elements.map(({ uid }) => uid)).toEqual(gnpy.path.slice(1, -1));
    const amplifiers = report.elements.filter(({ kind }) => kind === 'amplifier');
    for (const [i, { uid, model, gainDb }] of gnpy.amplifiers.entries()) {
      expect(amplifiers[i]).toMatchObject({ uid, model });
      expect(amplifiers[i]!.gainDb).toBeCloseTo(gainDb, 9);
    }
    for (const [i, db] of gnpy.gsnrDb01nm.entries()) expect(report.channels[i]!.gsnrDb01nm).toBeCloseTo(db, 9);
  });

  test('says what the worked example of its page says', async () => {
    const page = readFileSync(new URL('../../../docs/plan/optical.md', import.meta.url), 'utf8').replaceAll(
      /\s+/g,
      ' ',
    );
    const report = JSON.parse((await run([...both, '--json'])).stdout) as OpticalReport;
    expect(page).toContain(`${report.worstGsnrDb01nm.toFixed(2)} dB on the worst channel`);
    expect(page).toContain(
      `${report.meanGsnrDb01nm.toFixed(2)} dB in the mean, after ${report.latencyMs.toFixed(2)} ms`,
    );
    const margin = (name: string) => report.modes.find((mode) => mode.name === name)!.marginDb;
    expect(page).toContain(`400G 16QAM at 63 GBd closes with ${margin('OR-W-400G-oFEC-63.1Gbd')!.toFixed(1)} dB`);
    expect(page).toContain(`800G 16QAM at 118 GBd is ${(-margin('OR-W-800G-oFEC-118Gbd')!).toFixed(1)} dB short`);
    expect(margin('400ZR')).toBeNull();
  });

  test('takes channels of the user and says which ones no amplifier carries', async () => {
    const channel = (frequencyThz: number) => ({ frequencyThz, baudRateGbd: 64, slotWidthGhz: 75 });
    const spectrum = JSON.stringify({ channels: [channel(193.1), channel(193.2), channel(197)] });
    const { stdout } = await run([...both, '--spectrum', 's.json', '--json'], { '/home/test/s.json': spectrum });
    const report = JSON.parse(stdout) as OpticalReport;
    expect(report.channels.map((c) => c.frequencyThz)).toEqual([193.1, 193.2]);
    expect(report.notCarriedThz).toEqual([197]);
  });

  test('prints verdict, channels and amplifiers within the width of the terminal', async () => {
    const { stdout } = await run(both);
    expect(stdout).toContain('CLOSES');
    expect(stdout).toContain('1.6T (assumed)');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('names file, line and key of every mistake, and ends with 2', async () => {
    const broken = topology.replace('"length": 80', '"length": -80').replace('"inline"', '"unknown"');
    const { code, stderr } = await run(both, { '/home/test/t.json': broken });
    expect(code).toBe(2);
    expect(stderr).toMatch(/t\.json:10:\d+: elements\[2\]\.params\.length: /);
    const other = await run(both, { '/home/test/t.json': topology.replace('"inline"', '"unknown"') });
    expect(other.stderr).toMatch(
      /t\.json:15:\d+: elements\[3\]\.type_variety: unknown is no Edfa of the equipment file/,
    );
  });

  test('asks for what is missing and knows near names', async () => {
    expect((await run(['--gnpy', 't.json'])).stderr).toContain('--equipment: is required');
    const near = await run([...both, '--from', 'trx nort']);
    expect(near.code).toBe(2);
    expect(near.stderr).toContain('did you mean trx north?');
    expect((await run([...both, '--from', 'trx north', '--to', 'trx north'])).stderr).toContain('same place');
    expect((await run(['--gnpy', 'absent.json', '--equipment', 'e.json'])).stderr).toContain('absent.json');
  });

  test('tells when no way leads to the other end', async () => {
    const { code, stderr } = await run([...both, '--from', 'trx south', '--to', 'trx north']);
    expect(code).toBe(2);
    expect(stderr).toContain('no path leads from here to trx north');
  });

  test('of a network file: own fibre, wavelengths for the traffic, and what is no fibre of ours', async () => {
    const network = readFileSync(new URL('../../../test/fixtures/optical/network.yaml', import.meta.url), 'utf8');
    const files = { 'network.yaml': network };
    const { code, stdout } = await run(['network.yaml', '--json'], files);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as OpticalNetworkReport;
    expect(report.links.map(({ name, spansKm }) => [name, spansKm.length])).toEqual([
      ['fra-zrh', 5],
      ['zrh-mil', 4],
    ]);
    const [milan, zurich, paris] = report.lightpaths;
    expect(milan).toMatchObject({ from: 'frankfurt', to: 'milan', links: ['fra-zrh', 'zrh-mil'], why: '' });
    expect(zurich!.wavelengths[0]!.count * zurich!.wavelengths[0]!.gbps).toBeGreaterThanOrEqual(zurich!.gbps);
    expect(paris!.why).toContain('no own fibre');
    expect(report.spectrum).toMatchObject({ fits: true, totalSlots: 384 });
    const text = (await run(['network.yaml'], files)).stdout;
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect((await run(['network.yaml', '--from', 'a'], files)).stderr).toContain('cannot go with a network file');
  });
});

describe('plan optical of a network file that is ended early', () => {
  const places = Array.from({ length: 41 }, (_, i) => `  - { name: s${i}, role: dc }`).join('\n');
  const links = Array.from(
    { length: 40 },
    (_, i) => `  - { name: l${i}, from: s${i}, to: s${i + 1}, kind: darkFibre, lengthKm: 1600 }`,
  ).join('\n');
  const network = `version: 1\nsites:\n${places}\nlinks:\n${links}\ndemands: [{ name: d, from: s0, to: s40, gbps: 400 }]\n`;

  test.each([
    ['interrupted', [], 130],
    ['time limit', ['--time-limit', '0.001'], 0],
  ] as const)('%s: prints the links so far and says what was not looked at', async (ended, flags, expected) => {
    const io = fakeIo({ files: { 'n.yaml': network }, realClock: true });
    if (ended === 'interrupted') io.interrupt();
    expect(await runCli(['plan', 'optical', 'n.yaml', '--json', ...flags], io)).toBe(expected);
    const report = JSON.parse(io.stdout()) as OpticalNetworkReport;
    expect(report.ended).toBe(ended);
    expect(report.of).toEqual({ links: 40, lightpaths: 1 });
    expect(report.links.length).toBeGreaterThan(0);
    expect(report.links.length).toBeLessThan(40);
    expect(report.lightpaths).toEqual([]);
  });
});
