import * as z from 'zod';
import { policyHook } from '../network-policy.ts';

const packets = z
  .object({
    example: z.string().meta({ description: 'The smallest packet of them.' }),
    cells: z.number().int().meta({ description: 'How many kinds of packets differ in this way.' }),
  })
  .nullable();

const end = z.object({ address: z.string(), port: z.number().int() });

/** What `inferpath secure policy apply --json` prints. */
export const policyApplyReport = z
  .object({
    schema: z.literal('inferpath/policy-apply@1'),
    file: z.string(),
    table: z.string().meta({ description: 'The only table that is touched.' }),
    hadTable: z.boolean().meta({ description: 'Whether it was there before.' }),
    session: z
      .object({ client: end, server: end, rule: z.string().meta({ description: 'What keeps it, inbound.' }) })
      .nullable()
      .meta({
        description: 'The SSH session that this ran in; null: none was found, and none is kept by a rule of its own.',
      }),
    changes: z
      .array(
        z.object({
          hook: policyHook,
          family: z.union([z.literal(4), z.literal(6)]),
          allowed: packets.meta({ description: 'What passes our table now and did not before; null: nothing.' }),
          denied: packets.meta({ description: 'What is kept out now and was not before; null: nothing.' }),
          isComplete: z
            .boolean()
            .meta({ description: 'False where the old rules hold something that was not understood.' }),
        }),
      )
      .meta({ description: 'The difference in meaning, over all packets that begin a connection, none sampled.' }),
    confirmWithinS: z.number().int(),
    ending: z
      .enum(['checked', 'confirmed', 'restored', 'notRestored'])
      .meta({ description: 'checked: nothing was loaded; restored: nobody confirmed in time, or it was undone.' }),
  })
  .meta({
    title: 'inferpath secure policy apply --json',
    description: 'What a policy changes on this host, and how its probation ended.',
  });
export type PolicyApplyReport = z.infer<typeof policyApplyReport>;
