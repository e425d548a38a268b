import * as z from 'zod';
import { named } from './patterns.ts';

const name = z.string().regex(named.name.pattern, `must be ${named.name.words}`);
const duration = (about: string) =>
  z.string().regex(named.duration.pattern, `must be ${named.duration.words}`).meta({ description: about });

/** Probes that an agent may be asked for: a closed list, so that a server can never push a command. */
export const watchProbe = z.enum(['dns', 'tcp', 'tls', 'ping', 'trace', 'mtu', 'stamp', 'inference']);
export type WatchProbe = z.infer<typeof watchProbe>;

/** What objectives may count beside probes: what captures show of the requests of others. */
const sloSource = z.enum([...watchProbe.options, 'capture-exchange', 'capture-connection']);
export type SloSource = z.infer<typeof sloSource>;

const agent = z
  .strictObject({
    name: name.meta({ description: 'Name of the agent; the one it was enrolled with.' }),
    site: name.optional().meta({ description: 'Site that it stands at.' }),
    endpoints: z.array(name).min(1).optional().meta({ description: 'Endpoints that it watches; default all.' }),
    uplink: z
      .array(z.string().regex(named.hostPort.pattern, `must be ${named.hostPort.words}`))
      .max(8)
      .default([])
      .meta({
        description:
          'Places that answer whenever the own uplink works. When none does, this agent says nothing about endpoints.',
      }),
  })
  .meta({ description: 'A vantage point that is expected to report.' });

const job = z
  .strictObject({
    probe: watchProbe,
    every: duration('Interval between two starts.'),
    endpoints: z.array(name).min(1).optional().meta({ description: 'Endpoints; default all.' }),
    agents: z.array(name).min(1).optional().meta({ description: 'Agents; default all.' }),
  })
  .meta({ description: 'One probe, again and again, on an open-loop schedule.' });

export const sloIndicator = z.enum(['availability', 'network-rtt', 'network-loss', 'ttft', 'token-gap', 'total']);

const slo = z
  .strictObject({
    name,
    endpoints: z
      .array(name)
      .min(1)
      .optional()
      .meta({ description: 'Endpoints, each with a budget of its own; default all.' }),
    indicator: sloIndicator.meta({
      description:
        'What makes an event good. availability, network-loss: the probe was answered. The others: answered, and at or below thresholdMs.',
    }),
    probe: sloSource.optional().meta({
      description:
        'Probe whose results count; default inference for ttft, token-gap and total, ping for network-loss, otherwise tcp. capture-exchange and capture-connection are what `inferpath capture` stored of the requests of others.',
    }),
    thresholdMs: z.number().positive().optional().meta({
      description: 'Limit of the indicator, ms; default that of the workload of the endpoint.',
    }),
    objective: z.number().gt(0).lt(1).meta({ description: 'Share of good events (or slices) to be kept, e.g. 0.99.' }),
    window: duration('Rolling period of the budget.').default('30d'),
    method: z.enum(['occurrences', 'timeslices']).default('occurrences').meta({
      description: 'Count events, or count slices of time whose share of good events reaches sliceObjective.',
    }),
    slice: duration('Width of a slice.').default('1m'),
    sliceObjective: z
      .number()
      .gt(0)
      .lte(1)
      .default(0.95)
      .meta({ description: 'Share of good events of a good slice.' }),
  })
  .meta({ description: 'A service level objective (SRE workbook; OpenSLO names).' });

const receiverCommon = {
  name,
  urlEnv: z
    .string()
    .regex(named.env.pattern)
    .optional()
    .meta({ description: 'Environment variable that holds the URL.' }),
  urlFile: z.string().min(1).optional().meta({ description: 'File that holds the URL.' }),
  url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ description: 'Address, where it holds no secret.' }),
};
const secret = {
  secretEnv: z
    .string()
    .regex(named.env.pattern)
    .optional()
    .meta({ description: 'Environment variable that holds the secret.' }),
  secretFile: z.string().min(1).optional().meta({ description: 'File that holds the secret.' }),
};

export const receiver = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('alertmanager'), ...receiverCommon }),
    z.strictObject({
      type: z.literal('webhook'),
      ...receiverCommon,
      ...secret,
      template: z.string().max(16_384).optional().meta({
        description:
          'Body to send instead of the standard one: JSON text with {{field}} places, for Opsgenie and others.',
      }),
    }),
    z.strictObject({ type: z.literal('slack'), ...receiverCommon }),
    z.strictObject({ type: z.literal('pagerduty'), ...receiverCommon, ...secret }),
    z.strictObject({
      type: z.literal('email'),
      ...receiverCommon,
      to: z.array(z.email()).min(1),
      from: z.email(),
    }),
  ])
  .meta({ description: 'Where alerts go. Secrets come by environment or file, never from this file.' });

export type Receiver = z.infer<typeof receiver>;

const exportCommon = { ...receiverCommon, ...secret };
const exportTarget = z
  .strictObject({
    ...exportCommon,
    type: z.enum(['remote-write', 'otlp']).meta({
      description: 'Prometheus remote-write 1.0, or metrics of OpenTelemetry as OTLP/HTTP in JSON.',
    }),
    every: duration('Interval between two pushes, from 1s to 1h.').default('15s'),
    user: z.string().min(1).max(200).optional().meta({
      description: 'User of HTTP Basic with the secret as password; without it the secret is a bearer token.',
    }),
    tenant: z
      .string()
      .regex(/^[A-Za-z0-9!._*'()-]{1,150}$/, "must be a tenant of Mimir or Cortex: letters, digits and !._*'()-")
      .optional()
      .meta({ description: 'Sent as X-Scope-OrgID, for Mimir and Cortex.' }),
  })
  .meta({ description: 'Where everything of /metrics is pushed to, again and again.' });
export type ExportTarget = z.infer<typeof exportTarget>;

const route = z
  .strictObject({
    severity: z
      .array(z.enum(['page', 'ticket', 'info']))
      .min(1)
      .default(['page', 'ticket']),
    endpoints: z.array(name).min(1).optional(),
    receivers: z.array(name).min(1),
    resolved: z.boolean().default(true).meta({ description: 'Tell when it is over, too.' }),
  })
  .meta({ description: 'Which alerts go to which receivers; every matching route is followed.' });

const maintenance = z
  .strictObject({
    from: z.iso.datetime({ offset: true }),
    to: z.iso.datetime({ offset: true }),
    endpoints: z.array(name).min(1).optional().meta({ description: 'Default all.' }),
    reason: z.string().min(1).max(200),
  })
  .meta({ description: 'A time in which nothing is paged, and which no budget counts.' });

/** The part of the network file for continuous operation: who measures what how often, what is promised, who is told. */
export const watch = z
  .strictObject({
    agents: z.array(agent).max(10_000).default([]),
    schedule: z.array(job).max(1000).default([]).meta({
      description: 'Default: tcp every 10 s, tls every 5 min, dns and trace every minute, inference every minute.',
    }),
    slos: z.array(slo).max(1000).default([]),
    receivers: z.array(receiver).max(100).default([]),
    routes: z.array(route).max(1000).default([]),
    export: z.array(exportTarget).max(10).default([]),
    quorum: z.int().min(1).max(1000).default(2).meta({
      description: 'Agents that must see a failure before it pages; never more than there are.',
    }),
    recoverAfter: duration('How long an endpoint has to answer again before the alert about it is over.').default(
      '10m',
    ),
    maintenance: z.array(maintenance).max(1000).default([]),
    deadManUrlEnv: z.string().regex(named.env.pattern).optional().meta({
      description:
        'Environment variable with a URL that is called after each evaluation, for a dead man’s switch outside.',
    }),
    retention: z
      .strictObject({
        raw: duration('How long single results are kept.').default('14d'),
        minutes: duration('How long the roll-up per minute is kept.').default('90d'),
        hours: duration('How long the roll-up per hour is kept.').default('730d'),
      })
      .prefault({}),
  })
  .meta({ description: 'Continuous operation: agents, schedule, objectives, alerts.' });
export type Watch = z.infer<typeof watch>;
export type Slo = Watch['slos'][number];

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `10s`, `5m`, `30d` … as milliseconds; the schemas have made sure of the shape. */
export function durationMs(text: string): number {
  const [, number, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
  return Number(number) * unitMs[unit as keyof typeof unitMs];
}

/** 300000 → `5m`: the largest unit that divides it, as network files and PromQL write it. */
export function durationText(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const)
    if (ms >= unitMs[unit] && ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`;
  return `${ms}ms`;
}
