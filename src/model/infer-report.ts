import * as z from 'zod';
import { evidenceGrade, inferenceRequest } from './inference.ts';
import { interval } from './units.ts';
import { workloadClass } from './workload.ts';

const estimate = z
  .object({
    value: z.number(),
    interval: interval.nullable().meta({ description: '95 % interval; null with too few samples.' }),
  })
  .nullable();

/** One line of the table below the requests. */
export const summaryRow = z.object({
  metric: z.string(),
  unit: z.string(),
  n: z.number().int(),
  p50: estimate,
  p90: estimate,
  p99: estimate,
});
export type SummaryRow = z.infer<typeof summaryRow>;

export const inferSummary = z.object({
  requests: z.number().int(),
  answered: z.number().int(),
  rows: z.array(summaryRow),
  evidence: z.record(evidenceGrade, z.number().int()).meta({ description: 'Requests per grade of evidence.' }),
  stalls: z.object({
    gaps: z.number().int().meta({ description: 'Token gaps measured.' }),
    network: z.number().int(),
    server: z.number().int(),
    client: z.number().int(),
    undetermined: z.number().int(),
  }),
  client: z.object({
    scheduleLagP99Ms: z.number(),
    eventLoopLagMaxMs: z.number(),
    processingMaxMs: z.number(),
    cpuShare: z.number().meta({ description: 'CPU seconds of this process per second.' }),
    bottleneck: z
      .boolean()
      .meta({ description: 'True when this tool itself was too slow for what it was asked to do.' }),
    why: z.string(),
  }),
});
export type InferSummary = z.infer<typeof inferSummary>;

/** The whole result of `inferpath infer`. */
export const inferReport = z
  .object({
    schema: z.literal('inferpath/infer@1'),
    version: z.string(),
    startedAt: z.string(),
    durationMs: z.number(),
    endpoint: z.string(),
    url: z.string(),
    class: workloadClass,
    interrupted: z.boolean(),
    requests: z.array(inferenceRequest),
    summary: inferSummary,
    notes: z.array(z.string()).meta({ description: 'How it was measured and what could not be seen.' }),
  })
  .meta({
    id: 'infer',
    title: 'inferpath infer report',
    description: 'Inference requests, each taken apart, with a summary.',
  });
export type InferReport = z.infer<typeof inferReport>;
