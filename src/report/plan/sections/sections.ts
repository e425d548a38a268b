import type { PlanReport } from '../../../model/plan/plan.ts';
import { demandSection } from './demand.ts';
import { engineeringSection } from './engineering.ts';
import { failuresSection } from './failures.ts';
import { opticalSection } from './optical.ts';
import { placementSection } from './placement.ts';
import { redundancySection } from './redundancy.ts';
import { transportSection } from './transport.ts';

/** One section per part that was computed, in the order in which a plan is read. */
export function partSections({ parts }: PlanReport): string[] {
  const { demand, redundancy, failures, engineering, optical, transport, placement } = parts;
  return [
    demand ? demandSection(demand) : '',
    redundancy ? redundancySection(redundancy) : '',
    failures ? failuresSection(failures) : '',
    engineering ? engineeringSection(engineering) : '',
    optical ? opticalSection(optical) : '',
    transport ? transportSection(transport) : '',
    placement ? placementSection(placement) : '',
  ].filter(Boolean);
}
