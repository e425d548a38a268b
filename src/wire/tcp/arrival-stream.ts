import { Duplex } from 'node:stream';
import type { Arrival } from './connection.ts';

export interface ArrivalStreamHooks {
  write(bytes: Uint8Array, done: (error?: Error) => void): void;
  shutdown(): void;
  destroyed(): void;
  /** The reader took this many bytes off our hands. */
  consumed(bytes: number): void;
}

/**
 * A Duplex that hands out one delivery at a time and says, while it does, when that delivery arrived. Node's TLS and HTTP
 * parsers run synchronously inside push() or in the ticks right after it, so whoever listens to their 'data' events can read
 * `arriving` and knows when the bytes were in the kernel, however late this thread got round to them.
 */
export class ArrivalStream extends Duplex {
  arriving: Arrival | null = null;
  readonly #hooks: ArrivalStreamHooks;
  readonly #queue: { bytes: Uint8Array | null; arrival: Arrival | null }[] = [];
  /** How many deliveries one turn of the event loop hands out. */
  readonly #perTurn: number;
  #pumping = false;
  #held = false;

  /**
   * @param perTurn more than 1 for bulk: a turn for each delivery would limit its rate to that of the event loop. A listener that
   *   runs in a tick after the turn then sees the stamp of the last delivery of that turn.
   */
  constructor(hooks: ArrivalStreamHooks, perTurn = 1) {
    super({ allowHalfOpen: true, autoDestroy: false });
    this.#hooks = hooks;
    this.#perTurn = perTurn;
  }

  /** Queues a delivery; `null` bytes are the end of the stream. */
  deliver(bytes: Uint8Array | null, arrival: Arrival | null): void {
    this.#queue.push({ bytes, arrival });
    if (!this.#pumping) this.#pump();
  }

  // One delivery per turn of the event loop: the ticks that a delivery causes run before the next one changes `arriving`.
  #pump(): void {
    this.#pumping = true;
    for (let i = 0; i < this.#perTurn; i++) {
      const next = this.#queue.shift();
      if (!next || this.destroyed) {
        this.#pumping = false;
        return;
      }
      if (next.arrival) this.arriving = next.arrival;
      const wantsMore = this.push(next.bytes);
      if (next.bytes) this.#hooks.consumed(next.bytes.length);
      if (!wantsMore) {
        this.#held = true;
        return;
      }
    }
    setImmediate(() => this.#pump());
  }

  // A reader that pauses stops the pump, and what is not pumped makes the transport stop reading: nothing piles up here.
  override _read(): void {
    if (!this.#held) return;
    this.#held = false;
    setImmediate(() => this.#pump());
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#hooks.write(chunk, done);
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: (error?: Error) => void): void {
    this.#hooks.write(Buffer.concat(chunks.map((c) => c.chunk)), done);
  }

  override _final(done: () => void): void {
    this.#hooks.shutdown();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#hooks.destroyed();
    done(error);
  }

  // What node:http and node:tls expect of a socket; nothing to do here, the worker set TCP_NODELAY.
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}
