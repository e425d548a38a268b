import type { AssessReport } from '../model/assess.ts';
import type { Network } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import { type SampleKind } from '../model/sample.ts';
import { judge } from '../judge/judge.ts';
import { summarise } from '../judge/matrix.ts';
import type { ServeContext } from './context.ts';
import { observationOf } from './observations.ts';
import { redactedUrl } from './redact.ts';

/** How far back "now" reaches. */
const windowMs = 3_600_000;
/** How many samples of an endpoint and kind it takes, the newest: as many as can be judged in a moment, of many endpoints fewer of each. */
const most = { perKind: 300, inAll: 10_000 };
const leastPerKind = 3;
/** A report is made anew at most this often, and so that making it takes a tenth of the time at most. */
const freshMs = 2000;
const restTimes = 10;
const kinds: readonly SampleKind[] = ['dns', 'tcp', 'tls', 'ping', 'trace', 'mtu', 'stamp', 'throughput', 'inference'];

/** How many kinds of probes an endpoint usually has. */
const busyKinds = 5;
/** An older report is waited for. */
const oldMs = 300_000;

interface Made {
  atMs: number;
  /** Until then it is not made anew. */
  restMs: number;
  revision: string;
  report: AssessReport;
}

/**
 * What the rules say of the last hour, as the report that `inferpath assess` makes: the same rules over what agents have measured.
 * Judging is pure and stands in src/judge; this only brings it what it looks at.
 */
export class Current {
  readonly #context: Pick<ServeContext, 'store' | 'io' | 'version' | 'configuration'>;
  #made: Made | null = null;
  #next: Promise<AssessReport> | null = null;

  constructor(context: Pick<ServeContext, 'store' | 'io' | 'version' | 'configuration'>) {
    this.#context = context;
  }

  report(): Promise<AssessReport> {
    const { revision } = this.#context.configuration;
    const ageMs = this.#context.io.clock.monoMs() - (this.#made?.atMs ?? -Infinity);
    if (this.#made?.revision === revision) {
      const { restMs, report } = this.#made;
      if (ageMs < restMs) return Promise.resolve(report);
      // Of many endpoints it takes long: whoever asks meanwhile sees the one before.
      if (restMs > freshMs && ageMs < oldMs) {
        void this.#anew(revision).catch(() => undefined);
        return Promise.resolve(report);
      }
    }
    return this.#anew(revision);
  }

  #anew(revision: string): Promise<AssessReport> {
    this.#next ??= this.#timed(revision).finally(() => (this.#next = null));
    return this.#next;
  }

  /** What failed is not kept. */
  async #timed(revision: string): Promise<AssessReport> {
    const { clock } = this.#context.io;
    const fromMs = clock.monoMs();
    const report = await this.#make();
    const atMs = clock.monoMs();
    this.#made = { atMs, restMs: Math.max(freshMs, restTimes * (atMs - fromMs)), revision, report };
    return report;
  }

  async #make(): Promise<AssessReport> {
    const { io, configuration, version } = this.#context;
    const { network } = configuration;
    const nowMs = io.clock.wallMs();
    const observations = await this.#observations(network, nowMs);
    const findings = judge(network, observations, new Date(nowMs));
    // URLs may hold what readers must not see.
    const endpoints = summarise(network, observations, findings).map((e) => ({ ...e, url: redactedUrl(e.url) }));
    const verdicts = endpoints.flatMap((e) => Object.values(e.cells).map((c) => c.verdict));
    const agents = [...new Set(observations.map((o) => o.from))];
    return {
      schema: 'inferpath/assess@1',
      version,
      startedAt: new Date(nowMs - windowMs).toISOString(),
      durationMs: windowMs,
      interrupted: false,
      vantage: agents.length > 0 ? agents.slice(0, 5).join(', ') : 'no agent yet',
      requests: endpoints.reduce((n, e) => n + e.requests, 0),
      ready: verdicts.includes('fail') ? 'fail' : verdicts.includes('unknown') ? 'unknown' : 'pass',
      endpoints,
      findings,
      observations,
      notes: [
        `Judged over the last hour: at most the newest ${perKindOf(network)} results of each probe and endpoint.`,
      ],
    };
  }

  async #observations(network: Network, nowMs: number): Promise<Observation[]> {
    const { store } = this.#context;
    const range = { fromMs: nowMs - windowMs, toMs: nowMs + 60_000 };
    const [samples, clients] = await Promise.all([
      store.newest({ ...range, kinds, limit: perKindOf(network) }),
      store.newest({ ...range, kinds: ['client'], limit: 1 }),
    ]);
    // What the file does not name any more is not judged.
    const named = new Set(network.endpoints.map(({ name }) => name));
    const wanted = [...samples.filter(({ endpoint }) => named.has(endpoint)), ...clients];
    return wanted.flatMap((sample) => observationOf(sample) ?? []);
  }
}

function perKindOf({ endpoints }: Network): number {
  const share = Math.floor(most.inAll / (busyKinds * Math.max(1, endpoints.length)));
  return Math.max(leastPerKind, Math.min(most.perKind, share));
}
