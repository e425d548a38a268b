import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Amplifier, noiseFigureDb } from './amplifier.ts';
import { type Channel, combOf } from './comb.ts';
import { constant } from './curve.ts';
import type { Fibre } from './fibre.ts';
import { mixingAlong, mixingAt, mixingTable, spanIntegral } from './ggn-kernel.ts';
import { glassTable } from './glass-table.ts';
import { gnNli } from './gn.ts';
import { finish } from './lightpath.ts';
import { glassOfKind, inline } from './network/catalogue.ts';
import { DEFAULT_SIMULATION, propagate, type Simulation } from './propagate.ts';
import { receive } from './receive.ts';
import { powerProfile } from './srs.ts';
import type { Element } from './system.ts';
import { twoCoils } from './two-coils.ts';
import { roundToStep } from './units.ts';

const glass = glassOfKind('ssmf', 0.2);

function channels(count: number, baudHz: (i: number) => number = () => 32e9): Channel[] {
  return Array.from({ length: count }, (_, i) => ({
    frequencyHz: 192e12 + i * 75e9,
    baudHz: baudHz(i),
    slotHz: 75e9,
    rollOff: 0.15,
    txPowerW: 1e-3,
    txOsnrDb: 40,
    offsetDb: 0,
  }));
}

function fibre(lengthM: number, more: Partial<Fibre> = {}): Fibre {
  return {
    kind: 'fibre',
    uid: 'span',
    glass,
    lengthM,
    attInDb: 0,
    connectorInDb: 0.5,
    connectorOutDb: 0.5,
    lumped: [],
    pumps: [],
    temperatureK: 293,
    ...more,
  };
}

function amplifier(gainDb: number): Amplifier {
  return {
    kind: 'amplifier',
    uid: 'a',
    model: inline,
    gainDb,
    deltaPDb: 0,
    tiltDb: 0,
    outVoaDb: 0,
    inVoaDb: 0,
    allowed: [],
  };
}

const end = (uid: string): Element => ({ kind: 'transceiver', uid, designBands: [], perDegreeBands: new Map() });
const through = (line: Element[], list: Channel[], simulation: Simulation = DEFAULT_SIMULATION) =>
  finish(propagate([end('tx'), ...line, end('rx')], combOf(list), simulation));

test('signal, amplifier noise and interference are all of the power, whatever is passed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ km: fc.integer({ min: 30, max: 150 }), gain: fc.integer({ min: 0, max: 7 }) }), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.integer({ min: 1, max: 24 }),
      (spans, count) => {
        const line = spans.flatMap(({ km, gain }) => [fibre(km * 1e3), amplifier(gain)]);
        const { comb } = through(line, channels(count));
        for (let i = 0; i < comb.count; i++) {
          const shares = [comb.signalShare[i]!, comb.aseShare[i]!, comb.nliShare[i]!];
          expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
          for (const share of shares) expect(share).toBeGreaterThanOrEqual(0);
        }
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});

test('power that no model holds for is refused, not computed', () => {
  expect(() =>
    through(
      [fibre(1e3), amplifier(20), fibre(80e3)],
      channels(1).map((c) => ({ ...c, txPowerW: 1 })),
    ),
  ).toThrow('beyond');
});

test('a span more never makes a channel better, and latency and dispersion add up', () => {
  const span = [fibre(80e3), amplifier(17)];
  let before = Infinity;
  for (let spans = 1; spans <= 5; spans++) {
    const arrival = through(Array.from({ length: spans }, () => span).flat(), channels(8));
    const worst = Math.min(...receive(arrival).map(({ gsnrDb01nm }) => gsnrDb01nm));
    expect(worst).toBeLessThan(before);
    before = worst;
    expect(arrival.comb.latencyS).toBeCloseTo((spans * 80e3 * 1.468) / 299_792_458, 12);
    expect(receive(arrival)[0]!.cdPsPerNm).toBeCloseTo(spans * 16.7 * 80, 0);
  }
});

test('interference grows with the cube of the power', () => {
  const comb = combOf(channels(5));
  const twice = combOf(channels(5).map((channel) => ({ ...channel, txPowerW: 2e-3 })));
  const table = glassTable(glass, comb);
  const [one, eight] = [gnNli(comb, table, 80e3), gnNli(twice, table, 80e3)];
  for (let i = 0; i < 5; i++) expect(eight[i]! / one[i]!).toBeCloseTo(8, 9);
});

test('on an even grid the short way of the closed model gives what the long way gives', () => {
  const even = combOf(channels(20));
  const odd = combOf(channels(20, (i) => (i === 19 ? 32e9 * (1 + 1e-13) : 32e9)));
  const a = gnNli(even, glassTable(glass, even), 80e3);
  const b = gnNli(odd, glassTable(glass, odd), 80e3);
  for (let i = 0; i < 20; i++) expect(a[i]! / b[i]!).toBeCloseTo(1, 9);
});

test('Raman scattering moves power from high to low frequencies and makes none', () => {
  const comb = combOf(channels(30));
  const table = glassTable(glass, comb);
  const on = { ...DEFAULT_SIMULATION.raman, on: true };
  const fine = { ...on, method: 'numerical', solverStepM: 20 } as const;
  const ends = (settings: typeof on | typeof fine) => {
    const { loss, zM } = powerProfile(comb, fibre(80e3), table, settings);
    return Array.from({ length: 30 }, (_, i) => loss[(i + 1) * zM.length - 1]!);
  };
  const [perturbed, stepped] = [ends(on), ends(fine)];
  const alone = Math.exp(-table.alpha[0]! * 80e3);
  expect(perturbed[0]).toBeGreaterThan(alone);
  expect(perturbed[29]).toBeLessThan(alone);
  for (let i = 1; i < 30; i++) expect(perturbed[i]).toBeLessThan(perturbed[i - 1]!);
  expect(perturbed.reduce((a, b) => a + b) / 30).toBeLessThanOrEqual(alone * (1 + 1e-5));
  for (let i = 0; i < 30; i++) expect(stepped[i]! / perturbed[i]!).toBeCloseTo(1, 2);
});

test('a splice takes its loss at its place, with and without Raman scattering', () => {
  const spliced = fibre(80e3, { lumped: [{ positionM: 30e3, lossDb: 2 }] });
  for (const on of [false, true]) {
    const simulation = { ...DEFAULT_SIMULATION, raman: { ...DEFAULT_SIMULATION.raman, on } };
    const [plain, lossy] = [
      through([fibre(80e3)], channels(3), simulation),
      through([spliced], channels(3), simulation),
    ];
    for (let i = 0; i < 3; i++)
      expect(lossy.comb.powerW[i]! / plain.comb.powerW[i]!).toBeCloseTo(10 ** -0.2, on ? 4 : 12);
  }
});

test('the quick mixing along many mismatches is the slow one at each, also where places are uneven', () => {
  fc.assert(
    fc.property(
      fc.constantFrom([0, 10e3, 20e3, 30e3, 35e3], [0, 80e3], [0, 10e3, 13e3, 20e3, 30e3]),
      fc.double({ min: -1e-5, max: 1e-5, noNaN: true }),
      fc.double({ min: -1e-8, max: 1e-8, noNaN: true }),
      (places, linear, quadratic) => {
        const zM = Float64Array.from(places);
        const loss = zM.map((z) => Math.exp(-4.6e-5 * z) * (1 + z / 1e6));
        const span = spanIntegral(zM, loss, 0, 4.6e-5);
        const out = new Float64Array(600);
        mixingAlong(span, linear, quadratic, 600, out);
        for (const k of [0, 1, 255, 256, 599]) {
          const direct = mixingAt(span, k * (linear + quadratic * k));
          expect(Math.abs(out[k]! - direct) / mixingAt(span, 0)).toBeLessThan(1e-9);
        }
      },
    ),
    { numRuns: 60, seed: 2 },
  );
});

test('the table of the mixing is good between its points', () => {
  const zM = Float64Array.from([0, 20e3, 40e3, 60e3, 80e3]);
  const span = spanIntegral(
    zM,
    zM.map((z) => Math.exp(-4.6e-5 * z)),
    0,
    4.6e-5,
  );
  const { value, perStep } = mixingTable(span, 1e-3);
  for (let k = 0; k < 200; k++) {
    const low = 3 * k;
    const f = (t: number) => mixingAt(span, (low + t) / perStep);
    expect(value[low + 1]).toBeCloseTo(f(0), 3);
    const middle = (-value[low]! + 9 * value[low + 1]! + 9 * value[low + 2]! - value[low + 3]!) / 16;
    expect(Math.abs(middle - f(0.5)) / mixingAt(span, 0)).toBeLessThan(1e-8);
  }
});

test('two coils give back the noise figures that they were solved from', () => {
  const noise = twoCoils(15, 26, 6, 10);
  const stage = { gainMinDb: 15, gainFlatMaxDb: 26, noise };
  const load = { inputDbm: 0, count: 96, slotHz: 50e9 };
  expect(noiseFigureDb(stage, 26, load)).toBeCloseTo(6, 2);
  expect(noiseFigureDb(stage, 15, load)).toBeCloseTo(10, 2);
  // Below the least gain an attenuator stands in front.
  expect(noiseFigureDb(stage, 12, load)).toBeCloseTo(13, 2);
  expect(() => twoCoils(15, 26, 1, 1.1)).toThrow('first coil');
});

test('set points are rounded to their step, halves to even', () => {
  expect(roundToStep(1.25, 0.5)).toBe(1);
  expect(roundToStep(1.26, 0.5)).toBe(1.5);
  expect(roundToStep(-6, 0.5)).toBe(-6);
  expect(roundToStep(123.301, 0.2)).toBe(123.4);
  expect(roundToStep(0.123, 0)).toBe(0.12);
});

test('a curve of attenuation is used at each frequency, and asked outside it is an error', () => {
  const curved = { ...glass, lossDbPerM: { frequencyHz: [191e12, 193e12], value: [2e-4, 3e-4] } };
  const arrival = through([fibre(10e3, { glass: curved })], channels(2));
  expect(arrival.comb.powerW[0]! > arrival.comb.powerW[1]!).toBe(true);
  const outside = { ...glass, lossDbPerM: { frequencyHz: [193e12, 194e12], value: [2e-4, 3e-4] } };
  expect(() => through([fibre(10e3, { glass: outside })], channels(2))).toThrow('is given for 193.000 to 194.000 THz');
  expect(constant(1).value).toEqual([1]);
});
