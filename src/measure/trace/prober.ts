import type { Io } from '../../wire/io.ts';
import { errnoOf } from '../../wire/error-queue.ts';
import type { TraceEvents, TraceReply, TraceTransport } from '../../wire/trace/transport.ts';

/** What became of one probe. `reply` is null when nothing came in time; a late reply comes as a second one, marked so. */
export interface Probed {
  id: number;
  flow: number;
  ttl: number;
  sentMs: number;
  reply: TraceReply | null;
  rttMs: number | null;
  late: boolean;
}

interface Flying {
  id: number;
  flow: number;
  ttl: number;
  sentMs: number;
  transmittedMs: number | null;
  missed: boolean;
  /** The wall clock was stepped while it was on the way: its stamps do not belong together. */
  stepped: boolean;
}

/** A late reply is still welcome for so many waits. */
const LATE_WAITS = 4;
/** The wait is never shorter than this, and longer than the slowest round trip so far by so much. */
const WAIT = { leastMs: 250, times: 3, slackMs: 100 } as const;

/** Sends probes over a transport and tells what became of each. */
export class Prober {
  readonly transport: TraceTransport;
  /** What the own host said when it could not send; null while it could. */
  failure: { operation: string; errno: string } | null = null;
  probes = 0;
  /** Probes on the way for which an answer is still awaited. */
  awaited = 0;
  readonly #clock: Io['clock'];
  readonly #maxWaitMs: number;
  readonly #flying = new Map<number, Flying>();
  #slowestMs = 0;
  #answers = 0;

  constructor(transport: TraceTransport, clock: Io['clock'], maxWaitMs: number) {
    this.transport = transport;
    this.#clock = clock;
    this.#maxWaitMs = maxWaitMs;
  }

  /** Answers seen so far. */
  get answers(): number {
    return this.#answers;
  }

  get waitMs(): number {
    if (this.#answers === 0) return this.#maxWaitMs;
    return Math.min(this.#maxWaitMs, Math.max(WAIT.leastMs, WAIT.times * this.#slowestMs + WAIT.slackMs));
  }

  /** @returns its number, or null when it could not be sent */
  send(flow: number, ttl: number): number | null {
    const id = this.probes++;
    const sentMs = this.#clock.monoMs();
    // In the table before it is on the wire: the own host can answer before send() returns.
    this.#flying.set(id, { id, flow, ttl, sentMs, transmittedMs: null, missed: false, stepped: false });
    this.awaited++;
    try {
      this.transport.send(id, flow, ttl);
      return id;
    } catch (error) {
      this.#flying.delete(id);
      this.awaited--;
      this.transport.forget(id);
      this.failure = { operation: (error as { operation?: string }).operation ?? 'send', errno: errnoOf(error) };
      return null;
    }
  }

  /** Everything that came or ran out of time since the last call. */
  poll(): Probed[] {
    const replies: { probe: Flying; reply: TraceReply }[] = [];
    const done: Probed[] = [];
    const events: TraceEvents = {
      transmitted: (id, atMs) => {
        const probe = this.#flying.get(id);
        if (probe) probe.transmittedMs = atMs;
      },
      replied: (id, reply) => {
        const probe = this.#flying.get(id);
        if (probe) replies.push({ probe, reply });
      },
      failed: (id, operation, errno) => {
        const probe = this.#flying.get(id);
        if (probe) done.push(...this.#miss(probe));
        this.failure = { operation, errno };
      },
    };
    // A step voids the stamps on both of its sides, so those of everything that is on the way.
    if (this.transport.drain(events) !== 0) for (const probe of this.#flying.values()) probe.stepped = true;
    // Afterwards, because the stamp of sending may have been read after the answer.
    for (const { probe, reply } of replies) if (this.#flying.has(probe.id)) done.push(this.#answer(probe, reply));
    done.push(...this.#expire());
    return done;
  }

  close(): void {
    this.transport.close();
  }

  #answer(probe: Flying, reply: TraceReply): Probed {
    const rttMs = probe.stepped ? null : roundTripMs(probe, reply);
    if (rttMs !== null) this.#slowestMs = Math.max(this.#slowestMs, rttMs);
    this.#answers++;
    if (!probe.missed) this.awaited--;
    this.#forget(probe);
    return { ...plain(probe), reply, rttMs, late: probe.missed };
  }

  #expire(): Probed[] {
    const nowMs = this.#clock.monoMs();
    const { waitMs } = this;
    const done: Probed[] = [];
    for (const probe of this.#flying.values()) {
      const ageMs = nowMs - probe.sentMs;
      if (!probe.missed && ageMs > waitMs) done.push(...this.#miss(probe));
      else if (probe.missed && ageMs > LATE_WAITS * this.#maxWaitMs) this.#forget(probe);
    }
    return done;
  }

  #miss(probe: Flying): Probed[] {
    if (probe.missed) return [];
    probe.missed = true;
    this.awaited--;
    // One connection at a time: the next of this flow can only begin when this one is given up.
    if (this.transport.method === 'tcp-connect') this.#forget(probe);
    return [{ ...plain(probe), reply: null, rttMs: null, late: false }];
  }

  #forget(probe: Flying): void {
    this.#flying.delete(probe.id);
    this.transport.forget(probe.id);
  }
}

function plain({ id, flow, ttl, sentMs }: Flying): Pick<Probed, 'id' | 'flow' | 'ttl' | 'sentMs'> {
  return { id, flow, ttl, sentMs };
}

function roundTripMs(probe: Flying, reply: TraceReply): number | null {
  if (reply.rttMs !== null) return reply.rttMs;
  return reply.atMs === null ? null : Math.max(0, reply.atMs - (probe.transmittedMs ?? probe.sentMs));
}
