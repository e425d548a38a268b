import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { topologyProblems } from '../../src/lab/topology-problems.ts';
import { topologySchema, type Topology } from '../../src/lab/topology.ts';

/**
 * A network with what is true of it between `client` and `server`. The file is a topology with two keys more: `about` and
 * `truth`. What truth says is proven against the engine in `src/lab/scenarios.test.ts`, so that a probe which disagrees is wrong.
 */
const pair = z.tuple([z.string(), z.string()]);
const hops = z
  .array(z.array(z.string()).min(1))
  .min(1)
  .meta({ description: 'By TTL from 1: the nodes that may answer; `*` is a node that does not.' });
const perNode = z.record(z.string(), z.number());

export const truthSchema = z.strictObject({
  hops: hops.optional(),
  adjacencies: z
    .array(pair)
    .meta({ description: 'Answering neighbours of one flow: all there are, and no other.' })
    .optional(),
  paths: z.int().meta({ description: 'Different ways, by interfaces.' }).optional(),
  perFamily: z.int().meta({ description: 'Ways that one family sees, where that is fewer than there are.' }).optional(),
  interfaces: perNode.meta({ description: 'Different addresses that answer for a node.' }).optional(),
  balancers: z
    .array(
      z.strictObject({
        at: z.string(),
        kind: z.enum(['per-flow', 'per-packet', 'per-destination']),
        branches: z.int().min(2),
      }),
    )
    .optional(),
  rttMs: perNode.meta({ description: 'Least round trip to a node over all flows, idle.' }).optional(),
  delayAdded: z
    .strictObject({ between: pair, ms: z.number() })
    .meta({ description: 'The hop pair between which the round trip grows most, slow control planes apart.' })
    .optional(),
  loss: z
    .strictObject({ there: z.number(), back: z.number().default(0), between: pair })
    .meta({ description: 'Share of packets lost each way, and the only link that loses.' })
    .optional(),
  rateLimited: z.array(z.string()).optional(),
  silent: z.array(z.string()).optional(),
  hidden: z.array(z.string()).meta({ description: 'Nodes on the way that no TTL finds.' }).optional(),
  slowControlPlane: z.array(z.string()).optional(),
  mpls: z.record(z.string(), z.array(z.int())).meta({ description: 'Label stack in the errors of a node.' }).optional(),
  quotedTtl: perNode.meta({ description: 'TTL of the probe as the node quotes it.' }).optional(),
  replyTtl: perNode.meta({ description: 'TTL of the answer on arrival.' }).optional(),
  interfaceInfo: z
    .record(
      z.string(),
      z.strictObject({ index: z.int().optional(), name: z.string().optional(), mtuBytes: z.int().optional() }),
    )
    .optional(),
  nat: z.strictObject({ at: z.string(), quotes: z.enum(['full', 'headers', 'none']) }).optional(),
  dscpBleachedAt: z.string().meta({ description: 'Quotes of nodes behind this one bear DSCP 0.' }).optional(),
  mtu: z
    .strictObject({
      there: z.int(),
      back: z.int(),
      at: z.string().meta({ description: 'The router before the narrow link, on the way there.' }).optional(),
      confirmed: z.boolean().meta({ description: 'Whether that router says so.' }).optional(),
      backConfirmed: z.boolean().optional(),
    })
    .optional(),
  throughput: z
    .strictObject({
      mbit: z.number(),
      queueMs: z.number().meta({ description: 'How much an overload adds; absent: a managed queue.' }).optional(),
    })
    .optional(),
  duplicates: z.number().optional(),
  reordered: z.number().optional(),
  versions: z
    .array(z.strictObject({ atMs: z.number(), hops }))
    .meta({
      description: 'The way from each moment on; a list that does not end with the server: packets die behind it.',
    })
    .optional(),
});

export interface Scenario {
  name: string;
  about: string;
  topology: Topology;
  truth: z.output<typeof truthSchema>;
}

const folder = new URL('./', import.meta.url);

export const scenarioNames: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length))
  .sort();

/** @throws Error when the file or its topology does not hold together */
export function loadScenario(name: string): Scenario {
  const { about, truth, ...rest } = z
    .looseObject({ about: z.string().min(10), truth: truthSchema })
    .parse(parse(readFileSync(new URL(`${name}.yaml`, folder), 'utf8')));
  const topology = topologySchema.parse(rest);
  const [problem] = topologyProblems(topology);
  if (problem) throw new Error(`${name}.yaml: ${problem.path.join('.')}: ${problem.message}`);
  return { name, about, topology, truth };
}
