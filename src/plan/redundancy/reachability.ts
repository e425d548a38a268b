import type { Reachability } from './cut-sets.ts';
import { type Downtime, downtime } from './downtime.ts';
import type { Reach } from './reduce.ts';

/** The question as the frontier and the simulation want it: excepted risks are never down. */
export function reachOf({ map, source, targets, excepted }: Reachability): Reach {
  const { graph, risks } = map;
  return {
    nodes: graph.nodes,
    source,
    targets,
    edges: Array.from(graph.from, (a, link) => ({ a, b: graph.to[link]!, risks: map.risksOfLink[link]! })),
    risksOfNode: map.risksOfNode,
    down: risks.map(({ down }, r) => (excepted[r] ? 0 : down)),
  };
}

/** Share of time that the source reaches no target. */
export function downtimeOf(question: Reachability, stateLimit?: number): Downtime {
  return downtime(reachOf(question), stateLimit);
}
