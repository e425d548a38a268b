import type { SweepPlan } from '../../wire/batch/flight.ts';

/** What the user asked for. */
export interface SweepOptions {
  count: number;
  /** Between two probes to one target, ms. */
  intervalMs: number;
  /** Over all targets; null: as fast as it goes. */
  ratePerS: number | null;
  timeoutMs: number;
  graceMs: number;
  payloadBytes: number;
  dscp: number;
  /** Where targets give none; undefined: the usual one of the method. */
  port: number | undefined;
}

/** Targets follow one another after this long at most, where the interval leaves room: nobody wants to wait for the second one. */
const SPREAD_MAX_MS = 10;
/** Up to this rate the kernel stamps every packet sent; beyond, reading those stamps would cost a fifth of the rate. */
const STAMP_ALL_PER_S = 20_000;
/** One in so many otherwise: the times in between are interpolated, ± half the distance. */
const STAMP_EVERY = 16;
const FEW_PROBES = 64;

/** The schedule: rounds of all targets, each target every `intervalMs`, never more than `ratePerS` in all. */
export function planSweep(targets: number, options: SweepOptions): SweepPlan {
  const { intervalMs, ratePerS, timeoutMs, graceMs } = options;
  const leastMs = ratePerS === null ? 0 : 1000 / ratePerS;
  // With one round there is nothing to spread over an interval.
  if (options.count === 1) return { ...stamped(leastMs, targets), roundMs: leastMs * targets, timeoutMs, graceMs };
  const spacingMs = Math.max(leastMs, Math.min(SPREAD_MAX_MS, intervalMs / targets));
  const roundMs = Math.max(intervalMs, spacingMs * targets);
  return { ...stamped(spacingMs, targets * options.count), roundMs, timeoutMs, graceMs };
}

/** Few probes can afford a stamp each, however fast they go. */
function stamped(spacingMs: number, probes: number): Pick<SweepPlan, 'spacingMs' | 'stampEvery'> {
  const isSlow = spacingMs * STAMP_ALL_PER_S >= 1000;
  return { spacingMs, stampEvery: isSlow || probes <= FEW_PROBES ? 1 : STAMP_EVERY };
}
