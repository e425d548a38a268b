import * as z from 'zod';
import { dialectName } from './inference.ts';
import { networkIssues } from './network-check.ts';
import { carrier, link, node, place, riskGroup } from './network-links.ts';
import { candidate, planning, quote, requirement } from './network-offers.ts';
import { security } from './network-security.ts';
import { cidr, policy } from './network-policy.ts';
import { demand, job, modelSize, workloadTraffic } from './network-traffic.ts';
import { named } from './patterns.ts';
import { watch } from './watch.ts';
import { targetOverrides, workloadClass } from './workload.ts';

const text = ({ pattern, words }: (typeof named)['name']) => z.string().regex(pattern, `must be ${words}`);
const name = text(named.name).meta({ description: 'Name that other parts of the file and the reports use.' });

const vantage = z
  .strictObject({
    name: name.meta({ description: 'Where this runs; stands on every observation.' }),
    site: name.optional().meta({ description: 'Site that the vantage stands at.' }),
  })
  .meta({ description: 'Where inferpath runs.' });

const site = z
  .strictObject({
    name,
    role: z.enum(['user', 'edge', 'dc', 'cloud']).meta({ description: 'What the site is.' }),
    cidrs: z.array(cidr).max(10_000).optional().meta({ description: 'Addresses of the site, for the policy.' }),
    location: place.optional().meta({ description: 'Position on the globe; gives the distance that light has to go.' }),
    users: z
      .number()
      .min(0)
      .max(1e10)
      .optional()
      .meta({ description: 'People or programs here that use inference, in the busiest hour.' }),
    utcOffsetHours: z
      .number()
      .min(-12)
      .max(14)
      .optional()
      .meta({ description: 'Local time against UTC, for the hour of the busiest load; default: from the longitude.' }),
    availability: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .meta({ description: 'Share of time that the site as a whole works; default: it never fails as a whole.' }),
  })
  .meta({ description: 'A place.' });

const auth = z
  .strictObject({
    env: text(named.env).optional().meta({ description: 'Environment variable that holds the API key.' }),
    file: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'File that holds the API key; relative to the network file.' }),
    header: text(named.header)
      .optional()
      .meta({ description: 'Header that carries the key; by default what the dialect uses.' }),
  })
  .refine((a) => (a.env === undefined) !== (a.file === undefined), {
    message: 'allowed: exactly one of the keys env and file',
  })
  .meta({
    description:
      'Where the API key comes from: exactly one of env and file. Keys themselves never stand in the network file.',
  });

const reflector = z
  .strictObject({
    throughput: text(named.hostPort)
      .optional()
      .meta({ description: 'Where `inferpath throughput --serve` or an iperf3 server listens.' }),
    stamp: text(named.hostPort)
      .optional()
      .meta({ description: 'Where `inferpath reflect --stamp` listens, to tell the two directions apart.' }),
    responsiveness: text(named.hostPort)
      .optional()
      .meta({ description: 'Where `inferpath reflect --responsiveness` listens: round trips per minute under load.' }),
  })
  .meta({ description: 'Listeners of your own beside the endpoint; `assess --load` measures against them.' });

const emulated = z
  .strictObject({
    roundTripMs: z.number().min(0).max(2000).default(0).meta({ description: 'Round trip of the way to it, ms.' }),
    jitterMs: z
      .number()
      .min(0)
      .max(1000)
      .default(0)
      .meta({ description: 'Most extra delay each way, drawn evenly from 0 to this, ms.' }),
    loss: z.number().min(0).max(0.9).default(0).meta({ description: 'Share of packets lost each way, at random.' }),
    serverMs: z
      .number()
      .min(0)
      .max(60_000)
      .default(90)
      .meta({ description: 'Time that the server takes until the first token, ms: the median.' }),
    serverSpread: z
      .number()
      .min(0)
      .max(2)
      .default(0.2)
      .meta({ description: 'How far that time scatters: sigma of a lognormal distribution.' }),
    tokenMs: z.number().min(0).max(10_000).default(25).meta({ description: 'Time between two tokens, ms.' }),
  })
  .meta({
    description:
      'There is no such endpoint: `inferpath assess` and `inferpath up` make it, a reflector behind an emulated way. All endpoints of a file or none.',
  });

const endpoint = z
  .strictObject({
    name,
    url: z
      .url({ protocol: /^https?$/ })
      .meta({ description: 'http or https address of the API, with its path or only the origin.' }),
    dialect: z
      .union([z.literal('auto'), dialectName])
      .default('auto')
      .meta({ description: 'Wire format; "auto" tries to recognise it.' }),
    model: z.string().min(1).optional().meta({ description: 'Model to ask for.' }),
    auth: auth.optional(),
    site: name.optional().meta({ description: 'Site that the endpoint stands at.' }),
    addresses: z.array(cidr).max(1000).optional().meta({
      description: 'Addresses that it answers on, for the policy; default: the address in its url, if it has one.',
    }),
    backupOf: name.optional().meta({
      description: 'Endpoint that this one is to stand in for: the two must not share a router beyond the first.',
    }),
    reflector: reflector.optional(),
    emulated: emulated.optional(),
    workload: name.default('chat').meta({ description: 'Name of a workload below, or of a built-in class.' }),
    requests: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .meta({ description: 'Requests that assess sends; default from the run.' }),
  })
  .meta({ description: 'An inference API to judge.' });

const workload = z
  .strictObject({
    name,
    class: workloadClass.meta({ description: 'Built-in class that gives the defaults.' }),
    promptTokens: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ description: 'Prompt size to send, in tokens.' }),
    maxTokens: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ description: 'Most output tokens to ask for.' }),
    targets: targetOverrides.optional().meta({ description: 'Limits that differ from those of the class.' }),
    traffic: workloadTraffic.optional(),
  })
  .meta({ description: 'What the traffic is like and what it needs.' });

const listOf = <T extends z.ZodType>(item: T, description: string) =>
  z.array(item).max(10_000).default([]).meta({ description });

const endpoints = z.array(endpoint).max(1000).meta({ description: 'Inference APIs to judge.' });

const sections = {
  version: z.literal(1).meta({ description: 'Version of this format.' }),
  vantage: vantage.optional(),
  sites: listOf(site, 'Places of users and endpoints.'),
  endpoints: endpoints.min(1),
  workloads: z
    .array(workload)
    .max(1000)
    .default([])
    .meta({ description: 'Workloads beyond the built-in classes, or with other limits.' }),
  targets: z
    .partialRecord(workloadClass, targetOverrides)
    .default({})
    .meta({ description: 'Limits per class, in place of the built-in ones.' }),
  watch: watch.optional(),
  carriers: listOf(carrier, 'Companies that links belong to.'),
  riskGroups: listOf(riskGroup, 'What fails together.'),
  nodes: listOf(node, 'Devices that can fail alone.'),
  links: listOf(link, 'Connections of the sites.'),
  models: listOf(modelSize, 'Models beside those of the library.'),
  jobs: listOf(job, 'Transfers that come again and again: training, checkpoints, copies.'),
  demands: listOf(demand, 'Traffic that is known as a number.'),
  requirements: listOf(requirement, 'Connections that are needed, for the choice of transport.'),
  quotes: listOf(quote, 'Offers of carriers.'),
  candidates: listOf(candidate, 'Places where inference runs or could run.'),
  planning,
  security,
  policy: policy.optional(),
};

const whole = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape).superRefine((value, context) => {
    for (const issue of networkIssues(value)) context.addIssue({ code: 'custom', ...issue });
  });

/** The network file, version 1: the user's intent. The one source of type, validation, JSON Schema and reference page. */
export const network = whole(sections).meta({
  id: 'network',
  title: 'inferpath network file',
  description: 'What the network is meant to do: where users and endpoints are and what each workload needs.',
});
export type Network = z.infer<typeof network>;

/** The same for planning, where there may be no endpoint yet. */
export const plannedNetwork: z.ZodType<Network> = whole({ ...sections, endpoints: endpoints.default([]) });

export type Site = Network['sites'][number];
export type Endpoint = Network['endpoints'][number];
export type Workload = Network['workloads'][number];
export type Link = Network['links'][number];
