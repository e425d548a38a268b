import * as z from 'zod';
import { totalNames, type LabStats } from './counters.ts';

const count = z.number().min(0);
const milliseconds = z.number().min(0);

/** What `lab run --json` prints. */
export const labReportSchema = z
  .strictObject({
    schema: z.literal('inferpath/lab@1'),
    from: z.string().meta({ description: 'Host the command ran on.' }),
    command: z.array(z.string()),
    exitCode: z.number().meta({ description: "The command's exit code; 128 + signal number when a signal ended it." }),
    delayError: z
      .strictObject({ packets: count, medianMs: milliseconds, p99Ms: milliseconds, maxMs: milliseconds })
      .meta({ description: "The lab's own lateness: hand-over minus due time of every packet delivered." }),
    realtime: z.boolean().meta({ description: 'Whether the forwarder had realtime priority.' }),
    totals: z.strictObject(
      Object.fromEntries(totalNames.map((name) => [name, count])) as Record<keyof LabStats['totals'], typeof count>,
    ),
    links: z.array(
      z.strictObject({
        from: z.string(),
        to: z.string(),
        packets: count,
        bytes: count,
        lost: count,
        queueDropped: count,
      }),
    ),
    hosts: z.array(
      z.strictObject({
        name: z.string(),
        read: count,
        delivered: count,
        kernelDropped: z
          .number()
          .min(-1)
          .meta({ description: 'Dropped because the lab was too slow; -1 when unknown.' }),
      }),
    ),
  })
  .meta({
    title: 'inferpath lab run --json',
    description: 'What happened in an emulated network while a command ran in it.',
  });
export type LabReport = z.output<typeof labReportSchema>;

/** What `lab check --json` prints. */
export const labCheckSchema = z
  .strictObject({
    schema: z.literal('inferpath/lab-check@1'),
    file: z.string(),
    nodes: z.array(
      z.strictObject({ name: z.string(), kind: z.enum(['host', 'router']), v4: z.string(), v6: z.string() }),
    ),
    links: count,
  })
  .meta({ title: 'inferpath lab check --json', description: 'What a topology file describes, with its addresses.' });
export type LabCheck = z.output<typeof labCheckSchema>;
