import { createHash } from 'node:crypto';
import type { AlertTransition } from '../../model/alert.ts';
import type { OutboxEntry } from '../../model/delivery.ts';
import type { Network } from '../../model/network.ts';
import type { Receiver, Watch } from '../../model/watch.ts';
import { noticeOf } from './notice.ts';

/**
 * Which receivers have to be told about a transition. A beginning goes along every route that matches. An end goes to those
 * who were told of the beginning, whatever the routes say by now: nobody is left with an alert that never ends, and nobody
 * hears of the end of something that he knows nothing of. What another alert explains is not told.
 * @param known entries of the same incident that the outbox has
 * @param serverUrl where people find the server; null where that is not known
 */
export function deliveriesOf(
  transition: AlertTransition,
  network: Pick<Network, 'watch'>,
  known: readonly OutboxEntry[],
  serverUrl: string | null = null,
): OutboxEntry[] {
  const { alert, notify } = transition;
  if (notify === null || network.watch === undefined) return [];
  if (notify === 'fire' && alert.suppressedBy !== null) return [];
  const told = notify === 'fire' ? routed(transition, network.watch) : toldOf(known, alert.incident);
  const notice = noticeOf(transition, serverUrl);
  return [...told].map(([receiver, tellEnd]) => ({
    key: keyOf(transition, receiver),
    receiver,
    action: notify,
    tellEnd,
    notice,
    state: 'waiting',
    attempts: 0,
    madeAtMs: transition.atMs,
    nextAtMs: transition.atMs,
    claim: null,
    endedAtMs: null,
    last: null,
  }));
}

/** The same transition of the same incident for the same receiver has the same key, whoever computes it. */
function keyOf({ alert, notify, atMs }: AlertTransition, receiver: string): string {
  const parts = JSON.stringify([alert.incident, notify, alert.severity, atMs, receiver]);
  return `msg_${createHash('sha256').update(parts).digest('hex').slice(0, 32)}`;
}

/** Receiver → whether it wants to hear of the end. */
function routed({ alert }: AlertTransition, watch: Watch): Map<string, boolean> {
  const told = new Map<string, boolean>();
  const byName = new Map(watch.receivers.map((receiver) => [receiver.name, receiver]));
  for (const route of routesOf(watch)) {
    const concerns = route.endpoints === undefined || route.endpoints.some((name) => alert.endpoints.includes(name));
    if (!concerns || !route.severity.includes(alert.severity)) continue;
    for (const name of route.receivers) {
      const receiver = byName.get(name);
      if (receiver) told.set(name, (told.get(name) ?? false) || route.resolved || keepsState(receiver));
    }
  }
  return told;
}

/** Where no route is written, every receiver hears of pages and tickets: who names a receiver wants to be told. */
function routesOf(watch: Watch): Watch['routes'] {
  if (watch.routes.length > 0) return watch.routes;
  return [{ severity: ['page', 'ticket'], receivers: watch.receivers.map(({ name }) => name), resolved: true }];
}

/** Alertmanager decides by itself whom to tell of an end, so it always has to learn of it. */
const keepsState = ({ type }: Receiver): boolean => type === 'alertmanager';

function toldOf(known: readonly OutboxEntry[], incident: string): Map<string, boolean> {
  const told = known.filter((e) => e.notice.incident === incident && e.action === 'fire' && e.tellEnd);
  return new Map(told.map(({ receiver }) => [receiver, true]));
}
