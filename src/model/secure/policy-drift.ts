import * as z from 'zod';
import { finding } from '../finding.ts';
import { policyHook } from '../network-policy.ts';
import { flow, listener, snapshot } from './snapshot.ts';

const lineName = z.string().meta({ description: 'Name of a line of the policy.' });

/** What `inferpath secure policy drift --json` prints. It holds the snapshot: kept, it is what a later run compares with. */
export const policyDriftReport = z
  .object({
    schema: z.literal('inferpath/policy-drift@1'),
    file: z.string().meta({ description: 'The network file.' }),
    measuredAt: z.string().meta({ description: 'When this was made, ISO 8601.' }),
    interrupted: z.boolean().meta({ description: 'Whether Ctrl-C ended it before all samples were taken.' }),
    seenBy: z.string().meta({ description: 'How often and how long was looked: what every zero below stands on.' }),
    self: z.array(z.string()).meta({ description: 'Addresses of the host that the connections were seen on.' }),
    denials: z
      .array(
        z.object({
          ...flow.shape,
          hook: policyHook.meta({ description: 'Where the policy would deny it.' }),
          enforcedHere: z
            .boolean()
            .meta({ description: 'Whether this host denies there; else the other end would, if it keeps the policy.' }),
        }),
      )
      .meta({ description: 'Flows that no line permits and that nothing keeps out yet.' }),
    alreadyDenied: z.array(flow).meta({ description: 'Flows that no line permits and a firewall has kept out.' }),
    deniedThoughPermitted: z
      .array(z.object({ ...flow.shape, lines: z.array(lineName) }))
      .meta({ description: 'Flows that the policy permits and a firewall has kept out.' }),
    permissions: z
      .array(
        z.object({
          line: lineName,
          place: z.string().meta({ description: 'Where it stands in the network file.' }),
          why: z.string(),
          state: z.enum(['used', 'unused', 'notObservable']).meta({
            description:
              'unused: nothing of it was seen, as often as was looked; notObservable: it is about others than this host.',
          }),
          claim: z.string(),
          flows: z.number().int(),
          seen: z.number().int(),
          unseenServices: z
            .array(z.string())
            .meta({ description: 'Of a used line: its services of which nothing was seen.' }),
        }),
      )
      .meta({ description: 'Every line of the policy, and how much of it was seen.' }),
    listeners: z
      .array(
        z.object({
          ...listener.shape,
          isNew: z.boolean().nullable().meta({ description: 'Null: there is nothing earlier to compare with.' }),
          permittedBy: z.array(lineName).meta({ description: 'Lines that let somebody reach it from outside.' }),
        }),
      )
      .meta({ description: 'Sockets that wait for others than this host itself.' }),
    against: z
      .object({ file: z.string(), seenBy: z.string() })
      .nullable()
      .meta({ description: 'The earlier snapshot.' }),
    firstTimeTalkers: z
      .array(flow)
      .nullable()
      .meta({ description: 'Flows that the earlier snapshot does not have; null without one.' }),
    unjudged: z.number().int().meta({ description: 'Flows of protocols that are not known by a number.' }),
    findings: z.array(finding),
    notes: z.array(z.string()),
    snapshot,
  })
  .meta({
    title: 'inferpath secure policy drift --json',
    description: 'What is said by the policy, against what is seen.',
  });
export type PolicyDriftReport = z.infer<typeof policyDriftReport>;
