import * as z from 'zod';
import {
  agentJobs,
  type BatchBody,
  batchBody,
  batchReply,
  certificateReply,
  enrollRequest,
} from '../../model/agent-protocol.ts';
import { named } from '../../model/patterns.ts';
import { refused } from '../authenticate.ts';
import type { Agents } from '../agents.ts';
import type { Principal } from '../auth/role.ts';
import { checkBatch } from '../batch-check.ts';
import type { ServeContext } from '../context.ts';
import { CsrError, publicKeyOfCsr } from '../pki/csr.ts';
import { Problem } from '../problem.ts';
import { defineRoute } from '../route.ts';

const doors = ['agents'] as const;
/** 50,000 rows of forty columns, or fewer with details. */
const batchBytes = 32 << 20;

/** What agents ask of the server. They pull; the server never calls them, and what it tells them is a closed list of probes. */
export const agentRoutes = [
  defineRoute({
    method: 'POST',
    path: '/agent/v1/enroll',
    doors,
    permission: 'secret',
    about: 'The first certificate of an agent, for a one-use token.',
    body: { schema: enrollRequest, limitBytes: 20_000 },
    reply: { schema: certificateReply, about: 'The certificate.' },
    handle: async ({ body, context, peer }) => {
      const publicKey = keyOf(body.csr);
      const { token, name } = body;
      const credentials = named.name.pattern.test(name)
        ? await agentsOf(context).enroll({ token, name, publicKey }, peer.address)
        : null;
      if (!credentials) throw await refused('agents', peer, context);
      return { json: credentials, status: 201 };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/agent/v1/certificate',
    doors,
    permission: 'agent-renewal',
    about: 'The next certificate of an enrolled agent.',
    body: { schema: enrollRequest.pick({ csr: true }), limitBytes: 20_000 },
    reply: { schema: certificateReply, about: 'The certificate.' },
    handle: async ({ body, context, principal, peer }) => {
      const credentials = await agentsOf(context).renew(agentOf(principal), keyOf(body.csr), peer.address);
      if (!credentials) throw new Problem('conflict', 'the agent was changed meanwhile; try again');
      return { json: credentials, status: 201 };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/agent/v1/jobs',
    doors,
    permission: 'agent',
    about: 'What this agent is to run, with an ETag: ask with If-None-Match, and 304 says that nothing has changed.',
    reply: { schema: agentJobs, about: 'The list.' },
    handle: ({ context, principal, headers }) => {
      const { name } = agentOf(principal);
      context.ingest.heard(name);
      const jobs = context.configuration.jobsFor(name);
      const etag = `"${jobs.revision}"`;
      if (headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers: { etag } });
      return { json: jobs, headers: { etag } };
    },
  }),
  defineRoute<Record<string, never>, Record<string, never>, BatchBody, z.infer<typeof batchReply>>({
    method: 'POST',
    path: '/agent/v1/batches',
    doors,
    permission: 'agent',
    about:
      'A batch of samples. The answer comes when a crash can no longer lose it; the same key again is "duplicate". 503 with ' +
      'Retry-After: nothing was stored, send it again. 422: it never will be.',
    body: { schema: batchBody, limitBytes: batchBytes, check: checkBatch },
    reply: { schema: batchReply, about: 'It is stored, or was already.' },
    admit: (context) => context.ingest.admit(),
    handle: async ({ body, context, principal }) => {
      const { result, refused } = await context.ingest.store(body, agentOf(principal).name);
      return { json: { key: body.key, result, ...(refused > 0 && { refused }) } };
    },
  }),
];

function agentOf(principal: Principal | null): Extract<Principal, { kind: 'agent' }> {
  if (principal?.kind !== 'agent') throw new Problem('forbidden');
  return principal;
}

function agentsOf(context: ServeContext): Agents {
  if (!context.agents) throw new Problem('not-implemented', 'start the server with --agents to let agents connect');
  return context.agents;
}

function keyOf(csr: string): Buffer {
  try {
    return publicKeyOfCsr(csr);
  } catch (error) {
    if (!(error instanceof CsrError)) throw error;
    throw new Problem('invalid-input', error.message, { errors: [{ pointer: '/csr', detail: error.message }] });
  }
}
