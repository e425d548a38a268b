import type { WorkloadClass } from '../../model/workload.ts';
import { shortestPaths } from '../../stats/graph/dijkstra.ts';
import { acrossFrom, type Graph, makeGraph } from '../../stats/graph/graph.ts';
import { baseLoads, type BaseLoads, loadsIn } from '../engineering/cases.ts';
import { demandColumns } from '../engineering/from-repetita.ts';
import { makeTrafficNetwork } from '../engineering/traffic.ts';
import type { Element } from './elements.ts';

export interface TrafficLink {
  from: number;
  to: number;
  /** Null for what joins a site and its devices. */
  name: string | null;
  /** Null: not known, so it is not judged. */
  capacityGbps: number | null;
  rttMs: number;
  weight: number;
}

export interface TrafficDemand {
  name: string;
  class: WorkloadClass | null;
  from: number;
  to: number;
  gbps: number;
  /** Longest round trip that its class allows; null: nobody waits. */
  limitMs: number | null;
}

/** Who sends what to whom over which links. */
export interface Traffic {
  nodes: number;
  links: readonly TrafficLink[];
  demands: readonly TrafficDemand[];
  /** Share of a link that may be full. */
  maxUtilisation: number;
  notes: readonly string[];
}

/** What one failure does to the demands, beyond what is so without it. */
export interface TrafficEffect {
  /** Between places that stand, but without a path. */
  lostGbps: number;
  /** From or to a place that failed itself. */
  strandedGbps: number;
  /** Demands that have a path, longer than their class allows, and were in time without the failure. */
  late: { demand: number; rttMs: number }[];
  /** The fullest of the links that carry more than without the failure, where capacity is known. */
  fullest: { link: number; utilisation: number } | null;
  /** Links fuller than may be that were not so without it. */
  overfull: number;
}

export interface TrafficModel {
  traffic: Traffic;
  base: BaseLoads;
  paths: Graph;
  rttMs: Float64Array;
  /** Without a failure; null while that is worked out. */
  before: { effect: TrafficEffect; arcLoad: Float64Array; late: ReadonlySet<number> } | null;
}

export function trafficModel(traffic: Traffic): TrafficModel {
  const { nodes, links, demands } = traffic;
  const unlimited = 1000 * (1 + demands.reduce((sum, { gbps }) => sum + gbps, 0));
  const network = makeTrafficNetwork(
    nodes,
    links.map(({ from, to, capacityGbps, weight }) => ({ from, to, weight, capacity: capacityGbps ?? unlimited })),
    'each',
  );
  const columns = demandColumns(demands.map(({ from, to, gbps }) => ({ from, to, volume: gbps })));
  const paths = makeGraph({
    nodes,
    from: links.map(({ from }) => from),
    to: links.map(({ to }) => to),
    length: links.map(({ weight }) => weight),
  });
  const rttMs = Float64Array.from(links, (link) => link.rttMs);
  const model: TrafficModel = { traffic, base: baseLoads(network, columns), paths, rttMs, before: null };
  const effect = trafficEffect(model, []);
  const { arcLoad } = loadsIn(model.base, { links: [], nodes: [] });
  model.before = { effect, arcLoad, late: new Set(effect.late.map(({ demand }) => demand)) };
  return model;
}

/** All demands over shortest paths (ECMP) without what failed; the round trip is that of one of the shortest. */
export function trafficEffect(model: TrafficModel, failed: readonly Element[]): TrafficEffect {
  const links = failed.flatMap((one) => one.links);
  const nodes = failed.flatMap((one) => one.nodes);
  const { arcLoad, unroutedVolume, strandedVolume } = loadsIn(model.base, { links, nodes });
  return {
    lostGbps: unroutedVolume,
    strandedGbps: strandedVolume,
    late: lateDemands(model, links, nodes),
    ...fullness(model, arcLoad),
  };
}

function fullness(
  { traffic, base, before }: TrafficModel,
  arcLoad: Float64Array,
): Pick<TrafficEffect, 'fullest' | 'overfull'> {
  let fullest: TrafficEffect['fullest'] = null;
  const overfull = new Set<number>();
  for (let arc = 0; arc < arcLoad.length; arc++) {
    const link = base.network.link[arc]!;
    const capacity = traffic.links[link]!.capacityGbps;
    if (capacity === null) continue;
    // Sums of fractions in another order differ in the last digits.
    if (before && arcLoad[arc]! <= before.arcLoad[arc]! * (1 + 1e-9)) continue;
    const most = traffic.maxUtilisation * capacity * (1 + 1e-9);
    if (arcLoad[arc]! > most && !(before && before.arcLoad[arc]! > most)) overfull.add(link);
    const utilisation = arcLoad[arc]! / capacity;
    if (utilisation > (fullest?.utilisation ?? 0)) fullest = { link, utilisation };
  }
  return { fullest, overfull: overfull.size };
}

function lateDemands(
  { traffic, paths, rttMs, before }: TrafficModel,
  goneLinks: readonly number[],
  goneNodes: readonly number[],
) {
  const without = { links: new Uint8Array(paths.links), nodes: new Uint8Array(paths.nodes) };
  for (const link of goneLinks) without.links[link] = 1;
  for (const node of goneNodes) without.nodes[node] = 1;
  const trees = new Map<number, Int32Array>();
  const late: TrafficEffect['late'] = [];
  for (const [i, { from, to, limitMs }] of traffic.demands.entries()) {
    if (limitMs === null || before?.late.has(i) || without.nodes[from] || without.nodes[to]) continue;
    let tree = trees.get(from);
    if (!tree) trees.set(from, (tree = shortestPaths(paths, from, without).parentLink));
    const trip = along(paths, tree, rttMs, from, to);
    if (trip !== null && trip > limitMs) late.push({ demand: i, rttMs: trip });
  }
  return late;
}

/** Round trip up the tree; null where no path leads. */
function along(paths: Graph, parentLink: Int32Array, rttMs: Float64Array, from: number, to: number): number | null {
  let total = 0;
  for (let at = to; at !== from;) {
    const link = parentLink[at]!;
    if (link < 0) return null;
    total += rttMs[link]!;
    at = acrossFrom(paths, link, at);
  }
  return total;
}
