import * as z from 'zod';
import { change } from '../change.ts';
import { finding, verdict } from '../finding.ts';
import { planDemand } from './demand.ts';
import { engineeringReport } from './engineering.ts';
import { failuresReport } from './failures.ts';
import { opticalNetworkReport } from './optical-network.ts';
import { placementPlan } from './placement.ts';
import { redundancyReport } from './redundancy.ts';
import { planTransport } from './transport.ts';

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

/** A part of the plan, in the order in which a plan is read. */
export const partName = z.enum([
  'demand',
  'redundancy',
  'failures',
  'engineering',
  'optical',
  'transport',
  'placement',
]);
export type PartName = z.infer<typeof partName>;

/** A part that was not computed, and why. */
const skipped = z.object({ part: partName, why: z.string() });

/** Everything that `inferpath plan NETWORK` worked out. */
export const planReport = z
  .object({
    schema: z.literal('inferpath/plan@1'),
    version: z.string(),
    file: z.string(),
    ready: verdict.meta({ description: 'fail if any finding fails, unknown if any is unknown, else pass.' }),
    interrupted: z.boolean(),
    network: inventory,
    findings: z.array(finding).meta({ description: 'Of all parts: failures first, the graver first.' }),
    changes: z.array(change).meta({ description: 'Of all parts: those first that mend the gravest findings.' }),
    parts: z.object({
      demand: planDemand.optional(),
      redundancy: redundancyReport.optional(),
      failures: failuresReport.optional(),
      engineering: engineeringReport.optional(),
      optical: opticalNetworkReport.extend({ findings: z.array(finding) }).optional(),
      transport: planTransport.optional(),
      placement: placementPlan.optional(),
    }),
    skipped: z.array(skipped).meta({ description: 'Parts that the file has nothing for, or that time ended.' }),
    durationMs: z.number(),
  })
  .meta({ title: 'inferpath plan --json', description: 'The whole plan: every part with its findings and changes.' });
export type PlanReport = z.infer<typeof planReport>;
