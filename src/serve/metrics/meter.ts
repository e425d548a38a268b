import { maintenanceSpans } from '../../judge/watch/moment.ts';
import { type Pledge, planOf } from '../../judge/watch/plan.ts';
import type { Span } from '../../judge/watch/tally.ts';
import type { Network } from '../../model/network.ts';
import type { Sample, SampleKind, SampleMetric, SampleVerdict } from '../../model/sample.ts';
import type { WatchProbe } from '../../model/watch.ts';
import { isNone, type Column, type SampleColumns } from '../../store/columns.ts';
import { signedBucketOf } from '../../store/signed-bucket.ts';
import { bounds, countedBounds, makeTally, observe, type Tally } from './buckets.ts';
import { eachGap } from './gaps.ts';
import { eachReported } from './reported.ts';

/** What is known of the newest sample of a line. */
export interface Newest {
  atMs: number;
  /** By the clock of the server. */
  arrivedMs: number;
  verdict: SampleVerdict;
  metrics: Sample['metrics'];
}

/** One probe of one endpoint by one agent. */
export interface Line {
  endpoint: string;
  agent: string;
  kind: SampleKind;
  everyMs: number | null;
  /** Samples by verdict. */
  results: Float64Array;
  newest: Newest | null;
  /** By metric; of answered probes. */
  tallies: Map<TallyName, Tally>;
  sums: Map<SummedMetric, number>;
  pledges: Pledged[];
  maintenance: readonly Span[];
}

/** Events of one objective, endpoint and agent. */
export interface SloEvents {
  slo: string;
  endpoint: string;
  agent: string;
  good: number;
  bad: number;
}

interface Pledged {
  events: SloEvents;
  metric: SampleMetric | null;
  max: number;
  maxBucket: number;
}

/** Metrics with a histogram: in seconds, but kept in ms. */
const tallied = {
  rttMs: bounds.rtt,
  ttftMs: countedBounds.ttft,
  gapMaxMs: bounds.tokenGap,
  totalMs: bounds.request,
} as const satisfies Partial<Record<SampleMetric, readonly number[]>>;
type TalliedMetric = keyof typeof tallied;
/** Beside those: every gap of every answer, and what servers say of themselves. */
const untabled = { gap: countedBounds.tokenGap, serverTtft: bounds.ttft, serverTotal: bounds.request } as const;
export type TallyName = TalliedMetric | keyof typeof untabled;
const talliedMetrics = Object.keys(tallied) as TalliedMetric[];

/** Metrics that are counts of something. */
const summed = ['outputTokens', 'stalls', 'networkStalls', 'retransmits'] as const;
export type SummedMetric = (typeof summed)[number];

/** Beyond, a scrape would be tens of megabytes: a matter for the store and its exports. */
const mostLines = 20_000;
const verdicts: readonly SampleVerdict[] = ['ok', 'bad', 'unknown'];

/**
 * Counts what is stored, for `/metrics`: a scrape reads what stands here and asks no store. Counters begin with this process and with
 * 0, as those of any Prometheus target do: were they read back from roll-ups, what retention has dropped would look like a reset, and
 * a node beside others would count what they have counted. What agents still keep when it stops is counted when it arrives.
 */
export class Meter {
  readonly #lines = new Map<string, Line>();
  /** The same by agent, kind and endpoint: a batch asks for a thousand of them, and to make a key of each takes longer than the rest. */
  readonly #index = new Map<string, Map<SampleKind, Map<string, Line>>>();
  readonly #slos = new Map<string, SloEvents>();
  readonly #agents = new Map<string, Newest>();
  #endpoints = new Set<string>();
  #pledges = new Map<string, Pledge[]>();
  #everyMs = new Map<string, number>();
  #maintenance = new Map<string, Span[]>();
  #dropped = new Set<string>();

  /** Takes a network file into force; what has been counted stays, for what is still in it. */
  configure(network: Network): void {
    const { promises, jobs } = planOf(network);
    this.#endpoints = new Set(network.endpoints.map(({ name }) => name));
    this.#maintenance = maintenanceSpans(network);
    this.#pledges = grouped(promises);
    this.#everyMs = new Map(
      jobs.map(({ endpoint, agent, probe, everyMs }) => [lineKey(endpoint, agent, probe), everyMs]),
    );
    this.#dropped.clear();
    const promised = new Set(promises.map(({ slo, endpoint }) => `${slo.name}\0${endpoint.name}`));
    for (const [key, { slo, endpoint }] of this.#slos) if (!promised.has(`${slo}\0${endpoint}`)) this.#slos.delete(key);
    for (const [key, line] of this.#lines)
      if (this.#endpoints.has(line.endpoint)) this.#equip(key, line);
      else this.#forget(key, line);
    for (const job of jobs) this.expect(job.agent, [job]);
  }

  /** What an agent knows in place of a network file: its jobs, and no objectives. What has been counted stays, for what is still in them. */
  follow(agent: string, jobs: readonly { endpoint: string; probe: WatchProbe; everyMs: number }[]): void {
    this.#endpoints = new Set(jobs.map(({ endpoint }) => endpoint));
    this.#everyMs = new Map(jobs.map(({ endpoint, probe, everyMs }) => [lineKey(endpoint, agent, probe), everyMs]));
    for (const [key, line] of this.#lines)
      if (this.#endpoints.has(line.endpoint)) this.#equip(key, line);
      else this.#forget(key, line);
    this.expect(agent, jobs);
  }

  /** An agent that asks for its jobs will send what they find. A series that is first seen with its first event has no increase. */
  expect(agent: string, jobs: readonly { endpoint: string; probe: WatchProbe; everyMs: number }[]): void {
    for (const { endpoint, probe, everyMs } of jobs) {
      const line = this.#line(endpoint, agent, probe);
      if (line) line.everyMs ??= everyMs;
    }
  }

  /** Counts a batch that has been stored. Flat loops: every row that comes in passes here. */
  add(batch: SampleColumns, agent: string, nowMs: number): void {
    const { count, kind, verdict, atMs, metrics, detail, kinds } = batch;
    const { of, firstRows } = placesOf(batch);
    const lines = firstRows.map((row) => this.#lineOfBatch(batch, row, agent));
    const newest = Int32Array.from(firstRows);
    let client = -1;
    for (let row = 0; row < count; row++) {
      const place = of[row]!;
      const line = lines[place]!;
      if (atMs[row]! >= atMs[newest[place]!]!) newest[place] = row;
      if (line === null) {
        if (kinds[kind[row]!] === 'client' && (client === -1 || atMs[row]! >= atMs[client]!)) client = row;
        continue;
      }
      line.results[verdict[row]!]!++;
      if (line.pledges.length > 0 && verdict[row] !== 2) judge(line, batch, row);
      if (line.kind === 'inference' && verdict[row] === 0 && detail?.[row]) {
        eachGap(detail[row]!, (gapMs) => observe(tallyOf(line, 'gap'), gapMs / 1000));
        eachReported(detail[row]!, (covers, ms) =>
          observe(tallyOf(line, covers === 'ttft' ? 'serverTtft' : 'serverTotal'), ms / 1000),
        );
      }
    }
    for (const metric of talliedMetrics) {
      const column = metrics[metric];
      if (!column) continue;
      const tallies: Tally[] = [];
      for (let row = 0; row < count; row++) {
        const value = column[row];
        if (isNone(value) || verdict[row] !== 0) continue;
        const place = of[row]!;
        const line = lines[place];
        if (line) observe((tallies[place] ??= tallyOf(line, metric)), value / 1000);
      }
    }
    for (const metric of summed) {
      const column = metrics[metric];
      if (!column) continue;
      const sums = new Float64Array(lines.length).fill(-1);
      for (let row = 0; row < count; row++) {
        const value = column[row];
        const place = of[row]!;
        if (!isNone(value) && value >= 0) sums[place] = Math.max(0, sums[place]!) + value;
      }
      sums.forEach((sum, place) => {
        if (sum >= 0) lines[place]?.sums.set(metric, (lines[place].sums.get(metric) ?? 0) + sum);
      });
    }
    newest.forEach((row, place) => {
      const line = lines[place];
      if (line && !(line.newest && atMs[row]! < line.newest.atMs))
        line.newest = renewed(line.newest, batch, row, nowMs);
    });
    if (client !== -1) {
      const before = this.#agents.get(agent) ?? null;
      if (!(before && atMs[client]! < before.atMs)) this.#agents.set(agent, renewed(null, batch, client, nowMs));
    }
  }

  /** What was newest before this process began, so that a restart does not blank a dashboard. Counts nothing. */
  restore(samples: readonly Sample[]): void {
    for (const { endpoint, agent, kind, atMs, verdict, metrics } of samples) {
      const found: Newest = { atMs, arrivedMs: atMs, verdict, metrics };
      if (kind === 'client') this.#agents.set(agent, newer(this.#agents.get(agent) ?? null, found));
      const line = kind === 'client' ? null : this.#line(endpoint, agent, kind);
      if (line) line.newest = newer(line.newest, found);
    }
  }

  lines(): IterableIterator<Line> {
    return this.#lines.values();
  }

  slos(): IterableIterator<SloEvents> {
    return this.#slos.values();
  }

  /** The newest word of each agent about itself. */
  agents(): IterableIterator<[string, Newest]> {
    return this.#agents.entries();
  }

  /** Lines that there was no room for. */
  get dropped(): number {
    return this.#dropped.size;
  }

  #lineOfBatch({ endpoint, endpoints, kind, kinds }: SampleColumns, row: number, agent: string): Line | null {
    const kindName = kinds[kind[row]!]!;
    return kindName === 'client' ? null : this.#line(endpoints[endpoint[row]!]!, agent, kindName);
  }

  /** Null for what is not in the network file any more, and where there are too many. */
  #line(endpoint: string, agent: string, kind: SampleKind): Line | null {
    const known = this.#index.get(agent)?.get(kind)?.get(endpoint);
    if (known) return known;
    if (!this.#endpoints.has(endpoint)) return null;
    if (this.#lines.size >= mostLines) {
      if (this.#dropped.size < mostLines) this.#dropped.add(lineKey(endpoint, agent, kind));
      return null;
    }
    const key = lineKey(endpoint, agent, kind);
    const line: Line = {
      endpoint,
      agent,
      kind,
      everyMs: null,
      results: new Float64Array(verdicts.length),
      newest: null,
      tallies: new Map(),
      sums: new Map(),
      pledges: [],
      maintenance: [],
    };
    this.#equip(key, line);
    this.#lines.set(key, line);
    inside(inside(this.#index, agent), kind).set(endpoint, line);
    return line;
  }

  #forget(key: string, { endpoint, agent, kind }: Line): void {
    this.#lines.delete(key);
    this.#index.get(agent)?.get(kind)?.delete(endpoint);
  }

  #equip(key: string, line: Line): void {
    line.everyMs = this.#everyMs.get(key) ?? null;
    line.maintenance = this.#maintenance.get(line.endpoint) ?? [];
    line.pledges = (this.#pledges.get(`${line.endpoint}\0${line.kind}`) ?? []).map(({ slo, indicator: { limit } }) => ({
      events: this.#events(slo.name, line),
      metric: limit?.metric ?? null,
      max: limit?.max ?? Infinity,
      maxBucket: signedBucketOf(limit?.max ?? Infinity),
    }));
  }

  #events(slo: string, { endpoint, agent }: Line): SloEvents {
    const key = `${slo}\0${endpoint}\0${agent}`;
    const events = this.#slos.get(key) ?? { slo, endpoint, agent, good: 0, bad: 0 };
    this.#slos.set(key, events);
    return events;
  }
}

const lineKey = (endpoint: string, agent: string, kind: string) => `${endpoint}\0${agent}\0${kind}`;
const keyOfPledge = ({ endpoint, indicator }: Pledge) => `${endpoint.name}\0${indicator.kind}`;

/** The map in a map, made if need be. */
function inside<Key, Name, Value>(map: Map<Key, Map<Name, Value>>, key: Key): Map<Name, Value> {
  let inner = map.get(key);
  if (!inner) map.set(key, (inner = new Map()));
  return inner;
}

function grouped(promises: readonly Pledge[]): Map<string, Pledge[]> {
  const groups = new Map<string, Pledge[]>();
  for (const pledge of promises) {
    const key = keyOfPledge(pledge);
    const group = groups.get(key);
    if (group) group.push(pledge);
    else groups.set(key, [pledge]);
  }
  return groups;
}

/** As `Store.counts` has it: an answer is good that has the metric at or below the limit, to the bucket. */
function judge(line: Line, { atMs, verdict, metrics }: SampleColumns, row: number): void {
  for (const { fromMs, toMs } of line.maintenance) if (atMs[row]! >= fromMs && atMs[row]! < toMs) return;
  for (const { events, metric, max, maxBucket } of line.pledges) {
    const value = metric === null ? 0 : metrics[metric]?.[row];
    const isGood = verdict[row] === 0 && value != null && (value <= max || signedBucketOf(value) <= maxBucket);
    if (isGood) events.good++;
    else events.bad++;
  }
}

function tallyOf({ tallies }: Line, name: TallyName): Tally {
  let tally = tallies.get(name);
  if (!tally) tallies.set(name, (tally = makeTally({ ...tallied, ...untabled }[name])));
  return tally;
}

/** What a row says, written over what was known before where it has the same metrics: thousands of lines are renewed every second. */
function renewed(known: Newest | null, batch: SampleColumns, row: number, arrivedMs: number): Newest {
  const atMs = batch.atMs[row]!;
  const verdict = verdicts[batch.verdict[row]!]!;
  if (known && overwritten(known.metrics, batch.metrics, row))
    return Object.assign(known, { atMs, arrivedMs, verdict });
  const metrics: Sample['metrics'] = {};
  for (const [metric, column] of Object.entries(batch.metrics) as [SampleMetric, Column][]) {
    const value = column[row];
    if (!isNone(value)) metrics[metric] = value;
  }
  return { atMs, arrivedMs, verdict, metrics };
}

/** False when a row has more or fewer metrics than are known. */
function overwritten(known: Sample['metrics'], metrics: SampleColumns['metrics'], row: number): boolean {
  for (const metric in known) if (isNone(metrics[metric as SampleMetric]?.[row])) return false;
  for (const metric in metrics) {
    const value = metrics[metric as SampleMetric]?.[row];
    if (isNone(value)) continue;
    if (known[metric as SampleMetric] === undefined) return false;
    known[metric as SampleMetric] = value;
  }
  return true;
}

/** The place of each row among the pairs of endpoint and kind of its batch, numbered as they come. */
function placesOf({ count, endpoint, kind, endpoints, kinds }: SampleColumns): { of: Int32Array; firstRows: number[] } {
  const numbers = new Int32Array(endpoints.length * kinds.length).fill(-1);
  const of = new Int32Array(count);
  const firstRows: number[] = [];
  for (let row = 0; row < count; row++) {
    const pair = endpoint[row]! * kinds.length + kind[row]!;
    if (numbers[pair] === -1) numbers[pair] = firstRows.push(row) - 1;
    of[row] = numbers[pair]!;
  }
  return { of, firstRows };
}

function newer(before: Newest | null, found: Newest): Newest {
  return before === null || found.atMs >= before.atMs ? found : before;
}
