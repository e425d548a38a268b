import type { AgentSeen, WatchMemory } from './input.ts';
import type { Tick } from './machine.ts';

/** Longest time between two evaluations that is not a gap. */
const gapMs = 120_000;
/** How far the clocks of agents may be from that of the server before it is the data that say what time it is. */
const toleranceMs = 120_000;
/** After a gap or a step, agents get this long to hand over what they kept. */
const settleMs = 60_000;
/** So much more than the time that has passed is no jitter of batches. */
const catchUpMs = 30_000;

/** What time it is, what may be judged, and what has to be remembered of that. */
export interface Now extends Tick {
  /** Data up to here are judged; `now`, unless the clocks of server and agents disagree. */
  horizonMs: number;
  memory: WatchMemory;
  /** How far the clock of the server is ahead of those of the agents; 0 within the tolerance. */
  aheadMs: number;
  /** The evaluation did not run, or the clock was set: from when to when. Null in the steady state. */
  gap: { fromMs: number; toMs: number } | null;
}

/**
 * Time from three unreliable witnesses: the clock of the server, which may step; the clocks of agents, which may be wrong one by
 * one; the evaluation itself, which may not have run. No single one of them may page anybody.
 */
export function readClock(now: number, before: WatchMemory | null, silence: readonly AgentSeen[]): Now {
  const elapsedMs = before ? now - before.evaluatedAtMs : 0;
  const jumped = before !== null && (elapsedMs < 0 || elapsedMs > gapMs);
  const resumedAtMs = before === null || jumped ? now : before.resumedAtMs;
  const heard = silence.filter(({ lastArrivalMs }) => lastArrivalMs !== null && Math.abs(now - lastArrivalMs) <= gapMs);
  const dataMs = newestOfMost(heard);
  const apart = dataMs !== null && Math.abs(now - dataMs) > toleranceMs;
  const horizonMs = apart ? dataMs : now;
  const movedMs = before ? horizonMs - before.horizonMs : 0;
  // Agents that hand over the hours of an outage move faster than time: what they tell is past, wait until they are through.
  const catchingUp = apart && now > dataMs && movedMs - elapsedMs > catchUpMs;
  const gap = jumped ? { fromMs: before.evaluatedAtMs, toMs: now } : (before?.gap ?? null);
  const settled = now - resumedAtMs >= settleMs || (!jumped && isEveryoneBack(silence, resumedAtMs, horizonMs));
  const settling = gap !== null && !settled;
  return {
    now,
    horizonMs,
    countedMs: before && !jumped ? Math.max(0, Math.min(elapsedMs, movedMs)) : 0,
    hold: catchingUp || settling,
    aheadMs: apart ? now - dataMs : 0,
    gap: settling ? gap : null,
    memory: { evaluatedAtMs: now, horizonMs, resumedAtMs, gap: settling ? gap : null },
  };
}

/** Everyone who was heard before has reported since, and is through with what it kept: nothing is left to wait for. */
function isEveryoneBack(silence: readonly AgentSeen[], resumedAtMs: number, horizonMs: number): boolean {
  const known = silence.filter(({ newestSampleMs }) => newestSampleMs !== null);
  const isBack = ({ lastArrivalMs, newestSampleMs }: AgentSeen) =>
    lastArrivalMs !== null && lastArrivalMs >= resumedAtMs && Math.abs(horizonMs - (newestSampleMs ?? 0)) < catchUpMs;
  return known.length > 0 && known.every(isBack);
}

/** The newest sample of those agents whose clocks agree with the middle one. */
function newestOfMost(heard: readonly AgentSeen[]): number | null {
  const newest = heard
    .flatMap(({ newestSampleMs }) => (newestSampleMs === null ? [] : [newestSampleMs]))
    .sort((a, b) => a - b);
  const middle = newest[Math.floor((newest.length - 1) / 2)];
  if (middle === undefined) return null;
  return newest.findLast((ms) => ms - middle <= toleranceMs) ?? middle;
}
