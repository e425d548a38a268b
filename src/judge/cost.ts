import type { Targets } from '../model/workload.ts';
import { againstQuantile, type Judged } from './against.ts';

/** One step on the way to the first token may cost this share of its target before it is worth a finding. Our own choice: ten such steps use it up. */
export const stepShare = 0.1;

/** What one avoidable step may cost, in ms: a tenth of the target for the first token, and never less than 2 ms. */
export function stepLimitMs(targets: Targets): number {
  return Math.max(2, targets.ttftMs.max * stepShare);
}

/** Is the median of these rising costs within what one step may cost? The median: one slow lookup is an outlier, not a finding. */
export function againstStep(rising: Float64Array, targets: Targets): Judged {
  return againstQuantile(rising, { max: stepLimitMs(targets), percentile: 50 });
}
