import { isIP, isIPv6 } from 'node:net';
import * as z from 'zod';
import { startTlsKinds, startTlsOfPort, type StartTls } from '../../measure/tls/starttls.ts';
import { surveyTls, type SurveyOptions, type TlsEndpoint } from '../../measure/tls/survey.ts';
import { printable } from '../../model/outcome.ts';
import type { SecureTlsReport, TlsEndpointReport } from '../../model/secure/tls.ts';
import { clip } from '../../report/ansi.ts';
import { prettyJson } from '../../report/json.ts';
import { renderTlsCbom } from '../../report/secure/tls-cbom.ts';
import { renderSecureTlsText } from '../../report/secure/tls-text.ts';
import { findingsOf } from '../../secure/tls/findings.ts';
import { judgeTls } from '../../secure/tls/judge.ts';
import type { Secrecy } from '../../secure/tls/mosca.ts';
import { baseline } from '../../secure/tls/profiles/baseline.ts';
import { cnsa2 } from '../../secure/tls/profiles/cnsa2.ts';
import { nist } from '../../secure/tls/profiles/nist.ts';
import type { Io } from '../../wire/io.ts';
import { defineAction, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { refuseSecretsIn } from '../no-secrets.ts';
import { version } from '../version.ts';
import { writeReport } from '../write-report.ts';
import { jsonFlag } from './flags.ts';

const profiles = { baseline, nist, cnsa2 };
const years = z.coerce.number().min(0).max(200);

const flags = {
  profile: {
    schema: z.enum(['baseline', 'nist', 'cnsa2']).default('baseline'),
    about: 'Requirements to hold it against; default baseline.',
    value: 'NAME',
  },
  starttls: {
    schema: z.enum(['auto', 'none', ...startTlsKinds]).default('auto'),
    about: 'What is spoken before TLS; default auto: by the port (25, 587, 143, 5432).',
    value: 'KIND',
  },
  serverName: {
    schema: z
      .string()
      .regex(/^[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*$/, 'must be a host name')
      .max(253)
      .optional(),
    about: 'Name for SNI, where the target is an address; default the host.',
    value: 'NAME',
  },
  alpn: {
    schema: z
      .string()
      .regex(/^[\x21-\x7e]{1,60}$/)
      .default('h2,http/1.1'),
    about: 'Protocols to offer, or none; default h2,http/1.1, and none behind STARTTLS.',
    value: 'LIST',
  },
  secrecyYears: {
    schema: years.optional(),
    about: 'How long what is sent has to stay secret, years; with the next two: exposure by Mosca’s inequality.',
    value: 'N',
    group: 'Harvest now, decrypt later',
  },
  migrationYears: {
    schema: years.optional(),
    about: 'How long your migration takes, years.',
    value: 'N',
    group: 'Harvest now, decrypt later',
  },
  crqcYears: {
    schema: z
      .string()
      .regex(/^\d{1,3}(\.\d+)?(-\d{1,3}(\.\d+)?)?$/, 'must be LOW-HIGH, like 5-15')
      .optional(),
    about: 'Years until a quantum computer that breaks today’s key exchange, as a range LOW-HIGH.',
    value: 'RANGE',
    group: 'Harvest now, decrypt later',
  },
  rate: {
    schema: z.coerce.number().min(0.1).max(1000).optional(),
    about: 'Connections per second to one endpoint, at most; default 20, and 1000 on loopback.',
    value: 'N',
  },
  atOnce: {
    schema: z.coerce.number().int().min(1).max(16).optional(),
    about: 'Connections to one endpoint at the same time, at most; default 1, and 8 on loopback.',
    value: 'N',
  },
  locate: {
    schema: z.boolean().default(true),
    about: 'Where a ClientHello does not arrive, look behind which hop it dies (Linux); --no-locate leaves it.',
  },
  timeout: {
    schema: z.coerce.number().min(0.05).max(60).default(5),
    about: 'Longest wait for one answer, s; default 5.',
    value: 'S',
  },
  gap: {
    schema: z.coerce.number().min(1).max(5000).default(80),
    about: 'Pause inside a ClientHello that is split, ms; default 80.',
    value: 'MS',
  },
  family: {
    schema: z.enum(['4', '6']).optional(),
    about: 'Address family; default the first address that the resolver gives.',
    value: '4|6',
  },
  cbom: {
    schema: z.string().min(1).optional(),
    about: 'Also writes a cryptography bill of materials (CycloneDX 1.6) to FILE.',
    value: 'FILE',
  },
  json: jsonFlag,
} as const;

type Flags = FlagValues<typeof flags>;

/** `inferpath secure tls`: is the TLS of these endpoints ready for quantum computers? */
export const secureTls = defineAction({
  about:
    'Asks endpoints with a TLS of its own, some 25 connections each: which groups and in whose order, what browsers really get, ' +
    'versions, signatures and certificates, and whether ClientHellos that are large or split arrive. Says what that means against a ' +
    'profile, what switching post-quantum on costs, and how to do it. Sends no request and no secret.',
  positionals: {
    name: 'target',
    about: 'host, host:port, [IPv6]:port, https URL, or a network file (.yaml)',
    min: 1,
    max: 256,
  },
  flags,
  examples: [
    { line: 'inferpath secure tls api.example.com', about: 'whether clients get a post-quantum key exchange' },
    { line: 'inferpath secure tls network.yaml --profile cnsa2', about: 'every https endpoint of the network file' },
    {
      line: 'inferpath secure tls 10.0.0.5:8443 --secrecy-years 10 --migration-years 3 --crqc-years 5-15',
      about: 'how long recordings stay readable while they should be secret',
    },
    { line: 'inferpath secure tls mail.example.com:25 db.example.com:5432', about: 'behind STARTTLS' },
    { line: 'inferpath secure tls 10.0.0.5:8443 --json | jq .endpoints[0].verdict', about: 'for a script' },
  ],
  run: ({ flags, positionals, io }) => run(flags, positionals, io),
});

interface Named {
  name: string;
  endpoint: TlsEndpoint;
  secrecy: readonly Secrecy[];
}

async function run(flags: Flags, targets: readonly string[], io: Io): Promise<ExitCode> {
  const secrecy = secrecyOf(flags);
  const endpoints = await endpointsOf(targets, flags, secrecy, io);
  const startedAt = new Date(io.clock.wallMs()).toISOString();
  const beganMs = io.clock.monoMs();
  const { id, title, asOf, note } = profiles[flags.profile];
  const reports = await judged(endpoints, flags, io);
  const report: SecureTlsReport = {
    schema: 'inferpath/secure-tls@1',
    version,
    startedAt,
    durationMs: io.clock.monoMs() - beganMs,
    vantage: 'here',
    profile: { id, title, asOf, note },
    endpoints: reports,
    findings: reports.flatMap(findingsOf),
    interrupted: io.signals.interrupted.aborted,
  };
  if (flags.cbom !== undefined) await writeReport(flags.cbom, renderTlsCbom(report, io.random.uuid()), io);
  const { columns, colors } = io.terminal;
  io.terminal.out(flags.json ? prettyJson(report) : renderSecureTlsText(report, { columns, colors }));
  return codeOf(report);
}

/**
 * By the findings, as everywhere: what fails beats what is not known, since what is wrong is known already. A requirement that is
 * due later does not count; a key exchange that is classical does, whatever the profile says of its date.
 */
function codeOf({ findings, interrupted }: SecureTlsReport): ExitCode {
  if (interrupted) return exitCode.interrupted;
  const verdicts = findings.map(({ verdict }) => verdict);
  if (verdicts.includes('fail')) return exitCode.notReady;
  return verdicts.includes('unknown') ? exitCode.couldNotMeasure : exitCode.ready;
}

/** Endpoints at once. */
const atOnce = 4;

async function judged(endpoints: readonly Named[], flags: Flags, io: Io): Promise<TlsEndpointReport[]> {
  const transport = io.sockets.openTcp({ tap: false });
  const live = progress(io, endpoints.length);
  const reports: TlsEndpointReport[] = [];
  const left = [...endpoints.entries()];
  const work = async () => {
    for (let next = left.shift(); next && !io.signals.interrupted.aborted; next = left.shift()) {
      const [i, { name, endpoint, secrecy }] = next;
      const options = surveyOptions(endpoint, flags, (id) => live.step(name, id));
      const survey = await surveyTls(endpoint, options, transport, io, io.signals.interrupted);
      const nowMs = io.clock.wallMs();
      reports[i] = judgeTls({ name, survey, profile: profiles[flags.profile], secrecy, nowMs });
      live.done();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, endpoints.length) }, work));
  } finally {
    live.end();
    await transport.close();
  }
  return reports.filter(Boolean);
}

function surveyOptions(endpoint: TlsEndpoint, flags: Flags, onProbe: (id: string) => void): SurveyOptions {
  return {
    timeoutMs: flags.timeout * 1000,
    rate: flags.rate,
    atOnce: flags.atOnce,
    gapMs: flags.gap,
    locate: flags.locate,
    alpn: flags.alpn === 'none' || endpoint.starttls ? [] : flags.alpn.split(','),
    family: flags.family === undefined ? undefined : flags.family === '4' ? 4 : 6,
    onAnswer: ({ id }) => onProbe(id),
  };
}

function secrecyOf({ secrecyYears, migrationYears, crqcYears }: Flags): Secrecy[] {
  const given = [secrecyYears, migrationYears, crqcYears].filter((one) => one !== undefined).length;
  if (given === 0) return [];
  if (secrecyYears === undefined || migrationYears === undefined || crqcYears === undefined)
    throw new UsageError(
      'found only some of --secrecy-years, --migration-years and --crqc-years; allowed: all or none',
    );
  const [low = 0, high = low] = crqcYears.split('-').map(Number);
  if (high < low) throw new UsageError(`--crqc-years: found ${crqcYears}; allowed: LOW-HIGH with LOW at most HIGH`);
  return [{ dataClass: 'what is sent', secrecyYears, migrationYears, crqcYears: [low, high] }];
}

async function endpointsOf(
  targets: readonly string[],
  flags: Flags,
  secrecy: readonly Secrecy[],
  io: Io,
): Promise<Named[]> {
  const found: Named[] = [];
  const mistakes: string[] = [];
  for (const text of targets) {
    if (/\.ya?ml$/i.test(text)) found.push(...(await ofNetwork(text, flags, secrecy, io)));
    else {
      const one = endpointOf(text, flags);
      if (one) found.push({ name: text, endpoint: one, secrecy });
      else
        mistakes.push(
          `target: found ${JSON.stringify(printable(text, 80))}; allowed: host, host:port, [IPv6]:port, an https URL, or a network file`,
        );
    }
  }
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  return found;
}

/** Every https endpoint of a network file. Its classes of data count as those of the flags do, which come first. */
async function ofNetwork(file: string, flags: Flags, secrecy: readonly Secrecy[], io: Io): Promise<Named[]> {
  // Its YAML takes longer to load than to ask an endpoint.
  const { loadNetworkFile } = await import('../network-file.ts');
  const { endpoints, security } = await loadNetworkFile(file, io);
  const https = endpoints.filter(({ url }) => url.startsWith('https:'));
  if (https.length === 0) throw new UsageError(`${file}: found no https endpoint; allowed: at least one`);
  const crqcYears = secrecy[0]?.crqcYears ?? yearsUntil(security.quantumComputer, new Date(io.clock.wallMs()));
  return https.map(({ name, url }) => {
    const classes = security.dataClasses.filter(({ on }) => on === undefined || on.includes(name));
    const own = crqcYears === null ? [] : classes.map((one) => secrecyOfClass(one, crqcYears));
    return { name, endpoint: endpointOf(url, flags)!, secrecy: [...secrecy, ...own] };
  });
}

const secrecyOfClass = (
  { name, secrecyYears, migrationYears }: { name: string; secrecyYears: number; migrationYears: number },
  crqcYears: readonly [number, number],
): Secrecy => ({ dataClass: name, secrecyYears, migrationYears, crqcYears });

/** Calendar years of the network file as years from now. */
function yearsUntil(
  range: { earliest: number; latest: number } | undefined,
  now: Date,
): readonly [number, number] | null {
  if (!range) return null;
  const from = (year: number) => Math.max(0, year - now.getUTCFullYear());
  return [from(range.earliest), from(range.latest)];
}

/** Undefined for what is no target. */
function endpointOf(text: string, flags: Flags): TlsEndpoint | undefined {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${isIPv6(text) ? `[${text}]` : text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (!url || url.hostname === '' || url.protocol !== 'https:') return undefined;
  refuseSecretsIn(url, 'target');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port || 443);
  return {
    host,
    port,
    starttls: startTlsOf(port, flags),
    serverName: flags.serverName ?? (isIP(host) === 0 ? host : null),
  };
}

function startTlsOf(port: number, { starttls }: Flags): StartTls | null {
  if (starttls === 'auto') return startTlsOfPort[port] ?? null;
  return starttls === 'none' ? null : starttls;
}

/** One redrawn line on a terminal. */
function progress(io: Io, total: number): { step(name: string, id: string): void; done(): void; end(): void } {
  const nothing = () => undefined;
  if (!io.terminal.stderrIsTty) return { step: nothing, done: nothing, end: nothing };
  let done = 0;
  return {
    step: (name, id) => {
      const text = `${done}/${total} endpoints · ${printable(name, 60)}: ${id}`;
      io.terminal.err(`\r\u001b[2K${clip(text, Math.max(20, io.terminal.columns - 3))}`);
    },
    done: () => void done++,
    end: () => io.terminal.err('\r\u001b[2K'),
  };
}
