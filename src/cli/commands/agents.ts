import type * as z from 'zod';
import { agentList, invitation, revoked } from '../../serve/replies.ts';
import { defineCommand } from '../command.ts';
import { controlFlags as flags, tellAnswer } from '../control.ts';
import { table, when } from '../plain-table.ts';

const positionals = { name: 'name', about: 'the name of the agent', min: 1, max: 1 };

export const agents = defineCommand({
  name: 'agents',
  summary: 'Agents of a server: list, invite, revoke',
  about: 'The agents of a running server: who reports, and who may.',
  actions: {
    list: {
      about: 'Shows the agents that the network file expects, that are enrolled, or that have sent something.',
      flags,
      examples: [
        { line: 'inferpath agents list', about: 'who reports' },
        { line: 'inferpath agents list --json | jq ".agents[].name"', about: 'for a script' },
      ],
      run: ({ flags, io }) => tellAnswer(flags, { method: 'GET', path: '/api/v1/agents' }, agentList, io, listText),
    },
    invite: {
      about:
        'Makes a token by which one agent of this name can enrol, once and within 15 minutes, with the pin of the authority that it is to trust.',
      positionals,
      flags,
      examples: [{ line: 'inferpath agents invite branch-7', about: 'prints the command to run at branch 7' }],
      run({ flags, positionals: [agent], io }) {
        const request = { method: 'POST', path: '/api/v1/agents/enrollment-tokens', body: { agent } };
        return tellAnswer(flags, request, invitation, io, ({ server, token, pin, expiresMs }) => ({
          out: `inferpath agent --server ${server} --name ${agent} --token ${token} --pin ${pin}\n`,
          note: `to be run at ${agent} before ${when(expiresMs)}; it works once\n`,
        }));
      },
    },
    revoke: {
      about: 'Refuses the certificates of an agent from the next request on.',
      positionals,
      flags,
      examples: [{ line: 'inferpath agents revoke branch-7', about: 'its machine was lost' }],
      run({ flags, positionals: [name = ''], io }) {
        const request = { method: 'DELETE', path: `/api/v1/agents/${encodeURIComponent(name)}/enrollment` };
        return tellAnswer(flags, request, revoked, io, () => `revoked ${name}\n`);
      },
    },
  },
});

function listText({ agents }: z.output<typeof agentList>): string {
  if (agents.length === 0) return 'no agents\n';
  const rows = agents.map((a) => [
    a.name,
    a.site ?? '–',
    a.expected ? 'yes' : 'no',
    a.enrollment?.state ?? 'not enrolled',
    when(a.lastArrivalMs, 'not since the start'),
    a.rows,
  ]);
  return table(['agent', 'site', 'expected', 'enrolment', 'last heard of', 'samples'], rows);
}
