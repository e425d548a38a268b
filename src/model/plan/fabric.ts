import * as z from 'zod';
import { figure } from '../figure.ts';
import { finding } from '../finding.ts';

const count = z.number().int().min(0);

const cables = z
  .object({
    between: z.enum(['host-leaf', 'leaf-spine', 'spine-core']),
    count,
    gbps: z.number(),
    lengthM: z.number(),
    medium: z.string(),
    kind: z.enum(['DAC', 'AOC', 'optic', 'beyond']).meta({
      description: 'Copper, active optical cable, pluggable optics, or longer than any of them reaches.',
    }),
    transceivers: count.meta({ description: 'Pluggable optics for them: two for each optical link, none for cables.' }),
    how: z.string(),
  })
  .meta({ description: 'Cables of one kind.' });

const failure = z
  .object({
    of: z.enum(['leaf', 'spine', 'core']),
    endpointsLost: count,
    gpusLost: count.meta({ description: 'GPUs with no working NIC left.' }),
    nodesTouched: count.meta({ description: 'Nodes that lose at least one NIC.' }),
    bisectionGbps: z.number().meta({ description: 'What the hosts that are left can count on.' }),
    claim: z.string(),
  })
  .meta({ description: 'What is left when one switch fails.' });
export type FabricFailure = z.infer<typeof failure>;

/** What `inferpath plan fabric --json` prints. */
export const planFabric = z
  .object({
    schema: z.literal('inferpath/plan-fabric@1'),
    layout: z.enum(['leaf-spine', 'rail-optimised']),
    tiers: z.number().int().min(1).max(3),
    gpus: count,
    nodes: count,
    endpoints: count.meta({ description: 'NIC ports.' }),
    switches: z.object({ leaf: count, spine: count, core: count, total: count }),
    pods: count,
    leaf: z.object({
      hostPorts: count,
      endpoints: count.meta({ description: 'NIC ports of the fullest leaf.' }),
      uplinks: count,
      linksPerSpine: count,
    }),
    spine: z.object({ downlinks: count, uplinks: count, linksPerCore: count }),
    ports: z.object({ total: count, used: count, free: count }),
    cables: z.array(cables),
    transceivers: count,
    oversubscription: z.number().meta({ description: 'Of the fullest leaf: towards hosts over towards spines.' }),
    bisectionGbps: z.number().meta({
      description: 'Least capacity each way between two halves of the NICs, over all ways to halve them.',
    }),
    fullBisectionGbps: z.number().meta({ description: 'What the NICs of one half could send.' }),
    mtu: z.object({ hostBytes: count, switchBytes: count, how: z.string() }),
    failures: z.array(failure),
    largest: z.object({ twoTiers: count, threeTiers: count }).meta({
      description: 'Most NICs that such switches connect.',
    }),
    figures: z.array(figure),
    notes: z.array(z.string()),
    findings: z.array(finding),
  })
  .meta({ title: 'inferpath plan fabric --json', description: 'A fabric for a cluster of GPUs.' });
export type PlanFabric = z.infer<typeof planFabric>;
