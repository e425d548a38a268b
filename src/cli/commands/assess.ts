import { dirname, resolve as resolvePath } from 'node:path';
import * as z from 'zod';
import { networkFromUrls } from '../../model/defaults.ts';
import type { Finding } from '../../model/finding.ts';
import type { Network } from '../../model/network.ts';
import type { Observation } from '../../model/observation.ts';
import { printable } from '../../model/outcome.ts';
import { renderHtml } from '../../report/html.ts';
import { renderJson } from '../../report/json.ts';
import { renderMarkdown } from '../../report/markdown.ts';
import { renderText } from '../../report/text.ts';
import type { Io } from '../../wire/io.ts';
import { type AssessOptions, assessNetwork } from '../assess-run.ts';
import { flagName } from '../args.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { shownVariable } from '../no-secrets.ts';
import { demoFile } from '../demo-file.ts';
import { assessEmulated } from '../emulated/assess.ts';
import { emulatedOf } from '../emulated/world.ts';
import { liveEndpoints } from '../live.ts';
import { loadNetworkFile } from '../network-file.ts';
import { apiKey, headerRecord, linkOptions, proxyNote, requestFlags, tapMaxConcurrency } from '../request-flags.ts';
import { writeReport } from '../write-report.ts';

const { dialect: _dialect, rate: _rate, ...sharedFlags } = requestFlags;

const flags = {
  ...sharedFlags,
  concurrency: {
    schema: z.coerce.number().int().min(1).max(1000).default(8),
    about: 'Requests in flight at once in the last stage; default 8.',
    value: 'N',
  },
  requests: {
    schema: z.coerce.number().int().min(1).max(100_000).default(100),
    about: 'Requests per endpoint unless the network file says otherwise; default 100. A p99 needs about 300 to pass.',
    value: 'N',
    short: 'n',
  },
  pings: {
    schema: z.coerce.number().int().min(1).max(10_000).default(300),
    about: 'Bare TCP handshakes per endpoint while the requests run; default 300.',
    value: 'N',
    group: 'Measuring',
  },
  pingInterval: {
    schema: z.coerce.number().min(5).max(60_000).default(20),
    about: 'Milliseconds between two of them; default 20.',
    value: 'MS',
    group: 'Measuring',
  },
  load: {
    schema: z.boolean().default(false),
    about:
      'Also fill the path to the `reflector` that the network file names for an endpoint: throughput, loaded latency.',
    group: 'Measuring',
  },
  secure: {
    schema: z.array(z.string().min(1)).default([]),
    about: 'What an action of inferpath secure printed with --json: its findings go into the report; may be repeated.',
    value: 'FILE',
    repeated: true as const,
    group: 'Measuring',
  },
  capture: {
    schema: z.array(z.string().min(1)).default([]),
    about:
      'Packet capture (pcap, pcapng, plain or compressed) of traffic to the endpoints: judged beside what is measured; may be repeated.',
    value: 'FILE',
    repeated: true as const,
    group: 'Measuring',
  },
  vantage: { schema: z.string().min(1).max(63).optional(), about: 'Name of the place this runs at.', value: 'NAME' },
  json: {
    schema: z.boolean().default(false),
    about: 'One JSON document on stdout (inferpath schema assess).',
    group: 'Output',
  },
  markdown: {
    schema: z.string().optional(),
    about: 'Also write the report as Markdown.',
    value: 'FILE',
    group: 'Output',
  },
  html: {
    schema: z.string().optional(),
    about: 'Also write the report as one HTML file.',
    value: 'FILE',
    group: 'Output',
  },
  demo: {
    schema: z.boolean().default(false),
    about: 'Assess three reflectors in an emulated network; the default without arguments. Always exits 0.',
    group: 'Output',
  },
};
type AssessFlags = FlagValues<typeof flags>;

export const assess = defineCommand({
  name: 'assess',
  summary: 'Is the network ready for inference? A verdict per endpoint, with evidence and what to change',
  about:
    'Measures each endpoint of a network file, or each URL: DNS, TCP, TLS, path, round trips under load, and inference requests ' +
    'taken apart. Judges them against the limits of their workload class over five pillars and says what to change and what that ' +
    'would gain. What the evidence does not decide is "unknown" with what is missing, never "pass".',
  positionals: { name: 'network.yaml | url', about: 'one network file, or URLs of endpoints', min: 0, max: 50 },
  flags,
  examples: [
    { line: 'inferpath assess', about: 'three emulated endpoints, to see what a report looks like' },
    { line: 'inferpath assess network.yaml --html report.html', about: 'every endpoint of a network file' },
    { line: 'inferpath assess https://api.example.com --class voice --auth-env API_KEY --model m', about: 'one URL' },
    {
      line: 'inferpath assess network.yaml --capture gateway.pcapng.gz',
      about: 'what users got counts beside what is measured now',
    },
    { line: 'inferpath assess network.yaml --json | jq .ready', about: 'for a script: pass, fail or unknown' },
  ],
  run: async ({ flags, positionals, io }) => {
    if (positionals.length === 0 || flags.demo) return demoAssess(flags, positionals, io);
    const { network, directory } = await networkOf(positionals, flags, io);
    const emulated = emulatedOf(network);
    // Once they have been made, this command is told by --resolve where they are.
    if (emulated.length > 0 && flags.resolve.length === 0)
      return assessEmulated(positionals[0] as string, emulated, emulatedWords(flags), io);
    return assessAndReport(network, directory, flags, [], io);
  },
});

/** The example, whose verdicts are meant to differ: only a demo that could not run is a failure. */
async function demoAssess(flags: AssessFlags, positionals: readonly string[], io: Io): Promise<ExitCode> {
  if (positionals.length > 0)
    throw new UsageError(`--demo: found ${JSON.stringify(printable(positionals[0] ?? ''))} beside it; allowed: alone`);
  const words = emulatedWords(flags);
  const code = await assessEmulated(demoFile, emulatedOf(await loadNetworkFile(demoFile, io)), words, io);
  return code === exitCode.notReady || code === exitCode.couldNotMeasure ? exitCode.ready : code;
}

/** What says how to get to an endpoint or what to ask it: emulated endpoints are made with what they know of that. */
const notForEmulated: readonly (keyof AssessFlags)[] = [
  ...(['class', 'model', 'requests', 'authEnv', 'header', 'secure', 'capture'] as const),
  ...(['family', 'resolve', 'proxy', 'clientCert', 'clientKey', 'ca', 'insecure'] as const),
];

/** The flags that were given, as words for the assessment inside the emulation. @throws UsageError for what it cannot heed */
function emulatedWords(given: AssessFlags): string[] {
  return Object.entries(flags).flatMap(([key, { schema }]) => {
    const value = given[key as keyof AssessFlags];
    if (key === 'demo' || JSON.stringify(value) === JSON.stringify(schema.parse(undefined))) return [];
    const name = flagName(key);
    if (notForEmulated.includes(key as keyof AssessFlags))
      throw new UsageError(
        `${name}: found with emulated endpoints; allowed: with endpoints that exist, as these are made with all they need`,
      );
    if (typeof value === 'boolean') return [value ? name : `--no-${name.slice(2)}`];
    return [`${name}=${String(value)}`];
  });
}

/** A single argument that is no URL is a network file. */
async function networkOf(
  positionals: readonly string[],
  flags: AssessFlags,
  io: Io,
): Promise<{ network: Network; directory: string }> {
  const urls = positionals.filter((p) => /^https?:\/\//i.test(p));
  if (urls.length === positionals.length) {
    try {
      return { network: networkFromUrls(urls, flags.class), directory: io.cwd };
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error));
    }
  }
  const [path, ...more] = positionals as [string, ...string[]];
  if (urls.length > 0 || more.length > 0)
    throw new UsageError(
      `found ${positionals.map((p) => JSON.stringify(p)).join(' ')}; allowed: one network file, or URLs only`,
      'an URL begins with http:// or https://',
    );
  return { network: await loadNetworkFile(path, io), directory: dirname(resolvePath(io.cwd, path)) };
}

/** Measures, prints, writes the files that were asked for. @param notes what stands at the top of the report */
export async function assessAndReport(
  network: Network,
  directory: string,
  flags: AssessFlags,
  notes: readonly string[],
  io: Io,
): Promise<ExitCode> {
  const options = await optionsOf(network, directory, flags, notes, io);
  const live = liveEndpoints(
    network.endpoints.map((e) => e.name),
    io,
  );
  const report = await assessNetwork(network, options, io, io.signals.interrupted, live.progress).finally(live.end);
  const { columns, colors } = io.terminal;
  // Printed before anything is written: a file that cannot be written must not cost the measurement.
  io.terminal.out(flags.json ? renderJson(report) : renderText(report, { columns, colors }));
  if (flags.markdown !== undefined) await writeReport(flags.markdown, renderMarkdown(report), io);
  if (flags.html !== undefined) await writeReport(flags.html, renderHtml(report), io);
  if (report.interrupted) return exitCode.interrupted;
  if (report.endpoints.every((e) => e.answered === 0)) return exitCode.couldNotMeasure;
  return report.ready === 'fail'
    ? exitCode.notReady
    : report.ready === 'pass'
      ? exitCode.ready
      : exitCode.couldNotMeasure;
}

async function optionsOf(
  network: Network,
  directory: string,
  flags: AssessFlags,
  notes: readonly string[],
  io: Io,
): Promise<AssessOptions> {
  const request = { ...flags, dialect: 'auto' as const, rate: undefined };
  const note = proxyNote(request, io);
  // Read before anything is measured: a mistake in a file is told at once.
  const secured = await securedOf(network, flags.secure, io);
  return {
    requests: flags.requests,
    concurrency: flags.concurrency,
    pings: flags.pings,
    pingIntervalMs: flags.pingInterval,
    timeoutMs: flags.timeout * 1000,
    tap: flags.tap && flags.concurrency <= tapMaxConcurrency,
    floor: flags.floor,
    load: flags.load,
    vantage: flags.vantage ?? network.vantage?.name ?? 'here',
    link: await linkOptions(request, io),
    headers: headerRecord(request),
    keys: await keysOf(network, directory, apiKey(request, io), io),
    promptTokens: flags.promptTokens,
    maxTokens: flags.maxTokens,
    model: flags.model,
    notes: [...notes, ...(note ? [note] : []), ...loadNotes(network, flags)],
    captured: await capturedOf(network, flags, io),
    planned: async (observations) => [...(await plannedOf(network, observations, io)), ...secured],
  };
}

/** Read before anything is measured: a mistake in a file is told at once. */
async function capturedOf(
  network: Network,
  { capture, vantage }: AssessFlags,
  io: Io,
): Promise<AssessOptions['captured']> {
  if (capture.length === 0) return null;
  const { captureEvidence } = await import('../capture/evidence.ts');
  return captureEvidence(network, capture, vantage ?? network.vantage?.name ?? 'capture', io);
}

async function plannedOf(network: Network, observations: readonly Observation[], io: Io): Promise<Finding[]> {
  if (network.links.length === 0) return [];
  // Loaded only for files that plan: it is half of the program.
  const { plannedFindings } = await import('../plan/planned-findings.ts');
  return plannedFindings(network, 'the network file', observations, io);
}

async function securedOf(network: Network, reports: readonly string[], io: Io): Promise<Finding[]> {
  if (reports.length === 0 && network.security.hops.length === 0) return [];
  const { securedFindings } = await import('../secure/secured-findings.ts');
  return securedFindings(network, reports, io);
}

function loadNotes({ endpoints }: Network, { load }: AssessFlags): string[] {
  const bare = load ? endpoints.filter((endpoint) => endpoint.reflector === undefined).map(({ name }) => name) : [];
  if (bare.length === 0) return [];
  return [`--load measured nothing at ${bare.join(', ')}: the network file names no reflector there`];
}

/** The API key of each endpoint: its own `auth`, else that of --auth-env. @throws UsageError naming endpoint and source */
async function keysOf(
  network: Network,
  directory: string,
  shared: string | undefined,
  io: Io,
): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  for (const { name, auth } of network.endpoints) {
    if (auth?.env !== undefined) {
      const key = io.env[auth.env];
      if (!key)
        throw new UsageError(`endpoint ${name}: the environment variable ${shownVariable(auth.env)} is not set`);
      keys.set(name, key);
    } else if (auth?.file !== undefined) {
      const path = resolvePath(directory, auth.file);
      const text = await io.fs.readText(path).catch((error: NodeJS.ErrnoException) => {
        throw new UsageError(`endpoint ${name}: cannot read the key file ${path}: ${error.code ?? error.message}`);
      });
      keys.set(name, text.trim());
    } else if (shared !== undefined) keys.set(name, shared);
  }
  return keys;
}
