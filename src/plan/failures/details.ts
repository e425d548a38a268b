import { partsOf } from '../../stats/graph/parts.ts';
import type { Effect } from './effects.ts';
import { elementTable } from './elements.ts';
import { growWhole, makeSpace, type Question, rerouteOne, type Space } from './source.ts';

/** What a failure does, told pair by pair. Lengths in the unit of the question. */
export interface Detail {
  effect: Effect;
  /** Ends by number that are cut off from the largest part that is left; those that failed themselves are not among them. */
  cutOff: number[];
  /** The pair whose path grows most and is still there. */
  stretched: { from: number; to: number; before: number; after: number } | null;
}

/** Works out a few failures exactly, from all sources, whatever the ranking has seen of them. */
export function detailsOf(
  question: Question,
  sources: readonly number[],
  failures: readonly { links: readonly number[]; nodes: readonly number[] }[],
): Detail[] {
  const space = makeSpace({ ...question, table: elementTable(question.graph, failures), doubles: false });
  const details = failures.map((failed): Detail => {
    const effect = { broken: 0, extra: 0, late: 0 };
    return { effect, cutOff: cutOff(question, failed), stretched: null };
  });
  for (const source of sources) {
    growWhole(space, source);
    for (const [i, detail] of details.entries()) {
      const { broken, extra, late } = rerouteOne(space, i);
      detail.effect.broken += broken;
      detail.effect.extra += extra;
      detail.effect.late += late;
      if (extra > 0) stretch(detail, space, source);
    }
  }
  return details;
}

/** The pair of this source that grew most, if it grew more than those of the sources before. */
function stretch(detail: Detail, { question, router, whole }: Space, source: number): void {
  const { cut, cutCount, distance } = router;
  let most = detail.stretched ? detail.stretched.after - detail.stretched.before : 0;
  for (let i = 0; i < cutCount; i++) {
    const to = cut[i]!;
    const [before, after] = [whole.distance[to]!, distance[to]!];
    if (!question.isEnd[to] || after === Infinity || after - before <= most) continue;
    most = after - before;
    detail.stretched = { from: source, to, before, after };
  }
}

/** In each part of the network as it was: the ends outside the largest piece of it that is left. */
function cutOff({ graph, isEnd }: Question, failed: { links: readonly number[]; nodes: readonly number[] }): number[] {
  const links = new Uint8Array(graph.links);
  const nodes = new Uint8Array(graph.nodes);
  for (const link of failed.links) links[link] = 1;
  for (const node of failed.nodes) nodes[node] = 1;
  const before = partsOf(graph);
  const after = partsOf(graph, { links, nodes });
  const ends = [...isEnd.keys()].filter((v) => isEnd[v] && !nodes[v]);
  const sizes = new Map<number, number>();
  for (const v of ends) sizes.set(after[v]!, (sizes.get(after[v]!) ?? 0) + 1);
  const largest = new Map<number, number>();
  for (const v of ends) {
    const best = largest.get(before[v]!);
    if (best === undefined || sizes.get(after[v]!)! > sizes.get(best)!) largest.set(before[v]!, after[v]!);
  }
  return ends.filter((v) => after[v] !== largest.get(before[v]!));
}
