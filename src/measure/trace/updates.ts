import type { ObservationOf } from '../../model/observation.ts';
import type { Outcome } from '../../model/outcome.ts';
import type { TraceRecord } from '../../model/trace-record.ts';
import type { TraceGraph } from '../../model/trace.ts';
import { errnoOf, holdStamps } from '../../wire/error-queue.ts';
import type { Io } from '../../wire/io.ts';
import { openTraceTransport } from '../../wire/trace/open.ts';
import { soleNextHop } from '../../wire/route.ts';
import type { TraceTarget, TraceTransport } from '../../wire/trace/transport.ts';
import { resolveTarget } from '../dns.ts';
import type { Target } from '../probe.ts';
import { discover } from './discovery.ts';
import type { TraceOptions } from './options.ts';
import { measureRounds } from './rounds.ts';
import { soleFirstHop } from './first-hop.ts';
import { Session, sendFailure } from './session.ts';

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

/** The kernel's side, so that a test can put its own in its place. */
export interface TraceDoors {
  /** @throws SystemCallError where the method is not permitted */
  open(method: TraceTransport['method'], target: TraceTarget): TraceTransport;
  /** See wire/error-queue.ts. */
  holdStamps(sleep: (ms: number) => Promise<void>): Promise<() => void>;
  /** See wire/route.ts. */
  soleNextHop: typeof soleNextHop;
}

const kernelDoors: TraceDoors = { open: openTraceTransport, holdStamps, soleNextHop };
/** First registered port of traceroute(8), where nothing listens. */
const UDP_PORT = 33_434;

/**
 * Finds the paths, then measures them round by round. Ends by itself, or soon after `signal` aborts with what it has (outcome
 * `interrupted`); never throws for what the network does. An update comes at least every 250 ms while it runs.
 */
export async function* traceUpdates(
  target: Target,
  options: TraceOptions,
  io: Io,
  signal: AbortSignal,
  doors: TraceDoors = kernelDoors,
): AsyncGenerator<TraceUpdate> {
  const at = new Date(io.clock.wallMs()).toISOString();
  const base = { kind: 'trace' as const, at, from: target.vantage, to: target.name };
  const { addresses, outcome, how, port } = await resolveTarget(target, io, signal);
  const [first] = addresses;
  const none = (address: string, why: Outcome, said: string): TraceUpdate => {
    const nothing = { method: options.method, address, outcome: why, how: said, reached: false, hops: [] };
    return { phase: 'done', round: 0, records: [], trace: { ...base, ...nothing, graph: emptyGraph(options) } };
  };
  if (first === undefined) return yield none('', outcome, how);
  if (io.platform !== 'linux') {
    const message = `ICMP errors of own sockets (IP_RECVERR) exist on Linux only, this is ${io.platform}`;
    return yield none(first.address, failed('trace', 'ENOTSUP', first.address, message), message);
  }
  const to = { ...first, port: options.port ?? (options.method === 'udp' ? UDP_PORT : port) };
  let transport;
  try {
    transport = doors.open(options.method, to);
  } catch (error) {
    return yield none(first.address, sendFailure(error, first.address), refusal(options.method, errnoOf(error)));
  }
  const firstHop = soleFirstHop(doors.soleNextHop(to.address));
  const session = new Session(transport, to, options, io.clock, firstHop);
  const release = await doors.holdStamps((ms) => io.clock.sleep(ms, signal));
  try {
    for await (const { phase, round, records } of run(session, options, io, signal)) {
      yield { phase, round, records, trace: { ...base, ...session.report(signal.aborted) } };
    }
  } finally {
    release();
    transport.close();
  }
}

async function* run(
  session: Session,
  options: TraceOptions,
  io: Io,
  signal: AbortSignal,
): AsyncGenerator<Pick<TraceUpdate, 'phase' | 'round' | 'records'>> {
  const deadlineMs = io.clock.monoMs() + options.budgetMs;
  const discovery = discover(session, deadlineMs, io, signal);
  for (let step = await discovery.next(); ; step = await discovery.next()) {
    if (step.done) session.complete = step.value;
    if (step.done) break;
    yield { phase: 'discovery', round: 0, records: [] };
  }
  await session.askTarget(io, signal);
  let round = 0;
  let last: readonly TraceRecord[] = [];
  if (options.count > 0 && session.courses.length > 0 && !signal.aborted) {
    session.samples.restart();
    const { prober, family, heedRound: heed } = session;
    for await (const news of measureRounds(session.courses, { prober, family, heed }, options, io, signal)) {
      if (last.length > 0 || news.round < options.count) yield { phase: 'rounds', round, records: last };
      ({ round, records: last } = news);
    }
  }
  yield { phase: 'done', round, records: last };
}

function failed(operation: string, errno: string, address: string, message: string): Outcome {
  return { kind: 'failed', phase: 'wait', operation, errno, address, message };
}

function refusal(method: TraceOptions['method'], errno: string): string {
  if (errno !== 'EPERM' && errno !== 'EACCES') return `${method}: ${errno}`;
  return `${method} needs CAP_NET_RAW, or a net.ipv4.ping_group_range that holds the own group; udp and tcp-connect need neither`;
}

function emptyGraph({ algorithm, confidence }: TraceOptions): TraceGraph {
  return {
    nodes: [],
    edges: [],
    paths: [],
    balancers: [],
    algorithm: algorithm === 'single' ? 'single-flow' : algorithm === 'mda' ? 'mda' : 'mda-lite',
    fallback: null,
    confidence,
    probes: 0,
    complete: false,
  };
}
