import * as z from 'zod';
import { sampleKind, sampleVerdict, sampleMetrics } from './sample.ts';
import { watchProbe } from './watch.ts';

/** Between agents and the server: JSON over HTTPS with client certificates. docs/agent-protocol.md tells it in prose. */
export const PROTOCOL_VERSION = 1;

export const enrollRequest = z.strictObject({
  token: z.string().min(20).max(200).meta({ description: 'One-use token that an operator made.' }),
  name: z.string(),
  csr: z.string().max(16_384).meta({ description: 'PKCS #10 request, PEM; the key never leaves the agent.' }),
});
export const certificateReply = z.object({
  certificate: z.string().meta({ description: 'PEM, good for 24 h.' }),
  authorities: z.string().meta({ description: 'PEM of every authority to trust from now on, old and new.' }),
  renewAfterMs: z.number(),
});

/** One probe that an agent is to run again and again. */
export const agentJob = z.strictObject({
  id: z.string(),
  probe: watchProbe,
  endpoint: z.string(),
  url: z.string(),
  everyMs: z.number().int().min(100),
  /** Checked again by the schema of the probe itself on the agent. */
  options: z.record(z.string(), z.unknown()),
});
export type AgentJob = z.infer<typeof agentJob>;
export const agentJobs = z.object({
  version: z.literal(PROTOCOL_VERSION),
  revision: z.string().meta({ description: 'Hash of the list; also the ETag.' }),
  uplink: z.array(z.string()),
  jobs: z.array(agentJob).max(100_000),
});
export type AgentJobs = z.infer<typeof agentJobs>;

const column = z.array(z.number().nullable());

/**
 * A batch, column by column: a hundred thousand rows a second have to be checked, and columns are checked in flat loops.
 * `dictionaries` hold each distinct text once; columns of text hold indexes into them. Every column has `count` entries.
 */
export const batchBody = z.strictObject({
  version: z.literal(PROTOCOL_VERSION),
  key: z.string().regex(/^[A-Za-z0-9._:-]{8,128}$/),
  count: z.int().min(1).max(50_000),
  endpoints: z.array(z.string().max(256)).max(50_000),
  kinds: z.array(sampleKind).max(32),
  outcomes: z.array(z.string().max(32)).max(32),
  states: z.array(z.string().max(4096)).max(50_000),
  atMs: z.array(z.number()),
  endpoint: z.array(z.number()),
  kind: z.array(z.number()),
  outcome: z.array(z.number()),
  verdict: z.array(z.number()).meta({ description: `Index into ${sampleVerdict.options.join(', ')}.` }),
  state: column,
  metrics: z.partialRecord(z.enum(sampleMetrics), column),
  detail: z.array(z.string().max(1_048_576).nullable()).optional(),
});
export type BatchBody = z.infer<typeof batchBody>;

export const batchReply = z.object({
  key: z.string(),
  result: z.enum(['stored', 'duplicate']),
  refused: z
    .int()
    .optional()
    .meta({ description: 'Rows that lie more than three days in the future and are not stored; absent: none.' }),
});
