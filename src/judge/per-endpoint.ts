import type { Evidence, Finding, Pillar, Remedy, Verdict } from '../model/finding.ts';
import type { Endpoint, Network } from '../model/network.ts';
import type { Targets, WorkloadClass } from '../model/workload.ts';
import type { Judged } from './against.ts';
import type { Rule, View } from './rule.ts';
import { resolveWorkload } from '../model/defaults.ts';

/** One endpoint with everything that a rule may look at. */
export interface Subject {
  network: Network;
  endpoint: Endpoint;
  name: string;
  url: URL;
  class: WorkloadClass;
  targets: Targets;
  view: View;
  now: Date;
}

/** A finding before its id, pillar and subject are filled in. */
export interface Draft {
  verdict: Verdict;
  claim: string;
  severity?: Finding['severity'];
  details?: (string | null)[];
  evidence?: Evidence[];
  confidence?: Finding['confidence'];
  coverage?: number;
  remedy?: Remedy | undefined;
}

export interface RuleHead {
  id: string;
  about: string;
  pillar: Pillar;
}

/** A rule that looks at one endpoint at a time; null where it does not apply. */
export function perEndpoint(head: RuleHead, judge: (subject: Subject) => Draft | null): Rule {
  return {
    ...head,
    judge: (network, view, now) =>
      network.endpoints.flatMap((endpoint) => {
        const draft = judge(subjectOf(network, endpoint, view, now));
        return draft ? [completeDraft(head, endpoint.name, draft)] : [];
      }),
  };
}

/** A rule about the measuring client itself. */
export function aboutClient(head: RuleHead, judge: (network: Network, view: View) => Draft | null): Rule {
  return {
    ...head,
    judge: (network, view) => {
      const draft = judge(network, view);
      return draft ? [completeDraft(head, 'client', draft)] : [];
    },
  };
}

function subjectOf(network: Network, endpoint: Endpoint, view: View, now: Date): Subject {
  const { class: workload, targets } = resolveWorkload(network, endpoint);
  return { network, endpoint, name: endpoint.name, url: new URL(endpoint.url), class: workload, targets, view, now };
}

/** Fills in what a draft leaves open. */
export function completeDraft(head: RuleHead, subject: string, draft: Draft): Finding {
  const { verdict, claim, remedy } = draft;
  return {
    id: head.id,
    verdict,
    severity: draft.severity ?? (verdict === 'fail' ? 'warning' : 'info'),
    pillar: head.pillar,
    subject,
    claim,
    details: (draft.details ?? []).filter((d) => d !== null),
    evidence: (draft.evidence ?? []).filter((e) => Number.isFinite(e.value)),
    confidence: draft.confidence ?? (verdict === 'unknown' ? 'low' : 'medium'),
    coverage: verdict === 'unknown' ? Math.min(0.99, Math.max(0, draft.coverage ?? 0)) : 1,
    ...(remedy ? { remedy } : {}),
  };
}

/** The evidence entry of a judged number. */
export function evidenceOf(metric: string, unit: string, judged: Judged, how: string): Evidence {
  return {
    metric,
    value: judged.value,
    unit,
    ...(judged.interval ? { interval: judged.interval } : {}),
    n: judged.n,
    how,
  };
}
