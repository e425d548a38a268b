import { type ObservationOf, traceObservation } from '../../model/observation.ts';
import type { Sample } from '../../model/sample.ts';
import type { KnownPath } from './input.ts';

type Trace = ObservationOf<'trace'>;

/** What the newest trace of an agent to an endpoint says. */
export interface SeenTrace {
  agent: string;
  endpoint: string;
  atMs: number;
  state: string | null;
  reached: boolean;
  /** Addresses that answered, nearest first. */
  hops: string[];
  address: string;
}

/** Longest path that is remembered; no TTL goes further. */
const maxHops = 255;

/**
 * Traces among the newest samples. Most say what they said before: their state tells, and they are not read again. What is no
 * trace, or no JSON, is passed over: it came over the network.
 */
export function tracesOf(latest: readonly Sample[], known: readonly KnownPath[]): SeenTrace[] {
  const before = indexOf(known);
  const traces: SeenTrace[] = [];
  for (const { kind, agent, endpoint, atMs, detail, state } of latest) {
    if (kind !== 'trace' || detail === null) continue;
    const path = before.get(endpoint)?.get(agent);
    if (path && state !== null && path.state === state) {
      traces.push({ agent, endpoint, atMs, state, reached: true, hops: path.hops, address: path.hops.at(-1) ?? '' });
      continue;
    }
    const trace = parsed(detail);
    if (!trace) continue;
    const address = bare(trace.address);
    traces.push({ agent, endpoint, atMs, state, reached: trace.reached, hops: unavoidable(trace, address), address });
  }
  return traces;
}

type PathIndex = ReadonlyMap<string, ReadonlyMap<string, KnownPath>>;
const indexes = new WeakMap<readonly KnownPath[], PathIndex>();

/** By endpoint and agent. The list is the same from one evaluation to the next while no path changes. */
function indexOf(known: readonly KnownPath[]): PathIndex {
  const made = indexes.get(known);
  if (made) return made;
  const index = new Map<string, Map<string, KnownPath>>();
  for (const path of known) {
    const agents = index.get(path.endpoint);
    if (agents) agents.set(path.agent, path);
    else index.set(path.endpoint, new Map([[path.agent, path]]));
  }
  indexes.set(known, index);
  return index;
}

/**
 * The way from each agent to each endpoint when a trace last reached it. The same array where nothing is new, so that whoever
 * stores it sees that at once.
 */
export function knownPaths(known: readonly KnownPath[], traces: readonly SeenTrace[]): readonly KnownPath[] {
  const before = indexOf(known);
  const moved = new Map<KnownPath, KnownPath>();
  const added: KnownPath[] = [];
  for (const { reached, agent, endpoint, atMs, state, hops, address } of traces) {
    if (!reached || hops.length === 0) continue;
    const old = before.get(endpoint)?.get(agent);
    // Taken from there.
    if (old?.hops === hops) continue;
    const whole = [...hops.filter((hop) => hop !== address), address].slice(0, maxHops);
    if (old && (old.atMs > atMs || (old.state === state && old.hops.join() === whole.join()))) continue;
    const path = { agent, endpoint, atMs, state, hops: whole };
    if (old) moved.set(old, path);
    else added.push(path);
  }
  if (moved.size + added.length === 0) return known;
  return [...known.map((path) => moved.get(path) ?? path), ...added];
}

/** Hops that every way passes, so that one of them that fails takes the endpoint along. */
function unavoidable(trace: Trace, address: string): string[] {
  const { graph } = trace;
  const ways = graph
    ? graph.paths
        .filter((path) => path.reached || !trace.reached)
        .map(({ nodes }) => nodes.map((id) => graph.nodes.find((node) => node.id === id)?.address ?? null))
    : [trace.hops.map((hop) => hop.address)];
  const [first = [], ...rest] = ways;
  const common = first.filter((hop) => hop !== null && rest.every((way) => way.includes(hop)));
  return [...new Set(common.flatMap((hop) => (hop === null || hop === address ? [] : [hop])))].slice(0, maxHops);
}

function parsed(detail: string): Trace | null {
  try {
    return traceObservation.safeParse(JSON.parse(detail)).data ?? null;
  } catch {
    return null;
  }
}

/** "[2001:db8::1]:443" → "2001:db8::1". */
function bare(address: string): string {
  return address.replace(/^\[([^\]]*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1');
}
