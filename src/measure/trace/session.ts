import type { ObservationOf } from '../../model/observation.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { TraceGraph } from '../../model/trace.ts';
import { errnoOf, isNoRoute } from '../../wire/error-queue.ts';
import { describeIcmp } from '../../wire/icmp.ts';
import type { Io } from '../../wire/io.ts';
import type { TraceReply, TraceTarget, TraceTransport } from '../../wire/trace/transport.ts';
import type { SoleFirstHop } from './first-hop.ts';
import { shapeOf, type Shape } from './graph.ts';
import type { TraceOptions } from './options.ts';
import { Plan } from './plan.ts';
import { type Probed, Prober } from './prober.ts';
import { type Course, detailsOf } from './rounds.ts';
import { Samples } from './samples.ts';
import { Table } from './table.ts';

type Report = Pick<ObservationOf<'trace'>, 'method' | 'address' | 'outcome' | 'how' | 'reached' | 'hops'> & {
  graph: TraceGraph;
};

const POLL_MS = 1;
/** For a plain question to the target: no path is longer. */
const PLAIN_TTL = 64;
const UNSEEN = { icmp: null, replyTtl: null, quotedTtl: null, natRewrite: null, dscp: null, mpls: [], interfaces: [] };

/** One trace from its first probe to its report: what was learnt, and from whom. */
export class Session {
  readonly table = new Table();
  readonly samples = new Samples();
  readonly plan: Plan;
  readonly prober: Prober;
  readonly family: 4 | 6;
  /** Every stopping rule was met. */
  complete = false;
  readonly #target: TraceTarget;
  readonly #options: TraceOptions;
  readonly #soleFirstHop: SoleFirstHop;
  #end: TraceReply | null = null;
  #discoveryProbes: number | null = null;
  #plainRttMs: number | null | undefined;
  #shape: { version: number; shape: Shape } | null = null;

  constructor(
    transport: TraceTransport,
    target: TraceTarget,
    options: TraceOptions,
    clock: Io['clock'],
    soleFirstHop: SoleFirstHop,
  ) {
    this.#target = target;
    this.#soleFirstHop = soleFirstHop;
    this.#options = options;
    this.family = target.family;
    this.prober = new Prober(transport, clock, options.waitMs);
    const algorithm = options.algorithm === 'auto' ? 'mda-lite' : options.algorithm;
    this.plan = new Plan(this.table, { ...options, algorithm, soleFirstHop });
  }

  readonly heed = (probed: Probed): void => {
    this.samples.add(probed);
    const { reply } = probed;
    if (reply === null || reply.kind === 'exceeded') return;
    if (this.#end === null || (this.#end.kind === 'unreachable' && reply.kind !== 'unreachable')) this.#end = reply;
  };

  /** In rounds a hop may speak up that was silent before; one that spoke is not overwritten: that is a change of path. */
  readonly heedRound = (probed: Probed): void => {
    this.heed(probed);
    const { flow, ttl, reply } = probed;
    if (reply === null || this.table.cell(ttl, flow)?.received !== 0) return;
    this.table.answered(ttl, flow, reply.from, { ends: reply.kind !== 'exceeded', late: true });
  };

  get reached(): boolean {
    return this.#end !== null && this.#end.kind !== 'unreachable';
  }

  /** One flow per path, and how far it goes. */
  get courses(): Course[] {
    const { paths, nodes } = this.#currentShape();
    return paths
      .map((path) => ({ flow: path.flows[0]!, lastTtl: lastAnswered(path.nodes.map((id) => nodes[id]!)) }))
      .filter(({ lastTtl }) => lastTtl > 0);
  }

  /** Where the path just ends in silence: does the target answer when it is asked without a hop limit? */
  async askTarget(io: Io, signal: AbortSignal): Promise<void> {
    this.#discoveryProbes = this.prober.probes;
    if (this.#end !== null || signal.aborted || !this.prober.transport.ready(0)) return;
    if (this.prober.failure !== null && this.prober.answers === 0) return;
    const id = this.prober.send(0, PLAIN_TTL);
    this.#plainRttMs = null;
    if (id === null) return;
    while (!signal.aborted) {
      const mine = this.prober.poll().find((probed) => probed.id === id);
      if (mine !== undefined) {
        if (mine.reply !== null && mine.reply.kind !== 'exceeded') this.#plainRttMs = mine.rttMs ?? undefined;
        return;
      }
      await io.clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
  }

  report(interrupted: boolean): Report {
    const graph = this.#graph();
    const path = graph.paths.find(({ flows }) => flows.includes(0)) ?? graph.paths[0];
    const hops = (path?.nodes ?? []).map((id) => {
      const { ttl, address, rtts } = graph.nodes[id]!;
      return { ttl, address, rttMs: rtts?.medianMs ?? null };
    });
    const { transport } = this.prober;
    return {
      method: transport.method,
      address: this.#target.address,
      outcome: this.#outcome(interrupted),
      how: transport.how + this.#remark(interrupted),
      reached: this.reached,
      hops,
      graph,
    };
  }

  #currentShape(): Shape {
    const { version } = this.table;
    if (this.#shape?.version !== version) {
      const isTarget = (address: string) => address === this.#target.address;
      const shape = shapeOf(this.table, this.#options.firstTtl, isTarget, this.#soleFirstHop);
      this.#shape = { version, shape };
    }
    return this.#shape.shape;
  }

  #graph(): TraceGraph {
    const { nodes, edges, paths, balancers } = this.#currentShape();
    const { algorithm, confidence } = this.#options;
    const byNode = algorithm === 'mda' || this.plan.fallback !== null;
    return {
      nodes: nodes.map((node) => ({
        ...node,
        ...this.samples.of(node.ttl, node.flows, node.address),
        ...this.#details(node.ttl, node.address),
        name: null,
        asn: null,
      })),
      edges,
      paths: paths.map((path) => {
        const last = nodes[path.nodes.at(-1)!]!;
        return { ...path, ...this.samples.of(last.ttl, path.flows, last.address) };
      }),
      balancers,
      algorithm: algorithm === 'single' ? 'single-flow' : byNode ? 'mda' : 'mda-lite',
      fallback: this.plan.fallback,
      confidence,
      probes: this.#discoveryProbes ?? this.prober.probes,
      complete: this.complete,
    };
  }

  #details(ttl: number, address: string | null) {
    const reply = address === null ? undefined : this.samples.last(ttl, address);
    return reply === undefined ? UNSEEN : detailsOf(reply, this.family);
  }

  #outcome(interrupted: boolean): Outcome {
    const { failure, answers } = this.prober;
    const { address } = this.#target;
    if (interrupted) return { kind: 'interrupted' };
    if (this.#end !== null) return outcomeOf(this.#end, this.family);
    if (failure !== null && answers === 0) return sendFailure(failure, address);
    return this.#plainAnswered ? { kind: 'answered' } : { kind: 'lost' };
  }

  get #plainAnswered(): boolean {
    return typeof this.#plainRttMs === 'number';
  }

  #remark(interrupted: boolean): string {
    if (interrupted || this.#plainRttMs === undefined) return this.complete ? '' : '; stopped before all was asked';
    const target = this.#plainAnswered
      ? `though the target answers without a hop limit in ${this.#plainRttMs!.toFixed(3)} ms`
      : 'and the target does not answer without a hop limit either';
    return `; nobody answers after hop ${this.table.reach}, ${target}`;
  }
}

function lastAnswered(nodes: readonly { ttl: number; address: string | null }[]): number {
  return nodes.findLast(({ address }) => address !== null)?.ttl ?? 0;
}

function outcomeOf(end: TraceReply, family: 4 | 6): Outcome {
  if (end.kind === 'refused') return { kind: 'refused', address: end.from };
  if (end.kind !== 'unreachable') return { kind: 'answered' };
  const message = end.icmp === null ? 'unreachable' : describeIcmp(family, end.icmp.type, end.icmp.code);
  return { kind: 'unreachable', by: end.from, message };
}

/** The outcome of a call that the own host refused. */
export function sendFailure(error: unknown, address: string): Outcome {
  const { operation = 'send', errno = errnoOf(error) } = error as { operation?: string; errno?: string };
  const message = `${operation} ${address}: ${errno}`;
  if (isNoRoute(errno)) return { kind: 'unreachable', by: 'this host', message };
  return { kind: 'failed', phase: 'wait', operation, errno, address, message };
}
