import type { Cell, EndpointSummary } from '../model/assess.ts';
import { resolveWorkload } from '../model/defaults.ts';
import { type Evidence, type Finding, type Pillar, pillars } from '../model/finding.ts';
import type { Endpoint, Network } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import type { Targets } from '../model/workload.ts';
import { wilson } from '../stats/interval.ts';
import { type Interval, quantile, quantileInterval, samplesNeeded, sorted } from '../stats/quantile.ts';
import { blameOf } from './responsible.ts';
import { type View, viewOf } from './rule.ts';
import { gapsOf, requestsOf, risingOf, roundTripsOf, stampsOf, ttftsOf } from './samples.ts';
import { stallTally } from './stalls.ts';

/** One row per endpoint: verdict per pillar, headline numbers, and who is responsible for what misses its target. */
export function summarise(
  network: Network,
  observations: readonly Observation[],
  findings: readonly Finding[],
): EndpointSummary[] {
  const view = viewOf(observations);
  const aboutUs = findingsAbout(findings, 'client');
  return network.endpoints.map((endpoint) =>
    summaryOf(network, endpoint, view, findingsAbout(findings, endpoint.name), aboutUs),
  );
}

const bySubject = new WeakMap<readonly Finding[], { length: number; subjects: Map<string, Finding[]> }>();

/** Findings about one subject, in their order; sorted by subject once per list, for there may be a thousand subjects. */
export function findingsAbout(findings: readonly Finding[], subject: string): readonly Finding[] {
  let known = bySubject.get(findings);
  if (known?.length !== findings.length) {
    known = { length: findings.length, subjects: new Map() };
    bySubject.set(findings, known);
    for (const finding of findings) {
      const list = known.subjects.get(finding.subject);
      if (list) list.push(finding);
      else known.subjects.set(finding.subject, [finding]);
    }
  }
  return known.subjects.get(subject) ?? [];
}

function summaryOf(
  network: Network,
  endpoint: Endpoint,
  view: View,
  own: readonly Finding[],
  aboutUs: readonly Finding[],
): EndpointSummary {
  const workload = resolveWorkload(network, endpoint);
  const requests = view.of('inference', endpoint.name);
  return {
    name: endpoint.name,
    url: endpoint.url,
    workload: endpoint.workload,
    class: workload.class,
    targets: workload.targets,
    requests: requests.length,
    answered: requests.filter((o) => o.request.outcome.kind === 'answered').length,
    cells: cellsOf(own, aboutUs),
    metrics: metricsOf(view, endpoint.name, workload.targets),
    ...blameOf(requestsOf(view, endpoint.name), workload.targets, own, aboutUs),
  };
}

function cellsOf(own: readonly Finding[], aboutUs: readonly Finding[]): Record<Pillar, Cell> {
  const of = (pillar: Pillar) => cellOf(inPillar(own, pillar), inPillar(aboutUs, pillar));
  return Object.fromEntries(pillars.map((pillar) => [pillar, of(pillar)])) as Record<Pillar, Cell>;
}

function inPillar(findings: readonly Finding[], pillar: Pillar): Finding[] {
  return findings.filter((f) => f.pillar === pillar);
}

/**
 * fail when any finding fails; otherwise unknown when any is unknown, when there is none, or when this client was not fit to
 * measure what passed; otherwise pass. Coverage is the mean over the findings.
 */
export function cellOf(own: readonly Finding[], aboutUs: readonly Finding[] = []): Cell {
  const unfit = aboutUs.filter((f) => f.verdict === 'fail');
  const has = (verdict: Finding['verdict']) => own.some((f) => f.verdict === verdict);
  const doubtful = own.length === 0 || has('unknown') || unfit.length > 0;
  const verdict = has('fail') ? 'fail' : doubtful ? 'unknown' : 'pass';
  const known = own.reduce((sum, f) => sum + (f.verdict === 'unknown' ? f.coverage : 1), 0);
  // What an unfit client measured is worth half until it is measured again.
  const trust = verdict === 'unknown' && unfit.length > 0 ? 0.5 : 1;
  const coverage = own.length === 0 ? 0 : (known / own.length) * trust;
  return { verdict, coverage, findings: [...own, ...unfit].map((f) => f.id) };
}

function metricsOf(view: View, name: string, targets: Targets): Evidence[] {
  const requests = requestsOf(view, name);
  const trips = roundTripsOf(view, name, samplesNeeded(targets.networkRttMs.percentile / 100));
  const stamps = stampsOf(requests);
  const { gaps, stalls } = stallTally(requests);
  const failed = requests.filter((r) => r.outcome.kind !== 'answered').length;
  return [
    ...quantiles('network RTT', trips.rising, targets.networkRttMs.percentile, trips.how),
    ...quantiles('TTFT', ttftsOf(requests), targets.ttftMs.percentile, stamps),
    ...quantiles('token gap', sorted(gapsOf(requests)), targets.tokenGapMs.percentile, stamps),
    ...quantiles(
      'time per output token',
      risingOf(requests, (r) => r.tpotMs),
      50,
      'usage of the server',
    ),
    ...share('stall rate', stalls, gaps, stamps),
    ...share('failed requests', failed, requests.length, 'outcomes'),
  ];
}

function quantiles(metric: string, rising: Float64Array, percentile: number, how: string): Evidence[] {
  if (rising.length === 0) return [];
  return [...new Set([50, percentile])].map((at) =>
    entry(`${metric} p${at}`, quantile(rising, at / 100), 'ms', quantileInterval(rising, at / 100), rising.length, how),
  );
}

function share(metric: string, hits: number, n: number, how: string): Evidence[] {
  return n === 0 ? [] : [entry(metric, hits / n, 'share', wilson(hits, n), n, how)];
}

function entry(
  metric: string,
  value: number,
  unit: string,
  interval: Interval | null,
  n: number,
  how: string,
): Evidence {
  return { metric, value, unit, ...(interval ? { interval } : {}), n, how };
}
