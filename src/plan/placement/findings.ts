import type { Change } from '../../model/change.ts';
import type { Finding } from '../../model/finding.ts';
import type { PlacementPlan } from '../../model/plan/placement.ts';
import type { PlacementQuestion } from './from-network.ts';
import { measure, type Metrics, type PlanStanding } from './plan.ts';

/** Whether the sites of today reach enough users, or, where none is open, whether any choice would. */
export function placementFindings(report: Omit<PlacementPlan, 'findings' | 'changes'>): Finding[] {
  const { now, answer, target, wantedCoverage, origins, fewest, fewestLowerBound, curve } = report;
  const judged = now ?? answer;
  if (!judged) return [];
  const isEnough = judged.coverage >= wantedCoverage - 1e-9;
  const whose = now
    ? `of the ${plural(now.open.length, 'site')} open today`
    : `of ${plural(judged.open.length, 'site')} at best`;
  const most = curve.at(-1)?.sites ?? 0;
  const reach =
    fewest === null
      ? `no ${plural(most, 'site')} of the candidates reach ${percent(wantedCoverage)}${fewestLowerBound > most ? ', which is proven' : ' as far as was looked'}`
      : `${plural(fewest, 'site')} reach ${percent(wantedCoverage)}${fewest === fewestLowerBound ? ', and fewer cannot' : `; fewer than ${fewestLowerBound} cannot`}`;
  const isMeasured = origins.every(({ origin }) => origin === 'measured');
  return [
    {
      id: 'placement-coverage',
      verdict: isEnough ? 'pass' : 'fail',
      severity: isEnough ? 'info' : judged.coverage < 0.5 * wantedCoverage ? 'critical' : 'warning',
      pillar: 'reach',
      subject: judged.open.join(', '),
      claim: `${percent(judged.coverage)} of users are within ${ms(target.value)} ${whose}; wanted are ${percent(wantedCoverage)}`,
      details: [
        `their mean round trip is ${ms(judged.meanMs)}, 95 % stay within ${ms(judged.p95Ms)}, the farthest have ${ms(judged.worstMs)}`,
        reach,
        `round trips: ${origins.map(({ origin, how, ways }) => `${ways} ${origin} (${how})`).join('; ')}`,
      ],
      evidence: [
        {
          metric: 'users inside the target',
          value: judged.coverage,
          unit: 'ratio',
          n: report.places,
          how: 'users of the file, each at the nearest open site with room',
        },
        {
          metric: 'mean round trip',
          value: judged.meanMs,
          unit: 'ms',
          n: report.places,
          how: origins.map(({ how }) => how).join('; '),
        },
      ],
      confidence: isMeasured ? 'high' : origins.some(({ origin }) => origin === 'assumed') ? 'low' : 'medium',
      coverage: 1,
      ...(isEnough || !answer || fewest === null || !now
        ? {}
        : {
            remedy: { text: `Serve from ${answer.open.join(', ')}`, gainMs: Math.max(0, now.meanMs - answer.meanMs) },
          }),
    },
  ];
}

/** The sites to open, in the order in which each buys most, and those that may then close. Each is worked out with those before it. */
export function placementChanges(
  { input, sites }: PlacementQuestion,
  { now, answer }: PlanStanding,
  currency: string,
): Change[] {
  if (!answer) return [];
  const changes: Change[] = [];
  const open = input.isOpen.slice();
  let before = now;
  for (;;) {
    const step = bestOpening(input, open, answer.open, before);
    if (!step) break;
    open[step.site] = 1;
    const { monthly } = sites[step.site]!;
    changes.push({
      id: 'open-site',
      target: sites[step.site]!.name,
      before: before
        ? `${percent(before.coverage)} of users inside the target, mean ${ms(before.meanMs)}`
        : 'no site open that could serve all users',
      after: `${percent(step.metrics.coverage)} of users inside the target, mean ${ms(step.metrics.meanMs)}`,
      buys: buys(before, step.metrics),
      ...(monthly > 0 ? { cost: { monthly, currency } } : {}),
      verify: 'inferpath assess with an endpoint there, from the sites of the users: networkRttMs',
      rollback: 'Send the users back to the sites of before and close it',
    });
    before = step.metrics;
  }
  for (const [s, { name, mayClose, monthly }] of sites.entries()) {
    if (!open[s] || answer.open[s] || !mayClose) continue;
    open[s] = 0;
    const after = measure(input, open);
    if (!after || !before) continue;
    changes.push({
      id: 'close-site',
      target: name,
      before: `open${monthly > 0 ? `, ${monthly} ${currency} a month` : ''}`,
      after: `closed; ${percent(after.coverage)} of users inside the target, mean ${ms(after.meanMs)}`,
      buys: [
        {
          metric: 'open sites',
          before: open.reduce((sum, one) => sum + one, 1),
          after: open.reduce((sum, one) => sum + one, 0),
          unit: 'sites',
        },
        ...(monthly > 0
          ? [{ metric: 'monthly cost', before: before.monthly, after: after.monthly, unit: currency }]
          : []),
      ],
      verify: 'inferpath assess from the sites whose users move',
      rollback: 'Open it again before its capacity is given up',
    });
    before = after;
  }
  return changes;
}

/** Of the sites of the answer that are not open yet, the one that brings most users inside, or else the lowest mean. */
function bestOpening(input: PlacementQuestion['input'], open: Uint8Array, wanted: Uint8Array, before: Metrics | null) {
  let best: { site: number; metrics: Metrics } | null = null;
  let first = -1;
  for (let s = 0; s < open.length; s++) {
    if (open[s] || !wanted[s]) continue;
    if (first < 0) first = s;
    const next = open.slice();
    next[s] = 1;
    const metrics = measure(input, next);
    if (metrics && (!best || isBetter(metrics, best.metrics))) best = { site: s, metrics };
  }
  if (best || first < 0 || before) return best;
  // No single site can serve all users: the first of them opens without a figure of its own, with the rest of the answer.
  const all = open.map((one, s) => one | wanted[s]!);
  const metrics = measure(input, all);
  open.set(all);
  return metrics && { site: first, metrics };
}

const isBetter = (a: Metrics, b: Metrics): boolean =>
  Math.abs(a.coverage - b.coverage) > 1e-9 ? a.coverage > b.coverage : a.meanMs < b.meanMs;

function buys(before: Metrics | null, after: Metrics): Change['buys'] {
  return [
    {
      metric: 'users inside the target',
      before: 100 * (before?.coverage ?? 0),
      after: 100 * after.coverage,
      unit: '%',
    },
    ...(before ? [{ metric: 'mean round trip', before: before.meanMs, after: after.meanMs, unit: 'ms' }] : []),
  ];
}

const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;
const percent = (value: number): string => `${Number((value * 100).toFixed(value > 0.9 && value < 1 ? 1 : 0))} %`;
const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
