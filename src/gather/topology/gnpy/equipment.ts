import * as z from 'zod';

/** Figures in dB, dBm and the like: beyond this nothing real lies, and powers of ten would be no numbers. */
const finite = z.number().min(-1000).max(1000);
const positive = z.number().positive();
const frequency = z.number().min(1e13).max(1e16);
const text = z.string().min(1);

/** A figure that was left empty: the file format writes "" for it. */
const orEmpty = <T extends z.ZodType>(schema: T) =>
  z.union([z.literal('').transform(() => undefined), schema]).optional();

const gainAndPower = {
  type_variety: text,
  gain_flatmax: finite.optional(),
  gain_min: finite.optional(),
  p_max: finite.optional(),
  nf_min: orEmpty(finite),
  nf_max: orEmpty(finite),
  nf0: orEmpty(finite),
  nf_coef: z.array(finite).length(4).optional(),
  preamp_variety: text.optional(),
  booster_variety: text.optional(),
  amplifiers: z.array(text).min(1).optional(),
  advanced_config_from_json: text.optional(),
  default_config_from_json: text.optional(),
  f_min: frequency.optional(),
  f_max: frequency.optional(),
  out_voa_auto: z.boolean().default(false),
  allowed_for_design: z.boolean().default(false),
  raman: z.boolean().default(false),
  pmd: z.number().min(0).max(1000).default(0),
  pdl: z.number().min(0).max(1000).default(0),
  other_name: z.array(text).optional(),
};

export const amplifierTypes = [
  'variable_gain',
  'fixed_gain',
  'advanced_model',
  'openroadm',
  'openroadm_preamp',
  'openroadm_booster',
  'dual_stage',
  'multi_band',
] as const;

/** What each kind of amplifier needs beside its name. */
const needs: Readonly<Record<(typeof amplifierTypes)[number], readonly (keyof typeof gainAndPower)[]>> = {
  variable_gain: ['gain_flatmax', 'gain_min', 'p_max', 'nf_min', 'nf_max'],
  fixed_gain: ['gain_flatmax', 'gain_min', 'p_max', 'nf0'],
  advanced_model: ['gain_flatmax', 'gain_min', 'p_max', 'advanced_config_from_json'],
  openroadm: ['gain_flatmax', 'gain_min', 'p_max', 'nf_coef'],
  openroadm_preamp: ['gain_flatmax', 'gain_min', 'p_max'],
  openroadm_booster: ['gain_flatmax', 'gain_min', 'p_max'],
  dual_stage: ['gain_min', 'preamp_variety', 'booster_variety'],
  multi_band: ['amplifiers'],
};

const amplifier = z
  .object({ ...gainAndPower, type_def: z.enum(amplifierTypes).default('variable_gain') })
  .check((ctx) => {
    for (const key of needs[ctx.value.type_def])
      if (ctx.value[key] === undefined)
        ctx.issues.push({
          code: 'custom',
          input: ctx.value,
          path: [key],
          message: `is missing; type_def ${ctx.value.type_def} needs it`,
        });
  });

const curve = z
  .object({ value: z.array(finite).min(2), frequency: z.array(frequency).min(2) })
  .refine(({ value, frequency: at }) => value.length === at.length, 'value and frequency have different lengths')
  .refine(({ frequency: at }) => at.every((f, i) => i === 0 || f > at[i - 1]!), 'frequencies must rise');

export const fibreFields = {
  dispersion: finite.optional(),
  dispersion_slope: finite.optional(),
  dispersion_per_frequency: curve.optional(),
  effective_area: z.number().min(1e-12).max(1e-9).optional(),
  gamma: positive.optional(),
  pmd_coef: z.number().min(0).max(1000).optional(),
  ref_frequency: frequency.optional(),
  ref_wavelength: z.number().min(1e-7).max(1e-5).optional(),
  raman_coefficient: z
    .object({
      g0: z.array(finite).min(2),
      frequency_offset: z.array(z.number().min(0)).min(2),
      reference_frequency: frequency,
    })
    .refine(({ g0, frequency_offset: at }) => g0.length === at.length, 'g0 and frequency_offset have different lengths')
    .refine(
      ({ frequency_offset: at }) => at[0] === 0 && at.every((f, i) => i === 0 || f > at[i - 1]!),
      'frequency_offset must rise from 0',
    )
    .optional(),
  raman_efficiency: z
    .object({ cr: z.array(finite).min(2), frequency_offset: z.array(z.number().min(0)).min(2) })
    .refine(({ cr, frequency_offset: at }) => cr.length === at.length, 'cr and frequency_offset have different lengths')
    .refine(
      ({ frequency_offset: at }) => at[0] === 0 && at.every((f, i) => i === 0 || f > at[i - 1]!),
      'frequency_offset must rise from 0',
    )
    .optional(),
};

export const lossCurve = curve;

const fibre = z.object({ type_variety: text, ...fibreFields });

const lengthUnits = z.enum(['km', 'm']);

const span = z.object({
  power_mode: z.boolean().default(true),
  delta_power_range_db: z.tuple([finite, finite, finite]).optional(),
  max_fiber_lineic_loss_for_raman: positive.default(0.25),
  target_extended_gain: finite.default(2.5),
  max_length: positive.default(150),
  length_units: lengthUnits.default('km'),
  padding: z.number().min(0).max(1000).default(10),
  EOL: z.number().min(0).max(1000).default(0),
  con_in: z.number().min(0).max(1000).default(0),
  con_out: z.number().min(0).max(1000).default(0),
  span_loss_ref: finite.default(20),
  power_slope: finite.default(0.3),
  voa_margin: finite.default(1),
  voa_step: z.number().min(0).max(1000).default(0.5),
});

const restrictions = z
  .object({ preamp_variety_list: z.array(text).default([]), booster_variety_list: z.array(text).default([]) })
  .default({ preamp_variety_list: [], booster_variety_list: [] });

/** What a ROADM equalises to; at most one of them. */
export const equalisationFields = {
  target_pch_out_db: finite.optional(),
  target_psd_out_mWperGHz: positive.optional(),
  target_out_mWperSlotWidth: positive.optional(),
};

const impairment = z.object({
  'frequency-range': z
    .object({ 'lower-frequency': frequency.nullish(), 'upper-frequency': frequency.nullish() })
    .optional(),
  'roadm-pmd': z.number().min(0).max(1000).nullish(),
  'roadm-pdl': z.number().min(0).max(1000).nullish(),
  'roadm-maxloss': z.number().min(0).max(1000).nullish(),
  'roadm-osnr': finite.nullish(),
});

const profile = z.object({
  'roadm-path-impairments-id': z.number().int(),
  'roadm-express-path': z.array(impairment).optional(),
  'roadm-add-path': z.array(impairment).optional(),
  'roadm-drop-path': z.array(impairment).optional(),
});

const roadm = z.object({
  type_variety: text.default('default'),
  ...equalisationFields,
  add_drop_osnr: finite.default(100),
  pmd: z.number().min(0).max(1000).default(0),
  pdl: z.number().min(0).max(1000).default(0),
  restrictions,
  'roadm-path-impairments': z.array(profile).default([]),
});

const spectrum = z
  .object({
    type_variety: text.optional(),
    f_min: frequency.default(191.35e12),
    f_max: frequency.default(196.1e12),
    baud_rate: positive.default(32e9),
    spacing: z.number().min(1e9).default(50e9),
    power_dbm: finite.default(0),
    tx_power_dbm: finite.nullish(),
    roll_off: z.number().min(0).max(1).default(0.15),
    tx_osnr: finite.default(45),
    sys_margins: finite.default(0),
    use_si_channel_count_for_design: z.boolean().default(false),
  })
  .refine(({ f_min, f_max }) => f_max > f_min, { message: 'must be above f_min', path: ['f_max'] })
  .refine(({ f_min, f_max, spacing }) => (f_max - f_min) / spacing < 5000, {
    message: 'gives more than 5000 channels',
    path: ['spacing'],
  });

const penalty = z.object({
  chromatic_dispersion: z.number().optional(),
  pmd: z.number().optional(),
  pdl: finite.optional(),
  penalty_value: finite,
});

const mode = z.object({
  format: text,
  baud_rate: positive,
  OSNR: finite,
  bit_rate: positive,
  roll_off: z.number().min(0).max(1).nullish(),
  tx_osnr: finite,
  min_spacing: positive,
  penalties: z.array(penalty).nullish(),
});

const transceiver = z.object({
  type_variety: text,
  frequency: z.object({ min: frequency, max: frequency }).optional(),
  mode: z.array(mode).default([]),
});

/** GNPy's equipment library (`eqpt_config.json`); keys that do not matter here are left out. */
export const gnpyEquipmentSchema = z.object({
  Edfa: z.array(amplifier).default([]),
  Fiber: z.array(fibre).default([]),
  RamanFiber: z.array(fibre).default([]),
  Span: z.array(span).min(1),
  Roadm: z.array(roadm).default([]),
  SI: z.array(spectrum).min(1),
  Transceiver: z.array(transceiver).default([]),
});
export type GnpyEquipment = z.output<typeof gnpyEquipmentSchema>;

const ripple = z.union([z.array(finite).min(1), z.literal(0).transform((): number[] => [])]).optional();

/** The file that an amplifier names in `advanced_config_from_json` or `default_config_from_json`. */
export const gnpyAmplifierConfigSchema = z
  .object({
    nf_fit_coeff: z.array(finite).min(1).optional(),
    nf_ripple: ripple,
    gain_ripple: ripple,
    dgt: z.array(finite).min(1).optional(),
    f_min: frequency,
    f_max: frequency,
  })
  .refine(({ f_min, f_max }) => f_max > f_min, { message: 'must be above f_min', path: ['f_max'] });
export type GnpyAmplifierConfig = z.output<typeof gnpyAmplifierConfigSchema>;
