import type { Alert } from '../../model/alert.ts';
import type { Condition } from './condition.ts';
import { alertId } from './machine.ts';

/** Rules about one endpoint, the one that says most first. */
const aboutEndpoint = ['endpoint-down', 'slo-burn', 'endpoint-partial', 'endpoint-unwatched', 'slo-burn-slow'];

/**
 * Sets `suppressedBy`: one trouble, one page. In this order: maintenance; the agents or the uplink that are gone; a shared hop;
 * what already speaks for the same endpoint.
 */
export function suppressed(alerts: readonly Alert[], conditions: ReadonlyMap<string, Condition>): Alert[] {
  const active = alerts.filter(isActive);
  const by = (rule: string) => active.filter((alert) => alert.rule === rule);
  const sources = {
    maintenance: by('maintenance'),
    everyone: by('agents-silent'),
    silent: by('agent-silent'),
    uplinks: by('agent-uplink'),
    shared: by('shared-failure'),
    leaders: leadersOf(active),
  };
  return alerts.map((alert) => {
    if (alert.state === 'resolved') return alert;
    const now = reasonOf(alert, sources) ?? leftover(alert, alerts, conditions.get(alert.id));
    return now === alert.suppressedBy ? alert : { ...alert, suppressedBy: now };
  });
}

interface Sources {
  maintenance: Alert[];
  everyone: Alert[];
  silent: Alert[];
  uplinks: Alert[];
  shared: Alert[];
  leaders: ReadonlyMap<string, Alert>;
}

function isActive({ state }: Alert): boolean {
  return state === 'firing' || state === 'recovering' || state === 'unknown';
}

function reasonOf(alert: Alert, sources: Sources): string | null {
  const { rule, endpoints, agents } = alert;
  const isAboutEndpoint = aboutEndpoint.includes(rule);
  if (isAboutEndpoint || rule === 'shared-failure') {
    const covers = sources.maintenance.find(
      (m) => endpoints.length > 0 && endpoints.every((e) => m.endpoints.includes(e)),
    );
    if (covers) return covers.id;
  }
  if (rule === 'agent-silent' || rule === 'agent-uplink' || rule === 'endpoint-unwatched') {
    const everyone = sources.everyone[0];
    if (everyone) return everyone.id;
  }
  if (rule === 'endpoint-partial' || rule === 'endpoint-unwatched') {
    const gone = [...sources.uplinks, ...sources.silent];
    if (agents.length > 0 && agents.every((agent) => gone.some(({ subject }) => subject === agent)))
      return gone.find(({ subject }) => agents.includes(subject))!.id;
  }
  if (rule === 'agent-silent') {
    const uplink = sources.uplinks.find(({ subject }) => subject === alert.subject);
    if (uplink && uplink.state !== 'recovering') return uplink.id;
  }
  if (!isAboutEndpoint) return null;
  const shared = sources.shared.find(({ memory }) => endpoints.every((endpoint) => memory.members.includes(endpoint)));
  if (shared && rule !== 'endpoint-unwatched') return shared.id;
  const leader = sources.leaders.get(endpoints[0] ?? '');
  return leader && leader.id !== alert.id ? leader.id : null;
}

/** The alert that speaks for an endpoint: the page that was told first, otherwise the one that says most. */
function leadersOf(active: readonly Alert[]): Map<string, Alert> {
  const leaders = new Map<string, Alert>();
  for (const alert of active) {
    const endpoint = alert.endpoints[0];
    if (!aboutEndpoint.includes(alert.rule) || alert.severity !== 'page' || endpoint === undefined) continue;
    const before = leaders.get(endpoint);
    if (!before || rank(alert) < rank(before)) leaders.set(endpoint, alert);
  }
  return leaders;
}

function rank({ rule, toldAtMs }: Alert): number {
  return (toldAtMs ?? 1e14) * 10 + aboutEndpoint.indexOf(rule);
}

/**
 * What explained this is over, and an objective stays missed for a while after its cause: it speaks up only if it would be bad
 * by what happened since alone.
 */
function leftover(alert: Alert, alerts: readonly Alert[], condition: Condition | undefined): string | null {
  if (alert.suppressedBy === null || alert.rule !== 'slo-burn') return null;
  const cause = alerts.find(({ id }) => id === alert.suppressedBy);
  const sinceMs = cause?.endedAtMs ?? null;
  if (sinceMs === null) return null;
  return condition?.isBadSince?.(sinceMs) === true ? null : alert.suppressedBy;
}

export function idOf({ rule, subject }: Condition): string {
  return alertId(rule, subject);
}
