import type { Alert, AlertState } from '../../model/alert.ts';
import { pathId } from '../../model/path-id.ts';
import type { Condition } from './condition.ts';

/** What the clock says about this evaluation. */
export interface Tick {
  now: number;
  /** Time since the last evaluation that may be counted: never a gap, never the step of a clock. */
  countedMs: number;
  /** Nothing may begin or end: the data of the last minutes are not complete. */
  hold: boolean;
}

/** The same trouble has the same id, each time it comes. */
export function alertId(rule: string, subject: string): string {
  return pathId([[rule], [subject]]);
}

/**
 * One step of one alert: what it becomes under the condition of this moment. Undefined where there is nothing to keep.
 *
 *     (nothing) ─bad→ pending ─bad for forMs→ firing ─good→ recovering ─good for keepMs→ resolved
 *                        └─good→ (nothing)       ↑ ←────bad────┘
 *                        no data: firing, recovering → unknown → firing or recovering when they come back
 */
export function step(before: Alert | undefined, condition: Condition, tick: Tick): Alert | undefined {
  const alive = before !== undefined && before.state !== 'resolved';
  if (tick.hold) return before;
  if (!alive) return condition.level === 'bad' ? begin(before, condition, tick) : aged(before, condition, tick);
  const memory = remember(before, condition, tick);
  const now: Alert = {
    ...before,
    ...seen(before, condition),
    memory,
    flapping: flaps(memory.history, before.flapping),
  };
  const state = next(now, condition);
  if (state === undefined) return undefined;
  return state === before.state ? now : changed(now, state, condition, tick);
}

/** The subject is gone from the network file: nobody can say any more that it is bad. */
export function retire(before: Alert, tick: Tick): Alert {
  return before.state === 'resolved' || tick.hold
    ? before
    : { ...before, state: 'resolved', endedAtMs: tick.now, changedAtMs: tick.now };
}

function begin(before: Alert | undefined, condition: Condition, tick: Tick): Alert {
  const { rule, subject, forMs } = condition;
  const id = alertId(rule, subject);
  const history = before?.memory.history ?? '';
  const state = forMs > 0 ? 'pending' : 'firing';
  const alert: Alert = {
    id,
    incident: `${id}-${Math.round(condition.sinceMs)}`,
    rule,
    subject,
    ...told(condition),
    state,
    sinceMs: condition.sinceMs,
    firedAtMs: state === 'firing' ? tick.now : null,
    toldAtMs: null,
    endedAtMs: null,
    changedAtMs: tick.now,
    suppressedBy: null,
    flapping: before?.flapping ?? false,
    page: `alerts.md#${rule}`,
    memory: {
      evaluatedAtMs: tick.now,
      badForMs: 0,
      goodForMs: 0,
      goodSinceMs: null,
      history,
      historyAtMs: before?.memory.historyAtMs ?? 0,
      members: [...condition.members],
      keepMs: condition.keepMs,
    },
  };
  alert.memory = { ...alert.memory, ...bit(alert, true, tick) };
  alert.flapping = flaps(alert.memory.history, alert.flapping);
  return alert;
}

/** Resolved alerts only get older: their history tells later whether the trouble comes and goes. */
function aged(before: Alert | undefined, condition: Condition, tick: Tick): Alert | undefined {
  if (!before) return undefined;
  const memory = { ...before.memory, evaluatedAtMs: tick.now, ...bit(before, condition.level === 'bad', tick) };
  return { ...before, memory, flapping: flaps(memory.history, before.flapping) };
}

function next({ state, flapping, memory }: Alert, { level, forMs }: Condition): AlertState | undefined {
  switch (state) {
    case 'pending':
      if (level === 'good' || level === 'between') return undefined;
      return level === 'bad' && memory.badForMs >= forMs ? 'firing' : 'pending';
    case 'firing':
      if (level === 'unknown') return 'unknown';
      return level === 'good' ? 'recovering' : 'firing';
    case 'recovering':
      if (level === 'bad') return 'firing';
      if (level === 'unknown') return 'unknown';
      // What comes and goes is not over because it has just gone.
      return level === 'good' && memory.goodForMs >= memory.keepMs && !flapping ? 'resolved' : 'recovering';
    case 'unknown':
      if (level === 'unknown') return 'unknown';
      return level === 'good' ? 'recovering' : 'firing';
    case 'resolved':
      return 'resolved';
  }
}

function changed(now: Alert, state: AlertState, condition: Condition, tick: Tick): Alert {
  const first = state === 'firing' && now.firedAtMs === null;
  return {
    ...now,
    state,
    changedAtMs: tick.now,
    firedAtMs: first ? tick.now : now.firedAtMs,
    endedAtMs: state === 'resolved' ? (now.memory.goodSinceMs ?? tick.now) : null,
    // While it is good or not known, the claim stays that of the trouble.
    ...(condition.level === 'bad' ? told(condition) : {}),
  };
}

/** What a condition says of itself that an alert passes on. */
function told({ severity, agents, endpoints, where, blame, finding }: Condition) {
  return { severity, agents: [...agents], endpoints: [...endpoints], where, blame, finding: finding() };
}

/** While bad, the alert tells the newest; afterwards it keeps what it said last. The severity of an incident only rises. */
function seen(before: Alert, condition: Condition): Partial<Alert> {
  if (condition.level !== 'bad') return {};
  const rank = { info: 0, ticket: 1, page: 2 };
  const rose = rank[condition.severity] > rank[before.severity];
  return { ...told(condition), severity: rose ? condition.severity : before.severity };
}

function remember(before: Alert, condition: Condition, tick: Tick): Alert['memory'] {
  const { memory } = before;
  const isBad = condition.level === 'bad';
  const isGood = condition.level === 'good';
  const wasGood = before.state === 'recovering';
  return {
    evaluatedAtMs: tick.now,
    badForMs: isBad ? memory.badForMs + tick.countedMs : memory.badForMs,
    goodForMs: isBad || !wasGood ? 0 : memory.goodForMs + (isGood ? tick.countedMs : 0),
    goodSinceMs: isGood ? (memory.goodSinceMs ?? tick.now) : isBad ? null : memory.goodSinceMs,
    ...bit(before, isBad, tick),
    keepMs: isBad ? condition.keepMs : memory.keepMs,
    members: isBad ? [...new Set([...memory.members, ...condition.members])].sort() : memory.members,
  };
}

const historyLength = 21;
/** Evaluations may come every few seconds; those that count for flapping are a minute apart. */
const historyStepMs = 60_000;

function bit({ memory }: Pick<Alert, 'memory'>, isBad: boolean, { now }: Tick) {
  const { history, historyAtMs } = memory;
  // A clock that was set back must not silence the history until it has caught up.
  if (now >= historyAtMs && now - historyAtMs < historyStepMs) return { history, historyAtMs };
  return { history: `${history}${isBad ? '1' : '0'}`.slice(-historyLength), historyAtMs: now };
}

const flapAbove = 0.3;
const steadyBelow = 0.15;

/**
 * Share of changes among the last 21 evaluations, newer ones counting more (0.8 to 1.2, as Nagios does). Two thresholds, so
 * that flapping does not flap.
 */
export function flaps(history: string, before: boolean): boolean {
  // In parts of 1/95, of which the weights are whole ones: what is exactly at a threshold is on the same side of it every time.
  let weighted = 0;
  const steps = historyLength - 1;
  for (let i = 1; i < history.length; i++) {
    const age = history.length - 1 - i;
    if (history[i] !== history[i - 1]) weighted += 114 - 2 * age;
  }
  const share = weighted / (95 * steps);
  return before ? share >= steadyBelow : share > flapAbove;
}
