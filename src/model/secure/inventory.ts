import * as z from 'zod';
import { finding, verdict } from '../finding.ts';

const gate = z
  .object({
    id: z.string(),
    asks: z.string(),
    verdict,
    evidence: z.string().meta({ description: 'What the verdict rests on, or what is missing.' }),
    how: z.enum(['measured', 'declared', 'nothing']).meta({
      description:
        'measured: by a report of inferpath; declared: by the network file, with evidence that somebody looked at.',
    }),
    at: z.string().nullable().meta({ description: 'When it was looked at; null: never, or not said.' }),
    reproduce: z.string().meta({ description: 'How to see it again.' }),
  })
  .meta({ description: 'One requirement with its verdict and its evidence.' });
export type Gate = z.infer<typeof gate>;

const inventoriedHop = z
  .object({
    name: z.string(),
    where: z.string(),
    layers: z.array(z.string()),
    carries: z.array(z.string()).meta({ description: 'Data classes that pass it.' }),
    gates: z.array(gate),
  })
  .meta({ description: 'One stretch that data passes.' });
export type InventoriedHop = z.infer<typeof inventoriedHop>;

const tenet = z
  .object({
    number: z.number().int().min(1).max(7),
    title: z.string(),
    state: z.enum(['pass', 'fail', 'unknown', 'notObservable']),
    met: z.number().int().nullable(),
    of: z.number().int().nullable().meta({ description: 'What was counted; null where nothing can be.' }),
    formula: z.string(),
    evidence: z.string(),
  })
  .meta({ description: 'One tenet of NIST SP 800-207 §2.1, only as far as it was measured.' });
export type Tenet = z.infer<typeof tenet>;

export const inventoryReport = z
  .object({
    schema: z.literal('inferpath/secure-inventory@1'),
    source: z.string(),
    at: z.iso.datetime(),
    hops: z.array(inventoriedHop),
    tenets: z.array(tenet),
    score: z.object({
      passed: z.number().int(),
      failed: z.number().int(),
      unknown: z.number().int().meta({ description: 'Never counts as passed.' }),
      coverage: z
        .number()
        .min(0)
        .max(1)
        .meta({ description: 'Share of gates that are known: (passed + failed) / all.' }),
      formula: z.string(),
    }),
    findings: z.array(finding),
    notes: z.array(z.string()),
  })
  .meta({
    title: 'inferpath secure inventory --json',
    description: 'What encrypts every hop, as gates, and what of zero trust was measured.',
  });
export type InventoryReport = z.infer<typeof inventoryReport>;
