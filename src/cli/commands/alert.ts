import * as z from 'zod';
import type { AlertTestReport } from '../../model/alert-test-report.ts';
import type { Receiver } from '../../model/watch.ts';
import { allowedFrom } from '../../serve/deliver/address-policy.ts';
import { createDialer, type Dialer } from '../../serve/deliver/dialer.ts';
import { tryReceiver } from '../../serve/deliver/try-receiver.ts';
import type { Io } from '../../wire/io.ts';
import { defineCommand, exitCode, UsageError } from '../command.ts';
import { loadNetworkFile } from '../network-file.ts';

const flags = {
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
  json: { schema: z.boolean().default(false), about: 'One JSON document (inferpath schema alert-test).' },
} as const;

export const alert = defineCommand({
  name: 'alert',
  summary: 'Test the receivers of alerts',
  about:
    'test sends an alert that says that it is a test, and then its end, to each receiver of the network file (watch.receivers), once, and ' +
    'reports how it was taken. Exit code 1 when one did not take it. Nothing on the server is touched; run it where the server runs, with ' +
    'the same environment.',
  positionals: { name: 'action', about: 'test [network.yaml]; the file is inferpath.yaml by default', min: 1, max: 2 },
  flags,
  examples: [
    { line: 'inferpath alert test network.yaml', about: 'does every receiver hear us?' },
    { line: 'inferpath alert test network.yaml --receiver oncall', about: 'only this one' },
    { line: 'inferpath alert test network.yaml --allow 10.0.0.0/8', about: 'an Alertmanager on the own network' },
  ],
  run: async ({ flags, positionals: [action, path = 'inferpath.yaml'], io }) => {
    if (action !== 'test') throw new UsageError(`<action>: found "${action}"; allowed: test`);
    const { watch } = await loadNetworkFile(path, io);
    const receivers = chosen(watch?.receivers ?? [], flags.receiver, path);
    const dialer = dialerOf([...allowedFrom(io.env), ...flags.allow], io);
    const report = await testAll(receivers, dialer, io);
    io.terminal.out(flags.json ? `${JSON.stringify(report)}\n` : textOf(report));
    if (io.signals.interrupted.aborted) return exitCode.interrupted;
    return report.receivers.every(({ outcome }) => outcome === 'accepted') ? exitCode.ready : exitCode.notReady;
  },
});

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
