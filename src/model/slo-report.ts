import * as z from 'zod';

const note = z.object({
  file: z.string(),
  about: z.string().meta({ description: 'Kind and name of the object, e.g. "SLO checkout".' }),
  message: z.string(),
});
export type SloNote = z.infer<typeof note>;

/** What `inferpath slo import --json` prints. */
export const sloImportReport = z
  .object({
    schema: z.literal('inferpath/slo-import@1'),
    slos: z.array(z.record(z.string(), z.unknown())).meta({ description: 'For `watch.slos` of a network file.' }),
    notes: z.array(note).meta({ description: 'What was taken otherwise than written, or not at all.' }),
  })
  .meta({ title: 'inferpath slo import --json', description: 'Objectives of OpenSLO files for a network file.' });

const row = z.object({
  slo: z.string(),
  endpoint: z.string(),
  objective: z.number(),
  agents: z.number().int(),
  rules: z.array(
    z.object({
      severity: z.enum(['page', 'ticket']),
      longMs: z.number(),
      shortMs: z.number(),
      factor: z.number(),
      events: z.number().meta({ description: 'Events (or slices) in the long window.' }),
      badToFire: z.number().int().meta({ description: 'Bad ones that make it fire.' }),
      outageMs: z.number().meta({ description: 'Length of a total outage that makes it fire.' }),
    }),
  ),
});
export type SloRow = z.infer<typeof row>;

/** What `inferpath slo check --json` prints. */
export const sloCheckReport = z
  .object({ schema: z.literal('inferpath/slo-check@1'), slos: z.array(row) })
  .meta({ title: 'inferpath slo check --json', description: 'What the objectives of a network file come to.' });

const rule = z.object({
  record: z.string().optional(),
  alert: z.string().optional(),
  expr: z.string(),
  keep_firing_for: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
export type PrometheusRule = z.infer<typeof rule>;

/** What `inferpath slo export --json` prints: a rule file of Prometheus, which reads JSON as the YAML that it is. */
export const sloExportReport = z
  .object({
    groups: z.array(z.object({ name: z.string(), interval: z.string().optional(), rules: z.array(rule) })),
  })
  .meta({ title: 'inferpath slo export --json', description: 'Recording and alerting rules for Prometheus.' });
export type PrometheusRules = z.infer<typeof sloExportReport>;
