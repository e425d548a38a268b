import type { Alert } from '../../model/alert.ts';
import { count } from '../say.ts';
import { type Condition, conditionOf } from './condition.ts';
import { isoOf, quorumOf } from './endpoints.ts';
import type { Moment } from './moment.ts';
import { failing, sinceOf } from './vitals.ts';

const minuteMs = 60_000;
/** Subject where everything fails and no trace says what is common to it. */
export const everything = 'all-endpoints';

/** One endpoint in trouble: how sure, since when, and who sees it. */
interface Trouble {
  endpoint: string;
  isDown: boolean;
  sinceMs: number;
  agents: readonly string[];
}

/**
 * One failure behind many: a hop that stands on every known way to the failing endpoints and on none to a healthy one. Endpoints
 * that have only begun to fail count as failing here, so that the first of forty to be sure does not page alone.
 */
export function sharedConditions(
  moment: Moment,
  alerts: readonly Alert[],
  objectives: readonly Condition[],
): Condition[] {
  const troubles = troublesOf(moment);
  for (const trouble of burningNow(moment, objectives)) {
    const before = troubles.get(trouble.endpoint);
    troubles.set(trouble.endpoint, before ? { ...before, isDown: true } : trouble);
  }
  const hops = hopsOf(moment, troubles);
  const active = alerts.filter(({ rule, state }) => rule === 'shared-failure' && state !== 'resolved');
  const explained = new Set<string>();
  const conditions = active.map((alert) => {
    const members = new Set([...alert.memory.members, ...(hops.get(alert.subject) ?? [])]);
    for (const member of members) explained.add(member);
    return standing(moment, alert.subject, [...members], troubles);
  });
  for (;;) {
    const open = [...troubles.keys()].filter((endpoint) => !explained.has(endpoint));
    const found = largest(hops, open) ?? wholesale(moment, troubles, open);
    if (!found || !found.members.some((member) => troubles.get(member)?.isDown)) return conditions;
    for (const member of found.members) explained.add(member);
    conditions.push(standing(moment, found.subject, found.members, troubles));
  }
}

function troublesOf(moment: Moment): Map<string, Trouble> {
  const troubles = new Map<string, Trouble>();
  for (const [endpoint, views] of moment.vitals)
    for (const view of views) {
      const seeing = view.suspecting;
      if (seeing.length === 0) continue;
      const quorum = quorumOf(moment, view);
      if (seeing.length < quorum || seeing.reduce((sum, { badMs }) => sum + badMs.length, 0) < 2) continue;
      const before = troubles.get(endpoint);
      troubles.set(endpoint, {
        endpoint,
        isDown: failing(view).length >= quorum || (before?.isDown ?? false),
        sinceMs: Math.min(before?.sinceMs ?? Infinity, ...seeing.map(sinceOf)),
        agents: [...new Set([...(before?.agents ?? []), ...seeing.map(({ agent }) => agent)])].sort(),
      });
    }
  return troubles;
}

/** A hop that loses a part of the packets makes no runs of failures, but budgets burn: those that do so right now. */
function burningNow({ clock }: Moment, objectives: readonly Condition[]): Trouble[] {
  const recently = clock.horizonMs - 5 * minuteMs;
  return objectives.flatMap(({ rule, level, sinceMs, agents, endpoints, isBadSince }) =>
    rule === 'slo-burn' && level !== 'good' && level !== 'unknown' && isBadSince?.(recently) === true
      ? [{ endpoint: endpoints[0]!, isDown: level === 'bad', sinceMs, agents }]
      : [],
  );
}

/** Failing endpoints by the hop that all of the known ways to them pass; hops that carry a healthy endpoint are left out. */
function hopsOf(moment: Moment, troubles: ReadonlyMap<string, Trouble>): Map<string, string[]> {
  const hops = new Map<string, Set<string>>();
  for (const { agent, endpoint, hops: way } of troubles.size === 0 ? [] : moment.paths)
    if (troubles.get(endpoint)?.agents.includes(agent))
      for (const hop of way) hops.set(hop, (hops.get(hop) ?? new Set()).add(endpoint));
  if (hops.size === 0) return new Map();
  const working = new Set<string>();
  for (const { agent, endpoint, hops: way } of moment.paths) {
    const passed = way.filter((hop) => hops.has(hop) && !working.has(hop));
    if (passed.length > 0 && !troubles.has(endpoint) && isHealthy(moment, agent, endpoint))
      for (const hop of passed) working.add(hop);
  }
  return new Map([...hops].flatMap(([hop, endpoints]) => (working.has(hop) ? [] : [[hop, [...endpoints].sort()]])));
}

function isHealthy({ vitals }: Moment, agent: string, endpoint: string): boolean {
  return (vitals.get(endpoint) ?? []).some(({ fresh }) => fresh.some((f) => f.agent === agent && f.badMs.length === 0));
}

interface Group {
  subject: string;
  members: string[];
}

/** The hop that explains most; of those that explain as much, the first on the way: what is behind it fails because of it. */
function largest(hops: ReadonlyMap<string, readonly string[]>, open: readonly string[]): Group | undefined {
  let best: Group | undefined;
  for (const [subject, endpoints] of hops) {
    const members = endpoints.filter((endpoint) => open.includes(endpoint));
    if (members.length > Math.max(1, best?.members.length ?? 1)) best = { subject, members };
  }
  return best;
}

/** Everything fails at once and no trace says why: one alert all the same. */
function wholesale(moment: Moment, troubles: ReadonlyMap<string, Trouble>, open: readonly string[]): Group | undefined {
  const watched = [...moment.vitals]
    .filter(([, views]) => views.some((view) => view.fresh.length > 0))
    .map(([endpoint]) => endpoint);
  const all = watched.length >= 3 && watched.every((endpoint) => troubles.has(endpoint)) && open.length >= 3;
  return all ? { subject: everything, members: [...open].sort() } : undefined;
}

function standing(
  moment: Moment,
  subject: string,
  members: readonly string[],
  troubles: ReadonlyMap<string, Trouble>,
): Condition {
  const failingNow = members.flatMap((member) => troubles.get(member) ?? []);
  const known = members.filter((member) => (moment.vitals.get(member) ?? []).some((view) => view.fresh.length > 0));
  const level =
    failingNow.length > 1 ? 'bad' : failingNow.length === 1 ? 'between' : known.length === 0 ? 'unknown' : 'good';
  const sinceMs = Math.min(moment.clock.horizonMs, ...failingNow.map((trouble) => trouble.sinceMs));
  const agents = [...new Set(failingNow.flatMap((trouble) => trouble.agents))].sort();
  const names = failingNow.map(({ endpoint }) => endpoint).sort();
  const place =
    subject === everything
      ? 'no trace says which hop they share'
      : `all known ways to them pass ${subject}, and none to an endpoint that works`;
  return conditionOf(
    'shared-failure',
    {
      subject,
      severity: 'page',
      level,
      sinceMs,
      keepMs: moment.recoverMs,
      agents,
      endpoints: names,
      where: subject === everything ? null : `at or behind ${subject}`,
      blame: moment.paths.some((path) => path.hops.at(-1) === subject) ? 'undetermined' : 'network',
      members: names,
    },
    () => ({
      claim: `${count(names.length, 'endpoint')} fail together since ${isoOf(sinceMs)}: ${place}`,
      details: [`failing: ${names.join(', ')}`, `seen by ${agents.join(', ')}`, segment(moment, subject, names)],
      evidence: [
        {
          metric: 'endpoints that fail together',
          value: names.length,
          unit: 'endpoints',
          n: moment.vitals.size,
          how: 'last results of all agents, traces from before',
        },
      ],
      confidence: subject === everything ? 'low' : 'high',
      remedy: {
        text:
          subject === everything
            ? 'look at what all agents have in common: exit, resolver, carrier'
            : `look at ${subject} and the link to it; nothing is known to be wrong with the endpoints themselves`,
      },
    }),
  );
}

/** The last hop before, which still works for somebody: the fault lies between the two. */
function segment(moment: Moment, subject: string, members: readonly string[]): string | null {
  const before = new Set(
    moment.paths.flatMap(({ endpoint, hops }) => {
      const at = hops.indexOf(subject);
      return members.includes(endpoint) && at > 0 ? [hops[at - 1]!] : [];
    }),
  );
  return before.size === 0 ? null : `the hop before it: ${[...before].sort().join(', ')}`;
}
