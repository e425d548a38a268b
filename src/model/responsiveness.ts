import * as z from 'zod';
import { outcome } from './outcome.ts';

const count = z.number().int().min(0);
const ms = z.number().min(0);
const rpm = z.number().min(0);
const confidence = z.enum(['low', 'medium', 'high']).meta({
  description: 'high: became stable; medium: ran long enough and did not; low: did not run long enough.',
});

/** Lateness of the event loop, p99, that no longer disappears in a round trip: from there on the client may be what is slow. */
export const lateLoopMs = 20;

const means = z.object({
  tcpMs: ms.meta({ description: 'TCP handshake of a new connection.' }),
  tlsMs: ms.meta({ description: 'TLS handshake of a new connection, per round trip.' }),
  httpMs: ms.meta({ description: 'Request of one octet on a new connection.' }),
});

const interval = z.object({
  atMs: ms.meta({ description: 'End of the interval, since the direction began.' }),
  connections: count,
  goodputMbit: z.number().min(0).meta({ description: 'Goodput in this interval, Mbit/s.' }),
  foreignProbes: count,
  selfProbes: count,
  rpm: rpm.nullable().meta({ description: 'Responsiveness over the last moving intervals.' }),
});

/** One direction under load. */
export const responsivenessDirection = z.object({
  direction: z.enum(['download', 'upload']),
  outcome,
  ended: z.enum(['stable', 'duration', 'bytes', 'failed', 'interrupted']).meta({
    description: 'Why it ended: result stable, limit of time or bytes, a load-generating connection failed, Ctrl-C.',
  }),
  rpm: rpm.nullable().meta({ description: 'Round trips per minute under load; null when there were too few probes.' }),
  grade: z.enum(['poor', 'fair', 'good', 'excellent']).nullable(),
  foreignRpm: rpm.nullable().meta({ description: 'On new connections: how soon something new begins.' }),
  loadedRpm: rpm.nullable().meta({ description: 'On connections that carry the load.' }),
  goodputMbit: z.number().min(0).nullable().meta({ description: 'Moving average at the end, Mbit/s.' }),
  confidence: z.object({ goodput: confidence, responsiveness: confidence }),
  trimmedMeans: means.extend({ selfMs: ms.meta({ description: 'Request of one octet beside the load.' }) }).nullable(),
  connections: count,
  bytes: count.meta({ description: 'Octets transferred as load.' }),
  durationMs: ms,
  probes: z.object({
    foreign: count,
    self: count,
    failed: count,
    skipped: count.meta({ description: 'Not sent, because too many were under way.' }),
    failure: z.string().nullable().meta({ description: 'Why the last one that failed did.' }),
  }),
  intervals: z.array(interval),
});
export type ResponsivenessDirection = z.infer<typeof responsivenessDirection>;

const idle = means
  .extend({ probes: count, rpm })
  .nullable()
  .meta({ description: 'Before any load; null when no probe came back.' });

/** What the observation of kind `responsiveness` holds beside its header. */
export const responsivenessFields = {
  url: z.string().meta({ description: 'Where the configuration of the server is.' }),
  idle,
  directions: z.array(responsivenessDirection),
  eventLoopLagP99Ms: ms.meta({
    description: 'Of this client while it measured; above 20 ms it may be what was slow, and not the path.',
  }),
};

/** What `inferpath responsiveness --json` prints. */
export const responsivenessReport = z
  .object({
    schema: z.literal('inferpath/responsiveness@1'),
    version: z.string(),
    startedAt: z.string(),
    durationMs: ms,
    url: z.string(),
    outcome: outcome.meta({ description: 'Whether the server could be asked for its configuration.' }),
    interrupted: z.boolean(),
    parameters: z
      .object({
        intervalS: z.number(),
        movingIntervals: count,
        keptShare: z.number(),
        tolerance: z.number(),
        connectionsAtFirst: count,
        connectionsMore: count,
        connectionsMax: count,
        probesPerSecond: z.number(),
        probeShare: z.number(),
      })
      .meta({ description: 'Of draft-ietf-ippm-responsiveness-09: ID, MAD, TMP, SDT, INP, INC, MNP, MPS, PTC.' }),
    idle,
    directions: z.array(responsivenessDirection),
    client: z.object({
      eventLoopLagP99Ms: ms,
      eventLoopLagMaxMs: ms,
      cpuShare: z.number().min(0).meta({ description: 'CPU seconds of this process per second.' }),
      bottleneck: z.boolean().meta({ description: 'This client may have been slower than the network.' }),
      stamps: z.enum(['kernel', 'user']),
    }),
    notes: z.array(z.string()),
  })
  .meta({ title: 'inferpath responsiveness --json', description: 'Round trips per minute while the path is loaded.' });
export type ResponsivenessReport = z.infer<typeof responsivenessReport>;
