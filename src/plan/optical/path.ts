import { nodesAlong, pathTo, shortestPaths } from '../../stats/graph/dijkstra.ts';
import { makeGraph } from '../../stats/graph/graph.ts';
import { type Element, elementOf, type System } from './system.ts';

/** Metres that passing anything but fibre counts, so that of two equally long ways the simpler is taken. */
const STEP_M = 0.01;

/** The shortest way between two elements; null where none leads. It passes no other transceiver. */
export function shortestWay(system: System, from: string, to: string): Element[] | null {
  const uids = [...system.elements.keys()];
  const number = new Map(uids.map((uid, i) => [uid, i]));
  const links: { from: number; to: number; lengthM: number }[] = [];
  for (const [uid, nexts] of system.next) {
    const element = system.elements.get(uid);
    if (!element) continue;
    const lengthM = element.kind === 'fibre' ? element.lengthM : STEP_M;
    for (const next of nexts) links.push({ from: number.get(uid)!, to: number.get(next)!, lengthM });
  }
  const graph = makeGraph({
    nodes: uids.length,
    from: links.map((link) => link.from),
    to: links.map((link) => link.to),
    length: links.map((link) => link.lengthM),
    directed: true,
  });
  const closed = Uint8Array.from(uids, (uid) =>
    Number(system.elements.get(uid)!.kind === 'transceiver' && uid !== from && uid !== to),
  );
  const source = number.get(from);
  const target = number.get(to);
  if (source === undefined || target === undefined) return null;
  const found = pathTo(graph, shortestPaths(graph, source, { nodes: closed }), target);
  return found && nodesAlong(graph, source, found).map((node) => elementOf(system, uids[node]!));
}
