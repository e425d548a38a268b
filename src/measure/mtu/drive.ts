import type { Io } from '../../wire/io.ts';
import { errnoOf } from '../../wire/error-queue.ts';
import type { SizeProbe } from '../../wire/size-probe.ts';
import type { MtuSearch, Reply, Step } from './search.ts';

/** Drives a search over real packets, one on the way at a time. */
export interface DriveOptions {
  /** Longest wait for one answer, ms. */
  timeoutMs: number;
  /** Called before each probe, for whoever shows progress. */
  onStep?: ((step: Step) => void) | undefined;
}

export interface Drive {
  /** Why the search could not go on: what the own host said to a send; null when it ended by itself or was stopped. */
  failure: { errno: string } | null;
  /** Somebody on the way who says that there is no way to the target. */
  unreachable: { by: string; message: string } | null;
  /** Longest time from a probe to its answer, ms, by our own clock; null when there was none. */
  slowestMs: number | null;
}

const POLL_MS = 1;
/**
 * Once round trips are known, silence is waited for that much longer than the slowest of them. RFC 8899 §5.1.1 asks a
 * transport for a second at least, since it lives with the result; here a late answer still counts, and raises it.
 */
const PATIENCE = 4;
const LEAST_WAIT_MS = 200;
/** How many probes back an answer is still known. */
const REMEMBERED = 512;
/** Numbers of the probes begin anywhere, so that answers to an earlier run of ours are not taken for answers to this one. */
const SEQUENCES = 0x10000;

export async function drive(
  search: MtuSearch,
  socket: SizeProbe,
  io: Io,
  signal: AbortSignal,
  options: DriveOptions,
): Promise<Drive> {
  const driver = new Driver(search, socket, io, options);
  for (let step = search.next(); step !== null && !signal.aborted; step = search.next()) {
    options.onStep?.(step);
    if (step.pauseMs > 0) await io.clock.sleep(step.pauseMs, signal).catch(() => undefined);
    if (signal.aborted || !(await driver.probe(step, signal))) break;
  }
  return driver.result();
}

class Driver {
  readonly #search: MtuSearch;
  readonly #socket: SizeProbe;
  readonly #io: Io;
  readonly #options: DriveOptions;
  /** Size and time of each probe by its number. */
  readonly #sent = new Map<number, { sizeBytes: number; sentMs: number }>();
  #sequence: number;
  #reply: Exclude<Reply, { kind: 'silent' }> | null = null;
  /** Somebody refused the probe on the way: nothing more will come for it. */
  #refused = false;
  #failure: Drive['failure'] = null;
  #unreachable: Drive['unreachable'] = null;
  #slowestMs: number | null = null;

  constructor(search: MtuSearch, socket: SizeProbe, io: Io, options: DriveOptions) {
    this.#search = search;
    this.#socket = socket;
    this.#io = io;
    this.#options = options;
    this.#sequence = Math.floor(io.random.next() * SEQUENCES);
  }

  /** Sends one probe and tells the search what became of it. False when nothing more can be sent. */
  async probe({ sizeBytes }: Step, signal: AbortSignal): Promise<boolean> {
    const sentMs = this.#io.clock.monoMs();
    this.#sequence = (this.#sequence + 1) % SEQUENCES;
    this.#remember(this.#sequence, { sizeBytes, sentMs });
    this.#reply = null;
    this.#refused = false;
    this.#search.sent(sizeBytes);
    const errno = this.#send(sizeBytes);
    if (errno === 'EMSGSIZE') {
      // The interface takes less than its MTU says, or the route has a lower one: the own host is the first hop.
      this.#search.take(sizeBytes, { kind: 'tooBig', by: 'this host', mtuBytes: null });
      return true;
    }
    if (errno !== null) {
      this.#failure = { errno };
      return false;
    }
    const waitMs = this.#waitMs();
    let untilMs = sentMs + waitMs;
    const heard = () => this.#reply;
    while (heard()?.kind !== 'acked' && !signal.aborted) {
      const before = heard();
      this.#drain();
      if (heard()?.kind === 'acked') break;
      // A packet that arrives is not too big, whatever came meanwhile: a forged message must not decide.
      if (before === null && heard() !== null) untilMs = Math.min(untilMs, this.#io.clock.monoMs() + this.#graceMs());
      if (this.#refused || this.#io.clock.monoMs() >= untilMs) break;
      await this.#io.clock.sleep(POLL_MS, signal).catch(() => undefined);
    }
    if (signal.aborted && heard() === null) return false;
    this.#search.take(sizeBytes, heard() ?? { kind: 'silent' });
    return true;
  }

  result(): Drive {
    return { failure: this.#failure, unreachable: this.#unreachable, slowestMs: this.#slowestMs };
  }

  #send(sizeBytes: number): string | null {
    try {
      this.#socket.send({ sequence: this.#sequence, sizeBytes });
      return null;
    } catch (error) {
      if (error instanceof RangeError) throw error;
      return errnoOf(error);
    }
  }

  #drain(): void {
    this.#socket.drain({
      arrived: (sequence) => this.#arrived(sequence),
      tooBig: (sequence, by, mtuBytes) => this.#tooBig(sequence ?? this.#sequence, by, mtuBytes),
      expired: () => undefined,
      unreachable: (sequence, by, message) => {
        this.#refused ||= sequence === this.#sequence;
        this.#unreachable ??= { by, message };
      },
    });
  }

  #arrived(sequence: number | null): void {
    const probe = sequence === null ? undefined : this.#sent.get(sequence);
    if (!probe) return; // a duplicate, or nobody can tell what was answered
    this.#sent.delete(sequence as number);
    if (sequence !== this.#sequence) return this.#search.take(probe.sizeBytes, { kind: 'acked' });
    this.#slowestMs = Math.max(this.#slowestMs ?? 0, this.#io.clock.monoMs() - probe.sentMs);
    this.#reply = { kind: 'acked' };
  }

  #tooBig(sequence: number, by: string, mtuBytes: number | null): void {
    const probe = this.#sent.get(sequence);
    if (!probe) return;
    const reply = { kind: 'tooBig' as const, by, mtuBytes };
    if (sequence === this.#sequence) this.#reply ??= reply;
    else this.#search.take(probe.sizeBytes, reply);
  }

  #waitMs(): number {
    const { timeoutMs } = this.#options;
    if (this.#slowestMs === null) return timeoutMs;
    return Math.min(timeoutMs, Math.max(LEAST_WAIT_MS, this.#slowestMs * PATIENCE));
  }

  #graceMs(): number {
    return Math.min(LEAST_WAIT_MS, Math.max(10, (this.#slowestMs ?? 0) * 2));
  }

  #remember(sequence: number, probe: { sizeBytes: number; sentMs: number }): void {
    this.#sent.set(sequence, probe);
    const oldest = this.#sent.keys().next().value;
    if (this.#sent.size > REMEMBERED && oldest !== undefined) this.#sent.delete(oldest);
  }
}
