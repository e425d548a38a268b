import type { Run } from '../../store/store.ts';
import { count } from '../say.ts';
import { locusOf } from './blame.ts';
import { type Condition, conditionOf } from './condition.ts';
import type { Moment } from './moment.ts';
import { failing, sinceOf, type VitalView } from './vitals.ts';

const minuteMs = 60_000;

/** endpoint-down, endpoint-partial and endpoint-unwatched of every endpoint that is probed. */
export function endpointConditions(moment: Moment): Condition[] {
  return [...moment.vitals].flatMap(([endpoint, views]) => {
    const worst = worstOf(views);
    return [down(moment, endpoint, worst), partial(moment, endpoint, worst), unwatched(moment, endpoint, views)];
  });
}

/** How many agents have to see it: never more than can. */
export function quorumOf(moment: Moment, view: VitalView): number {
  return Math.max(1, Math.min(moment.quorum, view.fresh.length));
}

/** The probe that fails from most agents; among equals the first, which is the lowest layer. */
function worstOf(views: readonly VitalView[]): VitalView {
  const rank = (view: VitalView) =>
    failing(view).length * 1e6 + view.suspecting.length * 1e3 + Math.min(999, view.fresh.length);
  return views.reduce((worst, view) => (rank(view) > rank(worst) ? view : worst));
}

function down(moment: Moment, endpoint: string, view: VitalView): Condition {
  const bad = failing(view);
  const quorum = quorumOf(moment, view);
  const level =
    view.fresh.length === 0
      ? 'unknown'
      : bad.length >= quorum
        ? 'bad'
        : view.suspecting.length >= quorum
          ? 'between'
          : 'good';
  return condition(moment, endpoint, view, bad, 'endpoint-down', level);
}

/** Fewer agents than the quorum: worth a look, not worth waking anybody. */
function partial(moment: Moment, endpoint: string, view: VitalView): Condition {
  const bad = failing(view);
  const isPartial = bad.length > 0 && bad.length < quorumOf(moment, view);
  const level = view.fresh.length === 0 ? 'unknown' : isPartial ? 'bad' : 'good';
  return condition(moment, endpoint, view, bad, 'endpoint-partial', level);
}

function condition(
  moment: Moment,
  endpoint: string,
  view: VitalView,
  bad: readonly Run[],
  rule: 'endpoint-down' | 'endpoint-partial',
  level: Condition['level'],
): Condition {
  const severity = rule === 'endpoint-down' ? 'page' : 'ticket';
  const agents = bad.map(({ agent }) => agent).sort();
  const sinceMs = Math.min(moment.clock.horizonMs, ...bad.map(sinceOf));
  const locus =
    level === 'bad'
      ? locusOf(moment, endpoint, agents, sinceMs)
      : ({ blame: 'undetermined', why: '', where: null } as const);
  return conditionOf(
    rule,
    {
      subject: endpoint,
      severity,
      level,
      sinceMs,
      // One vantage point that sees what no other does is given time to be joined by a second.
      forMs: rule === 'endpoint-down' ? 0 : 2 * minuteMs,
      keepMs: moment.recoverMs,
      agents,
      endpoints: [endpoint],
      where: locus.where,
      blame: locus.blame,
    },
    () => ({
      claim: `${view.vital.kind} fails from ${agents.length} of ${count(view.fresh.length, 'agent')} since ${isoOf(sinceMs)}`,
      details: [
        `failures in a row: ${bad.map(({ agent, badMs }) => `${agent} ${badMs.length}`).join(', ')}`,
        locus.why,
        locus.where,
      ],
      evidence: [
        {
          metric: 'agents that see it fail',
          value: agents.length,
          unit: 'agents',
          n: view.fresh.length,
          how: `${view.vital.kind} probes, at least 3 failures in a row`,
        },
      ],
      confidence: view.fresh.length > 1 ? 'high' : 'medium',
      remedy: { text: remedies[locus.blame] },
    }),
  );
}

const remedies = {
  network: 'look at the hop that is named and the carrier behind it; the server is not what fails first',
  server: 'look at the service and the host itself: the way there works',
  client: 'look at the agents that see it',
  undetermined:
    'see whether the host answers from anywhere else: a trace that reaches it clears the path, one that ends shows where',
};

/** Agents live, but nobody has measured this endpoint for long: silence is not health. */
function unwatched(moment: Moment, endpoint: string, views: readonly VitalView[]): Condition {
  const isSilent = views.every(({ fresh }) => fresh.length === 0) && !inMaintenance(moment, endpoint);
  const agents = isSilent ? [...new Set(views.flatMap(({ vital }) => [...vital.by.keys()]))].sort() : [];
  return conditionOf(
    'endpoint-unwatched',
    {
      subject: endpoint,
      severity: 'ticket',
      level: isSilent ? 'bad' : 'good',
      sinceMs: moment.clock.horizonMs,
      forMs: 5 * minuteMs,
      keepMs: 2 * minuteMs,
      agents,
      endpoints: [endpoint],
      blame: 'client',
    },
    () => ({
      claim: `0 of ${count(agents.length, 'agent')} have measured it lately, so nothing is known about it`,
      evidence: [
        { metric: 'agents with fresh results', value: 0, unit: 'agents', n: agents.length, how: 'newest samples' },
      ],
      confidence: 'high',
      remedy: { text: `see why ${agents.join(', ')} do not probe it: agent, schedule, or the way to this server` },
    }),
  );
}

export function inMaintenance({ burn, clock }: Moment, endpoint: string): boolean {
  return burn.excluded(endpoint).some(({ fromMs, toMs }) => fromMs <= clock.horizonMs && clock.horizonMs < toMs);
}

export function isoOf(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString().replace('.000Z', 'Z') : 'before the records begin';
}
