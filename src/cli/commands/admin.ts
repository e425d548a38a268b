import * as z from 'zod';
import { auditReport } from '../../serve/audit.ts';
import { auditPage, authorityRotated, loginLink, reloaded } from '../../serve/replies.ts';
import { defineCommand, exitCode } from '../command.ts';
import { askServer, controlFlags, tellAnswer } from '../control.ts';
import { table } from '../plain-table.ts';

export const admin = defineCommand({
  name: 'admin',
  summary: 'Looks after a running server: log-in links, reload, audit log, certificate authority',
  about: 'What the operator of a running server does to it.',
  actions: {
    login: {
      about: 'Prints a link that opens one session.',
      flags: controlFlags,
      examples: [{ line: 'inferpath admin login', about: 'a link to the status page' }],
      run({ flags, io }) {
        const request = { method: 'POST', path: '/api/v1/login-links', body: { name: 'local user' } };
        return tellAnswer(flags, request, loginLink, io, ({ path }, url) => `${url}${path}\n`);
      },
    },
    reload: {
      about: 'Reads the network file again and tells what has changed.',
      flags: {
        ...controlFlags,
        dryRun: { schema: z.boolean().default(false), about: 'Only tell what would change.' },
      },
      examples: [{ line: 'inferpath admin reload --dry-run', about: 'what a changed network file would change' }],
      run({ flags, io }) {
        const request = { method: 'POST', path: '/api/v1/network/reload', body: { dryRun: flags.dryRun } };
        return tellAnswer(flags, request, reloaded, io, changesText);
      },
    },
    audit: {
      about: 'Prints the newest entries of the audit log.',
      flags: controlFlags,
      examples: [{ line: 'inferpath admin audit', about: 'who did what' }],
      run: ({ flags, io }) => tellAnswer(flags, { method: 'GET', path: '/api/v1/audit' }, auditPage, io, auditText),
    },
    'verify-audit': {
      about: 'Goes through the chain of hashes of the audit log and says whether anything was changed or left out.',
      flags: controlFlags,
      examples: [{ line: 'inferpath admin verify-audit', about: 'exits 1 when the log is not whole' }],
      async run({ flags, io }) {
        const request = { method: 'GET', path: '/api/v1/audit/verification' };
        const { answer } = await askServer(flags, request, auditReport, io);
        io.terminal.out(flags.json ? `${JSON.stringify(answer)}\n` : verifiedText(answer));
        return answer.intact ? exitCode.ready : exitCode.notReady;
      },
    },
    'rotate-authority': {
      about: 'Adds a certificate authority that agents learn of before it signs.',
      flags: {
        ...controlFlags,
        overlap: {
          schema: z.coerce.number().min(0).max(720).default(48),
          about: 'Hours until the new one signs; default 48. 0 locks out who has not renewed since.',
          value: 'HOURS',
        },
      },
      examples: [
        { line: 'inferpath admin rotate-authority --overlap 72', about: 'three days for agents to learn of it' },
      ],
      run({ flags, io }) {
        const request = { method: 'POST', path: '/api/v1/authority/rotation', body: { overlapHours: flags.overlap } };
        const words = ({ trusted, pin }: z.output<typeof authorityRotated>) =>
          `${trusted} authorities are trusted; the one that signs has the pin ${pin}\n`;
        return tellAnswer(flags, request, authorityRotated, io, words);
      },
    },
  },
});

function changesText({ changes }: z.output<typeof reloaded>): string {
  if (changes.length === 0) return 'nothing has changed\n';
  return changes.map(({ path, change }) => `${change.padEnd(8)} ${path}\n`).join('');
}

function auditText({ entries }: z.output<typeof auditPage>): string {
  const rows = entries.map((e) => [e.sequence, e.at.slice(0, 19), e.actor, e.action, e.subject, e.address ?? 'local']);
  return table(['#', 'at (UTC)', 'actor', 'action', 'subject', 'from'], rows);
}

function verifiedText({ intact, entries, prunedThrough, head, broken }: z.output<typeof auditReport>): string {
  const gone =
    prunedThrough === 0 ? '' : ` (up to number ${prunedThrough} removed because of their age, as the log tells)`;
  return intact
    ? `${entries} entries, whole${gone}; keep the hash of the last one elsewhere: ${head}\n`
    : `entry ${broken?.sequence} ${broken?.why}\n`;
}
