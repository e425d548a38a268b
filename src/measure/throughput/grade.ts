import type { BloatGrade } from '../../model/throughput.ts';

/** Limits in ms of the round trip under load above the idle one, as DSLReports grades them: dslreports.com/faq/17930. */
const LIMITS: readonly (readonly [belowMs: number, grade: BloatGrade])[] = [
  [5, 'A+'],
  [30, 'A'],
  [60, 'B'],
  [200, 'C'],
  [400, 'D'],
];

/**
 * DSLReports grades the mean increase; here it is that of the p95, because one request in twenty that waits is what users of a
 * stream of tokens notice. So a grade here is never better than theirs.
 */
export function gradeOf(increaseMs: number): BloatGrade {
  return LIMITS.find(([belowMs]) => increaseMs < belowMs)?.[1] ?? 'F';
}
