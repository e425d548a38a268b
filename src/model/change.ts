import * as z from 'zod';

/** One thing that can be done about what was found, and undone. */
export const change = z
  .object({
    id: z.string().meta({ description: 'Stable kebab-case id of the kind of change, like upgrade-link.' }),
    target: z.string().meta({ description: 'What is changed: the name of a link, site, endpoint, demand …' }),
    before: z.string().meta({ description: 'How it is now, with number and unit.' }),
    after: z.string().meta({ description: 'How it would be.' }),
    buys: z
      .array(
        z.object({
          metric: z.string(),
          before: z.number(),
          after: z.number(),
          unit: z.string(),
        }),
      )
      .min(1)
      .meta({ description: 'What it gains: recomputed with the change made, not estimated.' }),
    cost: z
      .object({ monthly: z.number().optional(), setup: z.number().optional(), currency: z.string() })
      .optional()
      .meta({ description: 'From the quotes of the network file; absent where there is none.' }),
    verify: z.string().meta({ description: 'How to see that it worked; a command where there is one.' }),
    rollback: z.string().meta({ description: 'How to undo it, or why that is not possible.' }),
  })
  .meta({ description: 'A change with what it buys.' });
export type Change = z.infer<typeof change>;
