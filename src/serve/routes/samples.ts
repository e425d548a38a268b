import * as z from 'zod';
import { type SampleMetric, sampleKind, sampleMetrics, sampleVerdict } from '../../model/sample.ts';
import { checkStep, kindField, name, rangeFields, rangeOf, whoFields } from '../range.ts';
import { defineRoute } from '../route.ts';

const doors = ['web'] as const;
const metric = z.enum(sampleMetrics);
const step = z.coerce
  .number()
  .int()
  .min(1000)
  .max(86_400_000 * 31)
  .meta({ description: 'Width of a point, ms.' });
const listOf = (about: string) =>
  z
    .string()
    .max(64_000)
    .transform((text) => text.split(','))
    .pipe(z.array(name).min(1).max(1000))
    .optional()
    .meta({ description: `${about}, separated by commas; default all.` });

const sample = z.object({
  id: z.string(),
  atMs: z.number(),
  agent: z.string(),
  endpoint: z.string(),
  kind: sampleKind,
  outcome: z.string(),
  verdict: sampleVerdict,
  metrics: z.partialRecord(metric, z.number()),
  state: z.string().nullable(),
  detail: z
    .string()
    .nullable()
    .meta({ description: 'The whole observation as JSON text, where it is more than the columns.' }),
});
const count = z.int();
const seriesPoint = z.object({
  atMs: z.number(),
  endpoint: z.string(),
  agent: z.string().nullable(),
  ok: count,
  bad: count,
  unknown: count,
  n: count,
  mean: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  quantiles: z.array(z.number().nullable()),
});
const countsPoint = z.object({
  atMs: z.number(),
  endpoint: z.string(),
  agent: z.string(),
  good: count,
  bad: count,
  unknown: count,
});
const stateChange = z.object({
  atMs: z.number(),
  agent: z.string(),
  endpoint: z.string(),
  kind: sampleKind,
  before: z.string(),
  after: z.string(),
});

const quantileList = z
  .string()
  .regex(/^0?\.\d+(,0?\.\d+){0,9}$/, 'must be up to ten numbers between 0 and 1, like 0.5,0.99')
  .default('0.5,0.9,0.99')
  .transform((text) => text.split(',').map(Number))
  .refine((all) => all.every((q) => q > 0 && q < 1), 'must lie between 0 and 1');

export const sampleRoutes = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/samples',
    doors,
    permission: 'viewer',
    about: 'Single results of probes, a page at a time.',
    query: z.strictObject({
      ...rangeFields,
      ...whoFields,
      kind: kindField.optional(),
      order: z.enum(['oldest', 'newest']).default('newest'),
      detail: z.stringbool().default(false).meta({ description: 'With the whole observations.' }),
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
      after: z.string().max(500).optional().meta({ description: '`next` of the page before.' }),
    }),
    reply: { schema: z.object({ samples: z.array(sample), next: z.string().nullable() }), about: 'A page of them.' },
    handle: async ({ query, context }) => {
      const { endpoint, agent, kind, order, detail, limit, after } = query;
      return {
        json: await context.store.samples({
          ...rangeOf(query, context.io.clock.wallMs()),
          ...(endpoint === undefined ? {} : { endpoint }),
          ...(agent === undefined ? {} : { agent }),
          ...(kind === undefined ? {} : { kind }),
          ...(after === undefined ? {} : { after }),
          columnsOnly: !detail,
          limit,
          order,
        }),
      };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/series',
    doors,
    permission: 'viewer',
    about: 'A metric over time: counts, mean, extremes and percentiles per step, from roll-ups where there are any.',
    query: z.strictObject({
      ...rangeFields,
      kind: kindField,
      metric,
      step: step.default(60_000),
      endpoints: listOf('Endpoints'),
      agents: listOf('Agents'),
      quantiles: quantileList,
      by: z.enum(['endpoint', 'endpoint-agent']).default('endpoint'),
    }),
    reply: {
      schema: z.object({ points: z.array(seriesPoint) }),
      about: 'Points in which something happened, by time.',
    },
    handle: async ({ query, context }) => {
      const range = rangeOf(query, context.io.clock.wallMs());
      checkStep(range, query.step);
      const { kind, step: stepMs, endpoints, agents, quantiles, by } = query;
      const points = await context.store.series({
        ...range,
        kind,
        metric: query.metric satisfies SampleMetric,
        stepMs,
        quantiles,
        by,
        ...(endpoints ? { endpoints } : {}),
        ...(agents ? { agents } : {}),
      });
      return { json: { points } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/counts',
    doors,
    permission: 'viewer',
    about: 'Good and bad events per agent and step: what error budgets are made of.',
    query: z
      .strictObject({
        ...rangeFields,
        kind: kindField,
        step: step.default(60_000),
        endpoints: listOf('Endpoints'),
        metric: metric.optional().meta({ description: 'With `max`: an answer is good only at or below it.' }),
        max: z.coerce.number().positive().optional(),
      })
      .refine((q) => (q.metric === undefined) === (q.max === undefined), '"metric" and "max" go together'),
    reply: { schema: z.object({ points: z.array(countsPoint) }), about: 'Steps in which something happened, by time.' },
    handle: async ({ query, context }) => {
      const range = rangeOf(query, context.io.clock.wallMs());
      checkStep(range, query.step);
      const { kind, step: stepMs, metric, max } = query;
      const endpoints = query.endpoints ?? context.configuration.network.endpoints.map((e) => e.name);
      const limit = metric === undefined || max === undefined ? {} : { limit: { metric, max } };
      return { json: { points: await context.store.counts({ ...range, kind, stepMs, endpoints, ...limit }) } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/changes',
    doors,
    permission: 'viewer',
    about: 'What the world looked like before and after: paths, DNS answers, certificates, path MTU.',
    query: z.strictObject({ ...rangeFields, endpoint: name.optional() }),
    reply: { schema: z.object({ changes: z.array(stateChange) }), about: 'All changes of the range, by time.' },
    handle: async ({ query, context }) => {
      const range = rangeOf(query, context.io.clock.wallMs());
      const who = query.endpoint === undefined ? {} : { endpoints: [query.endpoint] };
      return { json: { changes: await context.store.changes({ ...range, ...who }) } };
    },
  }),
];
