import type { AsnLookup } from '../gather/asn/prefix-table.ts';
import { PathBook } from '../judge/path/path-book.ts';
import { pathReports, publishedChange } from '../judge/path/reports.ts';
import { verdictOf } from '../judge/path/verdict.ts';
import type { Target } from '../measure/probe.ts';
import { PtrNames } from '../measure/ptr-names.ts';
import type { TraceOptions } from '../measure/trace/options.ts';
import { type TraceUpdate, traceUpdates } from '../measure/trace/updates.ts';
import type { Outcome } from '../model/outcome.ts';
import type { HopAddress, TraceChange, TraceReport } from '../model/trace-report.ts';
import type { Io } from '../wire/io.ts';
import { version } from './version.ts';

export type Protocol = TraceReport['protocol'];

export interface TraceTask {
  /** As the user wrote it. */
  text: string;
  target: Target;
  port: number | null;
  protocol: Protocol;
  options: Omit<TraceOptions, 'method'>;
  notes: readonly string[];
  asnOf: AsnLookup | null;
  /** The user ends it, not a number of rounds. */
  isEndless: boolean;
}

/** Why bare SYNs cannot be sent here: then connections go instead, which need no privilege, and the report says so. */
const cannotSendBare = new Set(['EPERM', 'EACCES', 'ENOTSUP']);

/** A trace while it runs: what is known so far, and the report of it at any moment. */
export class TraceRun {
  readonly book = new PathBook();
  readonly task: TraceTask;
  latest: TraceUpdate | null = null;
  /** Whether PTR names are asked for; what is known already stays. */
  asksNames: boolean;
  readonly #names: PtrNames;
  readonly #io: Io;
  readonly #startMono: number;
  readonly #startWall: number;
  readonly #notes: string[];
  #method: TraceOptions['method'];

  constructor(task: TraceTask, io: Io, asksNames: boolean) {
    this.asksNames = asksNames;
    this.#names = new PtrNames(io, () => undefined);
    this.task = task;
    this.#io = io;
    this.#startMono = io.clock.monoMs();
    this.#startWall = io.clock.wallMs();
    this.#notes = [...task.notes];
    this.#method = task.protocol;
  }

  /** Runs to its end, or until `signal` aborts. `changed` is called after every update, with the changes of paths in it. */
  async run(signal: AbortSignal, changed: (changes: readonly TraceChange[]) => void): Promise<void> {
    await this.#pass(signal, changed);
    const outcome = this.latest?.trace.outcome;
    if (this.#method !== 'tcp' || outcome?.kind !== 'failed' || !cannotSendBare.has(outcome.errno)) return;
    this.#method = 'tcp-connect';
    this.#notes.push('bare SYNs need CAP_NET_RAW; connections were made instead, one at a time per flow');
    await this.#pass(signal, changed);
  }

  async #pass(signal: AbortSignal, changed: (changes: readonly TraceChange[]) => void): Promise<void> {
    const options = { ...this.task.options, method: this.#method };
    for await (const update of traceUpdates(this.task.target, options, this.#io, signal)) {
      this.latest = update;
      this.book.learn(update.trace.graph);
      const changes = this.book.add(update.records);
      changed(changes.map((change) => publishedChange(change, this.wallAt)));
    }
  }

  /** Waits for the names that are still asked for, but not long. */
  async namesSettled(): Promise<void> {
    if (!this.asksNames) return;
    this.report();
    const patience = new AbortController();
    const signal = AbortSignal.any([patience.signal, this.#io.signals.interrupted]);
    await this.#names.settled(this.#io.clock.sleep(namePatienceMs, signal).catch(() => undefined));
    patience.abort();
  }

  /** Begins all counts anew; the paths that discovery found stay known. */
  reset(): void {
    this.book.reset();
  }

  /** ISO 8601 of a time on the monotonic clock. */
  readonly wallAt = (monoMs: number): string => new Date(this.#startWall + (monoMs - this.#startMono)).toISOString();

  /** With the name and the system of its address, as far as they are known. */
  #told<T extends { address: string | null }>(one: T): T & Pick<HopAddress, 'name' | 'asn'> {
    const { address } = one;
    if (address === null) return { ...one, name: null, asn: null };
    const name = this.asksNames ? this.#names.of(address) : null;
    return { ...one, name, asn: this.task.asnOf?.(address) ?? null };
  }

  /** Everything so far, complete at any moment. */
  report(): TraceReport {
    const { task, latest, book } = this;
    const trace = latest?.trace;
    const paths = pathReports(book, task.protocol, this.wallAt).map((path) => ({
      ...path,
      hops: path.hops.map((hop) => ({ ...hop, addresses: hop.addresses.map((a) => this.#told(a)) })),
    }));
    const changes = book.changes.map((change) => publishedChange(change, this.wallAt));
    const reached = (trace?.reached ?? false) || paths.some((p) => p.isCurrent && p.reached);
    const outcome = outcomeOf(trace?.outcome, reached, this.#io.signals.interrupted.aborted);
    const graph = trace ? { ...trace.graph, nodes: trace.graph.nodes.map((node) => this.#told(node)) } : null;
    return {
      schema: 'inferpath/trace@1',
      version,
      startedAt: new Date(this.#startWall).toISOString(),
      durationMs: this.#io.clock.monoMs() - this.#startMono,
      interrupted: this.#io.signals.interrupted.aborted,
      target: task.text,
      address: trace?.address ?? '',
      port: task.port,
      protocol: task.protocol,
      how: trace?.how ?? '',
      outcome,
      reached,
      rounds: latest?.round ?? 0,
      graph,
      paths,
      changes,
      verdict: verdictOf({ outcome, reached, graph, paths, changes }),
      notes: [...this.#notes, ...undecidedNote(book.undecided)],
    };
  }
}

/** Names that take longer than this at the end are not waited for. */
const namePatienceMs = 1500;

/** Whoever ends a live view has seen enough: a target that was reached stays reached. */
function outcomeOf(outcome: Outcome | undefined, reached: boolean, interrupted: boolean): Outcome {
  if (!outcome) return { kind: 'interrupted' };
  return outcome.kind === 'interrupted' && !interrupted ? { kind: reached ? 'answered' : 'lost' } : outcome;
}

function undecidedNote(rounds: number): string[] {
  if (rounds < 2) return [];
  return [`the last ${rounds} rounds went another way, too few to call it a change; they are in no table`];
}

/** What it is doing, in some words. */
export function progressLine({ latest, task }: TraceRun): string {
  if (!latest || latest.phase === 'discovery') return `looking for paths: ${latest?.trace.graph.probes ?? 0} probes`;
  return task.isEndless ? `round ${latest.round}` : `round ${latest.round} of ${task.options.count}`;
}
