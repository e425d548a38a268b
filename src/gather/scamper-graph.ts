import type { ObservationOf } from '../model/observation.ts';
import { quantile, sorted } from '../stats/quantile.ts';
import { type Hop, hopOf, MAX_TTL } from './hops.ts';
import { asArray, asNumber, asObject, asText, type JsonObject } from './json.ts';

type Graph = NonNullable<ObservationOf<'trace'>['graph']>;
type Node = Graph['nodes'][number];

interface Draft {
  id: number;
  ttl: number;
  address: string;
  sent: number;
  rtts: number[];
  flows: Set<number>;
}

/** Nodes and edges of one record at most: far beyond any real one. */
const MAX_NODES = 10_000;
const MAX_RTTS = 10_000;

/**
 * The graph of a tracelb record. scamper lists for each node either all next hops, or one chain of hops up to the next node
 * with silent ones (`*`) between. An edge is drawn only where a flow known to pass the one answered from the other: by the
 * node control of MDA the flows of a node's first set pass that node. Whole paths are not listed, so none are claimed.
 */
export function multipathGraph(record: JsonObject, to: string): { graph: Graph; hops: Hop[] } | null {
  const drafts = new Map<string, Draft>();
  const edges = new Map<string, { from: number; to: number; flows: Set<number> }>();
  const draftOf = (address: string, ttl: number): Draft => {
    const key = `${ttl} ${address}`;
    const draft = drafts.get(key) ?? { id: drafts.size, ttl, address, sent: 0, rtts: [], flows: new Set<number>() };
    if (drafts.size < MAX_NODES) drafts.set(key, draft);
    return draft;
  };
  const connect = (from: Draft, next: Draft, flow: number) => {
    const key = `${from.id} ${next.id}`;
    const edge = edges.get(key) ?? { from: from.id, to: next.id, flows: new Set<number>() };
    edge.flows.add(flow);
    if (edges.size < MAX_NODES) edges.set(key, edge);
  };

  for (const one of asArray(record['nodes'])) {
    const node = asObject(one);
    const address = asText(node?.['addr']);
    const sets = asArray(node?.['links']).map((set) => setOf(set));
    const first = sets.findIndex((set) => set.some((entry) => entry.probes.length > 0));
    const nearest = sets[first]?.find((entry) => entry.probes.length > 0)?.probes[0];
    if (address === null || !nearest) continue;
    const ttl = nearest.ttl - 1 - first;
    if (ttl < 1 || ttl > MAX_TTL) continue;
    let passed: Draft[] = address === '*' ? [] : [draftOf(address, ttl)];
    for (const [i, set] of sets.entries()) {
      const here: Draft[] = [];
      for (const { address, probes } of set) {
        const next = draftOf(address, ttl + 1 + i);
        here.push(next);
        for (const { flow, rtts } of probes) {
          next.sent++;
          next.flows.add(flow);
          if (next.rtts.length < MAX_RTTS) next.rtts.push(...rtts);
          for (const from of passed) {
            // The flows of the first set pass the node itself; later ones must have been seen at the hop before.
            if (i > 0 && !from.flows.has(flow)) continue;
            from.flows.add(flow);
            connect(from, next, flow);
          }
        }
      }
      passed = here;
    }
  }
  if (drafts.size === 0) return null;

  const nodes = [...drafts.values()].map(nodeOf);
  const list = [...edges.values()].map(({ from, to, flows }) => ({ from, to, flows: rising(flows) }));
  const balancers = nodes.flatMap(({ id }) => {
    const branches = list.filter((edge) => edge.from === id).length;
    return branches > 1 ? [{ node: id, kind: 'unknown' as const, branches }] : [];
  });
  const percent = asNumber(record['confidence']);
  return {
    graph: {
      nodes,
      edges: list,
      paths: [],
      balancers,
      algorithm: 'mda',
      fallback: null,
      // scamper does not say in its JSON whether every rule was met.
      complete: false,
      confidence: (percent ?? 95) / 100,
      probes: Math.max(0, Math.round(asNumber(record['probec']) ?? 0)),
    },
    hops: hopsOf([...drafts.values()], to),
  };
}

interface SetEntry {
  address: string;
  probes: { ttl: number; flow: number; rtts: number[] }[];
}

/** A set of answers at one distance; silent ones are left out. */
function setOf(value: unknown): SetEntry[] {
  return asArray(value).flatMap((one) => {
    const address = asText(asObject(one)?.['addr']);
    if (address === null || address === '*') return [];
    const probes = asArray(asObject(one)?.['probes']).flatMap((probe) => {
      const [ttl, flow] = [asNumber(asObject(probe)?.['ttl']), asNumber(asObject(probe)?.['flowid'])];
      const rtts = asArray(asObject(probe)?.['replies']).flatMap((reply) => asNumber(asObject(reply)?.['rtt']) ?? []);
      const whole = ttl !== null && flow !== null && Number.isInteger(ttl) && Number.isInteger(flow);
      return whole ? [{ ttl, flow, rtts }] : [];
    });
    return [{ address, probes }];
  });
}

function nodeOf({ id, ttl, address, sent, rtts, flows }: Draft): Node {
  const rest = {
    replyTtl: null,
    quotedTtl: null,
    natRewrite: null,
    dscp: null,
    mpls: [],
    interfaces: [],
    name: null,
    asn: null,
  };
  // Only probes that were answered are listed with a node: sent and received are the same, and no loss can be told.
  return { id, ttl, address, sent, received: sent, rtts: spreadOf(rtts), flows: rising(flows), icmp: null, ...rest };
}

function spreadOf(rtts: readonly number[]): Node['rtts'] {
  const all = sorted(rtts);
  const [min, max] = [all[0], all.at(-1)];
  if (min === undefined || max === undefined) return null;
  const at = (p: number) => quantile(all, p);
  return { minMs: min, medianMs: at(0.5), p95Ms: at(0.95), maxMs: max, pdvP99Ms: at(0.99) - min };
}

function hopsOf(drafts: readonly Draft[], to: string): Hop[] {
  const byTtl = new Map<number, Draft[]>();
  for (const draft of drafts) byTtl.set(draft.ttl, [...(byTtl.get(draft.ttl) ?? []), draft]);
  return [...byTtl].map(([ttl, list]) => {
    const ordered = list.toSorted((a, b) => Number(b.address === to) - Number(a.address === to) || a.id - b.id);
    return hopOf(
      ttl,
      ordered.map(({ address, rtts }) => ({ address, rttMs: rtts.length > 0 ? Math.min(...rtts) : null })),
    );
  });
}

function rising(flows: ReadonlySet<number>): number[] {
  return [...flows].sort((a, b) => a - b);
}
