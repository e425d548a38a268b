import type { Run } from '../../store/store.ts';
import type { Vital } from './plan.ts';
import type { Span } from './tally.ts';

/** Failures in a row that are no chance. */
export const leastInARow = 3;
/** Further ahead of the others a clock is wrong, and what it says is not of now. */
export const clockApartMs = 120_000;

/** What the newest results of one probe from one agent say. */
export interface LastResults {
  agent: string;
  /** Failures since the last success. */
  badRun: number;
  /** Begin of the run of failures. */
  sinceMs: number;
  /** The newest result. */
  lastMs: number;
}

/** The last results of one probe of one endpoint, as every agent has them that still reports. */
export interface VitalView {
  vital: Vital;
  fresh: LastResults[];
}

/**
 * @param runs each in the place that the plan gives it
 * @param isSilenced agents that may say nothing about endpoints, because their own uplink is down
 */
export function viewVital(
  vital: Vital,
  runs: readonly (Run | undefined)[],
  spans: readonly Span[],
  horizonMs: number,
  isSilenced: (agent: string) => boolean,
): VitalView {
  const fresh: LastResults[] = [];
  for (const [agent, { everyMs, place }] of vital.by) {
    const run = runs[place];
    if (!run || horizonMs - run.lastMs > freshMs(everyMs) || run.lastMs - horizonMs > clockApartMs) continue;
    if ((spans.length > 0 && isIn(run.lastMs, spans)) || isSilenced(agent)) continue;
    const badMs = spans.length === 0 ? run.badMs : run.badMs.filter((ms) => !isIn(ms, spans));
    fresh.push({ agent, badRun: badMs.length, sinceMs: badMs[0] ?? run.lastMs, lastMs: run.lastMs });
  }
  return { vital, fresh };
}

const isIn = (ms: number, spans: readonly Span[]) => spans.some(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);

/** How old the newest result may be before nothing is known any more: three intervals and a batch. */
export function freshMs(everyMs: number): number {
  return 3 * everyMs + 30_000;
}

/** Agents that see the endpoint fail, and those that have begun to. */
export function failing({ fresh }: VitalView): LastResults[] {
  return fresh.filter(({ badRun }) => badRun >= leastInARow);
}

export function suspecting({ fresh }: VitalView): LastResults[] {
  return fresh.filter(({ badRun }) => badRun > 0);
}
