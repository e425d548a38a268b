import * as z from 'zod';
import { auditReport } from '../../serve/audit.ts';
import { auditPage, authorityRotated, loginLink, reloaded } from '../../serve/replies.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { askServer, controlFlags } from '../control.ts';
import { table } from '../plain-table.ts';
import type { Io } from '../../wire/io.ts';

const flags = {
  ...controlFlags,
  dryRun: { schema: z.boolean().default(false), about: 'With reload: only tell what would change.' },
  overlap: {
    schema: z.coerce.number().min(0).max(720).default(48),
    about: 'With rotate-authority: hours until the new one signs; default 48. 0 locks out who has not renewed since.',
    value: 'HOURS',
  },
};
type Flags = FlagValues<typeof flags>;

const actions: Record<string, (flags: Flags, io: Io) => Promise<ExitCode>> = {
  login,
  reload,
  audit,
  'verify-audit': verifyAudit,
  'rotate-authority': rotateAuthority,
};

export const admin = defineCommand({
  name: 'admin',
  summary: 'Looks after a running server: log-in links, reload, audit log, certificate authority',
  about:
    'login prints a link that opens one session. reload reads the network file again and tells what has changed. audit prints the newest ' +
    'entries of the audit log; verify-audit goes through its chain of hashes and says whether anything was changed or left out. ' +
    'rotate-authority adds a certificate authority that agents learn of before it signs.',
  positionals: { name: 'action', about: Object.keys(actions).join(', '), min: 1, max: 1 },
  flags,
  examples: [
    { line: 'inferpath admin login', about: 'a link to the status page' },
    { line: 'inferpath admin reload --dry-run', about: 'what a changed network file would change' },
    { line: 'inferpath admin verify-audit', about: 'exits 1 when the log is not whole' },
    { line: 'inferpath admin rotate-authority --overlap 72', about: 'three days for agents to learn of it' },
  ],
  run: async ({ flags, positionals: [action = ''], io }) => {
    const run = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (!run) throw new UsageError(`found ${JSON.stringify(action)}; allowed: ${Object.keys(actions).join(', ')}`);
    return run(flags, io);
  },
});

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;

async function login(flags: Flags, io: Io): Promise<ExitCode> {
  const body = { name: 'local user' };
  const { answer, url } = await askServer(flags, { method: 'POST', path: '/api/v1/login-links', body }, loginLink, io);
  io.terminal.out(flags.json ? json(answer) : `${url}${answer.path}\n`);
  return exitCode.ready;
}

async function reload(flags: Flags, io: Io): Promise<ExitCode> {
  const body = { dryRun: flags.dryRun };
  const { answer } = await askServer(flags, { method: 'POST', path: '/api/v1/network/reload', body }, reloaded, io);
  const lines = answer.changes.map(({ path, change }) => `${change.padEnd(8)} ${path}`);
  io.terminal.out(flags.json ? json(answer) : `${lines.length === 0 ? 'nothing has changed' : lines.join('\n')}\n`);
  return exitCode.ready;
}

async function audit(flags: Flags, io: Io): Promise<ExitCode> {
  const { answer } = await askServer(flags, { method: 'GET', path: '/api/v1/audit' }, auditPage, io);
  const rows = answer.entries.map((e) => [
    String(e.sequence),
    e.at.slice(0, 19),
    e.actor,
    e.action,
    e.subject,
    e.address ?? 'local',
  ]);
  io.terminal.out(flags.json ? json(answer) : table(['#', 'at (UTC)', 'actor', 'action', 'subject', 'from'], rows));
  return exitCode.ready;
}

async function verifyAudit(flags: Flags, io: Io): Promise<ExitCode> {
  const { answer } = await askServer(flags, { method: 'GET', path: '/api/v1/audit/verification' }, auditReport, io);
  const { intact, entries, prunedThrough, head, broken } = answer;
  const gone =
    prunedThrough === 0 ? '' : ` (up to number ${prunedThrough} removed because of their age, as the log tells)`;
  const words = intact
    ? `${entries} entries, whole${gone}; keep the hash of the last one elsewhere: ${head}`
    : `entry ${broken?.sequence} ${broken?.why}`;
  io.terminal.out(flags.json ? json(answer) : `${words}\n`);
  return intact ? exitCode.ready : exitCode.notReady;
}

async function rotateAuthority(flags: Flags, io: Io): Promise<ExitCode> {
  const body = { overlapHours: flags.overlap };
  const { answer } = await askServer(
    flags,
    { method: 'POST', path: '/api/v1/authority/rotation', body },
    authorityRotated,
    io,
  );
  io.terminal.out(
    flags.json
      ? json(answer)
      : `${answer.trusted} authorities are trusted; the one that signs has the pin ${answer.pin}\n`,
  );
  return exitCode.ready;
}
