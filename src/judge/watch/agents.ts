import { count, ms } from '../say.ts';
import type { AgentSeen } from './input.ts';
import { type Condition, conditionOf } from './condition.ts';
import { isoOf } from './endpoints.ts';
import type { Moment } from './moment.ts';
import type { WatchDraft, WatchRuleId } from './rules.ts';
import { sinceOf } from './vitals.ts';

const minuteMs = 60_000;
/** An agent that reports every few seconds is silent after this; slower ones after three of their intervals. */
const leastSilentMs = 90_000;
/** One that was never heard of may still be on its way: enrolment takes a human. */
const neverHeardMs = 10 * minuteMs;
const apartMs = 2 * minuteMs;

/** What the agents themselves say, or no longer say. */
export function agentConditions(moment: Moment): Condition[] {
  const seen = new Map(moment.input.silence.map((one) => [one.agent, one]));
  const silent = new Set(moment.plan.agents.filter((agent) => isSilent(moment, agent, seen.get(agent))));
  const isolated = isolatedAgents(moment);
  return [
    ...moment.plan.agents.flatMap((agent) => [
      silence(moment, agent, seen.get(agent), silent),
      uplink(moment, agent, silent, isolated.get(agent)),
      clock(moment, agent, seen.get(agent), silent.has(agent)),
    ]),
    ...everyoneSilent(moment, silent),
    serverClock(moment),
  ];
}

function isSilent({ clock, plan }: Moment, agent: string, seen: AgentSeen | undefined): boolean {
  const last = seen?.lastArrivalMs ?? null;
  // After a gap nobody is silent before he had time to come back.
  const since = Math.max(last ?? 0, clock.memory.resumedAtMs);
  // An arrival in the future is one from before the clock was set back.
  const heardMs = last !== null && last > clock.now ? clock.memory.resumedAtMs : since;
  const fastestMs = plan.duties.get(agent)?.fastestMs ?? Infinity;
  const allowedMs =
    last === null ? neverHeardMs : Math.max(leastSilentMs, Number.isFinite(fastestMs) ? 3 * fastestMs : 0);
  return clock.now - heardMs > allowedMs;
}

/** Endpoints that nobody sees any more. Of the agents that are gone one tells so, lest each of them pages. */
function unwatchedBy({ plan, offline }: Moment, agent: string, silent: ReadonlySet<string>): string[] {
  const lost = new Set(plan.duties.get(agent)?.endpoints);
  for (const job of plan.jobs)
    if (job.agent > agent || !(silent.has(job.agent) || offline.has(job.agent))) lost.delete(job.endpoint);
  return [...lost].sort();
}

function silence(moment: Moment, agent: string, seen: AgentSeen | undefined, silent: ReadonlySet<string>): Condition {
  const lost = silent.has(agent) ? unwatchedBy(moment, agent, silent) : [];
  const since = seen?.lastArrivalMs ?? moment.clock.memory.resumedAtMs;
  const told = seen?.lastArrivalMs == null ? 'has never reported' : `has not reported since ${isoOf(since)}`;
  return about(moment, 'agent-silent', agent, silent.has(agent) ? 'bad' : 'good', since, {
    severity: lost.length > 0 ? 'page' : 'ticket',
    claim: `${agent} ${told}, ${ms(Math.max(0, moment.clock.now - since))} ago`,
    details: [lost.length > 0 ? `nobody else watches ${lost.join(', ')}` : 'its endpoints are watched by other agents'],
    remedy: { text: `see whether the host of ${agent} is up, inferpath agent runs there, and it reaches this server` },
  });
}

function everyoneSilent(moment: Moment, silent: ReadonlySet<string>): Condition[] {
  const { agents } = moment.plan;
  if (agents.length < 2) return [];
  const level = silent.size === agents.length ? 'bad' : 'good';
  const last = Math.max(moment.clock.memory.resumedAtMs, ...moment.input.silence.map((one) => one.lastArrivalMs ?? 0));
  return [
    about(moment, 'agents-silent', 'agents', level, Math.min(last, moment.clock.now), {
      severity: 'page',
      claim: `0 of ${count(agents.length, 'agent')} report, so nothing at all is known`,
      remedy: {
        text: 'look at this server first: its own network, its certificate, its port; agents keep their results meanwhile',
      },
    }),
  ];
}

/** Agents from which everything fails that others reach: the fault is theirs, whatever they were told to call their uplink. */
function isolatedAgents({ vitals }: Moment): Map<string, number> {
  const failing = new Map<string, { count: number; sinceMs: number }>();
  for (const views of vitals.values())
    for (const { fresh, suspecting } of views) {
      if (suspecting.length === 0 || suspecting.length === fresh.length) continue;
      for (const run of suspecting) {
        const one = failing.get(run.agent) ?? { count: 0, sinceMs: Infinity };
        failing.set(run.agent, {
          count: one.count + Number(run.badMs.length >= 2),
          sinceMs: Math.min(one.sinceMs, sinceOf(run)),
        });
      }
    }
  const isolated = new Map(
    [...failing].flatMap(([agent, { count, sinceMs }]) => (count >= 2 ? [[agent, sinceMs]] : [])),
  );
  if (isolated.size === 0) return isolated;
  // What works from it, or fails for everybody, is not its own fault.
  for (const views of vitals.values())
    for (const { fresh, suspecting } of views)
      for (const { agent, badMs } of fresh)
        if (badMs.length === 0 || suspecting.length === fresh.length) isolated.delete(agent);
  return isolated;
}

function uplink(moment: Moment, agent: string, silent: ReadonlySet<string>, isolatedMs: number | undefined): Condition {
  const own = moment.offline.has(agent);
  const isKnown = own || isolatedMs !== undefined;
  const lost = own ? unwatchedBy(moment, agent, silent) : [];
  const sinceMs = isolatedMs ?? moment.clock.horizonMs;
  const level = isKnown ? 'bad' : silent.has(agent) ? 'unknown' : 'good';
  return about(moment, 'agent-uplink', agent, level, Math.max(0, sinceMs), {
    severity: lost.length > 0 ? 'page' : 'ticket',
    claim: own
      ? `0 of its ${count(uplinksOf(moment, agent), 'uplink')} answer ${agent}, so what it says of endpoints does not count`
      : `every endpoint fails from ${agent} since ${isoOf(sinceMs)} that answers to 1 or more other agents`,
    details: [lost.length > 0 ? `nobody else watches ${lost.join(', ')}` : null],
    confidence: own ? 'high' : 'medium',
    remedy: { text: `look at the uplink of ${agent}: link, gateway, resolver, carrier` },
  });
}

function uplinksOf({ network }: Moment, agent: string): number {
  return network.watch?.agents.find(({ name }) => name === agent)?.uplink.length ?? 0;
}

function clock(moment: Moment, agent: string, seen: AgentSeen | undefined, silent: boolean): Condition {
  const newest = seen?.newestSampleMs ?? null;
  const ahead = newest === null ? 0 : newest - moment.clock.horizonMs;
  const level = silent || newest === null ? 'unknown' : ahead > apartMs ? 'bad' : 'good';
  return about(moment, 'clock-apart', agent, level, moment.clock.now, {
    severity: 'ticket',
    claim: `the clock of ${agent} is ${ms(ahead)} ahead of the others, so its results count only when their time comes`,
    remedy: { text: `let ${agent} keep its clock by NTP (chrony, systemd-timesyncd)` },
  });
}

function serverClock(moment: Moment): Condition {
  const { aheadMs, hold } = moment.clock;
  const level = aheadMs !== 0 && !hold ? 'bad' : 'good';
  return about(moment, 'clock-apart', 'server', level, moment.clock.now, {
    severity: 'ticket',
    claim: `the clock of this server is ${ms(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} those of most agents; their data say what time it is`,
    remedy: { text: 'let this server keep its clock by NTP (chrony, systemd-timesyncd)' },
  });
}

function about(
  { plan }: Moment,
  rule: WatchRuleId,
  subject: string,
  level: Condition['level'],
  sinceMs: number,
  draft: WatchDraft,
): Condition {
  const duty = plan.duties.get(subject);
  const isAgent = plan.agents.includes(subject);
  return conditionOf(
    rule,
    {
      subject,
      severity: draft.severity,
      level,
      sinceMs,
      forMs: rule === 'clock-apart' ? 2 * minuteMs : 0,
      keepMs: 2 * minuteMs,
      agents: isAgent ? [subject] : plan.agents,
      endpoints: isAgent ? (duty?.endpoints ?? []) : [],
      blame: 'client',
    },
    () => draft,
  );
}
