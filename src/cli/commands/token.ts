import * as z from 'zod';
import { role } from '../../serve/auth/role.ts';
import { revoked, tokenCreated, tokenList } from '../../serve/replies.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { askServer, controlFlags } from '../control.ts';
import { table, when } from '../plain-table.ts';
import type { Io } from '../../wire/io.ts';

const flags = {
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
};
type Flags = FlagValues<typeof flags>;

export const token = defineCommand({
  name: 'token',
  summary: 'API tokens of a server: create, list, revoke',
  about:
    'create NAME makes a token and prints it, once: the server keeps its hash only. list shows all with role, end and last use. ' +
    'revoke ID ends one, and the sessions that were opened with it, from the next request on.',
  positionals: { name: 'action', about: 'create NAME, list, or revoke ID', min: 1, max: 2 },
  flags,
  examples: [
    { line: 'inferpath token create grafana --role viewer', about: 'a token that reads' },
    {
      line: 'inferpath token create prometheus --role metrics --days 365',
      about: 'a token that only scrapes /metrics',
    },
    { line: 'inferpath token list', about: 'who may what, and until when' },
    { line: 'inferpath token revoke 3f2a90c1d4e5b607', about: 'ends one' },
  ],
  run: async ({ flags, positionals: [action = '', subject], io }) => {
    if (action === 'create' && subject !== undefined) return create(subject, flags, io);
    if (action === 'list' && subject === undefined) return list(flags, io);
    if (action === 'revoke' && subject !== undefined) return revoke(subject, flags, io);
    throw new UsageError(
      `found ${JSON.stringify([action, subject].filter(Boolean).join(' '))}; allowed: create NAME, list, revoke ID`,
    );
  },
});

async function create(name: string, flags: Flags, io: Io): Promise<ExitCode> {
  const body = { name, role: flags.role, days: flags.days };
  const { answer } = await askServer(flags, { method: 'POST', path: '/api/v1/tokens', body }, tokenCreated, io);
  if (flags.json) io.terminal.out(`${JSON.stringify(answer)}\n`);
  else {
    io.terminal.out(`${answer.token}\n`);
    io.terminal.err(
      `${answer.info.role} until ${when(answer.info.expiresMs)}; it is not shown again (id ${answer.info.id})\n`,
    );
  }
  return exitCode.ready;
}

async function list(flags: Flags, io: Io): Promise<ExitCode> {
  const { answer } = await askServer(flags, { method: 'GET', path: '/api/v1/tokens' }, tokenList, io);
  const rows = answer.tokens.map((t) => [
    t.id,
    t.name,
    t.role,
    t.state,
    when(t.expiresMs),
    t.lastUsedMs === null ? 'never' : when(t.lastUsedMs),
  ]);
  if (flags.json) io.terminal.out(`${JSON.stringify(answer)}\n`);
  else
    io.terminal.out(
      rows.length === 0 ? 'no tokens\n' : table(['id', 'name', 'role', 'state', 'ends', 'last used'], rows),
    );
  return exitCode.ready;
}

async function revoke(id: string, flags: Flags, io: Io): Promise<ExitCode> {
  const path = `/api/v1/tokens/${encodeURIComponent(id)}`;
  const { answer } = await askServer(flags, { method: 'DELETE', path }, revoked, io);
  io.terminal.out(flags.json ? `${JSON.stringify(answer)}\n` : `revoked ${id}\n`);
  return exitCode.ready;
}
