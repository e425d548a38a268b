import * as z from 'zod';
import { finding, pillar, verdict } from './finding.ts';
import { evidence } from './finding.ts';
import { observation } from './observation.ts';
import { targets, workloadClass } from './workload.ts';

export const cell = z
  .object({
    verdict,
    coverage: z.number().min(0).max(1).meta({ description: 'Share of what this pillar needs to know that is known.' }),
    findings: z.array(z.string()).meta({ description: 'Ids of the findings behind the verdict.' }),
  })
  .meta({ description: 'Verdict of one pillar for one endpoint.' });
export type Cell = z.infer<typeof cell>;

/** The summary of one endpoint: the row of the matrix and the numbers that the charts show. */
export const endpointSummary = z.object({
  name: z.string(),
  url: z.string(),
  workload: z.string(),
  class: workloadClass,
  targets,
  requests: z.number().int(),
  answered: z.number().int(),
  cells: z.record(pillar, cell),
  metrics: z.array(evidence).meta({ description: 'Headline numbers: ttft p50/p99, network rtt, token gap …' }),
  blame: z
    .enum(['network', 'server', 'client', 'undetermined', 'none'])
    .meta({ description: 'Who is responsible for what misses its target; "none" when nothing does.' }),
  blameWhy: z.string(),
});
export type EndpointSummary = z.infer<typeof endpointSummary>;

/** The whole result of `inferpath assess`; every renderer takes this value and nothing else. */
export const assessReport = z
  .object({
    schema: z.literal('inferpath/assess@1'),
    version: z.string(),
    startedAt: z.string(),
    durationMs: z.number(),
    interrupted: z.boolean(),
    vantage: z.string(),
    requests: z.number().int(),
    ready: verdict.meta({ description: 'fail when any cell fails, unknown when any cell is unknown, else pass.' }),
    endpoints: z.array(endpointSummary),
    findings: z.array(finding),
    observations: z.array(observation),
    notes: z.array(z.string()).meta({
      description:
        'What the reader must know about this run: missing privileges, emulation, proxy in the environment …',
    }),
  })
  .meta({
    id: 'assess',
    title: 'inferpath assess report',
    description: 'Verdict per endpoint and pillar, with findings and all observations.',
  });
export type AssessReport = z.infer<typeof assessReport>;
