import { pathId } from '../../model/path-id.ts';
import type { TraceRecord } from '../../model/trace-record.ts';
import type { TraceGraph } from '../../model/trace.ts';
import { FlowRoute, type RouteChange, type Round, type Version } from './flow-route.ts';
import { type HopTally, makeTally, mergeTally } from './tally.ts';

/** One path as all flows that took it saw it. */
export interface BookedPath {
  id: string;
  flows: number[];
  rounds: number;
  /** Rounds over this path ÷ all rounds. */
  share: number;
  firstMs: number;
  lastMs: number;
  isCurrent: boolean;
  hops: HopTally[];
}

export interface BookedChange {
  atMs: number;
  flow: number;
  from: string;
  to: string;
  hops: { ttl: number; from: string[]; to: string[] }[];
}

/** Keeps all rounds of a trace, by path: what belongs together although the network changes meanwhile. */
export class PathBook {
  readonly #routes = new Map<number, FlowRoute>();
  readonly #changes: (RouteChange & { flow: number })[] = [];
  readonly #spread = new Map<number, Set<string>>();

  /** Hops where discovery saw packets of one flow take turns: that they do is no change of the path. */
  learn(graph: TraceGraph): void {
    if (!graph.balancers.some((b) => b.kind === 'per-packet')) return;
    const firstTtl = Math.min(
      ...graph.balancers
        .filter((b) => b.kind === 'per-packet')
        .map((b) => (b.node === null ? 0 : (graph.nodes.find((n) => n.id === b.node)?.ttl ?? 0))),
    );
    for (const { ttl, address } of graph.nodes) {
      if (address === null || ttl <= firstTtl) continue;
      const known = this.#spread.get(ttl) ?? new Set();
      this.#spread.set(ttl, known.add(address));
    }
  }

  /** @returns the changes that these records complete */
  add(records: readonly TraceRecord[]): BookedChange[] {
    const before = this.#changes.length;
    for (const [flow, round] of roundsOf(records)) {
      let route = this.#routes.get(flow);
      if (!route) this.#routes.set(flow, (route = new FlowRoute(this.#spread)));
      const change = route.add(round);
      if (change) this.#changes.push({ ...change, flow });
    }
    return this.#changes.slice(before).map(booked);
  }

  /** Forgets all that was counted; the next round begins anew. */
  reset(): void {
    this.#routes.clear();
    this.#changes.length = 0;
  }

  get changes(): BookedChange[] {
    return this.#changes.map(booked);
  }

  /** Rounds at the end that went another way, too few of them to call it a change. */
  get undecided(): number {
    return Math.max(0, ...[...this.#routes.values()].map((r) => r.undecided));
  }

  /** Paths that are in use first, then by rounds. */
  get paths(): BookedPath[] {
    const byId = new Map<string, BookedPath>();
    let all = 0;
    for (const [flow, route] of this.#routes)
      for (const version of route.versions) {
        if (version.rounds === 0) continue;
        all += version.rounds;
        const id = idOf(version);
        const known = byId.get(id);
        const path = pathOf(id, flow, version, version === route.current);
        byId.set(id, known ? together(known, path) : path);
      }
    return [...byId.values()]
      .map((path) => ({ ...path, share: path.rounds / all }))
      .sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent) || b.rounds - a.rounds);
  }
}

/** Records by flow and round: a TTL that does not rise begins the next round. What comes behind the end of the path is its echo. */
function* roundsOf(records: readonly TraceRecord[]): Iterable<[flow: number, round: Round]> {
  const open = new Map<number, TraceRecord[]>();
  for (const record of records) {
    let round = open.get(record.flow);
    if (round && record.ttl <= round.at(-1)!.ttl) {
      yield [record.flow, round];
      round = undefined;
    }
    if (!round) open.set(record.flow, (round = []));
    if ((round.at(-1)?.answer?.end ?? null) === null) round.push(record);
  }
  yield* open;
}

function hopsOf(version: Version): HopTally[] {
  return [...version.hops.values()].sort((a, b) => a.ttl - b.ttl);
}

function idOf(version: Version): string {
  const last = Math.max(0, ...version.hops.keys());
  return pathId(Array.from({ length: last }, (_, k) => [...(version.hops.get(k + 1)?.addresses.keys() ?? [])]));
}

function pathOf(id: string, flow: number, version: Version, isCurrent: boolean): BookedPath {
  const { rounds, firstMs, lastMs } = version;
  return { id, flows: [flow], rounds, share: 0, firstMs, lastMs, isCurrent, hops: hopsOf(version) };
}

function together(one: BookedPath, other: BookedPath): BookedPath {
  return {
    ...one,
    flows: [...new Set([...one.flows, ...other.flows])],
    rounds: one.rounds + other.rounds,
    firstMs: Math.min(one.firstMs, other.firstMs),
    lastMs: Math.max(one.lastMs, other.lastMs),
    isCurrent: one.isCurrent || other.isCurrent,
    hops: [...new Set([...one.hops, ...other.hops].map((h) => h.ttl))]
      .sort((a, b) => a - b)
      .map((ttl) => {
        const merged = makeTally(ttl);
        for (const hop of [...one.hops, ...other.hops]) if (hop.ttl === ttl) mergeTally(merged, hop);
        return merged;
      }),
  };
}

function booked({ atMs, flow, from, to }: RouteChange & { flow: number }): BookedChange {
  const ttls = new Set([...from.hops.keys(), ...to.hops.keys()]);
  const at = (version: Version, ttl: number) => [...(version.hops.get(ttl)?.addresses.keys() ?? [])];
  const hops = [...ttls]
    .sort((a, b) => a - b)
    .map((ttl) => ({ ttl, from: at(from, ttl), to: at(to, ttl) }))
    .filter((hop) => !hop.from.some((address) => hop.to.includes(address)) && hop.from.length + hop.to.length > 0);
  return { atMs, flow, from: idOf(from), to: idOf(to), hops };
}
