import type { PlacementPlan } from '../../model/plan/placement.ts';
import { placementChanges, placementFindings } from './findings.ts';
import type { PlacementQuestion } from './from-network.ts';
import type { Metrics, PlanStanding } from './plan.ts';

/** Ways of users that are listed. */
const mostWays = 500;

export interface ReportFrame {
  file: string;
  currency: string;
  stopped: PlacementPlan['stopped'];
}

/** A standing of the search, with names, findings and changes. */
export function placementReport(
  question: PlacementQuestion,
  standing: PlanStanding,
  frame: ReportFrame,
): PlacementPlan {
  const { input, sites, target, notes } = question;
  const { now, answer, curve, fewest, fewestLowerBound } = standing;
  const namesOf = (open: Uint8Array) => sites.filter((_, s) => open[s]).map(({ name }) => name);
  const objective = answer?.metrics.meanMs ?? null;
  const lowerBound = answer?.meanLowerBoundMs ?? 0;
  const isProven = objective !== null && objective <= lowerBound * (1 + 1e-6) + 1e-9;
  const report: PlacementPlan = {
    schema: 'inferpath/plan-placement@1',
    input: 'network',
    ...frame,
    target,
    wantedCoverage: input.coverage,
    users: input.users.reduce((sum, one) => sum + one, 0),
    places: input.users.length,
    candidates: sites.map(({ name }) => name),
    origins: originsOf(question),
    now: now && { open: namesOf(input.isOpen), ...figuresOf(now) },
    objective,
    lowerBound,
    gap: objective === null ? null : isProven ? 0 : (objective - lowerBound) / objective,
    proven: isProven,
    open: answer ? namesOf(answer.open) : [],
    fewest,
    fewestLowerBound,
    answer: answer && { open: namesOf(answer.open), ...figuresOf(answer.metrics) },
    curve: curve.map(({ metrics, open, sites, bestCoverageOpen: _, ...rest }) => ({
      sites,
      open: namesOf(open),
      ...figuresOf(metrics),
      ...rest,
    })),
    serves: answer ? servesOf(question, answer.metrics) : [],
    findings: [],
    changes: [],
    notes,
  };
  report.findings = placementFindings(report);
  report.changes = placementChanges(question, standing, frame.currency);
  return report;
}

function figuresOf({ meanMs, p95Ms, worstMs, coverage, monthly }: Metrics) {
  return { meanMs, p95Ms, worstMs, coverage, monthly };
}

function originsOf({ ways }: PlacementQuestion): PlacementPlan['origins'] {
  const counted = new Map<string, PlacementPlan['origins'][number]>();
  for (const way of ways) {
    if (!way) continue;
    // What was measured differs from way to way; that it was measured is enough here.
    const how = way.origin === 'measured' ? 'median of measured round trips' : way.how;
    const one = counted.get(how) ?? { origin: way.origin, how, ways: 0 };
    one.ways++;
    counted.set(how, one);
  }
  return [...counted.values()].sort((a, b) => b.ways - a.ways);
}

function servesOf({ users, sites, ways, input }: PlacementQuestion, { served }: Metrics): PlacementPlan['serves'] {
  const all: PlacementPlan['serves'] = [];
  for (let at = 0; at < served.length; at++) {
    const way = ways[at];
    if (served[at]! <= 0 || !way) continue;
    const from = users[Math.floor(at / sites.length)]!.name;
    const to = sites[at % sites.length]!.name;
    all.push({ from, users: served[at]!, to, rttMs: way.ms, origin: way.origin, isInside: way.ms <= input.targetMs });
  }
  return all.sort((a, b) => b.users - a.users).slice(0, mostWays);
}
