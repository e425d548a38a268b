import type { Outcome } from '../model/outcome.ts';
import { errnoOf, isNoRoute } from '../wire/error-queue.ts';
import { describeIcmp, isPortUnreachable, isTimeExceeded } from '../wire/icmp.ts';
import type { Io } from '../wire/io.ts';
import type { UdpProbe } from '../wire/udp-probe.ts';
import type { Traced, TraceSockets, TraceTask } from './trace.ts';
import type { TraceOptions } from './trace/options.ts';

const POLL_MS = 1;
/** TTLs on the way at once: enough to be quick, few enough not to meet the ICMP rate limit of one router. */
const WINDOW = 6;
const HOP_WAIT_MS = 700;

interface Hop {
  sentMs: number;
  transmittedMs: number | null;
  address: string | null;
  rttMs: number | null;
  open: boolean;
}

/** Datagrams of one flow to a closed port, several TTLs at once; "port unreachable" by the target is the end of the path. */
export async function traceByUdp(
  task: TraceTask,
  options: TraceOptions,
  io: Io,
  signal: AbortSignal,
  sockets: TraceSockets,
): Promise<Traced> {
  const how = 'UDP, one flow, kernel TX and RX stamps';
  let socket: UdpProbe;
  try {
    socket = sockets.openUdp(task.address, task.family, task.port);
  } catch (error) {
    return { outcome: sendFailure(errnoOf(error), task.address), reached: false, hops: [], how };
  }
  const trace = new UdpTrace(task, options, socket, io);
  try {
    const deadlineMs = io.clock.monoMs() + options.budgetMs;
    while (!signal.aborted && io.clock.monoMs() < deadlineMs && trace.step()) {
      await io.clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
    return { ...trace.result(signal.aborted), how };
  } finally {
    socket.close();
  }
}

class UdpTrace {
  readonly #task: TraceTask;
  readonly #options: TraceOptions;
  readonly #socket: UdpProbe;
  readonly #io: Io;
  readonly #hops: Hop[] = [];
  /** TTL at which the path ended, and how. */
  #end: { ttl: number; outcome: Outcome; reached: boolean } | null = null;

  constructor(task: TraceTask, options: TraceOptions, socket: UdpProbe, io: Io) {
    this.#task = task;
    this.#options = options;
    this.#socket = socket;
    this.#io = io;
  }

  /** Reads answers, closes hops that were silent for too long, sends what may be sent. False when there is nothing left to do. */
  step(): boolean {
    const nowMs = this.#io.clock.monoMs();
    this.#read();
    for (const hop of this.#hops) if (nowMs - hop.sentMs > HOP_WAIT_MS) hop.open = false;
    const limit = Math.min(this.#end?.ttl ?? this.#options.maxTtl, this.#options.maxTtl);
    let room = this.#silentAtEnd() >= this.#options.silentHops ? 0 : WINDOW - this.#inFlight();
    for (; room > 0 && this.#hops.length < limit; room--) if (!this.#send()) return false;
    return this.#hops.slice(0, limit).some((hop) => hop.open);
  }

  result(interrupted: boolean): Pick<Traced, 'outcome' | 'reached' | 'hops'> {
    const last = this.#end?.ttl ?? this.#lastKept();
    const hops = this.#hops.slice(0, last).map(({ address, rttMs }, i) => ({ ttl: i + 1, address, rttMs }));
    if (this.#end) return { hops, outcome: this.#end.outcome, reached: this.#end.reached };
    return { hops, outcome: { kind: interrupted ? 'interrupted' : 'lost' }, reached: false };
  }

  /** The window runs ahead of the silence that stops it: keep no more silent hops than the limit. */
  #lastKept(): number {
    return Math.min(this.#hops.length, this.#lastAnswered() + this.#options.silentHops);
  }

  #lastAnswered(): number {
    return this.#hops.findLastIndex((hop) => hop.address !== null) + 1;
  }

  /** Hops in a row, counted from the last answer, of which nothing is expected any more. */
  #silentAtEnd(): number {
    let silent = 0;
    for (const hop of this.#hops.slice(this.#lastAnswered())) {
      if (hop.open) break;
      silent++;
    }
    return silent;
  }

  #inFlight(): number {
    return this.#hops.reduce((count, hop) => count + (hop.open ? 1 : 0), 0);
  }

  #send(): boolean {
    const ttl = this.#hops.length + 1;
    // In the table before it is on the wire: the own host can answer before send() returns.
    this.#hops.push({ sentMs: this.#io.clock.monoMs(), transmittedMs: null, address: null, rttMs: null, open: true });
    try {
      this.#socket.send(ttl);
      return true;
    } catch (error) {
      this.#hops.pop();
      this.#end ??= { ttl: ttl - 1, outcome: sendFailure(errnoOf(error), this.#task.address), reached: false };
      return false;
    }
  }

  #read(): void {
    const answers: { hop: Hop; atMs: number | null }[] = [];
    const stepMs = this.#socket.drain({
      transmitted: (ttl, atMs) => {
        const hop = this.#hops[ttl - 1];
        if (hop) hop.transmittedMs = atMs;
      },
      icmpError: (ttl, by, type, code, atMs) => {
        const hop = this.#hops[(ttl ?? this.#only()) - 1];
        if (!hop?.open) return;
        hop.open = false;
        hop.address = by;
        answers.push({ hop, atMs });
        if (!isTimeExceeded(this.#task.family, type)) this.#ended(this.#hops.indexOf(hop) + 1, by, type, code);
      },
    });
    if (stepMs !== 0) return; // the wall clock was stepped: the hops stand, their stamps are void
    for (const { hop, atMs } of answers)
      if (atMs !== null) hop.rttMs = Math.max(0, atMs - (hop.transmittedMs ?? hop.sentMs));
  }

  /** TTL of the only packet on the way, to which an answer with a short quote must belong; 0 when there are several. */
  #only(): number {
    return this.#inFlight() === 1 ? this.#hops.findIndex((hop) => hop.open) + 1 : 0;
  }

  /** The lowest TTL that met the end is its distance: all higher ones meet it too. */
  #ended(ttl: number, by: string, type: number, code: number): void {
    if (this.#end !== null && this.#end.ttl <= ttl) return;
    const reached = by === this.#task.address;
    const outcome: Outcome =
      reached && isPortUnreachable(this.#task.family, type, code)
        ? { kind: 'answered' }
        : { kind: 'unreachable', by, message: describeIcmp(this.#task.family, type, code) };
    this.#end = { ttl, outcome, reached };
  }
}

function sendFailure(errno: string, address: string): Outcome {
  const message = `send ${address}: ${errno}`;
  if (isNoRoute(errno)) return { kind: 'unreachable', by: 'this host', message };
  return { kind: 'failed', phase: 'wait', operation: 'send', errno, address, message };
}
