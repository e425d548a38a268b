import * as z from 'zod';
import { named } from '../../model/patterns.ts';
import type { ServeContext } from '../context.ts';
import { doerOf } from '../doer.ts';
import { Problem } from '../problem.ts';
import { type AgentInfo, agentList, authorityRotated, invitation, revoked } from '../replies.ts';
import { defineRoute } from '../route.ts';

const doors = ['web'] as const;
const name = z.string().regex(named.name.pattern, `must be ${named.name.words}`);

/** Agents that the file names, that are enrolled, or that have sent something. */
export async function agentInfos({ agents, configuration, arrivals }: ServeContext): Promise<AgentInfo[]> {
  const enrolled = new Map((await agents?.list())?.map((a) => [a.name, a]));
  const expected = new Map(configuration.network.watch?.agents.map((a) => [a.name, a]));
  const arrived = new Map((await arrivals.all()).map((a) => [a.agent, a]));
  return [...new Set([...expected.keys(), ...enrolled.keys(), ...arrived.keys()])].sort().map((name) => ({
    name,
    site: expected.get(name)?.site ?? null,
    expected: expected.has(name),
    enrollment: enrolled.get(name) ?? null,
    lastArrivalMs: arrived.get(name)?.lastArrivalMs ?? null,
    newestSampleMs: arrived.get(name)?.newestSampleMs ?? null,
    rows: arrived.get(name)?.rows ?? 0,
  }));
}

export const agentsRoutes = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/agents',
    doors,
    permission: 'viewer',
    about: 'Agents: those that the network file expects, those enrolled, and those that have sent something.',
    reply: { schema: agentList, about: 'All of them, by name.' },
    handle: async ({ context }) => ({ json: { agents: await agentInfos(context) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/agents/enrollment-tokens',
    doors,
    permission: 'operator',
    about:
      'A token by which one agent of this name can enrol within 15 minutes, and the pin of the authority it shall trust.',
    body: { schema: z.strictObject({ agent: name }), limitBytes: 1024 },
    reply: {
      schema: invitation,
      about: 'To be carried to the agent.',
    },
    handle: async ({ body, context, principal, peer }) => {
      const { agents, agentsUrl } = context;
      if (!agents || agentsUrl === null)
        throw new Problem('not-implemented', 'start the server with --agents to let agents connect');
      const invited = await agents.invite(body.agent, doerOf(principal, peer));
      return { json: { ...invited, server: agentsUrl }, status: 201 };
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/api/v1/agents/:name/enrollment',
    doors,
    permission: 'operator',
    about: 'Revokes the certificates of an agent; holds from the next request on.',
    params: z.strictObject({ name }),
    reply: { schema: revoked, about: 'They are revoked.' },
    handle: async ({ params, context, principal, peer }) => {
      if (!(await context.agents?.revoke(params.name, doerOf(principal, peer)))) throw new Problem('not-found');
      return { json: { revoked: true } as const };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/authority/rotation',
    doors,
    permission: 'admin',
    about: 'Adds a certificate authority: agents learn of it at their next renewal, and it signs after the overlap.',
    body: {
      schema: z.strictObject({
        overlapHours: z
          .number()
          .min(0)
          .max(24 * 30)
          .default(48),
      }),
      limitBytes: 1024,
    },
    reply: {
      schema: authorityRotated,
      about: 'The pin that is valid now, and how many authorities are trusted.',
    },
    handle: async ({ body, context, principal, peer }) => {
      const { authorities, audit } = context;
      if (!authorities) throw new Problem('not-implemented', 'start the server with --agents to let agents connect');
      await authorities.rotate(body.overlapHours * 3_600_000);
      await audit.commit({
        ...doerOf(principal, peer),
        action: 'authority.rotate',
        subject: authorities.pin(),
        detail: { ...body },
      });
      return { json: { pin: authorities.pin(), trusted: authorities.trusted().length } };
    },
  }),
];
