import * as z from 'zod';

/** Where a number comes from, from the strongest to the weakest; `computed` from others, whose origins decide how far to trust it. */
export const origin = z.enum(['measured', 'entered', 'sourced', 'assumed', 'computed']).meta({
  description:
    'measured: an observation of inferpath; entered: stands in the network file or on the command line; sourced: published, source named; assumed: a default of ours; computed: from other figures.',
});
export type Origin = z.infer<typeof origin>;

/** A number that explains itself. */
export const figure = z
  .object({
    name: z.string().meta({ description: 'What it is, in a few words.' }),
    value: z.number(),
    unit: z.string(),
    origin,
    how: z.string().meta({ description: 'The formula, the key of the file, or the source.' }),
    inputs: z
      .array(z.string())
      .optional()
      .meta({ description: 'For computed: the figures that went in, as "name = value unit (origin)".' }),
  })
  .meta({ description: 'A number with its unit, where it comes from and how.' });
export type Figure = z.infer<typeof figure>;
