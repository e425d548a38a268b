import type { Io } from '../wire/io.ts';

/** Events that are kept for those who come back. */
const kept = 1000;
/** Readers at once; each holds a connection. */
const mostReaders = 200;
/** Octets that may wait for a reader who does not read; beyond, it is let go and may resume. */
const mostWaiting = 1 << 20;
const heartbeatMs = 15_000;

export type EventName = 'samples' | 'alert' | 'network' | 'agent' | 'reset';
interface Kept {
  number: number;
  text: string;
}

/** Live updates as server-sent events (HTML Standard §9.2), resumable by Last-Event-ID. */
export class EventHub {
  readonly #io: Pick<Io, 'clock' | 'random'>;
  /** Numbers of another run of the server mean nothing in this one. */
  readonly #run: string;
  readonly #recent: Kept[] = [];
  readonly #readers = new Map<(text: string) => void, () => void>();
  #number = 0;

  constructor(io: Pick<Io, 'clock' | 'random'>) {
    this.#io = io;
    this.#run = io.random.uuid().slice(0, 8);
  }

  get readers(): number {
    return this.#readers.size;
  }

  publish(name: EventName, data: unknown): void {
    const number = ++this.#number;
    const text = `id: ${this.#run}-${number}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#recent.push({ number, text });
    if (this.#recent.length > kept) this.#recent.shift();
    for (const write of this.#readers.keys()) write(text);
  }

  /** Ends every stream: the server goes away. */
  close(): void {
    for (const end of this.#readers.values()) end();
  }

  /**
   * A stream of events: those after `lastId`, then what comes. Where they are not known any more it begins with `reset`, which means
   * "read everything again".
   * @param signal ends it
   * @returns null when there are too many readers
   */
  stream(lastId: string | null, signal: AbortSignal): ReadableStream<Uint8Array> | null {
    if (this.#readers.size >= mostReaders) return null;
    const encoder = new TextEncoder();
    let end = (_isCancelled?: boolean) => undefined as void;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          let isOpen = true;
          end = (isCancelled = false) => {
            if (!isOpen) return;
            isOpen = false;
            this.#readers.delete(write);
            stop.abort();
            // A stream that its reader has given up is closed already.
            if (!isCancelled) controller.close();
          };
          const write = (text: string) => {
            if (!isOpen) return;
            controller.enqueue(encoder.encode(text));
            if ((controller.desiredSize ?? 0) < -mostWaiting) end();
          };
          const stop = new AbortController();
          write(`retry: 2000\n\n${this.#since(lastId)}`);
          this.#readers.set(write, end);
          if (signal.aborted) end();
          else signal.addEventListener('abort', () => end(), { once: true });
          void this.#beat(write, stop.signal);
        },
        cancel: () => end(true),
      },
      { highWaterMark: 0, size: (chunk) => chunk?.length ?? 0 },
    );
  }

  /** So that proxies keep the connection, and so that one that is gone is noticed. */
  async #beat(write: (text: string) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#io.clock.sleep(heartbeatMs, signal).catch(() => undefined);
      if (!signal.aborted) write(': still here\n\n');
    }
  }

  #since(lastId: string | null): string {
    // The id tells a new reader where it stands before anything has happened.
    const here = `id: ${this.#run}-${this.#number}\n`;
    if (lastId === null) return `${here}event: reset\ndata: {}\n\n`;
    const [, run, digits] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(lastId) ?? [];
    const last = Number(digits);
    const oldest = this.#recent[0]?.number ?? this.#number + 1;
    const isKnown = run === this.#run && last <= this.#number && last >= oldest - 1;
    if (!isKnown) return `${here}event: reset\ndata: {}\n\n`;
    return this.#recent
      .filter(({ number }) => number > last)
      .map(({ text }) => text)
      .join('');
  }
}
