import * as z from 'zod';
import { stampObservation } from './observation.ts';

/** What `inferpath stamp --json` prints. */
export const stampReport = z
  .object({
    schema: z.literal('inferpath/stamp@1'),
    version: z.string(),
    startedAt: z.string(),
    durationMs: z.number().min(0),
    target: z.string(),
    interrupted: z.boolean(),
    result: stampObservation.meta({ description: 'The session: outcome, and what its packets say of each direction.' }),
  })
  .meta({ title: 'inferpath stamp --json', description: 'Both directions of a path apart, by a STAMP reflector.' });
export type StampReport = z.infer<typeof stampReport>;
