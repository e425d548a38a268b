import * as z from 'zod';
import { auditEntry, auditReport } from './audit.ts';
import { alert } from '../model/alert.ts';
import { tokenInfo } from './auth/tokens.ts';
import { enrolledAgent } from './agents.ts';
import { networkChange } from './network-diff.ts';

/** What the routes answer that commands ask, too. */
export const tokenCreated = z.object({ token: z.string(), info: tokenInfo });
export const tokenList = z.object({ tokens: z.array(tokenInfo) });
export const revoked = z.object({ revoked: z.literal(true) });

export const agentInfo = z
  .object({
    name: z.string(),
    site: z.string().nullable(),
    expected: z.boolean().meta({ description: 'Whether the network file names it.' }),
    enrollment: enrolledAgent
      .nullable()
      .meta({ description: 'Null when it has none: not yet enrolled, or it runs inside the server.' }),
    lastArrivalMs: z.number().nullable().meta({ description: 'When it was last heard of since the server started.' }),
    newestSampleMs: z.number().nullable(),
    rows: z.int().meta({ description: 'Samples from it since the server started.' }),
  })
  .meta({ description: 'A vantage point and its state.' });
export type AgentInfo = z.infer<typeof agentInfo>;
export const agentList = z.object({ agents: z.array(agentInfo) });
export const invitation = z.object({ token: z.string(), pin: z.string(), server: z.string(), expiresMs: z.number() });

export const loginLink = z.object({
  path: z.string().meta({ description: 'To be put behind the address of this server.' }),
});
export const reloaded = z.object({ revision: z.string(), changes: z.array(networkChange) });
export const auditPage = z.object({
  entries: z.array(auditEntry),
  next: z.int().nullable().meta({ description: 'Give it as `before` for the next page.' }),
});
export const authorityRotated = z.object({ pin: z.string(), trusted: z.int() });

export const alertList = z.object({ alerts: z.array(alert) });

/** What the commands print with --json: the answer of the server to what they asked. */
export const alertReply = z
  .union([alertList, alert])
  .meta({ title: 'inferpath alert list|show --json', description: 'All alerts that are remembered, or one.' });
export const tokenReply = z
  .union([tokenCreated, tokenList, revoked])
  .meta({ title: 'inferpath token --json', description: 'The token made, all tokens, or that one was revoked.' });
export const agentsReply = z
  .union([agentList, invitation, revoked])
  .meta({ title: 'inferpath agents --json', description: 'All agents, an invitation, or that one was revoked.' });
export const adminReply = z.union([loginLink, reloaded, auditPage, auditReport, authorityRotated]).meta({
  title: 'inferpath admin --json',
  description: 'A log-in link, what a reload changed, entries of the audit log, its verification, or the authorities.',
});
