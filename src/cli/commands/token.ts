import * as z from 'zod';
import { role } from '../../serve/auth/role.ts';
import { revoked, tokenCreated, tokenList } from '../../serve/replies.ts';
import { defineCommand } from '../command.ts';
import { controlFlags, tellAnswer } from '../control.ts';
import { table, when } from '../plain-table.ts';

export const token = defineCommand({
  name: 'token',
  summary: 'API tokens of a server: create, list, revoke',
  about: 'Tokens by which programs and people reach a running server, each with one role and an end.',
  actions: {
    create: {
      about: 'Makes a token and prints it, once: the server keeps its hash only.',
      positionals: { name: 'name', about: 'what it is for', min: 1, max: 1 },
      flags: {
        ...controlFlags,
        role: {
          schema: role.default('viewer'),
          about: 'What it may: viewer, operator, admin, metrics, probe; default viewer.',
          value: 'ROLE',
        },
        days: {
          schema: z.coerce.number().positive().max(366).default(90),
          about: 'Days until it ends; default 90.',
          value: 'N',
        },
      },
      examples: [
        { line: 'inferpath token create grafana --role viewer', about: 'a token that reads' },
        {
          line: 'inferpath token create prometheus --role metrics --days 365',
          about: 'a token that only scrapes /metrics',
        },
      ],
      run({ flags, positionals: [name], io }) {
        const request = { method: 'POST', path: '/api/v1/tokens', body: { name, role: flags.role, days: flags.days } };
        return tellAnswer(flags, request, tokenCreated, io, ({ token, info }) => ({
          out: `${token}\n`,
          note: `${info.role} until ${when(info.expiresMs)}; it is not shown again (id ${info.id})\n`,
        }));
      },
    },
    list: {
      about: 'Shows all tokens with role, end and last use.',
      flags: controlFlags,
      examples: [{ line: 'inferpath token list', about: 'who may what, and until when' }],
      run: ({ flags, io }) => tellAnswer(flags, { method: 'GET', path: '/api/v1/tokens' }, tokenList, io, listText),
    },
    revoke: {
      about: 'Ends a token, and the sessions that were opened with it, from the next request on.',
      positionals: { name: 'id', about: 'its id, as list shows it', min: 1, max: 1 },
      flags: controlFlags,
      examples: [{ line: 'inferpath token revoke 3f2a90c1d4e5b607', about: 'ends one' }],
      run({ flags, positionals: [id = ''], io }) {
        const request = { method: 'DELETE', path: `/api/v1/tokens/${encodeURIComponent(id)}` };
        return tellAnswer(flags, request, revoked, io, () => `revoked ${id}\n`);
      },
    },
  },
});

function listText({ tokens }: z.output<typeof tokenList>): string {
  if (tokens.length === 0) return 'no tokens\n';
  const rows = tokens.map((t) => [t.id, t.name, t.role, t.state, when(t.expiresMs), when(t.lastUsedMs, 'never')]);
  return table(['id', 'name', 'role', 'state', 'ends', 'last used'], rows);
}
