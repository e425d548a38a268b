import type { AlertSeverity } from '../../model/alert.ts';
import type { Evidence, Finding, Pillar, Remedy } from '../../model/finding.ts';

/** One thing that is watched; docs/alerts/<id>.md explains it. */
export interface WatchRule {
  id: string;
  about: string;
  pillar: Pillar;
  /** The worst that it can be. */
  severity: AlertSeverity;
}

/** Everything that can raise an alert. */
export const watchRules = [
  {
    id: 'endpoint-down',
    about: 'Does the endpoint answer from enough vantage points?',
    pillar: 'reach',
    severity: 'page',
  },
  {
    id: 'endpoint-partial',
    about: 'Does the endpoint fail from some vantage points only?',
    pillar: 'reach',
    severity: 'ticket',
  },
  {
    id: 'endpoint-unwatched',
    about: 'Is anybody still measuring the endpoint?',
    pillar: 'reliability',
    severity: 'ticket',
  },
  {
    id: 'slo-burn',
    about: 'Is an error budget used up so fast that somebody has to act now?',
    pillar: 'reliability',
    severity: 'page',
  },
  {
    id: 'slo-burn-slow',
    about: 'Is an error budget used up faster than its period lasts?',
    pillar: 'reliability',
    severity: 'ticket',
  },
  {
    id: 'shared-failure',
    about: 'Do several endpoints fail because of one hop or link that they share?',
    pillar: 'reach',
    severity: 'page',
  },
  {
    id: 'certificate-expiry',
    about: 'Is the certificate valid for long enough to renew it in time?',
    pillar: 'security',
    severity: 'page',
  },
  {
    id: 'latency-shift',
    about: 'Has the level of the round trip or of the time to first token risen?',
    pillar: 'speed',
    severity: 'ticket',
  },
  { id: 'path-change', about: 'Is the path to the endpoint another one?', pillar: 'reach', severity: 'info' },
  { id: 'dns-change', about: 'Does the name lead to other networks?', pillar: 'reach', severity: 'info' },
  {
    id: 'tls-change',
    about: 'Is the certificate or the key exchange another one?',
    pillar: 'security',
    severity: 'info',
  },
  { id: 'agent-silent', about: 'Does an agent still report?', pillar: 'reliability', severity: 'page' },
  { id: 'agents-silent', about: 'Does any agent still report?', pillar: 'reliability', severity: 'page' },
  { id: 'agent-uplink', about: 'Does an agent’s own uplink work?', pillar: 'reach', severity: 'page' },
  { id: 'clock-apart', about: 'Do the clocks of server and agents agree?', pillar: 'reliability', severity: 'ticket' },
  { id: 'evaluation-gap', about: 'Did the server judge without a gap?', pillar: 'reliability', severity: 'info' },
  {
    id: 'maintenance',
    about: 'Is there a maintenance now, in which nothing pages?',
    pillar: 'reliability',
    severity: 'info',
  },
] as const satisfies readonly WatchRule[];

export type WatchRuleId = (typeof watchRules)[number]['id'];

/** What a rule says before the parts that follow from its id are filled in. */
export interface WatchDraft {
  claim: string;
  severity: AlertSeverity;
  details?: (string | null)[];
  evidence?: Evidence[];
  confidence?: Finding['confidence'];
  remedy: Remedy;
}

const severities = { page: 'critical', ticket: 'warning', info: 'info' } as const;

/** The finding that an alert carries. It is only made where something is wrong, so its verdict is fail. */
export function watchFinding(rule: WatchRuleId, subject: string, draft: WatchDraft): Finding {
  return {
    id: rule,
    verdict: 'fail',
    severity: severities[draft.severity],
    pillar: watchRules.find(({ id }) => id === rule)!.pillar,
    subject,
    claim: draft.claim,
    details: (draft.details ?? []).filter((detail) => detail !== null),
    evidence: (draft.evidence ?? []).filter(({ value }) => Number.isFinite(value)),
    confidence: draft.confidence ?? 'medium',
    coverage: 1,
    remedy: draft.remedy,
  };
}
