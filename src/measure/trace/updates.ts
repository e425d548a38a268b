import type { ObservationOf } from '../../model/observation.ts';
import type { TraceRecord } from '../../model/trace-record.ts';
import type { TraceGraph } from '../../model/trace.ts';
import type { Io } from '../../wire/io.ts';
import type { Target } from '../probe.ts';
import { traceProbe } from '../trace.ts';
import type { TraceOptions } from './options.ts';

/** How far a trace has come. Every update holds all that is known so far; the last one has phase `done`. */
export interface TraceUpdate {
  phase: 'discovery' | 'rounds' | 'done';
  /** Rounds completed, of `options.count`. */
  round: number;
  /**
   * The probes of rounds that were decided (answered, or waited for in vain) since the last update, each once: what loss
   * over time, path changes and intervals are made of. All of one round and flow come in the same update, by TTL, and end
   * with the target where it answered. Probes of discovery are not among them: they look for branches, not for loss.
   */
  records: readonly TraceRecord[];
  trace: ObservationOf<'trace'> & { graph: TraceGraph };
}

/**
 * Finds the paths, then measures them round by round. Ends by itself, or soon after `signal` aborts with what it has (outcome
 * `interrupted`); never throws for what the network does. An update comes at least every 250 ms while it runs.
 */
export async function* traceUpdates(
  target: Target,
  options: TraceOptions,
  io: Io,
  signal: AbortSignal,
): AsyncGenerator<TraceUpdate> {
  const startMs = io.clock.monoMs();
  for (let round = 0; ; round++) {
    let last: TraceUpdate | null = null;
    for await (const one of traceProbe.run(target, options, io, signal)) {
      if (one.kind !== 'trace') continue;
      const records = round === 0 ? [] : recordsOf(one.hops, one.reached, io.clock.monoMs());
      last = { phase: 'rounds', round, records, trace: { ...one, graph: onePath(one.hops, one.reached) } };
    }
    if (!last) return;
    const kind = last.trace.outcome.kind;
    const isLast = round >= options.count || signal.aborted || kind === 'failed';
    yield isLast ? { ...last, phase: 'done' } : last;
    if (isLast) return;
    const waitMs = startMs + (round + 1) * options.intervalMs - io.clock.monoMs();
    await io.clock.sleep(Math.max(0, waitMs), signal).catch(() => undefined);
  }
}

/** The single path of today's probe as records: one flow, and only the hops that it kept. */
function recordsOf(hops: ObservationOf<'trace'>['hops'], reached: boolean, atMs: number): TraceRecord[] {
  const unseen = {
    icmp: null,
    replyTtl: null,
    quotedTtl: null,
    natRewrite: null,
    dscp: null,
    mpls: [],
    interfaces: [],
  };
  return hops.map(({ ttl, address, rttMs }, i) => {
    const end = reached && i === hops.length - 1 ? ('target' as const) : null;
    return { flow: 0, ttl, atMs, answer: address === null ? null : { ...unseen, address, rttMs, end } };
  });
}

function onePath(hops: ObservationOf<'trace'>['hops'], reached: boolean): TraceGraph {
  const nodes = hops.map(({ ttl, address, rttMs }, id) => ({
    id,
    ttl,
    address,
    sent: 1,
    received: address === null ? 0 : 1,
    rtts: rttMs === null ? null : { minMs: rttMs, medianMs: rttMs, p95Ms: rttMs, maxMs: rttMs, pdvP99Ms: 0 },
    flows: [0],
    icmp: null,
    replyTtl: null,
    quotedTtl: null,
    natRewrite: null,
    dscp: null,
    mpls: [],
    interfaces: [],
    name: null,
    asn: null,
  }));
  const edges = nodes.slice(1).flatMap((to, i) => {
    const from = nodes[i]!;
    return from.address === null || to.address === null ? [] : [{ from: from.id, to: to.id, flows: [0] }];
  });
  const path = { id: '0', flows: [0], nodes: nodes.map(({ id }) => id), reached, sent: 0, received: 0, rtts: null };
  return {
    nodes,
    edges,
    paths: [path],
    balancers: [],
    algorithm: 'single-flow',
    fallback: null,
    confidence: 0.95,
    probes: nodes.length,
    complete: true,
  };
}
