import type { Run } from '../../store/store.ts';
import type { Vital } from './plan.ts';
import type { Span } from './tally.ts';

/** Failures in a row that are no chance. */
export const leastInARow = 3;
/** Further ahead of the others a clock is wrong, and what it says is not of now. */
export const clockApartMs = 120_000;

/** The last results of one probe of one endpoint, as every agent has them that still reports. */
export interface VitalView {
  vital: Vital;
  fresh: readonly Run[];
  /** Those of them that end with failures. */
  suspecting: readonly Run[];
}

const nobody: readonly Run[] = [];

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
  const fresh: Run[] = [];
  let suspecting = nobody;
  for (const [agent, { everyMs, place }] of vital.by) {
    const found = runs[place];
    if (!found || horizonMs - found.lastMs > freshMs(everyMs) || found.lastMs - horizonMs > clockApartMs) continue;
    if ((spans.length > 0 && isIn(found.lastMs, spans)) || isSilenced(agent)) continue;
    const run = spans.length === 0 ? found : { ...found, badMs: found.badMs.filter((ms) => !isIn(ms, spans)) };
    fresh.push(run);
    if (run.badMs.length > 0) suspecting = [...suspecting, run];
  }
  return { vital, fresh, suspecting };
}

const isIn = (ms: number, spans: readonly Span[]) => spans.some(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);

/** How old the newest result may be before nothing is known any more: three intervals and a batch. */
export function freshMs(everyMs: number): number {
  return 3 * everyMs + 30_000;
}

/** Agents that see the endpoint fail. */
export function failing({ suspecting }: VitalView): readonly Run[] {
  return suspecting.length === 0 ? nobody : suspecting.filter(({ badMs }) => badMs.length >= leastInARow);
}

/** When the failures of a run began; of one without, when its last result was. */
export function sinceOf({ badMs, lastMs }: Run): number {
  return badMs[0] ?? lastMs;
}
