import {
  type GnpyAmplifierConfig,
  gnpyAmplifierConfigSchema,
  gnpyEquipmentSchema,
} from '../../../gather/topology/gnpy/equipment.ts';
import { mistakeAt, type NamedText, readJson } from '../../../gather/topology/gnpy/read.ts';
import { gnpySimParamsSchema, gnpySpectrumSchema } from '../../../gather/topology/gnpy/spectrum.ts';
import { gnpyTopologySchema } from '../../../gather/topology/gnpy/topology.ts';
import type { Mistake } from '../../../gather/topology/json-place.ts';
import type { Channel } from '../comb.ts';
import type { Simulation } from '../propagate.ts';
import type { Library, Settings, System } from '../system.ts';
import { systemOf } from './elements.ts';
import { type Complain, libraryOf } from './library.ts';
import { channelsOf, fullSpectrum, settingsOf, simulationOf } from './settings.ts';

/** The files of one GNPy case. */
export interface GnpyFiles {
  topology: NamedText;
  equipment: NamedText;
  simParams?: NamedText | undefined;
  spectrum?: NamedText | undefined;
  /** Files that amplifiers of the equipment file name, by the name that is written there. */
  configs: ReadonlyMap<string, NamedText>;
}

/** An optical network that can be designed and propagated. */
export interface OpticalCase {
  system: System;
  library: Library;
  settings: Settings;
  simulation: Simulation;
  channels: Channel[];
}

/** Reads the files of a case; all mistakes of all files together. */
export function readGnpy(files: GnpyFiles): { ok: true; value: OpticalCase } | { ok: false; mistakes: Mistake[] } {
  const mistakes: Mistake[] = [];
  const read = <T>(file: NamedText, schema: Parameters<typeof readJson<T>>[1]): T | undefined => {
    const reading = readJson(file, schema);
    if (reading.ok) return reading.value;
    mistakes.push(...reading.mistakes);
    return undefined;
  };
  const complainIn =
    (file: NamedText): Complain =>
    (path, message) => {
      if (mistakes.length < 100) mistakes.push(mistakeAt(file, path, message));
    };
  const topology = read(files.topology, gnpyTopologySchema);
  const equipment = read(files.equipment, gnpyEquipmentSchema);
  const simParams = files.simParams && read(files.simParams, gnpySimParamsSchema);
  const spectrum = files.spectrum && read(files.spectrum, gnpySpectrumSchema);
  const configs = new Map<string, GnpyAmplifierConfig>();
  for (const [name, file] of files.configs) {
    const config = read(file, gnpyAmplifierConfigSchema);
    if (config) configs.set(name, config);
  }
  if (!topology || !equipment || mistakes.length > 0) return { ok: false, mistakes };
  const settings = settingsOf(equipment);
  const made = libraryOf(equipment, configs, complainIn(files.equipment));
  const system = systemOf(topology, { equipment, ...made }, complainIn(files.topology));
  const channels = spectrum ? channelsOf(spectrum, complainIn(files.spectrum!)) : fullSpectrum(settings.spectra[0]!);
  if (mistakes.length > 0) return { ok: false, mistakes };
  return {
    ok: true,
    value: { system, library: made.library, settings, simulation: simulationOf(simParams), channels },
  };
}

/** Names of the files that an equipment file refers to; none where it cannot be read. */
export function configNames(equipment: NamedText): string[] {
  const reading = readJson(equipment, gnpyEquipmentSchema);
  if (!reading.ok) return [];
  const names = reading.value.Edfa.flatMap((e) => e.advanced_config_from_json ?? e.default_config_from_json ?? []);
  return [...new Set(names)];
}
