import * as z from 'zod';
import { figure } from '../figure.ts';
import { finding } from '../finding.ts';
import { workloadClass } from '../workload.ts';

/** One quantity at the three loads that planning asks about. */
export const loads = z
  .object({
    mean: z.number().meta({ description: 'Mean over the day.' }),
    busyHour: z.number().meta({ description: 'Mean in the busiest hour.' }),
    p99: z.number().meta({
      description:
        'What suffices in the busiest hour for 99 % of moments, and for 99 % of the transfers with a deadline to find room when they start.',
    }),
  })
  .meta({ description: 'A quantity at mean, busy hour and 99th percentile.' });
export type Loads = z.infer<typeof loads>;

export const trafficScope = z.enum(['north-south', 'east-west']).meta({
  description:
    'north-south: between users and what serves them. east-west: between sites and machines that serve, train or store.',
});
export type TrafficScope = z.infer<typeof trafficScope>;

const gbps = loads.meta({ description: 'Gbit/s on the wire, Ethernet preamble and gap included.' });
const packetsPerS = loads.meta({ description: 'Packets per second.' });

export const trafficFlow = z
  .object({
    source: z.string().meta({ description: 'Workload, job or demand of the network file.' }),
    part: z.string().meta({ description: 'What of it: prompt upload, answer stream, KV transfer …' }),
    class: workloadClass.nullable().meta({ description: 'Class whose targets it has to meet; null: nobody waits.' }),
    from: z.string(),
    to: z.string(),
    scope: trafficScope,
    law: z.enum(['poisson', 'onOff', 'steady']).meta({
      description: 'How it comes: independent arrivals (M/G/∞), one thing on and off, or always.',
    }),
    deadlineMs: z.number().nullable().meta({ description: 'Time within which one transfer has to be there.' }),
    busyAtOnce: z.number().meta({ description: 'Streams or transfers under way at once, mean in the busiest hour.' }),
    channels: z.number().int().meta({
      description: 'Room for so many at once turns away at most 1 % (Erlang B): sizes tables of connections.',
    }),
    gbps,
    packetsPerS,
    figures: z.array(figure).meta({ description: 'How it was worked out, from the inputs to the rate.' }),
  })
  .meta({ description: 'One kind of traffic from one site to another.' });
export type TrafficFlow = z.infer<typeof trafficFlow>;

export const trafficPair = z
  .object({
    from: z.string(),
    to: z.string().meta({ description: 'The same as `from` for traffic inside a site.' }),
    busyHourUtc: z.number().int().min(0).max(23),
    gbps,
    packetsPerS,
    northSouthGbps: gbps,
    eastWestGbps: gbps,
  })
  .meta({
    description: 'All traffic from one site to another. Percentiles of parts do not add up to those of the whole.',
  });
export type TrafficPair = z.infer<typeof trafficPair>;

/** What `inferpath plan demand --json` prints; other parts read `pairs` and `flows`. */
export const planDemand = z
  .object({
    schema: z.literal('inferpath/plan-demand@1'),
    year: z.number().int().meta({ description: 'Years of growth that are in the numbers.' }),
    growth: z.number().meta({ description: 'Factor of that growth.' }),
    pairs: z.array(trafficPair).meta({ description: 'The traffic matrix, largest p99 first.' }),
    flows: z.array(trafficFlow).meta({ description: 'What it is made of.' }),
    total: z.object({ northSouthGbps: gbps, eastWestGbps: gbps, packetsPerS }),
    notes: z.array(z.string()).meta({ description: 'What was assumed, and what is not in the numbers.' }),
    findings: z.array(finding),
  })
  .meta({ title: 'inferpath plan demand --json', description: 'The traffic that workloads, jobs and demands make.' });
export type PlanDemand = z.infer<typeof planDemand>;
