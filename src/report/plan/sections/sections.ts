import type { PlanReport } from '../../../model/plan/plan.ts';
import { demandSection } from './demand.ts';
import { engineeringSection } from './engineering.ts';
import { redundancySection } from './redundancy.ts';

/** One section per part that was computed, in the order in which a plan is read. */
export function partSections({ parts }: PlanReport): string[] {
  const { demand, redundancy, engineering } = parts;
  return [
    demand ? demandSection(demand) : '',
    redundancy ? redundancySection(redundancy) : '',
    engineering ? engineeringSection(engineering) : '',
  ].filter(Boolean);
}
