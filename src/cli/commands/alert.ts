import * as z from 'zod';
import { alertState } from '../../model/alert.ts';
import type { AlertTestReport } from '../../model/alert-test-report.ts';
import type { Receiver } from '../../model/watch.ts';
import { renderAlertList, renderAlertText } from '../../report/alert-text.ts';
import { allowedFrom } from '../../serve/deliver/address-policy.ts';
import { createDialer, type Dialer } from '../../serve/deliver/dialer.ts';
import { alertList } from '../../serve/replies.ts';
import { tryReceiver } from '../../serve/deliver/try-receiver.ts';
import type { Io } from '../../wire/io.ts';
import { defineCommand, type ExitCode, exitCode, type FlagTable, type FlagValues, UsageError } from '../command.ts';
import { askServer, controlFlags } from '../control.ts';
import { loadNetworkFile } from '../network-file.ts';

const flags = {
  ...controlFlags,
  state: {
    schema: alertState.optional(),
    about:
      'With list: only those in this state: pending, firing, recovering, resolved, unknown. Default all that are not resolved.',
    value: 'STATE',
  },
  receiver: {
    schema: z.array(z.string()).default([]),
    about: 'With test: only this receiver; may be repeated. Default all of the file.',
    value: 'NAME',
    repeated: true,
  },
  allow: {
    schema: z.array(z.string()).default([]),
    about:
      'With test: a private network in which receivers may be, e.g. 10.0.0.0/8; may be repeated, and adds to INFERPATH_RECEIVER_ALLOW. Default none: only public addresses.',
    value: 'CIDR',
    repeated: true,
  },
  json: {
    schema: z.boolean().default(false),
    about: 'One JSON document (inferpath schema alert; of test: alert-test).',
  },
} satisfies FlagTable;
type Flags = FlagValues<typeof flags>;

export const alert = defineCommand({
  name: 'alert',
  summary: 'Alerts of a server: list, show; test their receivers',
  about:
    'list shows the alerts of a running server that are not over, show ID everything about one: what, since when, where on the path, whose ' +
    'side, evidence, what to do, and where its page is. ' +
    'test sends an alert that says that it is a test, and then its end, to each receiver of the network file (watch.receivers), once, and ' +
    'reports how it was taken. Exit code 1 when one did not take it. Nothing on the server is touched; run it where the server runs, with ' +
    'the same environment.',
  positionals: {
    name: 'action',
    about: 'list, show ID, or test [network.yaml]; the file is inferpath.yaml by default',
    min: 1,
    max: 2,
  },
  flags,
  examples: [
    { line: 'inferpath alert list', about: 'what is wrong now' },
    { line: 'inferpath alert list --state resolved', about: 'what was wrong in the last day' },
    { line: 'inferpath alert show 3f2a90c1', about: 'all about one; the begin of its id is enough' },
    { line: 'inferpath alert test network.yaml', about: 'does every receiver hear us?' },
    { line: 'inferpath alert test network.yaml --receiver oncall', about: 'only this one' },
    { line: 'inferpath alert test network.yaml --allow 10.0.0.0/8', about: 'an Alertmanager on the own network' },
  ],
  run: async ({ flags, positionals: [action, subject], io }) => {
    if (action === 'list' && subject === undefined) return list(flags, io);
    if (action === 'show' && subject !== undefined) return show(subject, flags, io);
    if (action !== 'test') {
      const found = [action, subject].filter((word) => word !== undefined).join(' ');
      throw new UsageError(`found ${JSON.stringify(found)}; allowed: list, show ID, test [network.yaml]`);
    }
    const path = subject ?? 'inferpath.yaml';
    const { watch } = await loadNetworkFile(path, io);
    const receivers = chosen(watch?.receivers ?? [], flags.receiver, path);
    const dialer = dialerOf([...allowedFrom(io.env), ...flags.allow], io);
    const report = await testAll(receivers, dialer, io);
    io.terminal.out(flags.json ? `${JSON.stringify(report)}\n` : textOf(report));
    if (io.signals.interrupted.aborted) return exitCode.interrupted;
    return report.receivers.every(({ outcome }) => outcome === 'accepted') ? exitCode.ready : exitCode.notReady;
  },
});

async function list(flags: Flags, io: Io): Promise<ExitCode> {
  const { alerts } = (await ask(flags, flags.state === undefined ? '' : `?state=${flags.state}`, io)).answer;
  const shown = flags.state === undefined ? alerts.filter(({ state }) => state !== 'resolved') : alerts;
  if (flags.json) io.terminal.out(`${JSON.stringify({ alerts: shown })}\n`);
  else io.terminal.out(shown.length === 0 ? 'no alerts\n' : renderAlertList(shown, options(io)));
  return exitCode.ready;
}

async function show(id: string, flags: Flags, io: Io): Promise<ExitCode> {
  const { answer, url } = await ask(flags, '', io);
  const found = answer.alerts.filter((one) => one.id.startsWith(id));
  const [one] = found;
  if (one === undefined || found.length > 1)
    throw new UsageError(
      `ID: found "${id}", with which ${found.length === 0 ? 'no alert begins' : `${found.length} alerts begin`}`,
      'inferpath alert list shows the ids; an alert is forgotten a day after its end',
    );
  const link = `${url}/alerts/${encodeURIComponent(one.id)}`;
  io.terminal.out(flags.json ? `${JSON.stringify(one)}\n` : renderAlertText(one, link, options(io)));
  return exitCode.ready;
}

const ask = (flags: Flags, query: string, io: Io) =>
  askServer(flags, { method: 'GET', path: `/api/v1/alerts${query}` }, alertList, io);

const options = ({ terminal: { columns, colors } }: Io) => ({ columns, colors });

function chosen(all: readonly Receiver[], names: readonly string[], path: string): readonly Receiver[] {
  const known = all.map(({ name }) => name).join(', ');
  const unknown = names.filter((name) => !all.some((receiver) => receiver.name === name));
  if (unknown.length > 0)
    throw new UsageError(
      unknown.map((name) => `--receiver: found "${name}"; allowed: ${known || 'none, there are none'}`).join('\n'),
    );
  if (all.length === 0)
    throw new UsageError(`${path}: found no receivers`, 'watch.receivers names them: docs/commands/alert.md');
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

function dialerOf(allow: readonly string[], io: Io): Dialer {
  try {
    return createDialer({ dns: io.dns, clock: io.clock, allow });
  } catch (error) {
    throw new UsageError(
      `--allow, INFERPATH_RECEIVER_ALLOW: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function testAll(receivers: readonly Receiver[], dialer: Dialer, io: Io): Promise<AlertTestReport> {
  if (io.terminal.stderrIsTty) io.terminal.err(`testing ${receivers.map(({ name }) => name).join(', ')}\n`);
  const one = async (receiver: Receiver) => {
    const beganMs = io.clock.monoMs();
    const { kind, words } = await tryReceiver(receiver, { io, dialer, signal: io.signals.interrupted });
    const afterMs = Math.round(io.clock.monoMs() - beganMs);
    return { name: receiver.name, type: receiver.type, outcome: kind, words, afterMs };
  };
  return { receivers: await Promise.all(receivers.map(one)) };
}

const outcomes = {
  accepted: 'took it',
  retry: 'FAILED, may work later',
  refused: 'FAILED',
  gone: 'FAILED, wants nothing more',
};

function textOf({ receivers }: AlertTestReport): string {
  const width = Math.max(...receivers.map(({ name, type }) => name.length + type.length + 3));
  return receivers
    .map((r) => `${`${r.name} (${r.type})`.padEnd(width)}  ${outcomes[r.outcome]}, ${r.afterMs} ms: ${r.words}\n`)
    .join('');
}
