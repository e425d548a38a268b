import * as z from 'zod';

/** What can be asked of a trace. One schema: the probe's options, the flags of the command, the reference. */
export const traceOptions = z.strictObject({
  method: z.enum(['icmp', 'udp', 'tcp', 'tcp-connect']).default('tcp-connect').meta({
    description:
      'tcp-connect: connections to the port of the endpoint, as its own traffic goes; tcp: bare SYNs to it (CAP_NET_RAW); udp: datagrams to a closed port; icmp: echo requests.',
  }),
  algorithm: z.enum(['auto', 'single', 'mda-lite', 'mda']).default('auto').meta({
    description:
      'single: one flow, one path; mda: every branch of every balancer, node by node; mda-lite and auto: hop by hop, and node by node only where that is not enough.',
  }),
  confidence: z.number().min(0.5).max(0.9999).default(0.95).meta({
    description: 'Chance that all branches of a balancer are found, per balancer.',
  }),
  port: z.number().int().min(1).max(65_535).optional().meta({
    description: 'Destination port; that of the URL by default, 33434 for udp.',
  }),
  firstTtl: z.number().int().min(1).max(64).default(1).meta({ description: 'Lowest TTL to try.' }),
  maxTtl: z.number().int().min(1).max(64).default(30).meta({ description: 'Highest TTL to try.' }),
  silentHops: z
    .number()
    .int()
    .min(1)
    .max(30)
    .default(5)
    .meta({ description: 'Stop after so many silent hops in a row.' }),
  maxFlows: z.number().int().min(1).max(512).default(256).meta({
    description: 'Flows (source ports) to use at most.',
  }),
  waitMs: z.number().min(20).max(10_000).default(700).meta({
    description: 'How long to wait for an answer at most, ms; less once round trips are known.',
  }),
  budgetMs: z.number().min(50).max(600_000).default(3000).meta({
    description: 'Time for finding the paths, ms.',
  }),
  count: z.number().int().min(0).max(1_000_000).default(0).meta({
    description: 'Rounds over all hops and paths after they are found, for loss and round trips.',
  }),
  intervalMs: z.number().min(10).max(3_600_000).default(1000).meta({ description: 'From round to round, ms.' }),
});
export type TraceOptions = z.output<typeof traceOptions>;
