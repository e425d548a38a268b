import * as z from 'zod';
import { observation } from './observation.ts';

/** Every output that `inferpath import` reads. */
export const importFormats = [
  'ping',
  'ping-windows',
  'mtr-json',
  'mtr-report',
  'mtr-raw',
  'mtr-csv',
  'traceroute',
  'tracert',
  'pathping',
  'tracepath',
  'test-connection',
  'fping',
  'fping-json',
  'scamper-json',
  'iperf3-json',
  'iperf3',
  'hping3',
] as const;
export const importFormat = z.enum(importFormats);
export type ImportFormat = z.infer<typeof importFormat>;

const warning = z.object({
  file: z.string(),
  line: z.number().int().nullable().meta({ description: 'Line the warning is about; null: the whole file.' }),
  message: z.string(),
});
export type ImportWarning = z.infer<typeof warning>;

const targetSummary = z.object({
  to: z.string(),
  kinds: z.array(z.string()).meta({ description: 'Kinds of observations about this target.' }),
  observations: z.number().int(),
  path: z
    .object({ hops: z.number().int(), reached: z.boolean() })
    .nullable()
    .meta({ description: 'Length of the last trace to this target and whether it arrived; null where none was.' }),
  upMbitPerS: z.number().nullable().meta({ description: 'Last throughput to the target, as its receiver saw it.' }),
  downMbitPerS: z.number().nullable().meta({ description: 'Last throughput from the target.' }),
  sent: z.number().int().nullable().meta({ description: 'Round-trip probes sent; null where none were.' }),
  received: z.number().int().nullable(),
  minMs: z.number().nullable(),
  medianMs: z.number().nullable(),
  p99Ms: z.number().nullable(),
  maxMs: z.number().nullable(),
});
export type ImportTarget = z.infer<typeof targetSummary>;

export const importedFile = z.object({
  file: z.string().meta({ description: 'As it was given; "-" is stdin.' }),
  format: importFormat,
  detected: z.string().meta({ description: 'Why this format was chosen.' }),
  encoding: z.enum(['utf-8', 'utf-16le', 'utf-16be', 'cp850']),
  lines: z.number().int(),
  unreadLines: z.number().int().meta({ description: 'Lines of which nothing could be made.' }),
  observations: z.number().int(),
  first: z.string().nullable().meta({ description: 'Time of the first observation, ISO 8601.' }),
  last: z.string().nullable(),
  targets: z.array(targetSummary),
});
export type ImportedFile = z.infer<typeof importedFile>;

export const importReport = z
  .object({
    schema: z.literal('inferpath/import@1'),
    version: z.string(),
    interrupted: z.boolean(),
    observations: z.array(observation),
    files: z.array(importedFile),
    warnings: z.array(warning),
  })
  .meta({ title: 'inferpath import --json', description: 'What other tools measured, as observations.' });
