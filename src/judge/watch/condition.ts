import type { AlertBlame, AlertSeverity } from '../../model/alert.ts';
import type { Finding } from '../../model/finding.ts';

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
  agents: string[];
  endpoints: string[];
  where: string | null;
  blame: AlertBlame;
  /** Endpoints that this explains, for the failures of shared parts. */
  members: string[];
  /** Made only where it is told: most conditions are good ones. */
  finding: () => Finding;
  /** Is it bad by what happened after a moment alone? An objective stays missed for a while after its cause is over. */
  isBadSince?: (ms: number) => boolean;
}
