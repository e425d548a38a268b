import type { Finding, FindingKind } from '../../model/finding.ts';
import type { Look, LookKind } from './look.ts';

/** What a rule has to know beside the looks. */
export interface AnomalyContext {
  /** Addresses that serve inference, as the looks or the user say. */
  isInference(address: string): boolean;
  /** Beyond what is the user's own. */
  isOutside(address: string): boolean;
}

/**
 * One rule: it learns look by look what is usual, and judges a look by what it has learnt. Judging looks in order and learning
 * each afterwards replays history; what a rule says of the past is then its rate of false alarms, where the past was harmless.
 */
export interface AnomalyRule extends FindingKind {
  of: LookKind;
  /** Looks of its kind that have to be learnt before it says anything. */
  needs: number;
  start(context: AnomalyContext): RuleState;
}

export interface RuleState {
  /** Things that it holds against what it knows, and what is unusual of them. */
  judge(look: Look): { asked: number; findings: Finding[] };
  learn(look: Look): void;
}

/** What all findings here share; evidence is the row itself. */
export function anomaly(
  id: string,
  subject: string,
  one: Pick<Finding, 'severity' | 'claim' | 'details' | 'evidence'> & { confidence?: Finding['confidence'] },
  remedy: string,
): Finding {
  const { confidence = 'high', ...rest } = one;
  return {
    id,
    verdict: 'fail',
    pillar: 'security',
    subject,
    confidence,
    coverage: 1,
    remedy: { text: remedy },
    ...rest,
  };
}
