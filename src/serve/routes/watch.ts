import * as z from 'zod';
import { endpointSummary } from '../../model/assess.ts';
import { alert, alertState } from '../../model/alert.ts';
import { finding, verdict } from '../../model/finding.ts';
import { network } from '../../model/network.ts';
import { doerOf } from '../doer.ts';
import { Problem } from '../problem.ts';
import { redactedNetwork } from '../redact.ts';
import { alertId, name } from '../range.ts';
import { alertList, reloaded } from '../replies.ts';
import { defineRoute } from '../route.ts';

const doors = ['web'] as const;

const sloState = z.object({
  slo: z.string(),
  endpoint: z.string(),
  indicator: z.string(),
  objective: z.number(),
  periodMs: z.number(),
  events: z.number(),
  bad: z.number(),
  allowed: z.number().meta({ description: 'Bad events that the objective allows for as many.' }),
  left: z
    .number()
    .nullable()
    .meta({ description: 'Share of the budget that is left; below 0 when overdrawn, null without events.' }),
});

/** Reads the network file by a function that may refuse it with its mistakes. */
async function mistakesTold<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 100);
    throw new Problem('invalid-input', 'the network file is not valid; the one before stays in force', {
      errors: lines.map((detail) => ({ pointer: 'network file', detail })),
    });
  }
}

export const watchRoutes = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/endpoints',
    doors,
    permission: 'viewer',
    about: 'Endpoints of the network file, with their verdicts over the last hour.',
    reply: {
      schema: z.object({ endpoints: z.array(endpointSummary.extend({ site: z.string().nullable() })) }),
      about: 'All of them, in the order of the file.',
    },
    handle: async ({ context }) => {
      const { endpoints } = await context.current.report();
      const sites = new Map(context.configuration.network.endpoints.map((e) => [e.name, e.site ?? null]));
      return {
        json: { endpoints: endpoints.map((e) => ({ ...e, site: sites.get(e.name) ?? null })) },
      };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/findings',
    doors,
    permission: 'viewer',
    about: 'What the rules say of the last hour.',
    query: z.strictObject({ subject: name.optional(), verdict: verdict.optional() }),
    reply: { schema: z.object({ ready: verdict, findings: z.array(finding) }), about: 'Worst first.' },
    handle: async ({ query, context }) => {
      const { ready, findings } = await context.current.report();
      const isWanted = (f: z.infer<typeof finding>) =>
        (query.subject === undefined || f.subject === query.subject) &&
        (query.verdict === undefined || f.verdict === query.verdict);
      return { json: { ready, findings: findings.filter(isWanted) } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/alerts',
    doors,
    permission: 'viewer',
    about: 'Alerts and their state, the newest change first.',
    query: z.strictObject({ state: alertState.optional(), subject: z.string().max(200).optional() }),
    reply: { schema: alertList, about: 'Those that are remembered.' },
    handle: async ({ query, context }) => {
      const all = (await context.documents.list('alert')).flatMap(({ body }) => alert.safeParse(body).data ?? []);
      const { state, subject } = query;
      const wanted = all.filter(
        (a) => (state === undefined || a.state === state) && (subject === undefined || a.subject === subject),
      );
      return { json: { alerts: wanted.sort((a, b) => b.changedAtMs - a.changedAtMs) } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/alerts/:id',
    doors,
    permission: 'viewer',
    about: 'One alert with its whole finding.',
    params: z.strictObject({ id: alertId }),
    reply: { schema: alert, about: 'The alert.' },
    handle: async ({ params, context }) => {
      const body = alert.safeParse((await context.documents.get('alert', params.id))?.body).data;
      if (!body) throw new Problem('not-found', 'no such alert: it never was, or is over and forgotten');
      return { json: body };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/slos',
    doors,
    permission: 'viewer',
    about: 'What is left of each budget, as of the last evaluation.',
    reply: { schema: z.object({ slos: z.array(sloState) }), about: 'Each objective and endpoint.' },
    handle: ({ context }) => ({ json: { slos: [...context.evaluation.slos()] } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/network',
    doors,
    permission: 'viewer',
    about: 'The network file in force, without what could be a secret.',
    reply: { schema: z.object({ revision: z.string(), network }), about: 'The file.' },
    handle: ({ context: { configuration } }) => ({
      json: { revision: configuration.revision, network: redactedNetwork(configuration.network) },
      headers: { etag: `"${configuration.revision}"` },
    }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/network/reload',
    doors,
    permission: 'operator',
    about: 'Reads the network file again. Alerts, budgets and everything else that is kept stays.',
    body: {
      schema: z.strictObject({
        dryRun: z.boolean().default(false).meta({ description: 'Only tell what would change.' }),
      }),
      limitBytes: 1024,
    },
    reply: {
      schema: reloaded,
      about: 'What has changed, or would.',
    },
    handle: async ({ body, context, principal, peer }) => {
      const { configuration, audit } = context;
      if (body.dryRun) {
        const changes = await mistakesTold(() => configuration.preview());
        return { json: { revision: configuration.revision, changes } };
      }
      const changes = await mistakesTold(() => configuration.reload());
      const detail = { revision: configuration.revision, changes: changes.length };
      await audit.commit({ ...doerOf(principal, peer), action: 'network.reload', subject: 'network file', detail });
      return { json: { revision: configuration.revision, changes } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/events',
    doors,
    permission: 'viewer',
    about:
      'Live updates: samples, alert, network, agent. Resumes after the header Last-Event-ID; an event "reset" says that something was ' +
      'missed and everything is to be read again.',
    reply: { media: 'text/event-stream', about: 'The stream.' },
    handle: ({ headers, signal, context }) => {
      const stream = context.events.stream(headers.get('last-event-id'), signal);
      if (!stream) throw new Problem('busy', 'too many readers of events', { headers: { 'retry-after': '10' } });
      return new Response(stream, { headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } });
    },
  }),
];
