import type { TopologyMap } from '../../gather/topology/graphml.ts';
import { mapLengths } from '../../gather/topology/map-lengths.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import type { ElementKind } from '../../model/plan/failures.ts';
import { linkElements, nodeElements } from './elements.ts';
import type { Study } from './study.ts';

export interface MapOptions {
  kinds: readonly ElementKind[];
  /** Cable per great circle. */
  routeFactor: number;
  limitKm: number | null;
}

/** A map's nodes with all pairs between them. */
export function studyOfMap(map: TopologyMap, { kinds, routeFactor, limitKm }: MapOptions): Study {
  const lengths = mapLengths(map, routeFactor);
  const nodeNames = map.nodes.map(({ name }) => name);
  return {
    name: map.name,
    graph: makeGraph({
      nodes: map.nodes.length,
      from: map.links.map(({ from }) => from),
      to: map.links.map(({ to }) => to),
      length: lengths.length,
    }),
    nodeNames,
    elements: [
      ...(kinds.includes('link') ? linkElements(map.links.map(({ name }) => name)) : []),
      ...(kinds.includes('node') ? nodeElements(nodeNames) : []),
    ],
    sources: [...nodeNames.keys()],
    isEnd: new Uint8Array(map.nodes.length).fill(1),
    unit: lengths.unit === 'm' ? 'km' : 'hop',
    scale: lengths.unit === 'm' ? 1000 : 1,
    lengths: lengthsText(lengths, routeFactor),
    limit: lengths.unit === 'm' ? limitKm : null,
  };
}

function lengthsText(lengths: ReturnType<typeof mapLengths>, routeFactor: number): string {
  const { unit, located, assumed, assumedLength, length } = lengths;
  if (unit === 'hop')
    return `every link is one hop: only ${located} of ${length.length} have coordinates at both ends, too few for km`;
  const main = `great circle × ${routeFactor} (assumed route factor) for ${located} links with coordinates`;
  return assumed === 0
    ? main
    : `${main}; ${assumed} without got their median, ${Math.round(assumedLength! / 1000)} km (assumed)`;
}
