import type { AssessReport } from '../model/assess.ts';
import type { Network } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import { type SampleKind } from '../model/sample.ts';
import { judge } from '../judge/judge.ts';
import { summarise } from '../judge/matrix.ts';
import type { ServeContext } from './context.ts';
import { observationOf } from './observations.ts';
import { redactedUrl } from './redact.ts';

/** How far back "now" reaches, and how many samples of an endpoint and kind it takes at most: the newest. */
const windowMs = 3_600_000;
const mostPerKind = 300;
/** A report is made anew at most this often. */
const freshMs = 2000;
const kinds: readonly SampleKind[] = ['dns', 'tcp', 'tls', 'ping', 'trace', 'mtu', 'stamp', 'throughput', 'inference'];

/**
 * What the rules say of the last hour, as the report that `inferpath assess` makes: the same rules over what agents have measured.
 * Judging is pure and stands in src/judge; this only brings it what it looks at.
 */
export class Current {
  readonly #context: Pick<ServeContext, 'store' | 'io' | 'version' | 'configuration' | 'arrivals'>;
  #made: { atMs: number; revision: string; report: Promise<AssessReport> } | null = null;

  constructor(context: Pick<ServeContext, 'store' | 'io' | 'version' | 'configuration' | 'arrivals'>) {
    this.#context = context;
  }

  report(): Promise<AssessReport> {
    const nowMs = this.#context.io.clock.monoMs();
    const { revision } = this.#context.configuration;
    if (this.#made && nowMs - this.#made.atMs < freshMs && this.#made.revision === revision) return this.#made.report;
    const report = this.#make();
    this.#made = { atMs: nowMs, revision, report };
    // What failed is not kept.
    report.catch(() => (this.#made = null));
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
      notes: [`Judged over the last hour: at most the newest ${mostPerKind} results of each probe and endpoint.`],
    };
  }

  async #observations(network: Network, nowMs: number): Promise<Observation[]> {
    const found: Observation[] = [];
    for (const { name } of network.endpoints)
      for (const kind of kinds) found.push(...(await this.#newest(name, kind, nowMs)));
    for (const { agent } of await this.#context.arrivals.all())
      found.push(...(await this.#newest(agent, 'client', nowMs, 1)));
    return found;
  }

  /** In time order, as the rules want them. */
  async #newest(endpoint: string, kind: SampleKind, nowMs: number, limit = mostPerKind): Promise<Observation[]> {
    const query = { fromMs: nowMs - windowMs, toMs: nowMs + 60_000, endpoint, kind, limit, order: 'newest' } as const;
    const { samples } = await this.#context.store.samples(query);
    return samples.reverse().flatMap((sample) => observationOf(sample) ?? []);
  }
}
