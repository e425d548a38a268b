import type { Figure } from '../../model/figure.ts';
import type { TrafficScope } from '../../model/plan/demand.ts';
import type { WorkloadClass } from '../../model/workload.ts';
import type { Source } from './load.ts';

export const HOURS = 24;

/** Traffic of one kind from one site to another: what one of it needs while it runs, and how many run in each hour of the day. */
export interface Flow {
  source: string;
  part: string;
  class: WorkloadClass | null;
  from: string;
  to: string;
  scope: TrafficScope;
  law: Source['law'];
  deadlineMs: number | null;
  /** Rate on the wire of one stream or transfer while it runs. */
  bitsPerS: number;
  packetsPerS: number;
  /** Mean number under way, for each hour UTC; for `onOff` the share of time, for `steady` a factor. */
  busyByHourUtc: readonly number[];
  figures: Figure[];
}

/** The same number in every hour. */
export const allDay = (value: number): number[] => Array.from({ length: HOURS }, () => value);
