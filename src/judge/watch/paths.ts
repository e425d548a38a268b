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
  const before = new Map(known.map((path) => [`${path.agent} ${path.endpoint}`, path]));
  return latest.flatMap(({ kind, agent, endpoint, atMs, detail, state }) => {
    if (kind !== 'trace' || detail === null) return [];
    const path = before.get(`${agent} ${endpoint}`);
    if (path && state !== null && path.state === state)
      return [{ agent, endpoint, atMs, state, reached: true, hops: path.hops, address: path.hops.at(-1) ?? '' }];
    const trace = parsed(detail);
    if (!trace) return [];
    const address = bare(trace.address);
    return [{ agent, endpoint, atMs, state, reached: trace.reached, hops: unavoidable(trace, address), address }];
  });
}

/**
 * The way from each agent to each endpoint when a trace last reached it. The same array where nothing is new, so that whoever
 * stores it sees that at once.
 */
export function knownPaths(known: readonly KnownPath[], traces: readonly SeenTrace[]): readonly KnownPath[] {
  const reached = traces.filter((trace) => trace.reached && trace.hops.length > 0);
  if (reached.length === 0) return known;
  const paths = new Map(known.map((path) => [`${path.agent} ${path.endpoint}`, path]));
  let changed = false;
  for (const { agent, endpoint, atMs, state, hops, address } of reached) {
    const key = `${agent} ${endpoint}`;
    const before = paths.get(key);
    const whole = [...hops.filter((hop) => hop !== address), address].slice(0, maxHops);
    if (before && (before.atMs > atMs || (before.state === state && before.hops.join() === whole.join()))) continue;
    paths.set(key, { agent, endpoint, atMs, state, hops: whole });
    changed = true;
  }
  return changed ? [...paths.values()] : known;
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
