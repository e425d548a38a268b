import * as z from 'zod';
import { builtInTargets, classDefaults, nameFromUrl } from '../../model/defaults.ts';
import type { InferReport } from '../../model/infer-report.ts';
import { dialectByName, guessDialect } from '../../measure/dialect/index.ts';
import { runSession, type SessionOptions, type SessionResult } from '../../measure/inference/session.ts';
import { summariseRequests } from '../../measure/inference/summary.ts';
import { renderInferText } from '../../report/infer-text.ts';
import { quantile, sorted } from '../../stats/quantile.ts';
import { defineCommand, type ExitCode, exitCode, type FlagValues, UsageError } from '../command.ts';
import { refuseSecretsIn } from '../no-secrets.ts';
import { liveRequests } from '../live.ts';
import { apiKey, headerRecord, linkOptions, proxyNote, requestFlags, tapMaxConcurrency } from '../request-flags.ts';
import { version } from '../version.ts';
import type { Io } from '../../wire/io.ts';

/** How long a request is taken to last when a rate is given and nothing bounds how many are in flight, s. */
const assumedRequestS = 5;

const flags = {
  ...requestFlags,
  requests: {
    schema: z.coerce.number().int().min(1).max(100_000).default(10),
    about: 'Requests to send; default 10.',
    value: 'N',
    short: 'n',
  },
  fresh: {
    schema: z.boolean().default(false),
    about: 'A new connection for every request.',
    group: 'Connection',
  },
  reuse: {
    schema: z.boolean().default(true),
    about: 'Keep the connection for the next request, as SDKs do; the default.',
    group: 'Connection',
  },
  json: { schema: z.boolean().default(false), about: 'One JSON document on stdout (inferpath schema infer).' },
};

export const infer = defineCommand({
  name: 'infer',
  summary: 'One inference request, taken apart: where the milliseconds went and who spent them',
  about:
    'Sends streamed inference requests to an API and takes each apart: DNS, TCP, TLS, upload, time to first token, every token ' +
    'gap. Says for each request and for every stall how much was the network, the server and this client, as bounds with the ' +
    'evidence behind them. Receive times come from the kernel on Linux.',
  positionals: { name: 'url', about: 'http or https address of the API, or only its origin', min: 1, max: 1 },
  flags,
  examples: [
    { line: 'inferpath infer http://127.0.0.1:7041', about: 'ten requests to a local reflector' },
    {
      line: 'inferpath infer https://api.example.com --auth-env API_KEY --model m-large --requests 50',
      about: 'fifty requests with a key from the environment',
    },
    {
      line: 'inferpath infer https://10.0.0.5:8443 --fresh --ca ca.pem --prompt-tokens 50000',
      about: 'what a cold connection and a large prompt cost',
    },
    { line: 'inferpath infer http://127.0.0.1:7041 --json | jq .summary', about: 'numbers for a script' },
  ],
  run: async ({ flags, positionals, io }) => {
    const options = await sessionOptions(flags, positionals[0] as string, io);
    return measure(flags, options, io);
  },
});

type InferFlags = FlagValues<typeof flags>;

async function sessionOptions(flags: InferFlags, text: string, io: Io): Promise<SessionOptions> {
  const url = parseTarget(text);
  const defaults = classDefaults[flags.class];
  return {
    endpoint: nameFromUrl(url.href, new Set()),
    url,
    dialect: flags.dialect === 'auto' ? guessDialect(url) : dialectByName(flags.dialect),
    model: flags.model,
    apiKey: apiKey(flags, io),
    authHeader: undefined,
    headers: headerRecord(flags),
    promptTokens: flags.promptTokens ?? defaults.promptTokens,
    maxTokens: flags.maxTokens ?? defaults.maxTokens,
    requests: flags.requests,
    ratePerS: flags.rate,
    concurrency: flags.concurrency ?? (flags.rate === undefined ? 1 : 1000),
    fresh: flags.fresh || !flags.reuse,
    stallThresholdMs: builtInTargets(flags.class).tokenGapMs.max,
    timeoutMs: flags.timeout * 1000,
    maxResponseBytes: 256 << 20,
    floor: flags.floor,
    link: await linkOptions(flags, io),
  };
}

/** @throws UsageError for what is no http or https URL, or carries a password. */
function parseTarget(text: string): URL {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '')
    throw new UsageError(`url: found ${JSON.stringify(text)}; allowed: an http or https URL`);
  refuseSecretsIn(url, 'url', 'give the key by --auth-env instead');
  return url;
}

async function measure(flags: InferFlags, options: SessionOptions, io: Io): Promise<ExitCode> {
  const startedAt = new Date(io.clock.wallMs()).toISOString();
  const beganMs = io.clock.monoMs();
  const cpuBefore = process.cpuUsage();
  const expected = flags.concurrency ?? (flags.rate === undefined ? 1 : flags.rate * assumedRequestS);
  const tap = flags.tap && expected <= tapMaxConcurrency;
  const transport = io.sockets.openTcp({ tap });
  const live = liveRequests(options.requests, io);
  let result: SessionResult;
  try {
    result = await runSession(options, transport, io, io.signals.interrupted, live.progress);
  } finally {
    live.end();
    await transport.close();
  }
  const durationMs = io.clock.monoMs() - beganMs;
  const cpu = process.cpuUsage(cpuBefore);
  const lags = sorted(result.requests.map((r) => r.phases.scheduleLagMs));
  const summary = summariseRequests(result.requests, {
    scheduleLagP99Ms: lags.length === 0 ? 0 : quantile(lags, 0.99),
    eventLoopLagMaxMs: Math.max(0, ...result.requests.map((r) => r.client.eventLoopLagMs)),
    readLagP99Ms: result.readLagP99Ms,
    cpuShare: (cpu.user + cpu.system) / 1000 / Math.max(1, durationMs),
    stamps: result.stamps,
  });
  const note = proxyNote(flags, io);
  const report: InferReport = {
    schema: 'inferpath/infer@1',
    version,
    startedAt,
    durationMs,
    endpoint: options.endpoint,
    url: options.url.href,
    class: flags.class,
    interrupted: io.signals.interrupted.aborted,
    requests: result.requests,
    summary,
    notes: [
      result.about,
      ...(flags.tap && !tap
        ? [`more than ${tapMaxConcurrency} requests at once are expected: the server kernel's clock is not read`]
        : []),
      ...(note ? [note] : []),
      ...(flags.http2 ? ['HTTP/2: streams share one connection, and so do its TCP_INFO and retransmissions'] : []),
      ...(flags.insecure ? ['certificates were not verified (--insecure)'] : []),
    ],
  };
  io.terminal.out(
    flags.json
      ? `${JSON.stringify(report)}\n`
      : renderInferText(report, { columns: io.terminal.columns, colors: io.terminal.colors }),
  );
  if (report.interrupted) return exitCode.interrupted;
  if (summary.answered === 0) return exitCode.couldNotMeasure;
  return summary.answered < summary.requests ? exitCode.notReady : exitCode.ready;
}
