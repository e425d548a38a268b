import * as z from 'zod';
import { stampCounters } from './stamp/stats.ts';

const count = z.number().int().min(0);
const milliseconds = z.number().min(0);

/** The line that `reflect --json` prints when it listens. */
const listeningLine = z.strictObject({
  event: z.literal('listening'),
  url: z.string().meta({ description: 'Origin to send requests to.' }),
  address: z.string(),
  port: z.number().int().min(1).max(65_535),
  certificate: z.string().optional().meta({ description: 'Certificate of the server, PEM; absent without TLS.' }),
  stamp: z
    .strictObject({ address: z.string(), port: z.number().int().min(1).max(65_535) })
    .optional()
    .meta({ description: 'Where STAMP packets are reflected over UDP; absent without --stamp.' }),
});

/** The line that it prints at its end. */
const endedLine = z.strictObject({
  event: z.literal('ended'),
  requests: count,
  refused: count.meta({ description: 'Requests answered with an error status.' }),
  active: count,
  aborted: count.meta({ description: 'Answers that were cut short.' }),
  tokens: count,
  lag: z
    .strictObject({ events: count, p50Ms: milliseconds, p99Ms: milliseconds, maxMs: milliseconds })
    .meta({ description: 'How late events were written, against their schedule.' }),
  stamp: z
    .record(z.enum(stampCounters), count)
    .optional()
    .meta({ description: 'STAMP packets received, reflected, and not reflected by reason; sessions at the end.' }),
});

/** Every line that `reflect --json` prints. */
export const reflectLine = z
  .discriminatedUnion('event', [listeningLine, endedLine])
  .meta({ title: 'inferpath reflect --json', description: 'One line of what inferpath reflect --json prints.' });
export type ReflectLine = z.infer<typeof reflectLine>;
