import type { ElementKind, FailureCase, FailuresReport, LengthUnit } from '../../model/plan/failures.ts';
import type { Graph } from '../../stats/graph/graph.ts';
import { type Detail, detailsOf } from './details.ts';
import { type Element, elementTable } from './elements.ts';
import { type Case, rank, type Totals } from './rank.ts';
import type { Simulation } from './simulate.ts';
import type { Question } from './source.ts';

/** A network as failures see it, wherever it came from. */
export interface Study {
  name: string | null;
  graph: Graph;
  nodeNames: readonly string[];
  elements: readonly Element[];
  sources: readonly number[];
  /** 1 for nodes that count as ends of pairs. */
  isEnd: Uint8Array;
  unit: LengthUnit;
  /** Lengths of the graph are whole multiples of 1/scale unit. */
  scale: number;
  lengths: string;
  /** In the unit of lengths; null: no path is too long. */
  limit: number | null;
}

export function questionOf({ graph, elements, isEnd, limit, scale }: Study, doubles: boolean): Question {
  const table = elementTable(graph, elements);
  return { graph, table, isEnd, limit: limit === null ? Infinity : limit * scale, doubles };
}

const worstKept = 20;
const namesKept = 20;

type Pairs = FailuresReport['pairs'];

/** What was found, in names; the worst cases are worked out exactly. */
export function pairsReport(study: Study, question: Question, { effects, done }: Simulation): Pairs {
  const { singles, doubles } = rank(effects, worstKept);
  const tell = (cases: readonly Case[]) => casesOf(study, question, cases);
  return {
    unit: study.unit,
    lengths: study.lengths,
    sources: study.sources.length,
    ends: study.isEnd.reduce((sum, one) => sum + one, 0),
    limit: study.limit,
    sourcesDone: done.length,
    singles: { ...totalsOf(singles, study), worst: tell(singles.worst) },
    doubles: doubles && {
      ...totalsOf(doubles, study),
      together: doubles.together,
      worst: tell(doubles.worst),
      worstTogether: tell(doubles.worstTogether),
    },
  };
}

function totalsOf({ cases, breaking, broken, extra, late }: Totals, { scale }: Study) {
  return {
    cases,
    breaking,
    disconnectedPairs: Number(broken),
    extraLength: Number(extra) / scale,
    latePairs: Number(late),
  };
}

function casesOf(study: Study, question: Question, cases: readonly Case[]): FailureCase[] {
  const failures = cases.map(({ elements }) => elements.map((i) => study.elements[i]!));
  const details = detailsOf(
    question,
    study.sources,
    failures.map((failed) => ({
      links: failed.flatMap((one) => one.links),
      nodes: failed.flatMap((one) => one.nodes),
    })),
  );
  return details.map((detail, i) => caseOf(study, failures[i]!, detail));
}

function caseOf(
  { nodeNames, scale }: Study,
  failed: readonly Element[],
  { effect, cutOff, stretched }: Detail,
): FailureCase {
  return {
    elements: failed.map(({ kind, name }) => ({ kind, name })),
    disconnectedPairs: effect.broken,
    extraLength: effect.extra / scale,
    latePairs: effect.late,
    cutOff: { count: cutOff.length, names: cutOff.slice(0, namesKept).map((v) => nodeNames[v]!) },
    stretched: stretched && {
      from: nodeNames[stretched.from]!,
      to: nodeNames[stretched.to]!,
      before: stretched.before / scale,
      after: stretched.after / scale,
    },
  };
}

export function countsByKind(elements: readonly Element[]): Partial<Record<ElementKind, number>> {
  const counts: Partial<Record<ElementKind, number>> = {};
  for (const { kind } of elements) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
