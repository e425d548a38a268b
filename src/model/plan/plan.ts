import * as z from 'zod';
import { change } from '../change.ts';
import { finding } from '../finding.ts';

/** What a network file holds for planning. */
export const inventory = z
  .object({
    sites: z.number().int(),
    users: z.number(),
    endpoints: z.number().int(),
    links: z.number().int(),
    linksKm: z.number().meta({ description: 'Length of all links whose length is known or can be worked out, km.' }),
    carriers: z.number().int(),
    riskGroups: z.number().int(),
    quotes: z.number().int(),
    candidates: z.number().int(),
  })
  .meta({ description: 'What the network file holds.' });
export type Inventory = z.infer<typeof inventory>;

/** Everything that `inferpath plan NETWORK` worked out. */
export const planReport = z
  .object({
    schema: z.literal('inferpath/plan@1'),
    network: inventory,
    findings: z.array(finding),
    changes: z.array(change),
  })
  .meta({ title: 'inferpath plan --json', description: 'The whole plan: every part with its findings and changes.' });
export type PlanReport = z.infer<typeof planReport>;
