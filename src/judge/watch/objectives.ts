import type { Evidence } from '../../model/finding.ts';
import type { Sample } from '../../model/sample.ts';
import { count, percent } from '../say.ts';
import { locusOf, splitBlame } from './blame.ts';
import { type Budget, type BurnContext, budgetOf, type PairView, viewPair } from './budget.ts';
import { type Condition, conditionOf } from './condition.ts';
import { isoOf } from './endpoints.ts';
import type { Moment } from './moment.ts';
import type { Pledge } from './plan.ts';
import { eventsOf } from './tally.ts';

/** slo-burn (pages) and slo-burn-slow (tickets) of every objective and endpoint. */
export function objectiveConditions(moment: Moment): Condition[] {
  return moment.plan.promises.flatMap((pledge) => [
    burning(moment, pledge, moment.burn, 'page'),
    burning(moment, pledge, moment.burn, 'ticket'),
  ]);
}

/** `<objective>/<endpoint>`. */
export function subjectOf({ slo, endpoint }: Pledge): string {
  return `${slo.name}/${endpoint.name}`;
}

function burning(moment: Moment, pledge: Pledge, context: BurnContext, severity: 'page' | 'ticket'): Condition {
  const pairs = pledge.pairs.filter((pair) => pair.severity === severity);
  const views = pairs.map((pair) => viewPair(pledge, pair, context));
  const isBadSince = (ms: number) => pairs.some((pair) => viewPair(pledge, pair, context, ms).level === 'bad');
  const worst =
    views.find((view) => view.level === 'bad') ?? views.find((view) => view.level === 'between') ?? views[0]!;
  const seen = views.every((view) => view.level === 'unknown')
    ? 'unknown'
    : worst.level === 'unknown'
      ? 'good'
      : worst.level;
  const level = seen === 'bad' && isPast(moment, worst, isBadSince) ? 'between' : seen;
  const rule = severity === 'page' ? 'slo-burn' : 'slo-burn-slow';
  const name = pledge.endpoint.name;
  const bad = level === 'bad';
  const locus = bad ? locusOfBurn(moment, pledge, worst) : null;
  return conditionOf(
    rule,
    {
      subject: subjectOf(pledge),
      name,
      severity,
      level,
      sinceMs: worst.sinceMs,
      keepMs: 2 * worst.pair.shortMs,
      agents: worst.agents,
      endpoints: [name],
      where: locus?.where ?? null,
      blame: locus?.blame ?? 'undetermined',
      isBadSince,
    },
    () => ({
      claim: claimOf(pledge, worst),
      ...(bad ? tell(pledge, worst, budgetOf(pledge, context), locus?.why ?? null) : {}),
      confidence: worst.agents.length > 1 ? 'high' : 'medium',
      remedy: { text: remedies[locus?.blame ?? 'undetermined'] },
    }),
  );
}

/** What happened while nobody judged, or nobody reported, and is over, pages nobody afterwards: it has to go on since then. */
function isPast(moment: Moment, { pair }: PairView, isBadSince: (ms: number) => boolean): boolean {
  const { clock } = moment;
  const seeingForMs = clock.now - Math.max(clock.memory.resumedAtMs, blindUntilMs(moment));
  return seeingForMs < pair.shortMs && !isBadSince(clock.horizonMs - seeingForMs);
}

/** Until when no agent reported at all, and so nobody could see: by the alert that told so. */
function blindUntilMs({ clock, input, plan }: Moment): number {
  const rule = plan.agents.length > 1 ? 'agents-silent' : 'agent-silent';
  const told = input.alerts.find((alert) => alert.rule === rule && alert.firedAtMs !== null);
  if (!told) return -Infinity;
  return told.state === 'resolved' ? (told.endedAtMs ?? -Infinity) : (told.memory.goodSinceMs ?? clock.now);
}

const remedies = {
  network: 'look at the path: the network takes what the answers are late by, or loses what is missing',
  server: 'look at the service: queue, capacity, prompt sizes; the network is not what is late',
  client: 'look at the agents',
  undetermined:
    'see which agents see it and what their newest results say; let the server report its own time to learn whose it is',
};

function locusOfBurn(moment: Moment, pledge: Pledge, view: PairView) {
  const name = pledge.endpoint.name;
  const samples = moment.latestOf(name).filter((sample) => misses(sample, pledge));
  const split = splitBlame(samples.filter((sample) => sample.verdict === 'ok'));
  return split.blame === 'undetermined'
    ? {
        ...locusOf(moment, name, view.agents, view.sinceMs),
        ...(split.why.startsWith('in the') ? { why: split.why } : {}),
      }
    : split;
}

function misses({ kind, verdict, metrics }: Sample, { indicator }: Pledge): boolean {
  if (kind !== indicator.kind) return false;
  const value = indicator.limit ? metrics[indicator.limit.metric] : undefined;
  return verdict === 'bad' || (indicator.limit !== null && value !== undefined && value > indicator.limit.max);
}

function claimOf({ slo }: Pledge, { pair, long, short, longBurn, shortBurn }: PairView): string {
  const noun = slo.method === 'timeslices' ? 'slice' : 'event';
  const share = percent(long.bad / Math.max(1, eventsOf(long)));
  return `${share} of ${count(eventsOf(long), noun)} in ${span(pair.longMs)} were bad against ${percent(1 - slo.objective)} for ${slo.name}: ${times(longBurn)} the allowed rate, and ${times(shortBurn)} over ${count(eventsOf(short), noun)} in ${span(pair.shortMs)}`;
}

function tell(pledge: Pledge, view: PairView, budget: Budget, why: string | null) {
  const how = `${pledge.indicator.kind} probes of all agents, rolling windows`;
  const left =
    budget.left === null
      ? null
      : `${percent(Math.max(0, budget.left))} of the budget of ${pledge.slo.window} is left (${budget.bad} bad of ${Math.round(budget.allowed * 10) / 10} allowed)`;
  const evidence: Evidence[] = [
    {
      metric: `burn over ${span(view.pair.longMs)}`,
      value: view.longBurn,
      unit: 'times the allowed rate',
      n: eventsOf(view.long),
      how,
    },
    {
      metric: `burn over ${span(view.pair.shortMs)}`,
      value: view.shortBurn,
      unit: 'times the allowed rate',
      n: eventsOf(view.short),
      how,
    },
    { metric: 'budget left', value: budget.left ?? Number.NaN, unit: 'share', n: budget.events, how },
  ];
  return {
    details: [`bad events since ${isoOf(view.sinceMs)}, seen by ${view.agents.join(', ')}`, left, why],
    evidence,
  };
}

function times(burn: number): string {
  return `${burn >= 10 ? Math.round(burn) : Math.round(burn * 10) / 10} times`;
}

function span(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const)
    if (ms >= size && ms % size === 0) return `${ms / size} ${unit}`;
  return `${ms / 1000} s`;
}
