import { isIPv6 } from 'node:net';
import * as z from 'zod';
import { measureStamp, stampProbe } from '../../measure/stamp/probe.ts';
import type { ObservationOf } from '../../model/observation.ts';
import type { StampReport } from '../../model/stamp-report.ts';
import { clip } from '../../report/ansi.ts';
import { prettyJson } from '../../report/json.ts';
import { renderStampText } from '../../report/stamp-text.ts';
import type { Io } from '../../wire/io.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { shownVariable } from '../no-secrets.ts';
import { version } from '../version.ts';

const DEFAULT_PORT = 862;

const flags = {
  count: {
    schema: z.coerce.number().int().min(1).max(1_000_000).optional(),
    about: 'Packets to send; default 200.',
    value: 'N',
    short: 'c',
  },
  duration: {
    schema: z.coerce.number().positive().max(86_400).optional(),
    about: 'Send for so many seconds, in place of --count.',
    value: 'S',
  },
  interval: {
    schema: z.coerce.number().min(0.001).max(60).default(0.05),
    about: 'Seconds between two packets, whatever became of the first (open loop); default 0.05.',
    value: 'S',
    short: 'i',
  },
  rate: {
    schema: z.coerce.number().positive().max(1000).optional(),
    about: 'Packets per second, in place of --interval.',
    value: 'R',
  },
  timeout: {
    schema: z.coerce.number().min(0.001).max(60).default(1),
    about: 'Seconds after which a packet counts as lost; default 1.',
    value: 'S',
  },
  size: {
    schema: z.coerce.number().int().min(44).max(65_507).default(44),
    about: 'Octets of UDP payload, both ways; default 44, the least.',
    value: 'BYTES',
  },
  dscp: {
    schema: z.coerce.number().int().min(0).max(63).optional(),
    about: 'DSCP to mark packets with, both ways; also tells with which one they reach the reflector.',
    value: 'N',
  },
  keyEnv: {
    schema: z.string().min(1).optional(),
    about: 'Environment variable with the key shared with the reflector: authenticated mode.',
    value: 'NAME',
  },
  family: {
    schema: z.enum(['4', '6']).optional(),
    about: 'Use only IPv4 or only IPv6.',
    value: '4|6',
  },
  json: { schema: z.boolean().default(false), about: 'One JSON document on stdout (inferpath schema stamp).' },
} as const;

type StampFlags = FlagValues<typeof flags>;

/** `inferpath stamp`: loss, delay variation and order of each direction. A session with one reflector, and so no part of ping. */
export const stamp = defineCommand({
  name: 'stamp',
  summary: 'Loss and jitter of each direction apart, against a STAMP reflector',
  about:
    'Sends STAMP test packets (RFC 8762) and tells for each direction by itself how many were lost, overtaken or doubled and how ' +
    'much the delay varies, without clocks that agree; one-way delay as bounds. The time in the reflector is no part of the ' +
    'round trip. The reflector is inferpath reflect --stamp, a router, or any other of the RFC.',
  positionals: {
    name: 'target',
    about: `host, host:port or [IPv6]:port; port ${DEFAULT_PORT} unless given`,
    min: 1,
    max: 1,
  },
  flags,
  examples: [
    { line: 'inferpath stamp 10.0.0.5:8620', about: 'ten seconds against inferpath reflect --stamp' },
    { line: 'inferpath stamp router.example.com --rate 100 --duration 60', about: 'a minute against a router' },
    { line: 'inferpath stamp 10.0.0.5:8620 --dscp 46 --size 1400', about: 'is EF kept on the way, with large packets' },
    { line: 'inferpath stamp 10.0.0.5:8620 --json | jq .result.summary.up.lost', about: 'numbers for a script' },
  ],
  run: async ({ flags, positionals, io }) => measure(flags, positionals[0] as string, io),
});

async function measure(flags: StampFlags, text: string, io: Io): Promise<ExitCode> {
  const url = targetUrl(text);
  const options = stampProbe.options.parse(probeOptions(flags, io));
  const target = {
    name: text,
    vantage: 'here',
    url,
    ...(flags.family === undefined ? {} : { family: flags.family === '4' ? (4 as const) : (6 as const) }),
  };
  const startedAt = new Date(io.clock.wallMs()).toISOString();
  const beganMs = io.clock.monoMs();
  const live = progressLine(options.count, io);
  let result: ObservationOf<'stamp'> | undefined;
  try {
    for await (const one of measureStamp(target, options, io, io.signals.interrupted, live.progress)) result = one;
  } finally {
    live.end();
  }
  if (!result) throw new Error('the STAMP probe told nothing');
  const interrupted = io.signals.interrupted.aborted;
  const report: StampReport = {
    schema: 'inferpath/stamp@1',
    version,
    startedAt,
    durationMs: io.clock.monoMs() - beganMs,
    target: text,
    interrupted,
    result,
  };
  const { columns, colors } = io.terminal;
  io.terminal.out(flags.json ? prettyJson(report) : renderStampText(report, { columns, colors }));
  if (interrupted) return exitCode.interrupted;
  if (result.outcome.kind !== 'answered' || !result.summary) return exitCode.couldNotMeasure;
  return result.summary.answered < result.summary.sent ? exitCode.notReady : exitCode.ready;
}

function probeOptions(flags: StampFlags, io: Io): object {
  if (flags.count !== undefined && flags.duration !== undefined)
    throw new UsageError('--duration: cannot go with --count; allowed: one of the two');
  const intervalMs = flags.rate === undefined ? flags.interval * 1000 : 1000 / flags.rate;
  const forDuration =
    flags.duration === undefined ? 200 : Math.max(1, Math.round((flags.duration * 1000) / intervalMs));
  const count = flags.count ?? forDuration;
  if (count > 1_000_000) throw new UsageError(`--duration: found ${count} packets; allowed: at most 1000000`);
  const key = flags.keyEnv === undefined ? undefined : io.env[flags.keyEnv];
  if (flags.keyEnv !== undefined && !key)
    throw new UsageError(`--key-env: the environment has no ${shownVariable(flags.keyEnv)}, or it is empty`);
  return { count, intervalMs, timeoutMs: flags.timeout * 1000, bytes: flags.size, dscp: flags.dscp, key };
}

/** @throws UsageError for what is no host or host:port */
function targetUrl(text: string): URL {
  const host = isIPv6(text) ? `[${text}]` : text;
  const candidate = `stamp://${host}`;
  const url = URL.canParse(candidate) ? new URL(candidate) : null;
  if (!url || url.hostname === '' || url.username !== '' || url.password !== '' || !/^\/?$/.test(url.pathname))
    throw new UsageError(`target: found ${JSON.stringify(text)}; allowed: host, host:port or [IPv6]:port`);
  if (url.port === '') url.port = String(DEFAULT_PORT);
  return url;
}

const redrawMs = 200;

/** One redrawn line on a terminal; nothing where stderr is none. */
function progressLine(total: number, io: Io): { progress: Parameters<typeof measureStamp>[4]; end(): void } {
  if (!io.terminal.stderrIsTty) return { progress: () => undefined, end: () => undefined };
  let drawnMs = -Infinity;
  return {
    progress: ({ packets, answers }) => {
      const nowMs = io.clock.monoMs();
      if (nowMs - drawnMs < redrawMs) return;
      drawnMs = nowMs;
      const last = answers.at(-1);
      const rttMs = last && last.arrivedMs - packets[last.n]!.sentMs - (last.repliedMs - last.receivedMs);
      const line = `${packets.length}/${total} sent, ${answers.length} answers${rttMs === undefined ? '' : `, last ${rttMs.toFixed(2)} ms`}`;
      io.terminal.err(`\r\u001b[2K${clip(line, Math.max(20, io.terminal.columns - 3))}`);
    },
    end: () => io.terminal.err('\r\u001b[2K'),
  };
}
