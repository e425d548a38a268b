import * as z from 'zod';

/** Kinds of inference traffic that differ in what they need from the network. */
export const workloadClass = z.enum(['chat', 'finance', 'voice', 'copilot', 'agent', 'rag', 'batch']);
export type WorkloadClass = z.infer<typeof workloadClass>;

const limit = (what: string) =>
  z
    .strictObject({
      max: z
        .number()
        .positive()
        .meta({ description: `Highest allowed ${what}.` }),
      percentile: z
        .number()
        .gt(0)
        .lt(100)
        .default(99)
        .meta({ description: 'Percentile of the samples that has to stay below it, in (0, 100).' }),
    })
    .meta({ description: `Limit on ${what}.` });

const ratio = (what: string) =>
  z.strictObject({
    max: z
      .number()
      .min(0)
      .max(1)
      .meta({ description: `Highest allowed ${what}, 0 to 1.` }),
  });

/** What one workload class needs. Every key is optional in a file: what is absent keeps the built-in default. */
export const targets = z
  .strictObject({
    networkRttMs: limit('network round trip in ms (RFC 2681)'),
    networkPdvMs: limit('packet delay variation in ms above the lowest delay (RFC 5481)'),
    networkLoss: ratio('share of lost packets (RFC 7680)'),
    ttftMs: limit('time to first token in ms'),
    tokenGapMs: limit('gap between token events in ms'),
    stallRate: ratio('share of token gaps that are stalls'),
  })
  .meta({ description: 'Limits that a workload has to meet.' });
export type Targets = z.infer<typeof targets>;
export const targetOverrides = targets.partial();
export type TargetOverrides = z.infer<typeof targetOverrides>;
