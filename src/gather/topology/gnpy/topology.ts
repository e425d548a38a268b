import * as z from 'zod';
import { equalisationFields, fibreFields, lossCurve } from './equipment.ts';

/** Figures in dB, dBm and the like: beyond this nothing real lies, and powers of ten would be no numbers. */
const finite = z.number().min(-1000).max(1000);
const text = z.string().min(1);
const orEmpty = <T extends z.ZodType>(schema: T) =>
  z.union([z.literal('').transform(() => undefined), schema]).nullish();
const band = z.object({
  f_min: z.number().positive(),
  f_max: z.number().positive(),
  spacing: z.number().positive().optional(),
});
const varieties = z.object({
  preamp_variety_list: z.array(text).optional(),
  booster_variety_list: z.array(text).optional(),
});

const common = { uid: text, type_variety: orEmpty(z.string()) };

const bands = {
  design_bands: z.array(band).nullish(),
  per_degree_design_bands: z.record(z.string(), z.array(band)).nullish(),
};

const transceiver = z.object({ ...common, type: z.literal('Transceiver'), params: z.object(bands).nullish() });

const roadmParams = z.object({
  ...equalisationFields,
  ...bands,
  per_degree_pch_out_db: z.record(z.string(), finite).nullish(),
  per_degree_psd_out_mWperGHz: z.record(z.string(), finite).nullish(),
  per_degree_psd_out_mWperSlotWidth: z.record(z.string(), finite).nullish(),
  per_degree_impairments: z
    .array(z.object({ from_degree: text, to_degree: text, impairment_id: z.number().int() }))
    .nullish(),
  restrictions: varieties.nullish(),
  add_drop_osnr: finite.optional(),
  pmd: z.number().min(0).max(1000).optional(),
  pdl: z.number().min(0).max(1000).optional(),
});

const roadm = z.object({ ...common, type: z.literal('Roadm'), params: roadmParams.nullish() });

const fused = z.object({
  ...common,
  type: z.literal('Fused'),
  params: z.object({ loss: z.number().min(0).max(1000).optional() }).nullish(),
});

const fibreParams = z.object({
  length: z.number().positive().max(2e7),
  length_units: z.enum(['km', 'm']).default('km'),
  loss_coef: z.union([z.number().positive().max(1000), lossCurve]).optional(),
  loss_coef_per_frequency: z
    .array(z.object({ frequency: z.number().positive(), loss_coef_value: z.number().positive().max(1000) }))
    .optional(),
  att_in: orEmpty(z.number().min(0).max(1000)),
  con_in: orEmpty(z.number().min(0).max(1000)),
  con_out: orEmpty(z.number().min(0).max(1000)),
  lumped_losses: z.array(z.object({ position: z.number().min(0), loss: z.number().min(0).max(1000) })).nullish(),
  ...fibreFields,
});

const pump = z.object({
  power: z.number().positive(),
  frequency: z.number().positive(),
  propagation_direction: z
    .string()
    .transform((s) => s.toLowerCase())
    .pipe(z.enum(['coprop', 'counterprop'])),
});

const fibre = z
  .object({
    ...common,
    type: z.enum(['Fiber', 'RamanFiber']),
    params: fibreParams,
    operational: z.object({ temperature: z.number().positive(), raman_pumps: z.array(pump) }).nullish(),
  })
  .refine(({ type, operational }) => type === 'Fiber' || operational, {
    message: 'is missing; a RamanFiber needs temperature and raman_pumps',
    path: ['operational'],
  })
  .refine(({ params }) => params.length_units === 'm' || params.length <= 20_000, {
    message: 'is longer than any cable, 20,000 km',
    path: ['params', 'length'],
  })
  .refine(({ params }) => params.loss_coef !== undefined || (params.loss_coef_per_frequency?.length ?? 0) > 1, {
    message: 'is missing, dB/km',
    path: ['params', 'loss_coef'],
  });

const operational = z.object({
  gain_target: orEmpty(finite),
  delta_p: orEmpty(finite),
  tilt_target: orEmpty(finite),
  out_voa: orEmpty(finite),
  in_voa: orEmpty(finite),
});

const edfa = z.object({
  ...common,
  type: z.literal('Edfa'),
  operational: operational.nullish(),
  variety_list: z.array(text).nullish(),
});

const multiBand = z.object({
  ...common,
  type: z.literal('Multiband_amplifier'),
  amplifiers: z.array(z.object({ type_variety: text, operational: operational.nullish() })).nullish(),
  variety_list: z.array(text).nullish(),
});

const element = z.discriminatedUnion('type', [transceiver, roadm, fused, fibre, edfa, multiBand]);
export type GnpyElement = z.output<typeof element>;
export type GnpyFibre = z.output<typeof fibre>;

/** GNPy's topology: elements, and which follows which. */
export const gnpyTopologySchema = z
  .object({
    network_name: z.string().nullish(),
    elements: z.array(element).min(2).max(200_000),
    connections: z.array(z.object({ from_node: text, to_node: text })).max(1_000_000),
  })
  .check((ctx) => {
    const uids = new Set<string>();
    const wrong = (path: PropertyKey[], message: string) =>
      ctx.issues.push({ code: 'custom', input: ctx.value, path, message });
    for (const [i, { uid }] of ctx.value.elements.entries()) {
      if (uids.has(uid)) wrong(['elements', i, 'uid'], `${uid} stands a second time; allowed: once`);
      uids.add(uid);
    }
    for (const [i, connection] of ctx.value.connections.entries())
      for (const key of ['from_node', 'to_node'] as const)
        if (!uids.has(connection[key])) wrong(['connections', i, key], `${connection[key]} is no uid of an element`);
  });
export type GnpyTopology = z.output<typeof gnpyTopologySchema>;
