import { aboutClient, type Draft } from '../per-endpoint.ts';
import { resolveWorkload } from '../../model/defaults.ts';
import type { InferenceRequest } from '../../model/inference.ts';
import type { Network } from '../../model/network.ts';
import { quantile } from '../../stats/quantile.ts';
import { requestsOf, risingOf } from '../samples.ts';
import { ms, percent } from '../say.ts';

/** Lag of our own loop may use this share of the tightest limit before our numbers are doubted. */
const lagShare = 0.2;
/** From here on one core is full: more load would show as lag. */
const fullCore = 0.95;

export const clientBottleneck = aboutClient(
  { id: 'client-bottleneck', about: 'Was the measuring client fast enough for what it measured?', pillar: 'speed' },
  (network, view): Draft => {
    const requests = network.endpoints.flatMap((e) => requestsOf(view, e.name));
    const runs = view.client();
    if (runs.length === 0 && requests.length === 0)
      return { verdict: 'unknown', claim: 'the client took no measure of itself: 0 observations', coverage: 0 };
    const limitMs = lagLimitMs(network);
    const lagMs = Math.max(0, ...runs.map((c) => c.eventLoopLagP99Ms), quantile99(requests));
    const cpu = Math.max(0, ...runs.map((c) => c.cpuShare));
    const kernel = requests.length > 0 && requests.every((r) => r.stamps === 'kernel');
    return verdictOf({ lagMs, limitMs, cpu, kernel, requests, n: Math.max(runs.length, requests.length) });
  },
);

interface Fitness {
  lagMs: number;
  limitMs: number;
  cpu: number;
  kernel: boolean;
  requests: readonly InferenceRequest[];
  n: number;
}

function verdictOf({ lagMs, limitMs, cpu, kernel, requests, n }: Fitness): Draft {
  // Kernel stamps do not see the lag of our loop, so lag alone spoils only what user space stamped.
  const late = lagMs > limitMs && !kernel;
  const slow = late || cpu > fullCore || ownShareOf(requests) > 0.1;
  const claim = `p99 of the client's own lag is ${ms(lagMs)} against ${ms(limitMs)}, at ${percent(cpu)} of one core`;
  return {
    verdict: slow ? 'fail' : 'pass',
    claim: slow ? `the client was the bottleneck: ${claim}` : claim,
    details: [
      kernel ? 'arrival times come from the kernel, so this lag is not in them' : null,
      `in the median request the client itself spent ${percent(ownShareOf(requests))} of the time to first token`,
    ],
    evidence: [
      { metric: 'event loop lag p99', value: lagMs, unit: 'ms', n, how: "the client's own timer" },
      { metric: 'CPU share', value: cpu, unit: 'share', n, how: 'getrusage' },
    ],
    remedy: slow
      ? {
          text: 'offer less load from this machine (--rate, --concurrency), use a faster or idler one, or spread the load over several vantages; do not judge the network by this run',
        }
      : undefined,
  };
}

function quantile99(requests: readonly InferenceRequest[]): number {
  const p99 = quantile(
    risingOf(requests, (r) => r.client.eventLoopLagMs),
    0.99,
  );
  return Number.isNaN(p99) ? 0 : p99;
}

function ownShareOf(requests: readonly InferenceRequest[]): number {
  const share = quantile(
    risingOf(requests, (r) => (r.split.ttft && r.phases.ttftMs ? r.split.ttft.clientMs / r.phases.ttftMs : null)),
    0.5,
  );
  return Number.isNaN(share) ? 0 : share;
}

/** A fifth of the tightest limit that any endpoint is judged by. */
function lagLimitMs(network: Network): number {
  const limits = network.endpoints.map((e) => {
    const { targets } = resolveWorkload(network, e);
    return Math.min(targets.networkRttMs.max, targets.tokenGapMs.max);
  });
  return lagShare * Math.min(...limits);
}
