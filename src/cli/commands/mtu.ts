import { isIPv6 } from 'node:net';
import * as z from 'zod';
import type { MtuProgress } from '../../measure/mtu/by-packets.ts';
import { makeMtuProbe, mtuSockets } from '../../measure/mtu/probe.ts';
import { adviceOf } from '../../model/mtu-advice.ts';
import type { MtuReport } from '../../model/mtu-report.ts';
import type { ObservationOf } from '../../model/observation.ts';
import { clip } from '../../report/ansi.ts';
import { prettyJson } from '../../report/json.ts';
import { renderMtuText } from '../../report/mtu-text.ts';
import type { Io } from '../../wire/io.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { refuseSecretsIn } from '../no-secrets.ts';
import { version } from '../version.ts';

const size = z.coerce.number().int().min(128).max(65_535);

const flags = {
  method: {
    schema: z.enum(['auto', 'icmp', 'udp', 'stamp', 'tcp']).default('auto'),
    about: 'Echo, UDP to a closed port, our reflector, or only what the kernel knows of TCP; default auto.',
    value: 'M',
  },
  port: {
    schema: z.coerce.number().int().min(1).max(65_535).optional(),
    about: 'TCP port whose segment sizes are looked at; default that of the target, else 443.',
    value: 'PORT',
    short: 'p',
  },
  family: {
    schema: z.enum(['4', '6']).optional(),
    about: 'Address family; default the first address that the resolver gives.',
    value: '4|6',
  },
  expect: {
    schema: size.optional(),
    about: 'Packet size that the path must carry, octets, e.g. 9000 for jumbo frames; else exit code 1.',
    value: 'BYTES',
  },
  max: { schema: size.default(9216), about: 'Largest packet to try, octets; default 9216.', value: 'BYTES' },
  count: {
    schema: z.coerce.number().int().min(1).max(10).default(3),
    about: 'Probes of a size before silence may mean too big; more under loss; default 3.',
    value: 'N',
    short: 'c',
  },
  timeout: {
    schema: z.coerce.number().min(0.05).max(60).default(1),
    about: 'Longest wait for one answer, s; default 1.',
    value: 'S',
  },
  udpPort: {
    schema: z.coerce.number().int().min(1).max(65_535).default(33_434),
    about: 'Closed port for --method udp; default 33434.',
    value: 'PORT',
  },
  stampPort: {
    schema: z.coerce.number().int().min(1).max(65_535).default(8620),
    about: 'UDP port of the reflector for --method stamp; default 8620.',
    value: 'PORT',
  },
  hop: { schema: z.boolean().default(true), about: 'Find the hop at which large packets get lost; the default.' },
  json: { schema: z.boolean().default(false), about: 'One JSON document on stdout (inferpath schema mtu).' },
} as const;

type MtuFlags = FlagValues<typeof flags>;

/** `inferpath mtu`: the path MTU, who says so, and where large packets get lost. */
export const mtu = defineCommand({
  name: 'mtu',
  summary: 'How large packets may be on the way, who says so, and where larger ones vanish',
  about:
    'Searches the path MTU with packets that must not be fragmented (DPLPMTUD, RFC 8899), with the help of ICMP and without it. ' +
    'Says whether a router confirmed the limit or a black hole has to be inferred, between which hops it lies, whether TCP to the ' +
    'port fits, and what to change. Needs no privilege.',
  positionals: { name: 'target', about: 'host, host:port, [IPv6]:port or URL', min: 1, max: 1 },
  flags,
  examples: [
    { line: 'inferpath mtu api.example.com', about: 'the path MTU to an API, and whether TCP to port 443 fits' },
    {
      line: 'inferpath mtu 10.0.0.5:8000 --expect 9000',
      about: 'exit code 1 unless jumbo frames pass to the GPU host',
    },
    { line: 'inferpath mtu example.com --method udp --family 6', about: 'without echo, over IPv6' },
    {
      line: 'inferpath mtu 10.0.0.5 --method stamp',
      about: 'each direction by itself, where inferpath reflect --stamp --stamp-sizes runs',
    },
    { line: 'inferpath mtu 10.0.0.5 --json | jq .results[-1].forward', about: 'verdict and bounds for a script' },
  ],
  run: async ({ flags, positionals, io }) => measure(flags, positionals[0] as string, io),
});

async function measure(flags: MtuFlags, text: string, io: Io): Promise<ExitCode> {
  const url = targetUrl(text);
  if (flags.expect !== undefined && flags.expect > flags.max)
    throw new UsageError(`--expect: found ${flags.expect}; allowed: at most --max, which is ${flags.max}`);
  const startedAt = new Date(io.clock.wallMs()).toISOString();
  const beganMs = io.clock.monoMs();
  const live = progressLine(io);
  const probe = makeMtuProbe(mtuSockets, live.progress);
  const options = probe.options.parse({
    method: flags.method,
    port: flags.port,
    udpPort: flags.udpPort,
    stampPort: flags.stampPort,
    maxBytes: flags.max,
    count: flags.count,
    timeoutMs: flags.timeout * 1000,
    hops: flags.hop,
  });
  const target = {
    name: text,
    vantage: 'here',
    url,
    ...(flags.family === undefined ? {} : { family: flags.family === '4' ? (4 as const) : (6 as const) }),
  };
  const results: ObservationOf<'mtu'>[] = [];
  try {
    for await (const one of probe.run(target, options, io, io.signals.interrupted))
      results.push(one as ObservationOf<'mtu'>);
  } finally {
    live.end();
  }
  const last = results.at(-1);
  const interrupted = io.signals.interrupted.aborted;
  const report: MtuReport = {
    schema: 'inferpath/mtu@1',
    version,
    startedAt,
    durationMs: io.clock.monoMs() - beganMs,
    target: text,
    expectBytes: flags.expect ?? null,
    expectationMet: flags.expect === undefined || !last ? null : met(last, flags.expect),
    interrupted,
    results,
    advice: last ? adviceOf(last) : [],
  };
  const { columns, colors } = io.terminal;
  io.terminal.out(flags.json ? prettyJson(report) : renderMtuText(report, { columns, colors }));
  return interrupted ? exitCode.interrupted : codeOf(report, last);
}

/** Whether the path carries so much: yes once it arrived, no once less was refuted or the own interface takes less. */
function met({ forward, maxBytes }: ObservationOf<'mtu'>, expectBytes: number): boolean | null {
  if (forward.confirmedBytes !== null && forward.confirmedBytes >= expectBytes) return true;
  const refuted = forward.verdict !== 'unknown' && forward.refutedBytes !== null && forward.refutedBytes <= expectBytes;
  return refuted || (forward.confirmedBytes !== null && maxBytes < expectBytes) ? false : null;
}

function codeOf({ expectBytes, expectationMet }: MtuReport, last: ObservationOf<'mtu'> | undefined): ExitCode {
  if (expectBytes !== null && expectationMet !== null) return expectationMet ? exitCode.ready : exitCode.notReady;
  if (!last) return exitCode.couldNotMeasure;
  // What --method tcp looks at is known as soon as there is a connection.
  if (last.method === 'tcp' && expectBytes === null) return last.tcp ? exitCode.ready : exitCode.couldNotMeasure;
  if (last.forward.verdict === 'unknown') return exitCode.couldNotMeasure;
  return last.forward.verdict === 'black-hole' ? exitCode.notReady : exitCode.ready;
}

/** @throws UsageError for what is no host, host:port or URL */
function targetUrl(text: string): URL {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${isIPv6(text) ? `[${text}]` : text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (!url || url.hostname === '' || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new UsageError(
      `target: found ${JSON.stringify(text)}; allowed: host, host:port, [IPv6]:port, or an http or https URL`,
    );
  refuseSecretsIn(url, 'target');
  return url;
}

/** One redrawn line on a terminal: the size on the way and the bounds so far. */
function progressLine(io: Io): { progress: MtuProgress; end(): void } {
  if (!io.terminal.stderrIsTty) return { progress: { step: () => undefined }, end: () => undefined };
  return {
    progress: {
      step(doing, step, { confirmedBytes, refutedBytes }) {
        const bounds = `fits ${confirmedBytes ?? '?'}, does not fit ${refutedBytes ?? '?'}`;
        const now = step ? `${doing} ${step.sizeBytes} octets` : 'looking for the hop';
        io.terminal.err(`\r\u001b[2K${clip(`${now}  (${bounds})`, Math.max(20, io.terminal.columns - 3))}`);
      },
    },
    end: () => io.terminal.err('\r\u001b[2K'),
  };
}
