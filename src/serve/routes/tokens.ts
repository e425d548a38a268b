import * as z from 'zod';
import { role } from '../auth/role.ts';
import { auditReport } from '../audit.ts';
import { doerOf } from '../doer.ts';
import { Problem } from '../problem.ts';
import { auditPage, revoked, tokenCreated, tokenList } from '../replies.ts';
import { defineRoute } from '../route.ts';

const doors = ['web'] as const;
const dayMs = 86_400_000;

const wish = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.@ -]{1,63}$/)
    .meta({ description: 'What it is for; stands in the audit log.' }),
  role,
  days: z.number().positive().max(366).default(90).meta({ description: 'Days until it ends.' }),
});

export const tokenRoutes = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/tokens',
    doors,
    permission: 'admin',
    about: 'API tokens, without their secrets.',
    reply: { schema: tokenList, about: 'All of them, oldest first.' },
    handle: async ({ context }) => ({ json: { tokens: await context.tokens.list() } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/tokens',
    doors,
    permission: 'admin',
    about: 'Makes an API token. Its text is told this once.',
    body: { schema: wish, limitBytes: 4096 },
    reply: { schema: tokenCreated, about: 'The token.' },
    handle: async ({ body, context, principal, peer }) => {
      const { name, role, days } = body;
      const json = await context.tokens.create({ name, role, lifeMs: days * dayMs }, doerOf(principal, peer));
      return { json, status: 201 };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/api/v1/tokens/:id',
    doors,
    permission: 'admin',
    about: 'Revokes a token; holds from the next request on, and ends its sessions.',
    params: z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/) }),
    reply: { schema: revoked, about: 'It is revoked.' },
    handle: async ({ params, context, principal, peer }) => {
      if (!(await context.tokens.revoke(params.id, doerOf(principal, peer)))) throw new Problem('not-found');
      return { json: { revoked: true } as const };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/audit',
    doors,
    permission: 'admin',
    about: 'The audit log, newest first.',
    query: z.strictObject({
      before: z.coerce.number().int().min(1).optional().meta({ description: 'Only entries below this number.' }),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
    }),
    reply: {
      schema: auditPage,
      about: 'A page of it.',
    },
    handle: async ({ query, context }) => {
      const entries = await context.audit.page(query.before, query.limit);
      const last = entries.at(-1)?.sequence ?? 1;
      return { json: { entries, next: last > 1 ? last : null } };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/audit/verification',
    doors,
    permission: 'admin',
    about: 'Goes through the whole audit log and says whether anything was changed or left out.',
    reply: { schema: auditReport, about: 'What was found.' },
    handle: async ({ context }) => ({ json: await context.audit.verify() }),
  }),
];
