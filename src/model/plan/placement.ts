import * as z from 'zod';

/** What is known about the best choice, of whatever is minimised. */
const proof = {
  objective: z
    .number()
    .nullable()
    .meta({ description: 'What the chosen sites come to; null where no choice is known that serves everybody.' }),
  lowerBound: z.number().meta({ description: 'No choice of sites comes to less: proven.' }),
  gap: z.number().nullable().meta({
    description: '(objective − lowerBound) / objective: what a better choice could save at most; 0 is proven best.',
  }),
  proven: z.boolean().meta({ description: 'Whether the objective is proven to be the least there is.' }),
  stopped: z
    .enum(['time', 'interrupted'])
    .nullable()
    .meta({ description: 'Why the search ended early; null: it went to its end.' }),
};

/** What `inferpath plan placement --pmed` or `--cflp` prints. */
export const placementCase = z
  .object({
    schema: z.literal('inferpath/plan-placement@1'),
    input: z.enum(['pmed', 'cflp']),
    file: z.string(),
    problem: z.enum(['median', 'centre', 'capacitated']).meta({
      description:
        'median: least sum of distances; centre: least greatest distance; capacitated: least cost of sites and ways within their capacities.',
    }),
    clients: z.number().int(),
    sites: z.number().int().meta({ description: 'Sites that can be opened.' }),
    maxOpen: z.number().int().nullable().meta({ description: 'Sites that may open at most; null: any number.' }),
    ...proof,
    open: z
      .array(z.number().int().min(1))
      .meta({ description: 'Sites to open, as the file counts: the first node, or warehouse, is 1.' }),
    nodesSearched: z.number().int().meta({ description: 'Parts of the search that were bounded.' }),
    seconds: z.number().meta({ description: 'Time that the search took, s.' }),
    notes: z.array(z.string()).meta({ description: 'What to know about how the file was read.' }),
  })
  .meta({ title: 'inferpath plan placement --pmed --json', description: 'The sites of a published case.' });
export type PlacementCase = z.infer<typeof placementCase>;
