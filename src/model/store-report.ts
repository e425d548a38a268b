import * as z from 'zod';

/** Formats of files that samples go to and come from. */
export const fileFormat = z.enum(['parquet', 'csv', 'jsonl']);
export type FileFormat = z.infer<typeof fileFormat>;

export const storeInfo = z.object({
  path: z.string(),
  format: z.number().meta({ description: 'Version of the tables.' }),
  bytes: z.number().meta({ description: 'Size of the database and its log on the disk.' }),
  samples: z.number(),
  batches: z.number(),
  notRolledUp: z.number().meta({ description: 'Samples that came after the last roll-up.' }),
  firstAt: z.string().nullable().meta({ description: 'Time of the oldest sample, ISO 8601.' }),
  lastAt: z.string().nullable(),
  agents: z.number(),
  endpoints: z.number(),
  minutes: z.number().meta({ description: 'Rows of the roll-ups by minute.' }),
  hours: z.number(),
  documents: z.number(),
});
export type StoreInfo = z.infer<typeof storeInfo>;

const file = { file: z.string(), format: fileFormat };
const head = z.literal('inferpath/store@1');

/** What `inferpath store --json` prints. */
export const storeReport = z
  .discriminatedUnion('action', [
    z.strictObject({ schema: head, action: z.literal('info'), info: storeInfo }),
    z.strictObject({
      schema: head,
      action: z.literal('check'),
      faults: z.array(z.string()).meta({ description: 'What contradicts itself; none is good.' }),
    }),
    z.strictObject({
      schema: head,
      action: z.literal('repair'),
      repaired: z.string().nullable().meta({ description: 'What was put right; null when there was nothing.' }),
    }),
    z.strictObject({ schema: head, action: z.literal('export'), ...file, samples: z.number() }),
    z.strictObject({
      schema: head,
      action: z.literal('import'),
      ...file,
      samples: z.number().meta({ description: 'Samples that were not there before.' }),
      batches: z.number(),
      duplicates: z.number().meta({ description: 'Batches that were there already, whole or in part.' }),
    }),
  ])
  .meta({ title: 'inferpath store --json', description: 'What is stored, and what went out or came in.' });
export type StoreReport = z.infer<typeof storeReport>;
