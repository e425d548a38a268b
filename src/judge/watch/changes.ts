import type { SampleKind } from '../../model/sample.ts';
import { changePoint, type ChangePoint } from '../../stats/change-point.ts';
import type { StateChange } from '../../store/store.ts';
import { count, ms } from '../say.ts';
import { type Condition, conditionOf } from './condition.ts';
import { isoOf } from './endpoints.ts';
import type { LevelLine, SeriesNeed } from './input.ts';
import type { Moment } from './moment.ts';
import type { WatchDraft, WatchRuleId } from './rules.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** What is different from what it was: paths, answers, certificates, levels. None of it is a failure by itself. */
export function changeConditions(moment: Moment): Condition[] {
  return [...stateConditions(moment), ...certificateConditions(moment), ...shiftConditions(moment)];
}

/** What a state consists of, and how long a new one has to stand before it is a change and no turn that things take. */
interface StateRule {
  rule: WatchRuleId;
  standsMs: number;
  parts(state: string): string[];
  what: string;
  remedy: string;
}

const stateRules: Partial<Record<SampleKind, StateRule>> = {
  trace: {
    rule: 'path-change',
    standsMs: 5 * minuteMs,
    parts: (state) => state.split(' '),
    what: 'path',
    remedy: 'nothing, if round trips stay as they were; otherwise ask the carrier what changed at that time',
  },
  dns: {
    rule: 'dns-change',
    standsMs: 10 * minuteMs,
    // Names with many hosts behind them answer with others of the same networks all the time.
    parts: (state) => state.split(' ').map(networkPart),
    what: 'answer of the name server',
    remedy: 'nothing, if the move is known; otherwise see who changed the name, and that the new addresses are yours',
  },
  tls: {
    rule: 'tls-change',
    standsMs: 0,
    parts: (state) => [state],
    what: 'certificate or key exchange',
    remedy: 'nothing, if the renewal is known; otherwise see who ends TLS there now',
  },
};

/** A change is told of for an hour. */
const toldForMs = hourMs;
/** What was seen within three days is nothing new. */
const knownForMs = 72 * hourMs;

/** What is told of has changed lately; whether it is new tells what was before. */
export function changesRange(horizonMs: number): { fromMs: number; recentFromMs: number } {
  const standsMs = Math.max(...Object.values(stateRules).map((rule) => rule.standsMs));
  return { fromMs: horizonMs - knownForMs, recentFromMs: horizonMs - toldForMs - standsMs };
}

/**
 * A state is a change when it has nothing in common with any state before it. Paths that take turns, and answers that rotate,
 * have been seen before; a set that grows or shrinks overlaps.
 */
function stateConditions({ clock, input, network }: Moment): Condition[] {
  const lines = new Map<string, StateChange[]>();
  for (const change of input.changes) {
    const key = `${change.kind} ${change.endpoint}`;
    const line = lines.get(key);
    if (line) line.push(change);
    else lines.set(key, [change]);
  }
  const rules = Object.entries(stateRules) as [SampleKind, StateRule][];
  return network.endpoints.flatMap(({ name }) =>
    rules.map(([kind, rule]) =>
      stateCondition(name, rule, newStates(lines.get(`${kind} ${name}`) ?? [], rule, clock.horizonMs), clock.horizonMs),
    ),
  );
}

function stateCondition(name: string, rule: StateRule, seen: readonly StateChange[], horizonMs: number): Condition {
  const agents = seen.map(({ agent }) => agent).sort();
  const sinceMs = Math.min(horizonMs, ...seen.map(({ atMs }) => atMs));
  const newest = seen.at(-1);
  return changed(rule.rule, name, 'info', seen.length > 0 ? 'bad' : 'good', sinceMs, agents, () => ({
    claim: `the ${rule.what} changed ${isoOf(sinceMs)}, as ${count(agents.length, 'agent')} see${agents.length === 1 ? 's' : ''} it`,
    details: newest ? [`before: ${newest.before}`, `after: ${newest.after}`] : [],
    remedy: { text: rule.remedy },
  }));
}

/** The last change of each agent, where it stands, is new, and is not long ago. */
export function newStates(
  changes: readonly StateChange[],
  rule: Pick<StateRule, 'parts' | 'standsMs'>,
  horizonMs: number,
): StateChange[] {
  if (changes.length === 0) return [];
  const byAgent = new Map<string, StateChange[]>();
  for (const change of changes) byAgent.set(change.agent, [...(byAgent.get(change.agent) ?? []), change]);
  return [...byAgent.values()].flatMap((line) => {
    const inOrder = line.sort((a, b) => a.atMs - b.atMs);
    const last = inOrder.at(-1)!;
    const ageMs = horizonMs - last.atMs;
    const known = new Set(inOrder.flatMap(({ before }) => rule.parts(before)));
    const isNew = rule.parts(last.after).every((part) => !known.has(part));
    return isNew && ageMs >= rule.standsMs && ageMs < toldForMs + rule.standsMs ? [last] : [];
  });
}

/** The /24 of an IPv4 address, the /48 of an IPv6 one. */
function networkPart(address: string): string {
  return address.includes(':') ? address.split(':').slice(0, 3).join(':') : address.split('.').slice(0, 3).join('.');
}

const expiry = { ticketDays: 14, pageDays: 2, overDays: 15 };

function certificateConditions({ clock, certificates, network }: Moment): Condition[] {
  const byEndpoint = new Map<string, { agent: string; days: number }[]>();
  for (const { agent, endpoint, atMs, metrics } of certificates) {
    if (metrics.certificateDaysLeft === undefined) continue;
    const one = { agent, days: metrics.certificateDaysLeft - (clock.horizonMs - atMs) / (24 * hourMs) };
    const list = byEndpoint.get(endpoint);
    if (list) list.push(one);
    else byEndpoint.set(endpoint, [one]);
  }
  return network.endpoints.map(({ name }) => {
    const told = byEndpoint.get(name) ?? [];
    const days = Math.min(Infinity, ...told.map((one) => one.days));
    const severity = days <= expiry.pageDays ? 'page' : 'ticket';
    const level =
      told.length === 0 ? 'unknown' : days <= expiry.ticketDays ? 'bad' : days < expiry.overDays ? 'between' : 'good';
    const agents = [...new Set(told.map(({ agent }) => agent))].sort();
    return changed('certificate-expiry', name, severity, level, clock.horizonMs, agents, () => ({
      claim: `the certificate is valid for ${Math.max(0, Math.floor(days * 10) / 10)} more days`,
      evidence: [{ metric: 'days left', value: days, unit: 'd', n: told.length, how: 'TLS handshakes' }],
      confidence: 'high',
      remedy: { text: 'renew it now, and see why it was not renewed by itself' },
    }));
  });
}

/** Levels that are watched for a shift. */
const levels = [
  { kind: 'tcp', metric: 'rttMs', what: 'round trip' },
  { kind: 'inference', metric: 'ttftMs', what: 'time to first token' },
] as const;
const shift = {
  rangeMs: 3 * hourMs,
  /** Minutes on each side: fewer could be one busy moment. */
  leastPoints: 15,
  confidence: 0.9999,
  /** A shift of less is of no use to anybody, however sure. */
  leastShare: 0.2,
  leastMs: 5,
  /** Agents that see it at about the same time see the same. */
  togetherMs: 10 * minuteMs,
};

export function levelNeeds({ probed }: Pick<Moment['plan'], 'probed'>, horizonMs: number): SeriesNeed[] {
  const toMs = Math.floor(horizonMs / minuteMs) * minuteMs;
  return levels.flatMap(({ kind, metric }) => {
    const endpoints = probed.get(kind) ?? [];
    const query = {
      fromMs: toMs - shift.rangeMs,
      toMs,
      stepMs: minuteMs,
      kind,
      metric,
      endpoints,
      quantiles: [0.5],
      by: 'endpoint-agent',
    } as const;
    return endpoints.length === 0
      ? []
      : [{ key: `level/${kind}/${metric}`, rangeMs: shift.rangeMs, query: { ...query, quantiles: [0.5] } }];
  });
}

function shiftConditions(moment: Moment): Condition[] {
  const { clock, input, network, quorum } = moment;
  return levels.flatMap(({ kind, metric, what }) => {
    const lines = shiftsOf(input.levels.get(`level/${kind}/${metric}`) ?? []);
    if (!lines) return [];
    return network.endpoints.map(({ name }) => {
      const found = lines.get(name) ?? [];
      const first = found.toSorted((a, b) => a.atMs - b.atMs)[0];
      const same = found.filter(({ atMs }) => first && atMs - first.atMs <= shift.togetherMs);
      const agents = same.map(({ agent }) => agent).sort();
      const rise = same[0]?.change;
      return changed(
        'latency-shift',
        `${name} ${metric}`,
        agents.length >= quorum ? 'ticket' : 'info',
        same.length > 0 ? 'bad' : 'good',
        first?.atMs ?? clock.horizonMs,
        agents,
        () => ({
          claim: rise
            ? `the ${what} rose from ${ms(rise.before)} to ${ms(rise.after)} at ${isoOf(first?.atMs ?? 0)} (medians per minute, ${count(agents.length, 'agent')})`
            : `the ${what} is what it was`,
          evidence: same.map(({ agent, change, n }) => ({
            metric: `${what} from ${agent}, rise`,
            value: change.after - change.before,
            unit: 'ms',
            n,
            how: `Pettitt test on medians per minute, confidence ${change.confidence.toFixed(5)}`,
          })),
          remedy: {
            text:
              kind === 'tcp'
                ? 'see whether the path changed at that time; if so, ask the carrier'
                : 'see what changed at that time on the server: model, load, prompt sizes',
          },
        }),
      );
    });
  });
}

interface Shift {
  agent: string;
  atMs: number;
  change: ChangePoint;
  n: number;
}

/** Rises by endpoint; null without any line. */
function shiftsOf(lines: readonly LevelLine[]): Map<string, Shift[]> | null {
  if (lines.length === 0) return null;
  const shifts = new Map<string, Shift[]>();
  for (const line of lines) {
    const found = shiftOf(line);
    if (found) shifts.set(line.endpoint, [...(shifts.get(line.endpoint) ?? []), found]);
  }
  return shifts;
}

const shifts = new WeakMap<LevelLine, { found: Shift | null }>();

/** Looked for once per line: evaluations come every few seconds, new levels every minute. */
function shiftOf(line: LevelLine): Shift | null {
  const known = shifts.get(line);
  if (known) return known.found;
  const found = findShift(line);
  shifts.set(line, { found });
  return found;
}

function findShift({ agent, fromMs, stepMs, values }: LevelLine): Shift | null {
  const known: number[] = [];
  const slots: number[] = [];
  let [low, high] = [Infinity, -Infinity];
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot]!;
    if (Number.isNaN(value)) continue;
    known.push(value);
    slots.push(slot);
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (known.length < 2 * shift.leastPoints || high - low < shift.leastMs) return null;
  const change = changePoint(known, shift.confidence);
  if (!change) return null;
  const rise = change.after - change.before;
  const isShort = change.index < shift.leastPoints || known.length - change.index < shift.leastPoints;
  if (isShort || rise < shift.leastMs || rise < shift.leastShare * change.before) return null;
  return { agent, atMs: fromMs + slots[change.index]! * stepMs, change, n: known.length };
}

function changed(
  rule: WatchRuleId,
  subject: string,
  severity: Condition['severity'],
  level: Condition['level'],
  sinceMs: number,
  agents: string[],
  draft: () => Omit<WatchDraft, 'severity'>,
): Condition {
  const name = subject.split(' ', 1)[0]!;
  return conditionOf(
    rule,
    {
      subject,
      name,
      severity,
      level,
      sinceMs,
      keepMs: rule === 'latency-shift' ? 10 * minuteMs : 0,
      agents,
      endpoints: [name],
      blame: rule === 'path-change' ? 'network' : 'undetermined',
    },
    draft,
  );
}
