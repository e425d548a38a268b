import type { CountsPoint } from '../../store/store.ts';
import type { Lines } from './tally.ts';
import type { Vital } from './plan.ts';

/** Failures in a row that are no chance. */
export const leastInARow = 3;

/** What the newest results of one probe from one agent say. */
export interface LastResults {
  agent: string;
  /** Failures since the last success. */
  badRun: number;
  /** Successes since the last failure. */
  goodRun: number;
  /** Begin of the run of failures. */
  sinceMs: number;
  /** End of the newest point with a result. */
  lastMs: number;
}

/** The last results of one probe of one endpoint, as every agent has them that still reports. */
export interface VitalView {
  vital: Vital;
  fresh: LastResults[];
}

/** @param isSilenced agents that may say nothing about endpoints, because their own uplink is down */
export function viewVital(
  vital: Vital,
  lines: Lines,
  horizonMs: number,
  isSilenced: (agent: string) => boolean,
): VitalView {
  const fresh = [...vital.everyMs].flatMap(([agent, everyMs]) => {
    const results = isSilenced(agent) ? undefined : lastResults(agent, lines.get(agent) ?? [], vital.stepMs);
    return results && horizonMs - results.lastMs <= freshMs(everyMs) ? [results] : [];
  });
  return { vital, fresh };
}

/** How old the newest result may be before nothing is known any more: three intervals and a batch. */
export function freshMs(everyMs: number): number {
  return 3 * everyMs + 30_000;
}

/** From the newest back. A point with both kinds ends both runs: which came last is not known. */
function lastResults(agent: string, line: readonly CountsPoint[], stepMs: number): LastResults | undefined {
  const told = line.filter(({ good, bad }) => good + bad > 0);
  const newest = told.at(-1);
  if (!newest) return undefined;
  const results = { agent, badRun: 0, goodRun: 0, sinceMs: newest.atMs, lastMs: newest.atMs + stepMs };
  for (const { atMs, good, bad } of told.toReversed()) {
    if ((good > 0 && bad > 0) || (good > 0 && results.badRun > 0) || (bad > 0 && results.goodRun > 0)) break;
    results.badRun += bad;
    results.goodRun += good;
    if (bad > 0) results.sinceMs = atMs;
  }
  return results;
}

/** Agents that see the endpoint fail, and those that have begun to. */
export function failing({ fresh }: VitalView): LastResults[] {
  return fresh.filter(({ badRun }) => badRun >= leastInARow);
}

export function suspecting({ fresh }: VitalView): LastResults[] {
  return fresh.filter(({ badRun }) => badRun > 0);
}
