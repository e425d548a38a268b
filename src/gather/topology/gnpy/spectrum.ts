import * as z from 'zod';

const positive = z.number().positive();
/** Figures in dB and dBm. */
const finite = z.number().min(-1000).max(1000);

/** A comb of equal channels, as GNPy's initial spectrum has several. */
const part = z
  .object({
    f_min: z.number().min(1e13).max(1e16),
    f_max: z.number().min(1e13).max(1e16),
    baud_rate: positive,
    slot_width: z.number().min(1e9),
    roll_off: z.number().min(0).max(1),
    delta_pdb: finite.default(0),
    tx_osnr: finite.default(40),
    tx_power_dbm: finite.default(0),
    label: z.string().optional(),
  })
  .refine(({ f_min, f_max }) => f_max >= f_min, { message: 'must not be below f_min', path: ['f_max'] })
  .refine(({ f_min, f_max, slot_width }) => (f_max - f_min) / slot_width < 5000, {
    message: 'gives more than 5000 channels',
    path: ['slot_width'],
  });

const channel = z.object({
  frequencyThz: z.number().min(10).max(1e4),
  baudRateGbd: positive,
  slotWidthGhz: z.number().min(1),
  rollOff: z.number().min(0).max(1).default(0.15),
  txPowerDbm: finite.default(0),
  txOsnrDb: finite.default(40),
  deltaPDb: finite.default(0),
});

/** Either GNPy's initial spectrum or a list of channels. */
export const gnpySpectrumSchema = z.union([
  z.object({ spectrum: z.array(part).min(1) }),
  z.object({ channels: z.array(channel).min(1).max(5000) }),
]);
export type GnpySpectrum = z.output<typeof gnpySpectrumSchema>;

/** GNPy's simulation parameters. */
export const gnpySimParamsSchema = z.object({
  raman_params: z
    .object({
      flag: z.boolean().default(false),
      method: z.enum(['perturbative', 'numerical']).default('perturbative'),
      order: z.number().int().min(1).max(4).default(2),
      result_spatial_resolution: z.number().min(1).default(10e3),
      solver_spatial_resolution: z.number().min(1).default(10e3),
    })
    .optional(),
  nli_params: z
    .object({
      method: z
        .string()
        .transform((s) => s.toLowerCase())
        .pipe(z.enum(['gn_model_analytic', 'ggn_spectrally_separated', 'ggn_approx']))
        .default('gn_model_analytic'),
      dispersion_tolerance: positive.default(4),
      phase_shift_tolerance: positive.default(0.1),
      computed_channels: z.array(z.number().int().min(1)).min(1).nullish(),
      computed_number_of_channels: z.number().int().min(1).nullish(),
    })
    .optional(),
});
export type GnpySimParams = z.output<typeof gnpySimParamsSchema>;
