import * as z from 'zod';

/**
 * What a multipath trace found: interfaces by hop, the adjacencies between them that some flow really took, and the paths.
 * An adjacency is listed only when one and the same flow was seen at both ends: a trace that mixes flows invents links.
 */
export const traceRtts = z
  .object({
    minMs: z.number(),
    medianMs: z.number(),
    p95Ms: z.number(),
    maxMs: z.number(),
    pdvP99Ms: z.number().meta({ description: 'p99 of the delay above the minimum (RFC 5481).' }),
  })
  .meta({ description: 'Round trips to this interface, ms.' });

export const mplsLabel = z.object({
  label: z.number().int().meta({ description: 'MPLS label, 20 bits (RFC 4950).' }),
  trafficClass: z.number().int(),
  bottom: z.boolean(),
  ttl: z.number().int(),
});

export const interfaceInfo = z
  .object({
    role: z.enum(['incoming', 'sub-ip', 'outgoing', 'next-hop']),
    index: z.number().int().optional(),
    address: z.string().optional(),
    name: z.string().optional(),
    mtuBytes: z.number().int().optional(),
  })
  .meta({ description: 'What the router says of its own interface (RFC 5837).' });

export const autonomousSystem = z
  .object({ number: z.number().int(), name: z.string(), prefix: z.string() })
  .meta({ description: 'The autonomous system of an address, by a file of the user.' });

export type AutonomousSystem = z.infer<typeof autonomousSystem>;

export const traceNode = z.object({
  id: z.number().int().meta({ description: 'Number of the node inside this trace; edges and paths refer to it.' }),
  ttl: z.number().int(),
  address: z.string().nullable().meta({ description: 'Null: no answer at this hop for these flows.' }),
  sent: z.number().int(),
  received: z.number().int(),
  rtts: traceRtts.nullable(),
  flows: z.array(z.number().int()).meta({
    description: 'Flows that were seen to pass here; at a first hop that the routing table says is the only one, all.',
  }),
  icmp: z
    .object({ type: z.number().int(), code: z.number().int(), message: z.string() })
    .nullable()
    .meta({ description: 'The last ICMP message; null when the answer was no ICMP error, or there was none.' }),
  replyTtl: z.number().int().nullable().meta({
    description: 'TTL of the answer on arrival: tells the length of its way back. Null when it cannot be seen.',
  }),
  quotedTtl: z.number().int().nullable().meta({
    description: 'TTL of our packet as the router quotes it: 1, or 0, unless something on the way rewrites TTLs.',
  }),
  natRewrite: z.boolean().nullable().meta({
    description: 'The quoted packet is not what was sent: addresses, ports or checksum differ. Null: unseen.',
  }),
  dscp: z.number().int().nullable().meta({ description: 'DSCP of our packet as quoted; null when unseen.' }),
  mpls: z.array(mplsLabel),
  interfaces: z.array(interfaceInfo),
  name: z.string().nullable().meta({ description: 'PTR name, when names were asked for.' }),
  asn: autonomousSystem.nullable(),
});

export const traceEdge = z.object({
  from: z.number().int(),
  to: z.number().int(),
  flows: z.array(z.number().int()).meta({
    description:
      'Flows seen at both ends. Empty where packets are spread one by one: then all pass the one or the other end.',
  }),
});

export const tracePath = z.object({
  id: z.string().meta({ description: 'Hash of the addresses in order: the same path has the same id in every run.' }),
  flows: z.array(z.number().int()),
  nodes: z.array(z.number().int()).meta({ description: 'Node of each hop, from TTL 1.' }),
  reached: z.boolean(),
  sent: z.number().int().meta({ description: 'End-to-end probes over this path.' }),
  received: z.number().int(),
  rtts: traceRtts.nullable(),
});

export const balancer = z.object({
  node: z
    .number()
    .int()
    .nullable()
    .meta({ description: 'Where the ways part: the node before the branch; null: already this host.' }),
  kind: z.enum(['per-flow', 'per-packet', 'per-destination', 'unknown']),
  branches: z.number().int(),
});

export const traceGraph = z
  .object({
    nodes: z.array(traceNode),
    edges: z.array(traceEdge),
    paths: z.array(tracePath),
    balancers: z.array(balancer),
    algorithm: z.enum(['single-flow', 'mda-lite', 'mda']).meta({
      description: 'How many flows were tried, by which stopping rule; `mda` also after a fall-back from MDA-Lite.',
    }),
    fallback: z.enum(['meshing', 'asymmetry']).nullable().meta({
      description: 'Why MDA-Lite was given up for MDA; null when it was not.',
    }),
    confidence: z.number().meta({ description: 'Chance that all branches of a balancer were found, e.g. 0.95.' }),
    probes: z.number().int().meta({ description: 'Probes sent for discovery.' }),
    complete: z.boolean().meta({
      description: 'Every stopping rule was met; false: stopped by time, by the user or by the number of flows.',
    }),
  })
  .meta({ description: 'The paths between here and the target.' });
export type TraceGraph = z.infer<typeof traceGraph>;
export type TraceNode = z.infer<typeof traceNode>;
