import * as z from 'zod';

/** What `alert test --json` prints. */
export const alertTestReport = z
  .strictObject({
    receivers: z.array(
      z.strictObject({
        name: z.string(),
        type: z.enum(['alertmanager', 'webhook', 'slack', 'pagerduty', 'email']),
        outcome: z.enum(['accepted', 'retry', 'refused', 'gone']).meta({
          description:
            'accepted: it took the beginning and, where it keeps states, the end. retry: it may work later. refused: never as it is. gone: it wants nothing more (410).',
        }),
        words: z.string().meta({ description: 'What the receiver or the network said, without secrets.' }),
        afterMs: z.number().meta({ description: 'How long it took.' }),
      }),
    ),
  })
  .meta({ title: 'inferpath alert test --json', description: 'How each receiver took a test alert.' });
export type AlertTestReport = z.infer<typeof alertTestReport>;
