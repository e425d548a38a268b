import * as z from 'zod';
import { agentHealth } from './agent-health.ts';
import { capturedConnectionFields, capturedExchangeFields, capturedQualityFields } from './capture/observed.ts';
import { inferenceRequest, tlsSummary } from './inference.ts';
import { mtuFields } from './mtu.ts';
import { outcome } from './outcome.ts';
import { responsivenessFields } from './responsiveness.ts';
import { hopReply, roundTripFigures, roundTripsFields } from './round-trips.ts';
import { stampSummary } from './stamp.ts';
import { throughputTest } from './throughput.ts';
import { traceGraph } from './trace.ts';
import { transferFields } from './transfer.ts';

const header = {
  at: z.string().meta({ description: 'Wall-clock time of the measurement, ISO 8601.' }),
  from: z.string().meta({ description: 'Vantage: where it was measured.' }),
  to: z.string().meta({ description: 'Name of the endpoint.' }),
  how: z.string().meta({ description: 'How the value was obtained, e.g. "kernel stamps", "TCP_INFO", "user clock".' }),
  outcome,
};

export const dnsObservation = z.object({
  kind: z.literal('dns'),
  ...header,
  host: z.string(),
  durationMs: z.number(),
  addresses: z.array(z.string()),
});
export const tcpObservation = z.object({
  kind: z.literal('tcp'),
  ...header,
  address: z.string(),
  rttMs: z.number().nullable().meta({ description: 'SYN to SYN-ACK.' }),
  synRetransmits: z
    .number()
    .int()
    .nullable()
    .meta({ description: 'SYNs that had to be sent again: each is one lost packet.' }),
});
export const tlsObservation = z.object({
  kind: z.literal('tls'),
  ...header,
  address: z.string(),
  durationMs: z.number().nullable(),
  rttMs: z.number().nullable().meta({ description: 'TCP handshake round trip of the same connection.' }),
  tls: tlsSummary.nullable(),
});
export const pingObservation = z.object({
  kind: z.literal('ping'),
  ...header,
  address: z.string(),
  method: z.enum(['icmp', 'tcp-connect']),
  sequence: z.number().int(),
  rttMs: z.number().nullable(),
});
export const traceHop = z.object({
  ttl: z.number().int(),
  address: z.string().nullable(),
  rttMs: z.number().nullable(),
  name: z.string().optional().meta({ description: 'Name of the hop, where the source prints it.' }),
  replies: z.array(hopReply).optional().meta({
    description: 'Each probe of this hop, where they are told apart. Several addresses are nodes, not links.',
  }),
  figures: roundTripFigures.optional().meta({ description: 'All probes of this hop summed up.' }),
});
export const traceObservation = z.object({
  kind: z.literal('trace'),
  ...header,
  address: z.string(),
  method: z.enum(['icmp', 'udp', 'tcp', 'tcp-connect', 'unknown']),
  reached: z.boolean(),
  hops: z.array(traceHop).meta({ description: 'One path, that of the first flow.' }),
  graph: traceGraph.optional().meta({ description: 'All paths, where they were looked for.' }),
});
/** Loss, delay variation and order of both directions of a path apart, by a STAMP reflector (RFC 8762). */
export const stampObservation = z.object({
  kind: z.literal('stamp'),
  ...header,
  address: z.string(),
  port: z.number().int(),
  summary: stampSummary.nullable().meta({ description: 'What the packets say; null when none could be sent.' }),
});
/** Round trips of which only sums are known; from other tools' output. */
export const roundTripsObservation = z.object({ kind: z.literal('round-trips'), ...header, ...roundTripsFields });
/** A bulk transfer of which another tool tells the sums. */
export const transferObservation = z.object({ kind: z.literal('transfer'), ...header, ...transferFields });
/** What a path carries, and how long its round trips take while it does. */
export const throughputObservation = z.object({
  kind: z.literal('throughput'),
  ...header,
  address: z.string(),
  port: z.number().int(),
  test: throughputTest.nullable().meta({ description: 'Null when no data flowed.' }),
});
/** Round trips per minute on a loaded path (draft-ietf-ippm-responsiveness-09). */
export const responsivenessObservation = z.object({
  kind: z.literal('responsiveness'),
  ...header,
  ...responsivenessFields,
});
export const inferenceObservation = z.object({ kind: z.literal('inference'), ...header, request: inferenceRequest });
/** How large packets may be on the way. */
export const mtuObservation = z.object({ kind: z.literal('mtu'), ...header, ...mtuFields });
/** The measuring process itself: was it fit to measure? One per run. */
export const clientObservation = z.object({
  kind: z.literal('client'),
  ...header,
  scheduleLagP99Ms: z.number(),
  eventLoopLagP99Ms: z.number(),
  eventLoopLagMaxMs: z.number(),
  clockStepMs: z
    .number()
    .meta({ description: 'Largest jump of the wall clock against the monotonic clock during the run.' }),
  cpuShare: z.number().meta({ description: 'CPU seconds used by this process per second.' }),
  agent: agentHealth.optional().meta({ description: 'Of an agent: what else it knows of itself.' }),
});

/** An answer to somebody else's request, as a capture shows it. */
export const captureExchangeObservation = z.object({
  kind: z.literal('capture-exchange'),
  ...header,
  ...capturedExchangeFields,
});
/** A connection of a capture: what it tells of the path. */
export const captureConnectionObservation = z.object({
  kind: z.literal('capture-connection'),
  ...header,
  ...capturedConnectionFields,
});
/** A capture itself: was it fit to be judged by? One per run. */
export const captureQualityObservation = z.object({
  kind: z.literal('capture-quality'),
  ...header,
  ...capturedQualityFields,
});

/** One measured fact. A closed union: `kind` says which probe made it. */
export const observation = z
  .discriminatedUnion('kind', [
    dnsObservation,
    tcpObservation,
    tlsObservation,
    pingObservation,
    stampObservation,
    traceObservation,
    roundTripsObservation,
    transferObservation,
    throughputObservation,
    responsivenessObservation,
    inferenceObservation,
    mtuObservation,
    clientObservation,
    captureExchangeObservation,
    captureConnectionObservation,
    captureQualityObservation,
  ])
  .meta({ description: 'One measured fact: when, from where, to what, how it was obtained, and how it ended.' });
export type Observation = z.infer<typeof observation>;
export type ObservationKind = Observation['kind'];
export type ObservationOf<K extends ObservationKind> = Extract<Observation, { kind: K }>;
