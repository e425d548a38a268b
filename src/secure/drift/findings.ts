import type { Evidence, Finding } from '../../model/finding.ts';
import type { PolicyDriftReport } from '../../model/secure/policy-drift.ts';
import { flowText, serviceWord } from '../flows/words.ts';

type Judged = Omit<PolicyDriftReport, 'findings'>;

/** Examples that a finding names; the report has them all. */
const named = 5;

/**
 * What follows from it. A count of zero is never a pass: who looked a hundred times has not seen what happened in between, and the claim
 * says how often was looked.
 */
export function driftFindings(report: Judged): Finding[] {
  return [deniedFinding(report), unusedFinding(report), listenerFinding(report)].filter((one) => one !== null);
}

function deniedFinding({ denials, seenBy, file }: Judged): Finding {
  const n = denials.length;
  const common = { id: 'policy-drift', pillar: 'security', subject: file, coverage: n > 0 ? 1 : 0 } as const;
  const evidence = [count('flows outside the policy', n, seenBy)];
  if (n === 0)
    return {
      ...common,
      verdict: 'unknown',
      severity: 'info',
      claim: `0 flows outside the policy in ${seenBy}`,
      details: [
        'What happened between two looks, or is yet to happen, was not seen: this is no proof that there are none.',
      ],
      evidence,
      confidence: 'medium',
    };
  const here = denials.filter(({ enforcedHere }) => enforcedHere).length;
  return {
    ...common,
    verdict: 'fail',
    severity: 'warning',
    claim: `${n} ${n === 1 ? 'flow that is' : 'flows that are'} in use would be denied by the policy (${seenBy})`,
    details: [
      ...denials.slice(0, named).map((flow) => `${flowText(flow)}, seen ${flow.seen} times, denied ${flow.hook}`),
      `${here} of them by this host, ${n - here} by the other end if it keeps the policy.`,
    ],
    evidence,
    confidence: 'high',
    remedy: { text: 'Add a line that permits what is meant, or end what is not, before the policy is enforced.' },
  };
}

function unusedFinding({ permissions, seenBy, file }: Judged): Finding | null {
  const [unused, judged] = [
    permissions.filter(({ state }) => state === 'unused'),
    permissions.filter(({ state }) => state !== 'notObservable'),
  ];
  if (unused.length === 0) return null;
  return {
    id: 'policy-unused',
    pillar: 'security',
    subject: file,
    verdict: 'unknown',
    severity: 'info',
    claim: `${unused.length} of ${judged.length} lines of the policy that can be seen from here: 0 flows in ${seenBy}`,
    details: unused.slice(0, named).map(({ line, why }) => `${line} (${why})`),
    evidence: [count('lines without a flow', unused.length, seenBy)],
    confidence: 'low',
    coverage: permissions.length === 0 ? 0 : judged.length / permissions.length,
    remedy: { text: 'Ask whoever wrote the line whether it is still needed; look longer before taking it out.' },
  };
}

function listenerFinding({ listeners, seenBy, against, file }: Judged): Finding | null {
  const fresh = listeners.filter(({ isNew, certain }) => isNew === true && certain);
  if (!against || fresh.length === 0) return null;
  return {
    id: 'new-listener',
    pillar: 'security',
    subject: file,
    verdict: 'fail',
    severity: 'warning',
    claim: `${fresh.length} ${fresh.length === 1 ? 'socket waits' : 'sockets wait'} for others that did not in ${against.seenBy}`,
    details: fresh
      .slice(0, named)
      .map(
        ({ address, protocol, port, process, permittedBy }) =>
          `${address} ${serviceWord(protocol, port)}${process === undefined ? '' : ` of ${process}`}, ` +
          (permittedBy.length > 0 ? `permitted by ${permittedBy.join(', ')}` : 'permitted by no line'),
      ),
    evidence: [count('new listening sockets', fresh.length, seenBy)],
    confidence: 'high',
    coverage: 1,
    remedy: { text: 'Bind what only this host needs to 127.0.0.1, and end what nobody asked for.' },
  };
}

function count(metric: string, value: number, seenBy: string): Evidence {
  return { metric, value, unit: 'flows', n: value, how: `counted in ${seenBy}` };
}
