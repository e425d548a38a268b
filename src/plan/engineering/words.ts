import type { EngineeringReport } from '../../model/plan/engineering.ts';

/** A report without what is judged of it. */
export type Analysed = Omit<EngineeringReport, 'findings' | 'changes'>;

export const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

/** Gains smaller than this are not worth a change of routing. */
export const worthTelling = 0.02;
