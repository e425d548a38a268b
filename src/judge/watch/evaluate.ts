import type { Alert, AlertTransition, Notify } from '../../model/alert.ts';
import { agentConditions } from './agents.ts';
import { closerCounts } from './budget.ts';
import { changeConditions, changesRange, levelNeeds } from './changes.ts';
import { readClock } from './clock.ts';
import type { Condition } from './condition.ts';
import { endpointConditions } from './endpoints.ts';
import type { CountsNeed, WatchInput, WatchNeeds, WatchResult } from './input.ts';
import { retire, step, type Tick } from './machine.ts';
import { maintenanceSpans, type Moment } from './moment.ts';
import { objectiveConditions } from './objectives.ts';
import { closerPrefix, countsNeeds, planOf, runsRangeMs } from './plan.ts';
import { recordConditions } from './records.ts';
import { sharedConditions } from './shared.ts';
import { idOf, suppressed } from './suppress.ts';

const hourMs = 3_600_000;
/** Resolved alerts are remembered this long: for flapping, and for whoever looks at what was. */
const keepResolvedMs = 24 * hourMs;

/** What to ask the store for before `evaluate`. */
export function watchNeeds(input: Pick<WatchInput, 'network' | 'now' | 'memory' | 'silence'>): WatchNeeds {
  const { horizonMs } = readClock(input.now, input.memory, input.silence);
  const plan = planOf(input.network);
  return {
    counts: countsNeeds(plan, maintenanceSpans(input.network), horizonMs),
    series: levelNeeds(plan, horizonMs),
    changes: changesRange(horizonMs),
    runsSinceMs: horizonMs - runsRangeMs(plan),
    latestSinceMs: horizonMs - 24 * hourMs,
  };
}

/** Whether a question is one of `closerNeeds`. */
export const isCloser = (key: string): boolean => key.startsWith(closerPrefix);

/**
 * What to ask besides, once `watchNeeds` is answered: who sees what fails. That is asked only of what burns its budget, for there may
 * be thousands of endpoints and dozens of agents, and nearly all of them are well.
 */
export function closerNeeds({ plan, burn }: Moment): CountsNeed[] {
  return closerCounts(plan, burn);
}

/**
 * Judges this moment: what is wrong, what that makes of the alerts, and who has to be told. Pure: the same input gives the
 * same output. Call it every few seconds; a gap, a step of the clock or a late batch changes nothing by itself.
 */
export function evaluate(moment: Moment): WatchResult {
  const { input } = moment;
  const before = new Map(input.alerts.map((alert) => [alert.id, alert]));
  const conditions = conditionsById(conditionsOf(moment, input.alerts), input.alerts);
  const stepped = [...new Set([...before.keys(), ...conditions.keys()])].sort().flatMap((id) => {
    const alert = stepOne(before.get(id), conditions.get(id), moment.clock);
    return alert ? [alert] : [];
  });
  const kept = suppressed(stepped, conditions).filter((alert) => !isForgotten(alert, input.now));
  const notices = new Map(kept.map((alert) => [alert.id, notifyOf(alert, before.get(alert.id))]));
  const alerts = kept.map((alert) => (notices.get(alert.id) === 'fire' ? { ...alert, toldAtMs: input.now } : alert));
  const gone = input.alerts.filter(({ id, state }) => state === 'pending' && !alerts.some((alert) => alert.id === id));
  return {
    alerts,
    transitions: [
      ...alerts.flatMap((alert) => transitionOf(alert, before.get(alert.id), notices.get(alert.id) ?? null, input.now)),
      ...gone.map((alert): AlertTransition => ({
        atMs: input.now,
        before: 'pending',
        notify: null,
        alert: { ...alert, state: 'resolved', endedAtMs: input.now, changedAtMs: input.now },
      })),
    ],
    memory: moment.clock.memory,
    paths: moment.paths,
  };
}

function conditionsOf(moment: Moment, alerts: readonly Alert[]): Condition[] {
  const objectives = objectiveConditions(moment);
  return [
    ...endpointConditions(moment),
    ...objectives,
    ...sharedConditions(moment, alerts, objectives),
    ...agentConditions(moment),
    ...changeConditions(moment),
    ...recordConditions(moment),
  ];
}

/** Those that begin something, and those about what has begun: of the others, which are nearly all, nothing comes. */
function conditionsById(all: readonly Condition[], alerts: readonly Alert[]): Map<string, Condition> {
  const known = new Map(alerts.map(({ rule, subject, id }) => [`${rule} ${subject}`, id]));
  const byId = new Map<string, Condition>();
  for (const condition of all) {
    const id = known.get(`${condition.rule} ${condition.subject}`);
    if (id !== undefined || condition.level === 'bad') byId.set(id ?? idOf(condition), condition);
  }
  return byId;
}

/** These tell about the evaluation itself, and so while it holds. */
const neverHeld = new Set(['evaluation-gap', 'maintenance']);

function stepOne(before: Alert | undefined, condition: Condition | undefined, clock: Tick): Alert | undefined {
  if (!condition) return before && retire(before, clock);
  return step(before, condition, neverHeld.has(condition.rule) ? { ...clock, hold: false } : clock);
}

function isForgotten({ state, changedAtMs }: Alert, now: number): boolean {
  return state === 'resolved' && now - changedAtMs > keepResolvedMs;
}

const rank = { info: 0, ticket: 1, page: 2 };

/** A fire is told once per incident, and again when it has become worse; the end only to those who were told. */
function notifyOf(alert: Alert, before: Alert | undefined): Notify {
  if (alert.state === 'resolved')
    return before && before.state !== 'resolved' && alert.toldAtMs !== null ? 'resolve' : null;
  if (alert.state !== 'firing' || alert.suppressedBy !== null) return null;
  const isWorse = before?.incident === alert.incident && rank[alert.severity] > rank[before.severity];
  return alert.toldAtMs === null || isWorse ? 'fire' : null;
}

function transitionOf(alert: Alert, before: Alert | undefined, notify: Notify, atMs: number): AlertTransition[] {
  const isSame =
    before !== undefined &&
    before.incident === alert.incident &&
    before.state === alert.state &&
    before.severity === alert.severity &&
    before.suppressedBy === alert.suppressedBy &&
    before.flapping === alert.flapping;
  return isSame && notify === null ? [] : [{ atMs, before: before?.state ?? null, notify, alert }];
}
