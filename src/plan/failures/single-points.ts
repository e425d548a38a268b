import type { FailuresEstimate } from '../../model/plan/failures.ts';
import { cutPairs } from '../../stats/graph/cut-pairs.ts';
import type { Study } from './study.ts';

const worstKept = 20;

/**
 * Links and single nodes that alone leave pairs without a path, by what they cut, known from one walk over the network. Groups of
 * several need the search.
 */
export function singlePoints({ graph, elements, isEnd }: Study): FailuresEstimate['singlePoints'] {
  const { byLink, byNode } = cutPairs(graph, isEnd);
  const points = elements.flatMap(({ kind, name, links, nodes }) => {
    if (links.length + nodes.length !== 1) return [];
    const pairs = links.length === 1 ? byLink[links[0]!]! : byNode[nodes[0]!]!;
    // Both directions, as everywhere in the report.
    return pairs > 0 ? [{ kind, name, disconnectedPairs: 2 * pairs }] : [];
  });
  const worst = points.toSorted((a, b) => b.disconnectedPairs - a.disconnectedPairs).slice(0, worstKept);
  return { count: points.length, worst };
}
