import { deadlineOf } from '../wire/deadline.ts';
import { type Probe } from '../measure/probe.ts';
import { hostOf, portOf } from '../measure/url.ts';
import type { Endpoint, Network } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import { watchProbe, type WatchProbe } from '../model/watch.ts';
import type { Io } from '../wire/io.ts';
import { acceptJobs, type RunnableJob } from './agent/jobs.ts';
import { guarded, targetPolicy } from './agent/target-policy.ts';
import { jobOf } from './jobs.ts';
import { Problem } from './problem.ts';
import { withPort } from '../stats/address.ts';

/** What a server needs to measure by itself. */
export interface ProbingParts {
  io: Io;
  /** The API key of an endpoint; undefined where there is none. */
  keyFor: (endpoint: string) => string | undefined;
}

/** Names that modules of blackbox_exporter have in most configurations. */
const aliases: Readonly<Record<string, WatchProbe>> = { tcp_connect: 'tcp', icmp: 'ping' };
/** Probes at once: a scrape configuration of thousands of targets waits, and is told so. */
const mostAtOnce = 16;

/** What one probe on demand came to. */
export interface OnDemandResult {
  observations: Observation[];
  durationMs: number;
  /** The time limit ended it. */
  timedOut: boolean;
}

/** Probes that a request asks for: only of endpoints of the network file, only of the closed list, bounded in number and time. */
export class OnDemand {
  readonly #parts: ProbingParts | null;
  readonly results = new Map<string, number>();
  #running = 0;

  constructor(parts: ProbingParts | null) {
    this.#parts = parts;
  }

  /** @throws Problem when it is not one of ours, there is no room, or the probe cannot be run here */
  async run(
    network: Network,
    { module, target, limitMs }: { module: string; target: string; limitMs: number },
    signal: AbortSignal,
  ): Promise<OnDemandResult & { kind: WatchProbe }> {
    const kind = kindOf(module);
    const endpoint = endpointOf(network, target);
    if (!this.#parts) throw new Problem('not-implemented', 'this server does not measure by itself');
    const job = this.#accept(network, endpoint, kind, this.#parts);
    if (this.#running >= mostAtOnce) {
      this.#count(kind, 'refused');
      throw new Problem('busy', `${mostAtOnce} probes are under way`, { headers: { 'retry-after': '1' } });
    }
    this.#running++;
    try {
      const result = await runBounded(job, this.#parts.io, limitMs, signal);
      this.#count(kind, result.timedOut ? 'timed-out' : 'done');
      return { ...result, kind };
    } finally {
      this.#running--;
    }
  }

  #accept(network: Network, endpoint: Endpoint, probe: WatchProbe, { keyFor }: ProbingParts): RunnableJob {
    const job = jobOf(network, endpoint, { probe, every: '1m' }, 0);
    const { accepted, refused } = acceptJobs([job], {
      policy,
      keyFor: (_url, _auth, name) => {
        const key = keyFor(name);
        return key === undefined ? { why: `there is no API key for ${name}` } : { key };
      },
    });
    const [found] = accepted;
    if (!found) throw new Problem('bad-request', refused[0]?.why ?? 'it cannot be run');
    return found;
  }

  #count(kind: WatchProbe, result: string): void {
    const key = `${kind} ${result}`;
    this.results.set(key, (this.results.get(key) ?? 0) + 1);
  }
}

/** The network file is the user's own: everything but link-local and metadata addresses, as for the local agent. */
const policy = targetPolicy(['0.0.0.0/0', '::/0']);

function kindOf(module: string): WatchProbe {
  const kind = watchProbe.safeParse(aliases[module] ?? module).data;
  if (kind === undefined)
    throw new Problem(
      'bad-request',
      `no such module; allowed: ${[...watchProbe.options, ...Object.keys(aliases)].join(', ')}`,
    );
  return kind;
}

/** By name, URL, or host and port as they stand in the file. Nothing else is dialled, nor looked up. */
function endpointOf({ endpoints }: Network, target: string): Endpoint {
  const found =
    endpoints.find(({ name }) => name === target) ??
    endpoints.find(({ url }) => url === target) ??
    endpoints.find(({ url }) => placeOf(url) === target.toLowerCase());
  if (!found) throw new Problem('bad-request', 'the target is no endpoint of the network file');
  return found;
}

function placeOf(text: string): string {
  const url = new URL(text);
  const host = hostOf(url);
  return withPort(host, portOf(url));
}

async function runBounded(
  { probe, endpoint, url, options }: { probe: Probe; endpoint: string; url: URL; options: unknown },
  io: Io,
  limitMs: number,
  signal: AbortSignal,
): Promise<OnDemandResult> {
  const limit = deadlineOf(signal, limitMs);
  const beganMs = io.clock.monoMs();
  const observations: Observation[] = [];
  const target = { name: endpoint, vantage: 'server', url };
  try {
    for await (const one of probe.run(target, options, guarded(io, policy), limit.signal)) observations.push(one);
  } finally {
    limit.clear();
  }
  return {
    observations,
    durationMs: io.clock.monoMs() - beganMs,
    timedOut: limit.signal.aborted && limit.signal.reason !== signal.reason,
  };
}
