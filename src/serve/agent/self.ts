import type { ObservationOf } from '../../model/observation.ts';
import { quantile, sorted } from '../../stats/quantile.ts';
import type { Clock } from '../../wire/io.ts';
import { watchLoopLag } from '../../wire/loop-lag.ts';

/** What this process knows of itself since the last look. */
export type SelfFigures = Pick<
  ObservationOf<'client'>,
  'scheduleLagP99Ms' | 'eventLoopLagP99Ms' | 'eventLoopLagMaxMs' | 'clockStepMs' | 'cpuShare'
>;

export interface SelfWatch {
  take(scheduleLags: readonly number[]): SelfFigures;
  stop(): void;
}

/** @param cpuMs CPU time of this process so far, user and system */
export function watchSelf(clock: Clock, cpuMs: () => number): SelfWatch {
  let lag = watchLoopLag(clock.monoMs);
  let [monoMs, wallMs, usedMs] = [clock.monoMs(), clock.wallMs(), cpuMs()];
  return {
    take: (scheduleLags) => {
      const [nowMs, nowWallMs, nowUsedMs] = [clock.monoMs(), clock.wallMs(), cpuMs()];
      const elapsedMs = nowMs - monoMs;
      const stepMs = Math.abs(nowWallMs - wallMs - elapsedMs);
      const loop = sorted([...lag.samples()]);
      const starts = sorted([...scheduleLags]);
      const figures = {
        scheduleLagP99Ms: starts.length === 0 ? 0 : quantile(starts, 0.99),
        eventLoopLagP99Ms: loop.length === 0 ? 0 : quantile(loop, 0.99),
        eventLoopLagMaxMs: loop.at(-1) ?? 0,
        // The two clocks are read a moment apart, and the wall clock may be slewed by 0.05 % (adjtime): that is no step.
        clockStepMs: stepMs < 2 + elapsedMs * 0.001 ? 0 : stepMs,
        cpuShare: (nowUsedMs - usedMs) / Math.max(1, elapsedMs),
      };
      lag.stop();
      lag = watchLoopLag(clock.monoMs);
      [monoMs, wallMs, usedMs] = [nowMs, nowWallMs, nowUsedMs];
      return figures;
    },
    stop: () => lag.stop(),
  };
}
