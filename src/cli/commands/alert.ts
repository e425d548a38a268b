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
import { defineCommand, exitCode, UsageError } from '../command.ts';
import { askServer, type ControlFlags, controlFlags } from '../control.ts';
import { loadNetworkFile } from '../network-file.ts';

const json = {
  schema: z.boolean().default(false),
  about: 'One JSON document (inferpath schema alert; of test: alert-test).',
};
const asking = { ...controlFlags, json };

export const alert = defineCommand({
  name: 'alert',
  summary: 'Alerts of a server: list, show; test their receivers',
  about: 'What a running server alerts of, and whether those hear it who are to be told.',
  actions: {
    list: {
      about: 'Shows the alerts of a running server that are not over.',
      flags: {
        ...asking,
        state: {
          schema: alertState.optional(),
          about:
            'Only those in this state: pending, firing, recovering, resolved, unknown. Default all that are not resolved.',
          value: 'STATE',
        },
      },
      examples: [
        { line: 'inferpath alert list', about: 'what is wrong now' },
        { line: 'inferpath alert list --state resolved', about: 'what was wrong in the last day' },
      ],
      async run({ flags, io }) {
        const { alerts } = (await ask(flags, flags.state === undefined ? '' : `?state=${flags.state}`, io)).answer;
        const shown = flags.state === undefined ? alerts.filter(({ state }) => state !== 'resolved') : alerts;
        if (flags.json) io.terminal.out(`${JSON.stringify({ alerts: shown })}\n`);
        else io.terminal.out(shown.length === 0 ? 'no alerts\n' : renderAlertList(shown, options(io)));
        return exitCode.ready;
      },
    },
    show: {
      about:
        'Tells everything about one alert: what, since when, where on the path, whose side, evidence, what to do, and where its page is.',
      positionals: { name: 'id', about: 'its id as list shows it, or the begin of that', min: 1, max: 1 },
      flags: asking,
      examples: [{ line: 'inferpath alert show 3f2a90c1', about: 'all about one; the begin of its id is enough' }],
      async run({ flags, positionals: [id = ''], io }) {
        const { answer, url } = await ask(flags, '', io);
        const one = oneOf(answer.alerts, id);
        const link = `${url}/alerts/${encodeURIComponent(one.id)}`;
        io.terminal.out(flags.json ? `${JSON.stringify(one)}\n` : renderAlertText(one, link, options(io)));
        return exitCode.ready;
      },
    },
    test: {
      about:
        'Sends an alert that says that it is a test, and then its end, to each receiver of the network file (watch.receivers), once, and ' +
        'reports how it was taken. Exit code 1 when one did not take it. Nothing on the server is touched; run it where the server runs, with ' +
        'the same environment.',
      positionals: { name: 'network.yaml', about: 'the network file; default inferpath.yaml', min: 0, max: 1 },
      flags: {
        json,
        receiver: {
          schema: z.array(z.string()).default([]),
          about: 'Only this receiver; may be repeated. Default all of the file.',
          value: 'NAME',
          repeated: true,
        },
        allow: {
          schema: z.array(z.string()).default([]),
          about:
            'A private network in which receivers may be, e.g. 10.0.0.0/8; may be repeated, and adds to INFERPATH_RECEIVER_ALLOW. Default none: only public addresses.',
          value: 'CIDR',
          repeated: true,
        },
      },
      examples: [
        { line: 'inferpath alert test network.yaml', about: 'does every receiver hear us?' },
        { line: 'inferpath alert test network.yaml --receiver oncall', about: 'only this one' },
        { line: 'inferpath alert test network.yaml --allow 10.0.0.0/8', about: 'an Alertmanager on the own network' },
      ],
      async run({ flags, positionals: [path = 'inferpath.yaml'], io }) {
        const { watch } = await loadNetworkFile(path, io);
        const receivers = chosen(watch?.receivers ?? [], flags.receiver, path);
        const report = await testAll(receivers, dialerOf([...allowedFrom(io.env), ...flags.allow], io), io);
        io.terminal.out(flags.json ? `${JSON.stringify(report)}\n` : textOf(report));
        if (io.signals.interrupted.aborted) return exitCode.interrupted;
        return report.receivers.every(({ outcome }) => outcome === 'accepted') ? exitCode.ready : exitCode.notReady;
      },
    },
  },
});

const ask = (flags: ControlFlags, query: string, io: Io) =>
  askServer(flags, { method: 'GET', path: `/api/v1/alerts${query}` }, alertList, io);

function oneOf<T extends { id: string }>(alerts: readonly T[], id: string): T {
  const found = alerts.filter((one) => one.id.startsWith(id));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  throw new UsageError(
    `ID: found "${id}", with which ${one === undefined ? 'no alert begins' : `${found.length} alerts begin`}`,
    'inferpath alert list shows the ids; an alert is forgotten a day after its end',
  );
}

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
