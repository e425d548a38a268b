import * as z from 'zod';
import { mtuObservation } from './observation.ts';

/** The whole result of `inferpath mtu`. */
export const mtuReport = z
  .object({
    schema: z.literal('inferpath/mtu@1'),
    version: z.string(),
    startedAt: z.string(),
    durationMs: z.number(),
    target: z.string(),
    expectBytes: z.number().int().nullable().meta({ description: 'Packet size that the path was expected to carry.' }),
    expectationMet: z
      .boolean()
      .nullable()
      .meta({ description: 'Null without an expectation, or where it is not known.' }),
    interrupted: z.boolean(),
    results: z.array(mtuObservation).meta({ description: 'One per method that was tried; the last one counts.' }),
    advice: z.array(z.string()).meta({ description: 'What it means for traffic, and what to change, in sentences.' }),
  })
  .meta({
    title: 'inferpath mtu --json',
    description: 'The path MTU of one target, how it is known, and what follows.',
  });
export type MtuReport = z.infer<typeof mtuReport>;
