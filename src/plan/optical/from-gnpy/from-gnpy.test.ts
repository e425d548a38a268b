import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finish, lightpath } from '../lightpath.ts';
import { OutOfCurve } from '../fibre.ts';
import { receive } from '../receive.ts';
import { DesignError } from '../system.ts';
import { type GnpyFiles, readGnpy } from './from-gnpy.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../../../test/fixtures/optical/${name}.json`, import.meta.url), 'utf8');
const [topology, equipment] = [fixture('topology'), fixture('equipment')];

function files(over: Partial<Record<'topology' | 'equipment' | 'simParams' | 'spectrum', string>> = {}): GnpyFiles {
  const file = (name: string, text: string | undefined) => (text === undefined ? undefined : { name, text });
  return {
    topology: { name: 't.json', text: over.topology ?? topology },
    equipment: { name: 'e.json', text: over.equipment ?? equipment },
    simParams: file('sim.json', over.simParams),
    spectrum: file('s.json', over.spectrum),
    configs: new Map(),
  };
}

function mistakes(over: Parameters<typeof files>[0]): string[] {
  const reading = readGnpy(files(over));
  return reading.ok ? [] : reading.mistakes.map((m) => `${m.file}:${m.line}: ${m.key}: ${m.message}`);
}

describe('mistakes are told with file, line and key', () => {
  test('text that is no JSON', () => {
    expect(mistakes({ topology: '{\n "elements": [\n' })[0]).toMatch(/^t\.json:3: : is not JSON/);
  });
  test('a fibre without attenuation, and one twice', () => {
    const without = topology.replace('"loss_coef": 0.21, ', '');
    expect(mistakes({ topology: without })).toEqual([
      expect.stringMatching(/^t\.json:10: elements\[2\]\.params(\.loss_coef)?: is missing/),
    ]);
    const twice = topology.replace('"uid": "hut"', '"uid": "north to middle"');
    expect(mistakes({ topology: twice }).join()).toContain('stands a second time');
  });
  test('amplifiers: kinds that lack a figure, figures that do not fit, models that are nowhere', () => {
    expect(mistakes({ equipment: equipment.replace('"nf_max": 10,', '') })[0]).toContain('needs it');
    expect(mistakes({ equipment: equipment.replace('"nf_min": 6,', '"nf_min": 1,') })[0]).toMatch(
      /e\.json:\d+: Edfa\[0\]\.nf_min: .*do not fit together/,
    );
    expect(mistakes({ equipment: equipment.replace('"variable_gain"', '"laser"') })[0]).toContain('Edfa[0].type_def');
    expect(mistakes({ topology: topology.replace('"inline"', '"nowhere"') })[0]).toContain('nowhere is no Edfa');
  });
  test('a connection to nothing, a fibre of no kind', () => {
    expect(mistakes({ topology: topology.replace('"to_node": "hut"', '"to_node": "hat"') })[0]).toContain(
      'hat is no uid',
    );
    expect(mistakes({ topology: topology.replace('"SSMF"', '"glass"') })[0]).toContain(
      'glass is no Fiber of the equipment file',
    );
  });
  test('spectra: overlapping slots, a signal wider than its slot, too many channels', () => {
    const channel = { frequencyThz: 193, baudRateGbd: 64, slotWidthGhz: 75 };
    const spectrum = (...list: object[]) => JSON.stringify({ channels: list });
    expect(mistakes({ spectrum: spectrum(channel, { ...channel, frequencyThz: 193.05 }) })[0]).toContain('overlaps');
    expect(mistakes({ spectrum: spectrum({ ...channel, baudRateGbd: 80 }) })[0]).toContain('wider than the slot');
    const part = { f_min: 191e12, f_max: 196e12, baud_rate: 1e9, slot_width: 1e9, roll_off: 0.1 };
    expect(mistakes({ spectrum: JSON.stringify({ spectrum: [part] }) }).length).toBeGreaterThan(0);
  });
  test('simulation parameters', () => {
    expect(mistakes({ simParams: '{"nli_params":{"method":"magic"}}' })[0]).toContain('nli_params.method');
    expect(mistakes({ simParams: '{"raman_params":{"flag":true,"order":9}}' })[0]).toContain('raman_params.order');
  });
});

test('pumps without Raman scattering are refused, and amplify with it', () => {
  const pumped = JSON.parse(topology) as { elements: Record<string, unknown>[] };
  pumped.elements[2] = {
    ...pumped.elements[2],
    type: 'RamanFiber',
    operational: {
      temperature: 283,
      raman_pumps: [{ power: 0.2, frequency: 205e12, propagation_direction: 'counterprop' }],
    },
  };
  const withRaman = JSON.stringify({
    ...(JSON.parse(equipment) as object),
    RamanFiber: [{ type_variety: 'SSMF', dispersion: 1.67e-5, effective_area: 83e-12, pmd_coef: 0 }],
  });
  const run = (simParams: string | undefined) => {
    const over = { topology: JSON.stringify(pumped), equipment: withRaman };
    const reading = readGnpy(files(simParams === undefined ? over : { ...over, simParams }));
    if (!reading.ok) throw new Error(reading.mistakes[0]!.message);
    return finish(lightpath(reading.value, 'trx north', 'trx south'));
  };
  expect(() => run(undefined)).toThrow('Raman pumps');
  const arrival = run('{"raman_params":{"flag":true,"solver_spatial_resolution":500}}');
  const hut = arrival.passages.find(({ uid }) => uid === 'hut')!;
  // The pumps take over a part of the gain of 17.8 dB.
  expect(hut.amplifier!.gainDb).toBeLessThan(15);
});

/** Changes of a file as they happen: values of other kinds, keys that are gone, cut text, flipped letters. */
function mangled(text: string): fc.Arbitrary<string> {
  const value = fc.oneof(
    fc.constant(null),
    fc.double(),
    fc.string(),
    fc.constant([]),
    fc.constant({}),
    fc.constant(-1),
    fc.constant(1e308),
  );
  const paths: PropertyKey[][] = [];
  const walk = (node: unknown, path: PropertyKey[]): void => {
    if (path.length > 0) paths.push(path);
    if (typeof node === 'object' && node !== null)
      for (const [key, inner] of Object.entries(node)) walk(inner, [...path, Array.isArray(node) ? Number(key) : key]);
  };
  walk(JSON.parse(text), []);
  const replaced = fc.tuple(fc.constantFrom(...paths), fc.option(value, { nil: undefined })).map(([path, other]) => {
    const copy = JSON.parse(text) as Record<PropertyKey, unknown>;
    let node = copy;
    for (const part of path.slice(0, -1)) node = node[part] as Record<PropertyKey, unknown>;
    if (other === undefined) delete node[path.at(-1)!];
    else node[path.at(-1)!] = other;
    return JSON.stringify(copy);
  });
  const cut = fc.integer({ min: 0, max: text.length }).map((at) => text.slice(0, at));
  const flipped = fc
    .tuple(fc.integer({ min: 0, max: text.length - 1 }), fc.string({ maxLength: 3 }))
    .map(([at, put]) => text.slice(0, at) + put + text.slice(at + 1));
  return fc.oneof({ weight: 6, arbitrary: replaced }, { weight: 1, arbitrary: cut }, { weight: 2, arbitrary: flipped });
}

test('whatever stands in the files: mistakes that are told, a design that is refused, or finite numbers; never anything else', () => {
  const spectrum =
    '{"channels":[{"frequencyThz":193.1,"baudRateGbd":64,"slotWidthGhz":75},{"frequencyThz":193.2,"baudRateGbd":64,"slotWidthGhz":75}]}';
  let refused = 0;
  let read = 0;
  const check = (over: Parameters<typeof files>[0]) => {
    const reading = readGnpy(files({ spectrum, ...over }));
    if (!reading.ok) {
      refused++;
      expect(reading.mistakes.length).toBeGreaterThan(0);
      for (const { line, column, message } of reading.mistakes)
        expect(line > 0 && column > 0 && message !== '').toBe(true);
      return;
    }
    // Computing takes longer than reading: every eighth.
    if (read++ % 8 > 0) return;
    let gsnr: number[] = [];
    try {
      gsnr = receive(finish(lightpath(reading.value, 'trx north', 'trx south'))).map(({ gsnrDb01nm }) => gsnrDb01nm);
    } catch (error) {
      if (!(error instanceof DesignError || error instanceof OutOfCurve)) throw error;
    }
    for (const db of gsnr) expect(db).not.toBeNaN();
  };
  const options = (seed: number) => ({ numRuns: 2000, seed });
  fc.assert(
    fc.property(mangled(topology), (text) => check({ topology: text })),
    options(1),
  );
  fc.assert(
    fc.property(mangled(equipment), (text) => check({ equipment: text })),
    options(2),
  );
  fc.assert(
    fc.property(mangled(spectrum), (text) => check({ spectrum: text })),
    { numRuns: 1000, seed: 3 },
  );
  expect(refused).toBeGreaterThan(1000);
}, 120_000);
