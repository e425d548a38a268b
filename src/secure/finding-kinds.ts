import type { FindingKind } from '../model/finding.ts';
import { anomalyRules } from './anomaly/judge.ts';

/** Every kind of finding that the parts of `secure` make; docs/findings/<id>.md explains it. */
export const secureFindingKinds: readonly FindingKind[] = [...anomalyRules];
