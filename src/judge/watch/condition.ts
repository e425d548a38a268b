import type { AlertBlame, AlertSeverity } from '../../model/alert.ts';
import type { Finding } from '../../model/finding.ts';
import { type WatchDraft, watchFinding, type WatchRuleId } from './rules.ts';

/**
 * How it looks at one moment. `between` is above the threshold of recovery and below that of firing: it neither begins nor
 * ends an alert. `unknown`: the data do not say, which is never good news.
 */
export type Level = 'bad' | 'between' | 'good' | 'unknown';

/** What one rule says of one subject at one moment. */
export interface Condition {
  rule: string;
  subject: string;
  severity: AlertSeverity;
  level: Level;
  /** When it began, as far as the data tell; only for `bad`. */
  sinceMs: number;
  /** How long it has to be bad before it fires. */
  forMs: number;
  /** How long it has to be good before it is over. */
  keepMs: number;
  agents: readonly string[];
  endpoints: readonly string[];
  where: string | null;
  blame: AlertBlame;
  /** Endpoints that this explains, for the failures of shared parts. */
  members: readonly string[];
  /** Made only where it is told: most conditions are good ones. */
  finding: () => Finding;
  /** Is it bad by what happened after a moment alone? An objective stays missed for a while after its cause is over. */
  isBadSince: ((ms: number) => boolean) | undefined;
}

type Essence = Pick<Condition, 'subject' | 'severity' | 'level' | 'sinceMs'>;
type Rest = Omit<Condition, keyof Essence | 'rule' | 'finding'>;

const nobody: readonly string[] = [];

/**
 * What nothing is said of: it begins and ends at once, is about nobody, and is nobody's fault. Field by field: there are ten thousand
 * of them at every evaluation.
 *
 * @param about `name` is what the finding is about, where that is not the subject
 */
export function conditionOf(
  rule: WatchRuleId,
  about: Essence & Partial<Rest> & { name?: string },
  draft: () => Omit<WatchDraft, 'severity'>,
): Condition {
  const { subject, severity, level, sinceMs, isBadSince } = about;
  return {
    rule,
    subject,
    severity,
    level,
    sinceMs,
    forMs: about.forMs ?? 0,
    keepMs: about.keepMs ?? 0,
    agents: about.agents ?? nobody,
    endpoints: about.endpoints ?? nobody,
    where: about.where ?? null,
    blame: about.blame ?? 'undetermined',
    members: about.members ?? nobody,
    finding: () => watchFinding(rule, about.name ?? subject, { ...draft(), severity }),
    isBadSince,
  };
}
