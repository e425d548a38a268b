import type { Sample } from '../../model/sample.ts';
import type { StateChange } from '../../store/store.ts';
import type { Span } from './tally.ts';

/** What an agent says of its own uplink, as the state of its samples of kind `client`: see `sampleOf`. */
const saysDown = /(?:^|[ ;])uplink=down(?:[ ;]|$)/;

/** When each agent's own uplink was down, as far as `changes` reach back; a span that has not ended lasts to the horizon. */
export function uplinkSpans(
  changes: readonly StateChange[],
  latest: readonly Sample[],
  horizonMs: number,
): Map<string, Span[]> {
  const spans = new Map<string, Span[]>();
  const open = new Map<string, number>();
  const close = (agent: string, toMs: number) => {
    const fromMs = open.get(agent);
    if (fromMs === undefined) return;
    open.delete(agent);
    spans.set(agent, [...(spans.get(agent) ?? []), { fromMs, toMs }]);
  };
  const about = changes.filter(({ kind }) => kind === 'client').sort((a, b) => a.atMs - b.atMs);
  for (const { agent, atMs, before, after } of about) {
    // The beginning may lie further back than the changes do.
    if (saysDown.test(before) && !open.has(agent) && !spans.has(agent)) open.set(agent, -Infinity);
    if (!saysDown.test(after)) close(agent, atMs);
    else if (!open.has(agent)) open.set(agent, atMs);
  }
  for (const { kind, agent, state, atMs } of latest)
    if (kind === 'client' && state !== null && saysDown.test(state) && !open.has(agent)) open.set(agent, atMs);
  for (const [agent, fromMs] of open) close(agent, Math.max(horizonMs, fromMs) + 1);
  return spans;
}
