import { setImmediate } from 'node:timers/promises';
import { seededRandom } from '../../stats/random.ts';
import { type Reweighing, startReweighing } from './reweigh.ts';
import { type Demands, maxUtilisation, poolUtilisation, type TrafficNetwork } from './traffic.ts';

/** Largest weight that a search sets: OSPF has 16 bits for it (RFC 2328), IS-IS has at least as many with wide metrics (RFC 5305). */
export const largestWeight = 65_535;

export interface WeightSearchOptions {
  /** Each direction of a link has a weight of its own; else both have one. */
  isPerDirection: boolean;
  /** No routing gets below this: reached, the search is over. */
  lowerBound: number;
  /** Parts of the pools in that proof, by which one of the beginnings sets its weights. */
  worth: Float64Array;
  signal?: AbortSignal;
  seed?: number;
  /** Weights that are tried; default by the size of the network, a few seconds. */
  tries?: number | undefined;
  onProgress?: (maxUtilisation: number, tries: number) => void;
}

export interface FoundWeights {
  /** Of each arc: whole numbers from 1 on, but for arcs of weight 0, which stay. */
  weights: Float64Array;
  maxUtilisation: number;
  /** Which weights the search began with. */
  start: 'given' | 'equal' | 'inverse capacity' | 'prices of the bound';
  tries: number;
}

interface Search {
  routing: Reweighing;
  groups: readonly (readonly number[])[];
  /** The group of each arc; −1 where its weight stays. */
  groupOf: Int32Array;
  random: () => number;
  value: Value;
}

/** What is made small: first the largest utilisation, then the cost of all. */
interface Value {
  most: number;
  cost: number;
}

/** Weights from other beginnings have to be better by so much to make up for changing all of them. */
const worthChangingAll = 0.02;

/**
 * Link weights that keep the largest utilisation of shortest paths (ECMP) low: local search after Fortz and Thorup (2000). The weight of
 * a full link is raised until traffic of a destination is divided with the next best way, or leaves; that of another is lowered until
 * it draws some. Where nothing helps, some weights are shaken. Finding the least is NP-hard, and no proof comes with what is found; the bound
 * for all routings says how far it can be from it. The same seed gives the same weights, unless it is stopped.
 */
export async function optimiseWeights(
  network: TrafficNetwork,
  demands: Demands,
  options: WeightSearchOptions,
): Promise<FoundWeights> {
  const { graph } = network;
  const destinations = new Set(demands.to).size;
  const tries = options.tries ?? Math.min(20_000, Math.max(600, Math.round(3e7 / (destinations * graph.links + 1))));
  const random = seededRandom(options.seed ?? 1);
  const groups = groupsOf(network, options.isPerDirection);
  const beginnings = [
    { start: 'given' as const, weights: wholeWeights(graph.length) },
    ...otherBeginnings(network, options.worth),
  ];
  const begun = beginnings.map(({ start, weights }) => {
    const search = startSearch(network, demands, weights, groups, random);
    return { start, search, first: search.value };
  });
  const [given, ...others] = begun;
  const other = others.toSorted((a, b) => compare(a.first, b.first))[0]!;
  let tried = begun.length;
  const found: FoundWeights[] = [];
  for (const { start, search } of [given!, other]) {
    const best = await descend(search, tries / 2, options, () => tried++);
    found.push({ start, ...best, tries: 0 });
    if (options.signal?.aborted || best.maxUtilisation <= options.lowerBound * (1 + 1e-9)) break;
  }
  const [own, fresh] = found;
  const better = fresh && fresh.maxUtilisation < own!.maxUtilisation * (1 - worthChangingAll) ? fresh : own!;
  const weights =
    better.start === 'given' ? fewestChanges(network, demands, better, beginnings[0]!.weights, groups) : better.weights;
  return { ...better, weights, tries: tried };
}

/** Arcs whose weight is one: both directions of a link, or each alone. Arcs of weight 0 join devices and their site. */
function groupsOf({ graph, link }: TrafficNetwork, isPerDirection: boolean): number[][] {
  const groups = new Map<number, number[]>();
  for (let arc = 0; arc < graph.links; arc++) {
    if (graph.length[arc] === 0) continue;
    const key = isPerDirection ? arc : link[arc]!;
    groups.set(key, [...(groups.get(key) ?? []), arc]);
  }
  return [...groups.values()];
}

/** As they are where they can be set so; else in proportion, so that the largest is 10,000. */
function wholeWeights(given: Float64Array): Float64Array {
  const isWhole = given.every((weight) => Number.isInteger(weight) && weight <= largestWeight);
  if (isWhole) return given.slice();
  const most = given.reduce((a, b) => Math.max(a, b), 0);
  return given.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.round((weight / most) * 10_000))));
}

/** Weights that do well without knowing today's: as many as links, as narrow as they are, and as dear as the bound has them. */
function otherBeginnings({ graph, pool, capacity }: TrafficNetwork, worth: Float64Array) {
  const largest = capacity.reduce((a, b) => Math.max(a, b), 0);
  const price = Float64Array.from(capacity, (much, p) => worth[p]! / much);
  const dearest = price.reduce((a, b) => Math.max(a, b), 0) || 1;
  const make = (of: (pool: number) => number) =>
    Float64Array.from(pool, (p, arc) => {
      return graph.length[arc] === 0 ? 0 : Math.min(largestWeight, Math.max(1, Math.round(of(p))));
    });
  return [
    { start: 'equal' as const, weights: make(() => 10) },
    { start: 'inverse capacity' as const, weights: make((p) => (10 * largest) / capacity[p]!) },
    { start: 'prices of the bound' as const, weights: make((p) => 10 + (1000 * price[p]!) / dearest) },
  ];
}

function startSearch(
  network: TrafficNetwork,
  demands: Demands,
  weights: Float64Array,
  groups: readonly (readonly number[])[],
  random: () => number,
): Search {
  const routing = startReweighing(network, demands, weights);
  const groupOf = new Int32Array(network.graph.links).fill(-1);
  groups.forEach((arcs, g) => arcs.forEach((arc) => (groupOf[arc] = g)));
  return { routing, groups, groupOf, random, value: valueOf(routing) };
}

function valueOf({ network, arcLoad }: Reweighing): Value {
  const shares = poolUtilisation(network, arcLoad);
  let [most, cost] = [0, 0];
  for (const share of shares) {
    if (share > most) most = share;
    cost += costOf(share);
  }
  return { most, cost };
}

/** The piecewise linear cost of Fortz and Thorup, per unit of capacity: a link that fills up is dearer by far before it is full. */
const bends = [
  [0, 1],
  [1 / 3, 3],
  [2 / 3, 10],
  [0.9, 70],
  [1, 500],
  [1.1, 5000],
] as const;

function costOf(share: number): number {
  let cost = 0;
  for (let i = 0; i < bends.length && share > bends[i]![0]; i++) {
    const end = bends[i + 1]?.[0] ?? Infinity;
    cost += bends[i]![1] * (Math.min(share, end) - bends[i]![0]);
  }
  return cost;
}

/** Less than 0 where the first is better; utilisations that differ by rounding are the same. */
function compare(a: Value, b: Value): number {
  return Math.abs(a.most - b.most) > 1e-9 * Math.max(a.most, b.most) ? a.most - b.most : a.cost - b.cost;
}

/** Steps without gain after which the weights are shaken, and shakes without gain after which the best is taken up again. */
const patience = 30;
const shakesFromBest = 3;

async function descend(
  search: Search,
  tries: number,
  { lowerBound, signal, onProgress }: WeightSearchOptions,
  count: () => number,
): Promise<{ weights: Float64Array; maxUtilisation: number }> {
  const { routing, groups, random } = search;
  let best = { ...search.value, weights: routing.network.graph.length.slice() };
  let [done, idle, shakes, rested] = [0, 0, 0, 0];
  const mark = () => {
    if (compare(search.value, best) >= 0) return false;
    best = { ...search.value, weights: routing.network.graph.length.slice() };
    return true;
  };
  if (groups.length === 0) return { weights: best.weights, maxUtilisation: best.most };
  while (done < tries && best.most > lowerBound * (1 + 1e-9)) {
    if (done - rested >= 50) {
      rested = done;
      onProgress?.(best.most, count());
      await setImmediate();
      if (signal?.aborted) break;
    }
    const moves = movesOf(search);
    done += Math.max(1, moves.length);
    for (const _ of moves) count();
    if (step(search, moves)) idle = 0;
    else idle++;
    if (mark()) shakes = 0;
    if (idle < patience) continue;
    idle = 0;
    if (++shakes % (shakesFromBest + 1) === 0) goTo(search, best.weights);
    const shaken = 1 + Math.floor(random() * Math.min(6, groups.length));
    for (let i = 0; i < shaken; i++) {
      const group = groups[Math.floor(random() * groups.length)]!;
      const weight = routing.network.graph.length[group[0]!]!;
      routing.change(group, within(Math.round(weight * (0.5 + random() * 1.5))));
    }
    search.value = valueOf(routing);
    mark();
  }
  return { weights: best.weights, maxUtilisation: best.most };
}

function goTo({ routing, groups }: Search, weights: Float64Array): void {
  for (const group of groups) {
    const weight = weights[group[0]!]!;
    if (routing.network.graph.length[group[0]!] !== weight) routing.change(group, weight);
  }
}

interface Move {
  group: number;
  weight: number;
}

const within = (weight: number): number => Math.min(largestWeight, Math.max(1, weight));

/** Weights worth trying for a full link, and for links that could take from it. */
function movesOf(search: Search): Move[] {
  const { routing, groupOf, random } = search;
  const { network, columns } = routing;
  const { graph, pool } = network;
  const shares = poolUtilisation(network, routing.arcLoad);
  const hot = Array.from(pool.keys()).filter(
    (arc) => groupOf[arc]! >= 0 && shares[pool[arc]!]! >= search.value.most * 0.95,
  );
  const any = Array.from(pool.keys()).filter((arc) => groupOf[arc]! >= 0 && routing.arcLoad[arc]! > 0);
  const among = random() < 0.75 && hot.length > 0 ? hot : any;
  const arc = among[Math.floor(random() * among.length)];
  if (arc === undefined) return [];
  const moves = new Map<string, Move>();
  const propose = (group: number, weight: number) => {
    const whole = within(Math.round(weight));
    if (group < 0 || whole === graph.length[search.groups[group]![0]!]) return;
    moves.set(`${group} ${whole}`, { group, weight: whole });
  };
  const [at, next] = [graph.from[arc]!, graph.to[arc]!];
  const users = columns.filter(({ arcLoad }) => arcLoad[arc]! > 0);
  for (let i = 0; i < 3 && users.length > 0; i++) {
    const { distance } = users[Math.floor(random() * users.length)]!;
    let second = Infinity;
    for (let j = graph.offset[at]!; j < graph.offset[at + 1]!; j++) {
      const [head, way] = [graph.target[j]!, graph.link[j]!];
      if (way === arc || distance[head] === Infinity) continue;
      second = Math.min(second, graph.arcLength[j]! + distance[head]!);
      // This one draws level, or all of it.
      propose(groupOf[way]!, distance[at]! - distance[head]!);
      propose(groupOf[way]!, distance[at]! - distance[head]! - 1);
    }
    if (second === Infinity) continue;
    // The full one shares with the next best, or gives way.
    propose(groupOf[arc]!, second - distance[next]!);
    propose(groupOf[arc]!, second - distance[next]! + 1);
  }
  propose(groupOf[arc]!, graph.length[arc]! * (1 + 2 * random()));
  return [...moves.values()];
}

/** Makes the best of the moves, if it is better than standing still. */
function step(search: Search, moves: readonly Move[]): boolean {
  const { routing, groups } = search;
  let best: { move: Move; value: Value } | null = null;
  for (const move of moves) {
    const undo = routing.change(groups[move.group]!, move.weight);
    const value = valueOf(routing);
    if (!best || compare(value, best.value) < 0) best = { move, value };
    undo();
  }
  if (!best || compare(best.value, search.value) >= 0) return false;
  routing.change(groups[best.move.group]!, best.move.weight);
  search.value = best.value;
  return true;
}

/** Takes back each changed weight that is not needed for what was reached, so that few are left to set. */
function fewestChanges(
  network: TrafficNetwork,
  demands: Demands,
  found: FoundWeights,
  given: Float64Array,
  groups: readonly (readonly number[])[],
): Float64Array {
  const routing = startReweighing(network, demands, found.weights);
  for (const group of groups) {
    const before = given[group[0]!]!;
    if (routing.network.graph.length[group[0]!] === before) continue;
    const undo = routing.change(group, before);
    if (maxUtilisation(network, routing.arcLoad) > found.maxUtilisation * (1 + 1e-9)) undo();
  }
  return routing.network.graph.length.slice();
}
