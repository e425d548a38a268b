import type { Sample } from '../model/sample.ts';
import { samplesOf } from './columns.ts';
import {
  type Batch,
  type CountsPoint,
  type CountsQuery,
  mostFailures,
  type NewestQuery,
  type Run,
  type SampleQuery,
  type SeriesPoint,
  type SeriesQuery,
  type StateChange,
} from './store.ts';

/** What a store must answer, from plain arrays by the most obvious way: the truth of the contract suite. */
export class Twin {
  readonly samples: Sample[] = [];
  readonly #keys = new Set<string>();

  append(batches: readonly Batch[]): ('stored' | 'duplicate')[] {
    return batches.map((batch) => {
      if (this.#keys.has(batch.key)) return 'duplicate';
      this.#keys.add(batch.key);
      this.samples.push(...samplesOf(batch));
      return 'stored';
    });
  }

  matching(query: Omit<SampleQuery, 'limit' | 'after'>): Sample[] {
    const sign = query.order === 'newest' ? -1 : 1;
    return this.samples
      .filter((s) => s.atMs >= query.fromMs && s.atMs < query.toMs)
      .filter((s) => query.endpoint === undefined || s.endpoint === query.endpoint)
      .filter((s) => query.agent === undefined || s.agent === query.agent)
      .filter((s) => query.kind === undefined || s.kind === query.kind)
      .sort((a, b) => sign * (a.atMs - b.atMs));
  }

  series(query: SeriesQuery): SeriesPoint[] {
    const wanted = this.#widened(query)
      .filter((s) => s.kind === query.kind)
      .filter((s) => !query.endpoints || query.endpoints.includes(s.endpoint))
      .filter((s) => !query.agents || query.agents.includes(s.agent));
    const perAgent = query.by === 'endpoint-agent';
    return groups(wanted, (s) => [pointOf(s, query), s.endpoint, perAgent ? s.agent : null]).map(([key, samples]) => {
      const values = samples.flatMap((s) => s.metrics[query.metric] ?? []).sort((a, b) => a - b);
      const n = values.length;
      return {
        atMs: key[0] as number,
        endpoint: key[1] as string,
        agent: key[2] as string | null,
        ok: samples.filter((s) => s.verdict === 'ok').length,
        bad: samples.filter((s) => s.verdict === 'bad').length,
        unknown: samples.filter((s) => s.verdict === 'unknown').length,
        n,
        mean: n === 0 ? null : values.reduce((sum, value) => sum + value, 0) / n,
        min: values[0] ?? null,
        max: values.at(-1) ?? null,
        quantiles: query.quantiles.map((p) => values[Math.max(0, Math.ceil(p * n) - 1)] ?? null),
      };
    });
  }

  counts(query: CountsQuery): CountsPoint[] {
    const { limit } = query;
    const wanted = this.#widened(query).filter((s) => s.kind === query.kind && query.endpoints.includes(s.endpoint));
    const isGood = (s: Sample) => s.verdict === 'ok' && (!limit || (s.metrics[limit.metric] ?? Infinity) <= limit.max);
    const perAgent = query.by !== 'endpoint';
    return groups(wanted, (s) => [pointOf(s, query), s.endpoint, perAgent ? s.agent : null]).map(([key, samples]) => {
      const unknown = samples.filter((s) => s.verdict === 'unknown').length;
      const good = samples.filter(isGood).length;
      const [atMs, endpoint, agent] = key as [number, string, string | null];
      return { atMs, endpoint, agent, good, bad: samples.length - good - unknown, unknown };
    });
  }

  changes(query: { fromMs: number; toMs: number; endpoints?: readonly string[] }): StateChange[] {
    const told = this.samples
      .filter((s) => s.state !== null && (query.endpoints?.includes(s.endpoint) ?? true))
      .sort((a, b) => a.atMs - b.atMs);
    return groups(told, (s) => [s.agent, s.endpoint, s.kind]).flatMap(([, series]) =>
      series.flatMap(({ atMs, agent, endpoint, kind, state }, i) => {
        const before = series[i - 1]?.state;
        if (before == null || before === state || atMs < query.fromMs || atMs >= query.toMs) return [];
        return [{ atMs, agent, endpoint, kind, before, after: state! }];
      }),
    );
  }

  latest(sinceMs: number): Sample[] {
    const recent = this.samples.filter(({ atMs }) => atMs >= sinceMs);
    return groups(recent, (s) => [s.endpoint, s.agent, s.kind]).map(([, series]) =>
      series.reduce((newest, s) => (s.atMs > newest.atMs ? s : newest)),
    );
  }

  runs(sinceMs: number): Run[] {
    const told = this.samples.filter((s) => s.atMs >= sinceMs && s.verdict !== 'unknown');
    return groups(told, (s) => [s.endpoint, s.agent, s.kind]).map(([, series]) => {
      const { endpoint, agent, kind } = series[0]!;
      const timesOf = (verdict: Sample['verdict']) => series.flatMap((s) => (s.verdict === verdict ? s.atMs : []));
      const lastOkMs = Math.max(-Infinity, ...timesOf('ok'));
      const badMs = timesOf('bad')
        .filter((ms) => ms > lastOkMs)
        .sort((a, b) => a - b)
        .slice(-mostFailures);
      return { endpoint, agent, kind, lastMs: Math.max(...series.map((s) => s.atMs)), badMs };
    });
  }

  newest({ fromMs, toMs, kinds, limit }: NewestQuery): Sample[] {
    const wanted = this.samples.filter((s) => s.atMs >= fromMs && s.atMs < toMs && kinds.includes(s.kind));
    return groups(wanted, (s) => [s.endpoint, s.kind])
      .flatMap(([, series]) => series.sort((a, b) => b.atMs - a.atMs).slice(0, limit))
      .sort((a, b) => a.atMs - b.atMs);
  }

  #widened({ fromMs, toMs, stepMs }: { fromMs: number; toMs: number; stepMs: number }): Sample[] {
    const from = Math.floor(fromMs / stepMs) * stepMs;
    const to = Math.ceil(toMs / stepMs) * stepMs;
    return this.samples.filter(({ atMs }) => atMs >= from && atMs < to);
  }
}

const pointOf = (s: Sample, { stepMs }: { stepMs: number }) => Math.floor(s.atMs / stepMs) * stepMs;

type Key = (string | number | null)[];

function groups(samples: readonly Sample[], keyOf: (sample: Sample) => Key): [Key, Sample[]][] {
  const found = new Map<string, [Key, Sample[]]>();
  for (const sample of samples) {
    const key = keyOf(sample);
    const name = JSON.stringify(key);
    if (!found.has(name)) found.set(name, [key, []]);
    found.get(name)![1].push(sample);
  }
  return [...found.values()];
}
