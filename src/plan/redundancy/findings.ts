import type { Finding } from '../../model/finding.ts';
import type { PairFacts, ServiceFacts } from '../../model/plan/redundancy.ts';
import { minutesPerYear } from './failing.ts';
import { downText, kmText, minutesText, percentText, riskName, targetText } from './words.ts';

/** What is wrong with the redundancy of each service, worst first: single points of failure, no disjoint pair, availability. */
export function findingsOf(services: readonly ServiceFacts[]): Finding[] {
  const findings = services.flatMap((service) => [
    ...availability(service),
    ...singlePoints(service),
    ...disjointPair(service),
  ]);
  const rank = { fail: 0, unknown: 1, pass: 2 };
  const weight = { critical: 0, warning: 1, info: 2 };
  return findings.toSorted((a, b) => rank[a.verdict] - rank[b.verdict] || weight[a.severity] - weight[b.severity]);
}

const subjectOf = ({ from, to }: ServiceFacts) => `${from} → ${to}`;

function base(service: ServiceFacts, id: string): Pick<Finding, 'id' | 'pillar' | 'subject' | 'evidence' | 'coverage'> {
  const { low, high } = service.downMinutesPerYear;
  return {
    id,
    pillar: 'reliability',
    subject: subjectOf(service),
    coverage: 1,
    evidence: [
      {
        metric: 'downtime',
        value: high,
        unit: 'min/year',
        interval: [low, high],
        n: 1,
        how: 'computed over risk groups, links, nodes, carriers and sites',
      },
    ],
  };
}

function availability(service: ServiceFacts): Finding[] {
  const { target, meetsTarget, downMinutesPerYear, availability, servedFrom } = service;
  if (target === null) return [];
  const allowed = (1 - target) * minutesPerYear;
  const minutes = minutesText(downMinutesPerYear.high);
  const verdict = meetsTarget === null ? 'unknown' : meetsTarget ? 'pass' : 'fail';
  const worst = service.cutSets.worst[0];
  return [
    {
      ...base(service, 'availability-target'),
      verdict,
      severity: verdict === 'fail' ? 'critical' : 'info',
      claim: `${percentText(availability.low)} available (${minutes} down a year); target ${targetText(target)} (${minutesText(allowed)})`,
      details: [
        `Any of ${servedFrom.join(', ')} is enough`,
        ...(worst
          ? [
              `Most of it: ${worst.risks.map(riskName).join(' together with ')}, ${minutesText(worst.downMinutesPerYear)} a year`,
            ]
          : []),
      ],
      confidence: 'medium',
      ...(verdict === 'fail' ? { remedy: { text: 'The changes of this report, the one that buys most first.' } } : {}),
    },
  ];
}

function singlePoints(service: ServiceFacts): Finding[] {
  const { singlePoints, cutSets } = service;
  if (singlePoints.length === 0)
    return [
      {
        ...base(service, 'single-point-of-failure'),
        verdict: cutSets.isComplete ? 'pass' : 'unknown',
        severity: 'info',
        claim: cutSets.isComplete
          ? 'No single failure cuts it off'
          : 'No single failure was found that cuts it off, but not all were looked at',
        details: [],
        confidence: 'high',
      },
    ];
  const names = singlePoints.map(riskName);
  return [
    {
      ...base(service, 'single-point-of-failure'),
      verdict: 'fail',
      severity: 'critical',
      claim: `${names.length === 1 ? 'One failure cuts' : `Each of ${names.length} failures cuts`} it off: ${names.slice(0, 4).join(', ')}${names.length > 4 ? ' …' : ''}`,
      details: singlePoints.map((risk) => `${riskName(risk)}: ${downText(risk)}`),
      confidence: 'high',
      remedy: { text: `A second way that does not go through ${names[0]}.` },
    },
  ];
}

/** By risk group where there are groups, else by node: what a second path is bought for. */
function disjointPair(service: ServiceFacts): Finding[] {
  const asked =
    service.pairs.find(({ apart }) => apart === 'group') ?? service.pairs.find(({ apart }) => apart === 'node');
  if (!asked) return [];
  const words = asked.apart === 'group' ? 'risk group' : 'node';
  const common = { ...base(service, 'no-disjoint-pair'), confidence: 'high' as const };
  if (asked.status === 'found') {
    const [a, b] = asked.paths;
    const claim = `Two paths share no link and no ${words}: ${kmText(a!.lengthKm)} and ${kmText(b!.lengthKm)}`;
    return [{ ...common, verdict: 'pass', severity: 'info', claim, details: [] }];
  }
  if (asked.status === 'unknown') {
    const claim = `Whether two paths share no ${words} was not found out in the time`;
    return [
      { ...common, verdict: 'unknown', severity: 'warning', claim, details: ['Run again with a longer --time-limit'] },
    ];
  }
  return [
    {
      ...common,
      verdict: 'fail',
      severity: 'warning',
      claim: `No two paths without a shared link or ${words} exist: proved`,
      details: whyNone(asked),
      remedy: { text: sharedText(asked) },
    },
  ];
}

function whyNone({ blockedBy, by, leastShared }: PairFacts): string[] {
  return [
    blockedBy.length > 0
      ? `On every path: ${blockedBy.map(riskName).join(', ')}`
      : by === 'unconnected'
        ? 'There is not even one path'
        : 'No single thing is on every path, but every combination was ruled out',
    ...(leastShared ? [`Least shared: ${leastShared.shared.map(riskName).join(', ')}`] : []),
  ];
}

function sharedText({ leastShared, by }: PairFacts): string {
  if (by === 'unconnected') return 'Connect the two.';
  return leastShared
    ? `Move one of the two paths out of ${leastShared.shared.map(riskName).join(' and ')}.`
    : 'Add a link on another way.';
}
