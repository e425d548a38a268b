import { agentList, invitation, revoked } from '../../serve/replies.ts';
import { defineCommand, type ExitCode, exitCode, UsageError } from '../command.ts';
import { askServer, type ControlFlags, controlFlags } from '../control.ts';
import { table, when } from '../plain-table.ts';
import type { Io } from '../../wire/io.ts';

export const agents = defineCommand({
  name: 'agents',
  summary: 'Agents of a server: list, invite, revoke',
  about:
    'list shows the agents that the network file expects, that are enrolled, or that have sent something. invite NAME makes a token by ' +
    'which one agent of this name can enrol, once and within 15 minutes, with the pin of the authority that it is to trust. revoke NAME ' +
    'refuses its certificates from the next request on.',
  positionals: { name: 'action', about: 'list, invite NAME, or revoke NAME', min: 1, max: 2 },
  flags: controlFlags,
  examples: [
    { line: 'inferpath agents list', about: 'who reports' },
    { line: 'inferpath agents invite branch-7', about: 'prints the command to run at branch 7' },
    { line: 'inferpath agents revoke branch-7', about: 'its machine was lost' },
    { line: 'inferpath agents list --json | jq ".agents[].name"', about: 'for a script' },
  ],
  run: async ({ flags, positionals: [action = '', name], io }) => {
    if (action === 'list' && name === undefined) return list(flags, io);
    if (action === 'invite' && name !== undefined) return invite(name, flags, io);
    if (action === 'revoke' && name !== undefined) return revoke(name, flags, io);
    throw new UsageError(
      `found ${JSON.stringify([action, name].filter(Boolean).join(' '))}; allowed: list, invite NAME, revoke NAME`,
    );
  },
});

async function list(flags: ControlFlags, io: Io): Promise<ExitCode> {
  const { answer } = await askServer(flags, { method: 'GET', path: '/api/v1/agents' }, agentList, io);
  const rows = answer.agents.map((a) => [
    a.name,
    a.site ?? '–',
    a.expected ? 'yes' : 'no',
    a.enrollment?.state ?? 'not enrolled',
    a.lastArrivalMs === null ? 'not since the start' : when(a.lastArrivalMs),
    String(a.rows),
  ]);
  if (flags.json) io.terminal.out(`${JSON.stringify(answer)}\n`);
  else
    io.terminal.out(
      rows.length === 0
        ? 'no agents\n'
        : table(['agent', 'site', 'expected', 'enrolment', 'last heard of', 'samples'], rows),
    );
  return exitCode.ready;
}

async function invite(agent: string, flags: ControlFlags, io: Io): Promise<ExitCode> {
  const { answer } = await askServer(
    flags,
    { method: 'POST', path: '/api/v1/agents/enrollment-tokens', body: { agent } },
    invitation,
    io,
  );
  if (flags.json) io.terminal.out(`${JSON.stringify(answer)}\n`);
  else {
    io.terminal.out(
      `inferpath agent --server ${answer.server} --name ${agent} --token ${answer.token} --pin ${answer.pin}\n`,
    );
    io.terminal.err(`to be run at ${agent} before ${when(answer.expiresMs)}; it works once\n`);
  }
  return exitCode.ready;
}

async function revoke(name: string, flags: ControlFlags, io: Io): Promise<ExitCode> {
  const path = `/api/v1/agents/${encodeURIComponent(name)}/enrollment`;
  const { answer } = await askServer(flags, { method: 'DELETE', path }, revoked, io);
  io.terminal.out(flags.json ? `${JSON.stringify(answer)}\n` : `revoked ${name}\n`);
  return exitCode.ready;
}
