/** Child: follows the streams with the machinery of `inferpath infer`. Arguments: streams, tokens, URLs. */
import { createIo } from '../../src/cli/io.ts';
import { dialectByName } from '../../src/measure/dialect/index.ts';
import { runSession, type SessionOptions } from '../../src/measure/inference/session.ts';
import { summariseRequests } from '../../src/measure/inference/summary.ts';
import { quantile, sorted } from '../../src/stats/quantile.ts';
import type { ClientResult } from './arrivals.ts';
import { Meter } from './meter.ts';

const [streams, tokens] = process.argv.slice(2, 4).map(Number) as [number, number];
const urls = process.argv.slice(4).map((text) => new URL(text));
const { io } = createIo(process);

const optionsFor = (url: URL): SessionOptions => ({
  endpoint: 'bench',
  url,
  dialect: dialectByName('openai-chat'),
  model: undefined,
  apiKey: undefined,
  authHeader: undefined,
  headers: {},
  promptTokens: 20,
  maxTokens: tokens,
  requests: Math.round(streams / urls.length),
  ratePerS: undefined,
  concurrency: Math.round(streams / urls.length),
  fresh: true,
  stallThresholdMs: 1000,
  timeoutMs: 60_000,
  maxResponseBytes: 64 << 20,
  floor: false,
  link: { http2: false, insecure: false, connectTimeoutMs: 30_000 },
});

// The tap is off, as it is in the command above 64 requests at once.
const transport = io.sockets.openTcp({ tap: false });
await transport.ready;
const result: ClientResult = { arrivals: {}, events: 0, cpuMs: 0, elapsedMs: 0, starved: 0 };
const meter = new Meter();
const sessions = await Promise.all(
  urls.map((url) =>
    runSession(optionsFor(url), transport, io, io.signals.interrupted, {
      started: () => undefined,
      finished: (exchange) => {
        if (!exchange) return;
        result.arrivals[exchange.id] = exchange.tokens.map((t) => t.atMs);
        result.events += exchange.tokens.length;
        // Overwritten until the last: what comes after it (records, statistics) is not following.
        Object.assign(result, meter.read());
      },
    }),
  ),
);
await transport.close();
const requests = sessions.flatMap((s) => s.requests);
const lags = sorted(requests.map((r) => r.phases.scheduleLagMs));
const readLagP99Ms = Math.max(...sessions.map((s) => s.readLagP99Ms));
const { client } = summariseRequests(requests, {
  scheduleLagP99Ms: quantile(lags, 0.99),
  eventLoopLagMaxMs: Math.max(0, ...requests.map((r) => r.client.eventLoopLagMs)),
  readLagP99Ms,
  cpuShare: result.cpuMs / result.elapsedMs,
  stamps: transport.stamps,
});
const { bottleneck, why, processingMaxMs } = client;
result.verdict = { bottleneck, why, readLagP99Ms, processingMaxMs };
process.stdout.write(JSON.stringify(result), () => process.exit(0));
