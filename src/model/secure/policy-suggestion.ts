import * as z from 'zod';
import { policy } from '../network-policy.ts';
import { flow } from './snapshot.ts';

const shown = z
  .object({
    verdict: z.enum(['proved', 'refuted', 'not-proved']),
    example: z.string().optional().meta({ description: 'A packet or flow that speaks against it.' }),
  })
  .meta({ description: 'What was shown, of all packets and not of samples.' });

/** What `inferpath secure policy suggest --json` prints. */
export const policySuggestion = z
  .object({
    schema: z.literal('inferpath/policy-suggestion@1'),
    measuredAt: z.string(),
    interrupted: z.boolean(),
    seenBy: z.string(),
    spanDays: z.number().min(0).meta({ description: 'Time between the first and the last flow, days.' }),
    minDays: z.number().min(0).meta({ description: 'Time that was asked for.' }),
    longEnough: z.boolean(),
    policy: policy.meta({ description: 'For the network file.' }),
    yaml: z.string().meta({ description: 'The same as text, with what to know about each line.' }),
    lines: z.array(
      z.object({
        name: z.string(),
        flows: z.number().int(),
        seen: z.number().int(),
        firstMs: z.number().nullable(),
        lastMs: z.number().nullable(),
        slack: z
          .array(z.string())
          .meta({ description: 'Sources in the line that were never seen; none without --slack.' }),
      }),
    ),
    leastCidrs: z
      .boolean()
      .meta({ description: 'Whether each list of sources is proven to be the shortest for its slack.' }),
    proofs: z.object({
      observedWithin: shown.meta({ description: 'Every flow that was taken is permitted.' }),
      withinCurrent: shown
        .nullable()
        .meta({ description: 'Nothing is permitted that the policy in force does not permit; null: there is none.' }),
    }),
    oneOff: z.array(flow).meta({ description: 'Seen once: a monthly job or an attack; somebody has to say which.' }),
    leftOut: z.array(z.object({ flow, why: z.string() })),
    notes: z.array(z.string()),
  })
  .meta({
    title: 'inferpath secure policy suggest --json',
    description: 'The least privilege that lets everything go on that was seen.',
  });
export type PolicySuggestion = z.infer<typeof policySuggestion>;
