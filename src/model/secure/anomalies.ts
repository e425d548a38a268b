import * as z from 'zod';
import { finding } from '../finding.ts';

const count = z.number().int().min(0);

const look = z.object({
  name: z.string().meta({ description: 'File that it came from.' }),
  at: z.string().meta({ description: 'When it was made, ISO 8601.' }),
  shows: z.enum(['connections', 'tls', 'access']),
});

const rule = z
  .object({
    id: z.string(),
    about: z.string(),
    of: z.enum(['connections', 'tls', 'access']),
    judged: z
      .string()
      .nullable()
      .meta({ description: 'File of the look that it judged; null where there are too few.' }),
    learnt: count.meta({ description: 'Earlier looks that it knows.' }),
    needs: count.meta({ description: 'Earlier looks without which it says nothing.' }),
    asked: count.meta({
      description: 'Things that it held against what it knows: services, ports, endpoints, servers.',
    }),
    found: count,
    replay: z.object({ looks: count, asked: count, alarms: count }).meta({
      description:
        'The same rule on the earlier looks, each judged by those before it. Where the past was harmless, alarms over asked is its rate of false alarms here.',
    }),
  })
  .meta({ description: 'One rule, how much it asked, and how often it would have spoken before.' });

/** What `inferpath secure anomalies --json` prints. */
export const anomaliesReport = z
  .object({
    schema: z.literal('inferpath/anomalies@1'),
    version: z.string(),
    looks: z.array(look).meta({ description: 'In the order of time; the last of each kind is judged.' }),
    inference: z.array(z.string()).meta({ description: 'Addresses that are taken to serve inference.' }),
    rules: z.array(rule),
    findings: z.array(finding),
  })
  .meta({
    title: 'inferpath secure anomalies --json',
    description: 'What is unlike before: the newest saved look against all earlier ones.',
  });
export type AnomaliesReport = z.infer<typeof anomaliesReport>;
