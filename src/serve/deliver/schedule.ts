/** Waits between attempts, ms: those of Standard Webhooks 1.0.0. Together three days. */
const eventWaitsMs = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].map((seconds) => seconds * 1000);
/** A receiver that is told the same every minute is tried as often when it fails. */
const stateWaitsMs = [5000];
export const remindMs = 60_000;
/** An end that a receiver of states does not take for so long it has found out by its own time-out. */
const mostStateAttempts = 60;

/**
 * How long to wait after the n-th attempt has failed, n from 1; null when it is given up. A tenth of jitter each way, so that
 * what failed together does not come back together.
 */
export function waitAfterMs(attempt: number, kind: 'event' | 'state', random: () => number): number | null {
  const waits = kind === 'event' ? eventWaitsMs : stateWaitsMs;
  const wait = waits[attempt - 1] ?? (kind === 'state' && attempt < mostStateAttempts ? remindMs : null);
  return wait === null ? null : Math.round(wait * (0.9 + 0.2 * random()));
}

/** No time to come lies beyond this; where one seems to, the clock has been set back, and waiting for it would lose a page. */
export const mostWaitMs = 1.1 * 86_400_000;
