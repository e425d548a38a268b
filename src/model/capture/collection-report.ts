import * as z from 'zod';
import { flowCollection } from './flow-record.ts';
import { patternReport } from './pattern.ts';

const total = z.number().nonnegative();

export const captureFlowsReport = z
  .object({
    schema: z.literal('inferpath/capture-flows@1'),
    version: z.string(),
    durationMs: z.number(),
    collection: flowCollection,
    records: z.number().int().nonnegative(),
    octets: total.meta({ description: 'Scaled by sampling, each packet once for each exporter that told of it.' }),
    packets: total,
    sampled: z.boolean().meta({ description: 'Whether any of it was scaled.' }),
    toldAgain: z.number().int().nonnegative().meta({
      description: 'Records of packets that another exporter, or the same one on the way out, had told of already.',
    }),
    patterns: patternReport,
    interrupted: z.boolean(),
  })
  .meta({
    id: 'captureFlows',
    title: 'inferpath capture --listen',
    description: 'What exporters of flows have told, what of it was lost, and what the traffic looks like.',
  });
export type CaptureFlowsReport = z.infer<typeof captureFlowsReport>;
