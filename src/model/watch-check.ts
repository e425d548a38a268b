import { badToFire, type BurnPair, burnPairs, leastBadEvents } from './burn.ts';
import { templateMistake } from './delivery.ts';
import type { NetworkIssue } from './check.ts';
import { durationMs, durationText, type Slo, watch, type Watch, type ExportTarget } from './watch.ts';
import { agentsOf, endpointsOfSlo, type Job, jobsOf, probeOfSlo } from './watch-plan.ts';

type Path = (string | number)[];
interface Named {
  name: string;
}

/** What the checks need to know of the rest of the file. */
export interface Around {
  endpoints: string[];
  sites: string[];
  vantage: string | undefined;
}

/**
 * What is wrong inside `watch:` although each value has the right shape: names of nothing, times that end before they begin,
 * and objectives that the schedule cannot judge. Silent about a `watch:` of the wrong shape, which has its own mistakes.
 */
export function watchIssues(raw: unknown, around: Around): NetworkIssue[] {
  const parsed = watch.safeParse(raw);
  if (!parsed.success) return [];
  const it = parsed.data;
  const known = {
    endpoint: around.endpoints,
    site: around.sites,
    agent: agentsOf({ vantage: vantageOf(around), watch: it }).map(nameOf),
    receiver: it.receivers.map(nameOf),
  };
  const jobs = jobsBySignature(it, around);
  const names = (what: keyof typeof known, values: readonly string[] | undefined, path: Path) =>
    (values ?? []).flatMap((value, i) => unknownName(value, ['watch', ...path, i], what, known[what]));
  return [
    ...(['agents', 'slos', 'receivers', 'export'] as const).flatMap((key) => repeated(it[key], key)),
    ...it.agents.flatMap(({ site, endpoints }, i) => [
      ...(site === undefined ? [] : unknownName(site, ['watch', 'agents', i, 'site'], 'site', known.site)),
      ...names('endpoint', endpoints, ['agents', i, 'endpoints']),
    ]),
    ...it.schedule.flatMap(({ endpoints, agents }, i) => [
      ...names('endpoint', endpoints, ['schedule', i, 'endpoints']),
      ...names('agent', agents, ['schedule', i, 'agents']),
    ]),
    ...it.slos.flatMap(({ endpoints }, i) => names('endpoint', endpoints, ['slos', i, 'endpoints'])),
    ...it.routes.flatMap(({ endpoints, receivers }, i) => [
      ...names('endpoint', endpoints, ['routes', i, 'endpoints']),
      ...names('receiver', receivers, ['routes', i, 'receivers']),
    ]),
    ...it.maintenance.flatMap(({ from, to, endpoints }, i) => [
      ...names('endpoint', endpoints, ['maintenance', i, 'endpoints']),
      ...(Date.parse(from) < Date.parse(to)
        ? []
        : [{ path: ['watch', 'maintenance', i, 'to'], message: `must be later than from, ${from}` }]),
    ]),
    ...it.receivers.flatMap(receiverIssues),
    ...it.export.flatMap(exportIssues),
    ...it.slos.flatMap((slo, i) => sloIssues(slo, ['watch', 'slos', i], jobs, around)),
  ];
}

function receiverIssues(receiver: Watch['receivers'][number], i: number): NetworkIssue[] {
  const ways = [receiver.url, receiver.urlEnv, receiver.urlFile].filter((way) => way !== undefined).length;
  const needsOne = receiver.type === 'alertmanager' || receiver.type === 'webhook' || receiver.type === 'slack';
  const template = receiver.type === 'webhook' ? receiver.template : undefined;
  const mistake = template === undefined ? null : templateMistake(template);
  const issues = mistake === null ? [] : [{ path: ['watch', 'receivers', i, 'template'], message: mistake }];
  if (ways === 1 || (ways === 0 && !needsOne)) return issues;
  return [
    ...issues,
    { path: ['watch', 'receivers', i], message: 'must be a receiver with exactly one of url, urlEnv and urlFile' },
  ];
}

function exportIssues(target: ExportTarget, i: number): NetworkIssue[] {
  const path = ['watch', 'export', i];
  const ways = [target.url, target.urlEnv, target.urlFile].filter((way) => way !== undefined).length;
  const hasSecret = target.secretEnv !== undefined || target.secretFile !== undefined;
  const everyMs = durationMs(target.every);
  return [
    ...(ways === 1 ? [] : [{ path, message: 'must be an export with exactly one of url, urlEnv and urlFile' }]),
    ...(everyMs >= 1000 && everyMs <= 3_600_000
      ? []
      : [{ path: [...path, 'every'], message: 'must be from 1s to 1h' }]),
    ...(target.user === undefined || hasSecret
      ? []
      : [{ path: [...path, 'user'], message: 'must stand beside secretEnv or secretFile, which is its password' }]),
  ];
}

function sloIssues(slo: Slo, path: Path, jobs: JobsOf, around: Around): NetworkIssue[] {
  const [fast] = burnPairs(durationMs(slo.window)) as [BurnPair];
  const highest = 1 - 1 / fast.factor;
  if (slo.objective <= highest)
    return [
      {
        path: [...path, 'objective'],
        message: `must be above ${highest.toFixed(4)}: below it not even a total outage uses up the budget ${fast.factor} times too fast, so the fast rule could never page`,
      },
    ];
  if (slo.indicator === 'total' && slo.thresholdMs === undefined)
    return [
      { path: [...path, 'thresholdMs'], message: 'must be given for the indicator total, which no workload limits' },
    ];
  const endpoints = endpointsOfSlo(
    around.endpoints.map((name) => ({ name })),
    slo,
  );
  const groups = new Map(endpoints.toReversed().map(({ name }) => [jobs(name), name]));
  const issues = [...groups].toReversed().flatMap(([list, name]) => sampleIssues(slo, name, path, list, fast));
  return issues.slice(0, 1);
}

/** Jobs of an endpoint; the very same list for endpoints that the same agents probe alike. */
type JobsOf = (endpoint: string) => readonly Job[];

/** A thousand objectives over a thousand endpoints must not take a thousand times a thousand looks at the schedule. */
function jobsBySignature(it: Watch, around: Around): JobsOf {
  const signatures = new Map<string, string>();
  const lists = [...it.agents, ...it.schedule].map(({ endpoints }) => endpoints);
  for (const [i, list] of lists.entries())
    for (const name of new Set(list)) signatures.set(name, `${signatures.get(name) ?? ''} ${i}`);
  const found = new Map<string, Job[]>();
  return (endpoint) => {
    const signature = signatures.get(endpoint) ?? '';
    const jobs =
      found.get(signature) ?? jobsOf({ vantage: vantageOf(around), endpoints: [{ name: endpoint }], watch: it });
    found.set(signature, jobs);
    return jobs;
  };
}

function vantageOf({ vantage }: Around): Named | undefined {
  return vantage === undefined ? undefined : { name: vantage };
}

/** The small-sample guard, for one endpoint: with few probes an hour, one lost packet is already 14 budgets. */
function sampleIssues(slo: Slo, endpoint: string, path: Path, all: readonly Job[], fast: BurnPair): NetworkIssue[] {
  const probe = probeOfSlo(slo);
  const jobs = all.filter((job) => job.probe === probe);
  if (jobs.length === 0)
    return [
      {
        path: [...path, 'endpoints'],
        message: `must be endpoints that the schedule probes with ${probe}; nobody does for ${endpoint}`,
      },
    ];
  const slowest = Math.max(...jobs.map((job) => job.everyMs));
  const slices = slo.method === 'timeslices';
  const [wide, what] = slices ? [durationMs(slo.slice), 'slice'] : [fast.shortMs, 'short window of the fast rule'];
  if (slowest > wide)
    return [
      {
        path: [...path, slices ? 'slice' : 'window'],
        message: `must be long enough for one ${probe} probe in each ${what}, which is ${durationText(wide)}; ${endpoint} is probed every ${durationText(slowest)}`,
      },
    ];
  const events = slices
    ? fast.longMs / durationMs(slo.slice)
    : jobs.reduce((sum, job) => sum + fast.longMs / job.everyMs, 0);
  const bad = badToFire(events, fast.factor, slo.objective);
  if (bad >= leastBadEvents) return [];
  const unit = slices ? 'slices' : `${probe} probes of ${jobs.length === 1 ? '1 agent' : `${jobs.length} agents`}`;
  return [
    {
      path: [...path, 'objective'],
      message: `must be ${remedy(slo, events, jobs.length, fast, slices)}: in ${durationText(fast.longMs)} there are ${Math.floor(events)} ${unit} of ${endpoint}, and the fast rule would page at ${bad} bad; at least ${leastBadEvents} have to be`,
    },
  ];
}

/** Which objective, or else which interval, makes the fast rule need three bad events. */
function remedy(slo: Slo, events: number, agents: number, fast: BurnPair, slices: boolean): string {
  const needed = leastBadEvents - 1;
  const objective = Math.floor((1 - needed / (fast.factor * events)) * 1e4) / 1e4;
  const everyMs = (fast.longMs * fast.factor * (1 - slo.objective) * (slices ? 1 : agents)) / needed;
  const faster = `${slices ? 'slices' : 'probes'} of at most ${durationText(Math.floor(everyMs / 1000) * 1000 || Math.floor(everyMs))}`;
  const every = slices ? faster : faster.replace('probes of at most', 'probes at least every');
  return objective > 1 - 1 / fast.factor ? `at most ${objective}, or have ${every}` : `judged with ${every}`;
}

function nameOf({ name }: Named): string {
  return name;
}

function repeated(items: readonly Named[], key: string): NetworkIssue[] {
  return items.flatMap(({ name }, i) =>
    items.findIndex((item) => item.name === name) === i
      ? []
      : [{ path: ['watch', key, i, 'name'], message: `must be a name that stands only once in watch.${key}` }],
  );
}

function unknownName(value: string, path: Path, what: string, known: readonly string[]): NetworkIssue[] {
  if (known.includes(value)) return [];
  const shown = [...new Set(known)].slice(0, 20).join(', ');
  const message =
    known.length === 0 ? `must be a ${what} of this file, which has none` : `must be a known ${what}: ${shown}`;
  return [{ path, message, params: { candidates: known } }];
}
