import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { readGnpy } from './from-gnpy/from-gnpy.ts';
import { finish, lightpath } from './lightpath.ts';
import { receive } from './receive.ts';

/** What GNPy computed for one case; channels by column. */
interface Expected {
  name: string;
  topology: string;
  equipment: string;
  source: string;
  destination: string;
  sim_params: { nli: Record<string, unknown>; raman: Record<string, unknown> };
  path: string[];
  launch: { tx_power_w: number[]; tx_osnr_db: number[] };
  channels: Record<string, number[]>;
}

const folder = sharedData('gnpy');
const names = folder
  ? readdirSync(`${folder}/expected`).flatMap((file) =>
      existsSync(`${folder}/expected/${file.replace('.json', '.trace.json')}`) ? [file.slice(0, -5)] : [],
    )
  : [];

function read(path: string): { name: string; text: string } {
  return { name: path, text: readFileSync(`${folder}/${path}`, 'utf8') };
}

/** The channels of a case as a spectrum file. */
function spectrumOf({ channels, launch }: Expected): { name: string; text: string } {
  const list = channels['frequency_hz']!.map((hz, i) => ({
    frequencyThz: hz / 1e12,
    baudRateGbd: channels['baud_rate']![i]! / 1e9,
    slotWidthGhz: channels['slot_width']![i]! / 1e9,
    rollOff: channels['roll_off']![i],
    txPowerDbm: 10 * Math.log10(launch.tx_power_w[i]! * 1e3),
    txOsnrDb: launch.tx_osnr_db[i],
  }));
  return { name: 'spectrum', text: JSON.stringify({ channels: list }) };
}

function compute(expected: Expected, topology: string, withSpectrum: boolean) {
  const simParams = { raman_params: expected.sim_params.raman, nli_params: expected.sim_params.nli };
  const reading = readGnpy({
    topology: read(topology),
    equipment: read(`inputs/${expected.equipment}`),
    simParams: { name: 'sim-params', text: JSON.stringify(simParams) },
    spectrum: withSpectrum ? spectrumOf(expected) : undefined,
    configs: new Map(),
  });
  if (!reading.ok) throw new Error(JSON.stringify(reading.mistakes));
  return finish(lightpath(reading.value, expected.source, expected.destination));
}

/** Largest difference of two columns. */
function off(found: readonly number[], wanted: readonly number[] | undefined): number {
  expect(found.length).toBe(wanted?.length);
  return found.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted![i]!)), 0);
}

function expectSame(expected: Expected, topology: string, withSpectrum = true): void {
  const path = compute(expected, topology, withSpectrum);
  const received = receive(path);
  const { channels } = expected;
  expect(path.path.map(({ uid }) => uid)).toEqual(expected.path);
  expect(
    off(
      received.map((c) => c.gsnrDb01nm),
      channels['gsnr_db_01nm'],
    ),
  ).toBeLessThan(1e-6);
  expect(
    off(
      received.map((c) => c.gsnrDbSignal),
      channels['gsnr_db_signal_bw'],
    ),
  ).toBeLessThan(1e-6);
  expect(
    off(
      received.map((c) => c.osnrAseDb01nm),
      channels['osnr_ase_db_01nm'],
    ),
  ).toBeLessThan(1e-6);
  expect(
    off(
      received.map((c) => 1e-3 * 10 ** (c.powerDbm / 10)),
      channels['pch_out_w'],
    ),
  ).toBeLessThan(1e-9);
  // The file with fixed amplifiers has lengths rounded to a millimetre.
  expect(
    off(
      received.map((c) => c.cdPsPerNm),
      channels['cd_ps_nm'],
    ),
  ).toBeLessThan(1e-4);
  expect(
    off(
      received.map((c) => c.pmdPs),
      channels['pmd_ps'],
    ),
  ).toBeLessThan(1e-6);
  expect(
    off(
      received.map((c) => c.pdlDb),
      channels['pdl_db'],
    ),
  ).toBeLessThan(1e-9);
  expect(path.comb.latencyS * 1e3).toBeCloseTo(channels['latency_ms']![0]!, 7);
}

const load = (name: string) => JSON.parse(read(`expected/${name}.json`).text) as Expected;

describe('every channel of the cases that GNPy computed, within 1e-6 dB', () => {
  test.skipIf(folder === null)('the reference cases are there', () => expect(names.length).toBeGreaterThan(10));

  test.each(names)('%s, amplifiers designed here', (name) => {
    const expected = load(name);
    expectSame(expected, `inputs/${expected.topology}`);
  });

  test.each(names)('%s, amplifiers as they were designed', (name) => {
    expectSame(load(name), `expected/${name}.designed-path.json`);
  });

  test.each(
    ['p2p_edfa_example', 'mesh_brest_lannion', 'coronet_conus_ny_chicago', 'openroadm_v4_stockholm_gothenburg'].filter(
      (name) => names.includes(name),
    ),
  )('%s, with the channels of its equipment file', (name) => {
    const expected = load(name);
    expectSame(expected, `inputs/${expected.topology}`, false);
  });
});
