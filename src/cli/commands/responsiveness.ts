import * as z from 'zod';
import { draftParameters, type Parameters } from '../../measure/responsiveness/core.ts';
import type { DirectionProgress } from '../../measure/responsiveness/direction.ts';
import { configUrlOf } from '../../measure/responsiveness/config.ts';
import { type ResponsivenessResult, runResponsiveness } from '../../measure/responsiveness/run.ts';
import { lateLoopMs, type ResponsivenessReport } from '../../model/responsiveness.ts';
import { clip } from '../../report/ansi.ts';
import { prettyJson } from '../../report/json.ts';
import { renderResponsivenessText } from '../../report/responsiveness-text.ts';
import { quantile, sorted } from '../../stats/quantile.ts';
import type { Io } from '../../wire/io.ts';
import { watchLoopLag } from '../../wire/loop-lag.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { refuseSecretsIn } from '../no-secrets.ts';
import { linkOptions, trustFlags } from '../request-flags.ts';
import { version } from '../version.ts';

const algorithm = 'Algorithm';
const scale: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** `500M`, `2G` or a number of bytes. */
const byteCount = z.string().transform((text, context) => {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * (scale[unit.toUpperCase()] ?? Number.NaN);
  if (bytes >= 1e6 && bytes <= 1e15) return Math.round(bytes);
  context.addIssue({ code: 'custom', message: 'allowed: 1M to 1000T, e.g. 500M or 2G', input: text });
  return z.NEVER;
});

const flags = {
  direction: {
    schema: z.enum(['both', 'download', 'upload']).default('both'),
    about: 'What to load, one after the other; default both.',
    value: 'D',
  },
  duration: {
    schema: z.coerce.number().min(1).max(3600).default(60),
    about: 'Longest time for each direction, s; a stable result ends it sooner; default 60.',
    value: 'S',
  },
  maxBytes: {
    schema: byteCount.prefault('2G'),
    about: 'Most bytes to transfer, over both directions; default 2G.',
    value: 'BYTES',
  },
  interval: {
    schema: z.coerce.number().min(0.5).max(60).default(draftParameters.intervalS),
    about: 'Length of an interval, s: after each one more connection is added and stability checked; default 5.',
    value: 'S',
    group: algorithm,
  },
  connections: {
    schema: z.coerce.number().int().min(1).max(64).default(draftParameters.connectionsMax),
    about: 'Load-generating connections at most; default 16.',
    value: 'N',
    group: algorithm,
  },
  probes: {
    schema: z.coerce.number().min(1).max(100).default(20),
    about:
      'Pairs of probes per second at most (the draft allows 100); they also keep to 5 % of the capacity; default 20.',
    value: 'N',
    group: algorithm,
  },
  allowHost: {
    schema: z.array(z.string().min(1)).default([]),
    about: 'Host that the configuration of the server may send us to, besides its own; may be repeated.',
    value: 'HOST',
    repeated: true,
    group: 'Connection',
  },
  ...trustFlags,
  json: { schema: z.boolean().default(false), about: 'One JSON document on stdout (inferpath schema responsiveness).' },
} as const;

type ResponsivenessFlags = FlagValues<typeof flags>;

/** `inferpath responsiveness`: round trips per minute while the path is loaded. */
export const responsiveness = defineCommand({
  name: 'responsiveness',
  summary: 'Round trips per minute while the path is loaded, each direction apart',
  about:
    'Loads the path with HTTP/2 transfers until goodput no longer grows, and measures meanwhile how long a round trip takes, on new ' +
    'connections and beside the load (draft-ietf-ippm-responsiveness-09). 300 RPM are 200 ms, 1000 are 60 ms, 6000 are 10 ms. The ' +
    'server is inferpath reflect --responsiveness, or any other of the draft. It transfers as much as the path carries: up to ' +
    '--max-bytes.',
  positionals: { name: 'url', about: 'https URL of the server, or of its configuration', min: 1, max: 1 },
  flags,
  examples: [
    {
      line: 'inferpath responsiveness https://10.0.0.5:7443 --insecure',
      about: 'against inferpath reflect --responsiveness',
    },
    {
      line: 'inferpath responsiveness https://nq.example.com --interval 1 --duration 12',
      about: 'a quick look: intervals of one second, as in earlier drafts',
    },
    {
      line: 'inferpath responsiveness https://nq.example.com --direction upload --max-bytes 500M',
      about: 'the way up alone, on a metered line',
    },
    {
      line: 'inferpath responsiveness https://nq.example.com --json | jq .directions[].rpm',
      about: 'numbers for a script',
    },
  ],
  run: async ({ flags, positionals, io }) => measure(flags, configUrl(positionals[0] as string), io),
});

function configUrl(text: string): URL {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (!url || url.protocol !== 'https:' || url.hostname === '')
    throw new UsageError(`url: found ${JSON.stringify(text)}; allowed: an https URL without user and password`);
  refuseSecretsIn(url, 'url');
  return configUrlOf(url);
}

async function measure(flags: ResponsivenessFlags, url: URL, io: Io): Promise<ExitCode> {
  const link = await linkOptions({ ...flags, http2: true, proxy: undefined, timeout: 10 }, io);
  const parameters = parametersOf(flags);
  const startedAt = new Date(io.clock.wallMs()).toISOString();
  const beganMs = io.clock.monoMs();
  const cpuBefore = process.cpuUsage();
  const lag = watchLoopLag(() => io.clock.monoMs());
  const transport = io.sockets.openTcp({ tap: false });
  const live = progressLine(io);
  const options = {
    url,
    allowedHosts: flags.allowHost,
    directions: flags.direction === 'both' ? (['download', 'upload'] as const) : [flags.direction],
    parameters,
    durationMs: flags.duration * 1000,
    bytesMax: flags.maxBytes,
    link,
  };
  let result: ResponsivenessResult;
  try {
    result = await runResponsiveness(options, transport, io, io.signals.interrupted, live.progress);
  } finally {
    live.end();
    lag.stop();
    await transport.close();
  }
  const durationMs = io.clock.monoMs() - beganMs;
  const report: ResponsivenessReport = {
    schema: 'inferpath/responsiveness@1',
    version,
    startedAt,
    durationMs,
    url: url.href,
    outcome: result.outcome,
    interrupted: io.signals.interrupted.aborted,
    parameters,
    idle: result.idle,
    directions: result.directions,
    client: clientOf(lag.samples(), process.cpuUsage(cpuBefore), durationMs, transport.stamps),
    notes: [transport.about, ...(flags.insecure ? ['certificates were not verified (--insecure)'] : [])],
  };
  const { columns, colors } = io.terminal;
  io.terminal.out(flags.json ? prettyJson(report) : renderResponsivenessText(report, { columns, colors }));
  if (report.interrupted) return exitCode.interrupted;
  return report.directions.some(({ rpm }) => rpm !== null) ? exitCode.ready : exitCode.couldNotMeasure;
}

function parametersOf({ interval, connections, probes }: ResponsivenessFlags): Parameters {
  return { ...draftParameters, intervalS: interval, connectionsMax: connections, probesPerSecond: probes };
}

/** From here on a thread has little left to be late with: it decrypts, counts and probes. */
const BUSY_SHARE = 0.9;

function clientOf(
  lags: readonly number[],
  cpu: NodeJS.CpuUsage,
  durationMs: number,
  stamps: 'kernel' | 'user',
): ResponsivenessReport['client'] {
  const rising = sorted(lags);
  const p99 = rising.length === 0 ? 0 : quantile(rising, 0.99);
  const cpuShare = (cpu.user + cpu.system) / 1000 / Math.max(1, durationMs);
  return {
    eventLoopLagP99Ms: p99,
    eventLoopLagMaxMs: rising.at(-1) ?? 0,
    cpuShare,
    bottleneck: cpuShare > BUSY_SHARE || p99 > lateLoopMs,
    stamps,
  };
}

const redrawMs = 200;

/** One redrawn line on a terminal; nothing where stderr is none. */
function progressLine(io: Io): { progress: (now: DirectionProgress) => void; end(): void } {
  if (!io.terminal.stderrIsTty) return { progress: () => undefined, end: () => undefined };
  let drawnMs = -Infinity;
  return {
    progress: ({ direction, elapsedMs, connections, goodputMbit, rpm }) => {
      const nowMs = io.clock.monoMs();
      if (nowMs - drawnMs < redrawMs) return;
      drawnMs = nowMs;
      const parts = [
        `${direction} ${(elapsedMs / 1000).toFixed(0)} s`,
        `${connections} connections`,
        goodputMbit === null ? null : `${goodputMbit.toFixed(1)} Mbit/s`,
        rpm === null ? null : `${rpm.toFixed(0)} RPM`,
      ];
      const line = parts.filter(Boolean).join(' · ');
      io.terminal.err(`\r\u001b[2K${clip(line, Math.max(20, io.terminal.columns - 3))}`);
    },
    end: () => io.terminal.err('\r\u001b[2K'),
  };
}
