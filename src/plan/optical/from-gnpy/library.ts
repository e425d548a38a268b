import type { GnpyAmplifierConfig, GnpyEquipment } from '../../../gather/topology/gnpy/equipment.ts';
import type { AmplifierModel, NoiseModel } from '../amplifier.ts';
import { C_BAND_EDFA, DYNAMIC_GAIN_TILT } from '../measured.ts';
import type { Library, MultiBandModel } from '../system.ts';
import { NoSuchCoils, twoCoils } from '../two-coils.ts';

/** Tells of something that is wrong under a key of the file. */
export type Complain = (path: PropertyKey[], message: string) => void;

type Entry = GnpyEquipment['Edfa'][number];

/**
 * The amplifiers of an equipment file. `configs` are the files that amplifiers name, by that name; an amplifier whose file is absent is
 * left out of the library and named in `withoutConfig`, because most libraries list models that a network does not use.
 */
export function libraryOf(
  equipment: GnpyEquipment,
  configs: ReadonlyMap<string, GnpyAmplifierConfig>,
  complain: Complain,
): { library: Library; withoutConfig: ReadonlyMap<string, string> } {
  const amplifiers = new Map<string, AmplifierModel>();
  const multiBand = new Map<string, MultiBandModel>();
  const withoutConfig = new Map<string, string>();
  const entries = equipment.Edfa.flatMap((entry, i) =>
    [...(entry.other_name ?? []), entry.type_variety].map((name) => ({ entry, i, name })),
  );
  for (const { entry, i, name } of entries) {
    if (entry.type_def === 'dual_stage' || entry.type_def === 'multi_band') continue;
    const configName = entry.advanced_config_from_json ?? entry.default_config_from_json;
    const config = configName === undefined ? undefined : configs.get(configName);
    if (configName !== undefined && !config) withoutConfig.set(name, configName);
    else {
      const noise = noiseOf(entry, config, (key, message) => complain(['Edfa', i, key], message));
      if (noise) amplifiers.set(name, modelOf(name, entry, noise, config));
    }
  }
  for (const { entry, i, name } of entries)
    if (entry.type_def === 'dual_stage') {
      const model = dualStage(name, entry, amplifiers, withoutConfig, (key, message) =>
        complain(['Edfa', i, key], message),
      );
      if (model) amplifiers.set(name, model);
    }
  for (const { entry, i, name } of entries) {
    if (entry.type_def !== 'multi_band') continue;
    // Parts that the library does not have cannot be chosen; without any the amplifier cannot either.
    const parts = entry.amplifiers!.filter((part) => amplifiers.has(part));
    if (parts.length === 0)
      complain(['Edfa', i, 'amplifiers'], `none of ${entry.amplifiers!.join(', ')} is in the file`);
    const bands = [
      ...new Map(
        parts.map((part) => [JSON.stringify(amplifiers.get(part)!.band), amplifiers.get(part)!.band]),
      ).values(),
    ];
    if (parts.length === entry.amplifiers!.length)
      multiBand.set(name, { name, amplifiers: parts, bands, forDesign: entry.allowed_for_design });
  }
  return { library: { amplifiers: inFileOrder(amplifiers, entries), multiBand }, withoutConfig };
}

/** Where two amplifiers are equally good, the earlier in the file is chosen. */
function inFileOrder(amplifiers: ReadonlyMap<string, AmplifierModel>, entries: readonly { name: string }[]) {
  const ordered = new Map<string, AmplifierModel>();
  for (const { name } of entries) {
    const model = amplifiers.get(name);
    if (model) ordered.set(name, model);
  }
  return ordered;
}

function modelOf(
  name: string,
  entry: Entry,
  noise: NoiseModel,
  config: GnpyAmplifierConfig | undefined,
): AmplifierModel {
  const own =
    entry.f_min !== undefined && entry.f_max !== undefined ? { minHz: entry.f_min, maxHz: entry.f_max } : undefined;
  return {
    name,
    gainMinDb: entry.gain_min!,
    gainFlatMaxDb: entry.gain_flatmax!,
    noise,
    band: own ?? (config ? { minHz: config.f_min, maxHz: config.f_max } : C_BAND_EDFA),
    maxPowerDbm: entry.p_max!,
    noiseRippleDb: filled(config?.nf_ripple),
    gainRippleDb: filled(config?.gain_ripple),
    gainTilt: config?.dgt ?? DYNAMIC_GAIN_TILT,
    autoVoa: entry.out_voa_auto,
    forDesign: entry.allowed_for_design,
    raman: entry.raman,
    pmdS: entry.pmd,
    pdlDb: entry.pdl,
  };
}

function filled(ripple: readonly number[] | undefined): readonly number[] {
  return ripple && ripple.length > 0 ? ripple : [0];
}

function noiseOf(
  entry: Entry,
  config: GnpyAmplifierConfig | undefined,
  complain: (key: string, message: string) => void,
): NoiseModel | undefined {
  switch (entry.type_def) {
    case 'fixed_gain':
      return { kind: 'fixed', nfDb: entry.nf0! };
    case 'openroadm':
      return { kind: 'openroadm', coefficients: entry.nf_coef! };
    case 'openroadm_preamp':
      return { kind: 'openroadm-preamp' };
    case 'openroadm_booster':
      return { kind: 'openroadm-booster' };
    case 'advanced_model':
      if (config?.nf_fit_coeff) return { kind: 'polynomial', coefficients: config.nf_fit_coeff };
      complain('advanced_config_from_json', `${entry.advanced_config_from_json} has no nf_fit_coeff`);
      return undefined;
    default:
      try {
        return twoCoils(entry.gain_min!, entry.gain_flatmax!, entry.nf_min!, entry.nf_max!);
      } catch (error) {
        if (!(error instanceof NoSuchCoils)) throw error;
        complain(
          'nf_min',
          `nf_min ${entry.nf_min} and nf_max ${entry.nf_max} dB do not fit together: ${error.message}`,
        );
        return undefined;
      }
  }
}

function dualStage(
  name: string,
  entry: Entry,
  amplifiers: ReadonlyMap<string, AmplifierModel>,
  withoutConfig: Map<string, string>,
  complain: (key: string, message: string) => void,
): AmplifierModel | undefined {
  const stage = (key: 'preamp_variety' | 'booster_variety') => {
    const model = amplifiers.get(entry[key]!);
    const config = withoutConfig.get(entry[key]!);
    if (config !== undefined) withoutConfig.set(name, config);
    else if (!model) complain(key, `${entry[key]} is no amplifier of the file that a stage can be`);
    return model;
  };
  const [first, second] = [stage('preamp_variety'), stage('booster_variety')];
  if (!first || !second) return undefined;
  if (entry.gain_min! < first.gainMinDb) {
    complain('gain_min', `is below the ${first.gainMinDb} dB of its preamp ${first.name}`);
    return undefined;
  }
  const whole = { ...entry, gain_flatmax: first.gainFlatMaxDb + second.gainFlatMaxDb, p_max: second.maxPowerDbm };
  return modelOf(name, whole, { kind: 'two-stages', first, second }, undefined);
}
