import { EFD_NONBLOCK, EFD_CLOEXEC } from '../abi.ts';
import type { Worker } from 'node:worker_threads';
import { check, libc, memory } from '../libc.ts';
import { startWorker } from '../worker.ts';
import { ArrivalStream } from './arrival-stream.ts';
import {
  type Arrival,
  ConnectError,
  type ConnectionTrace,
  formatTarget,
  newTrace,
  type TcpConnection,
  type TcpTarget,
  type TcpTransport,
} from './connection.ts';
import { type Batch, type FromWorker, rowKind, rowLength, type ToWorker, type WorkerSetup } from './protocol.ts';
import { tapAllowed } from './tap-socket.ts';
import type { TcpInfo } from './tcp-info.ts';

/** No connection has this id; an order for it is answered as soon as the worker runs. */
const nobody = 0;
/** The worker hears of what was read in steps of this size, far below what makes it pause: a message a token would cost more than the token. */
const consumedStepBytes = 1 << 20;
/** Enough evidence for the longest answer that is attributed; older rows of an endless stream are dropped. */
const maxRows = 200_000;

interface Live {
  trace: ConnectionTrace;
  stream: ArrivalStream;
  connection: TcpConnection;
  connected: ((error: Error | null) => void) | null;
  /** Read off our hands and not yet told to the worker. */
  consumed: number;
  writes: { endOffset: number; done: (error?: Error) => void }[];
  written: number;
  infoWaiters: ((info: TcpInfo | null) => void)[];
  closed: Promise<void>;
  markClosed: () => void;
}

/**
 * Connections on a thread of their own, with kernel receive and transmit stamps, TCP_INFO and, where CAP_NET_RAW is there, the
 * tap. Linux only.
 * @param options.tap false leaves the tap off even where it is allowed: it costs CPU for every segment.
 */
export function openKernelTransport(options: { tap: boolean }): TcpTransport {
  const allowed = options.tap ? tapAllowed() : null;
  const tap = allowed?.allowed === true;
  const wakeFd = check(libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), 'eventfd');
  const worker = startWorker(import.meta.url, './kernel.worker', { workerData: { wakeFd, tap } satisfies WorkerSetup });
  return new KernelTransport(worker, wakeFd, tap, describe(options.tap, tap));
}

function describe(wanted: boolean, tap: boolean): string {
  const base = 'kernel receive stamps and TCP_INFO of each connection';
  if (tap) return `${base}, and the server kernel's own clock from its TCP timestamps`;
  if (!wanted) return `${base}; the server kernel's clock is not read (tap off)`;
  return `${base}; without CAP_NET_RAW the server kernel's clock (TCP timestamps) cannot be read, so bounds are wider`;
}

/** Deliveries of a bulk connection per turn of the event loop: some 16 KiB each. */
const bulkPerTurn = 64;

class KernelTransport implements TcpTransport {
  readonly stamps = 'kernel';
  readonly tap: boolean;
  readonly about: string;
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #one = memory(8);
  readonly #live = new Map<number, Live>();
  readonly #stopped: Promise<void>;
  #isReady: () => void = () => undefined;
  #closing: Promise<void> | null = null;
  #over = false;
  #nextId = 1;
  #failure: Error | null = null;

  constructor(worker: Worker, wakeFd: number, tap: boolean, about: string) {
    this.#worker = worker;
    this.#wakeFd = wakeFd;
    this.tap = tap;
    this.about = about;
    this.#one.writeBigUInt64LE(1n);
    this.#stopped = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.on('message', (batch: Batch) => this.#take(batch));
    worker.on('error', (error) => this.#broke(error));
    this.ready = new Promise((resolve) => {
      this.#isReady = resolve;
    });
    this.#send({ kind: 'info', id: nobody, phase: 'ready' });
  }

  async connect(target: TcpTarget, signal: AbortSignal): Promise<TcpConnection> {
    signal.throwIfAborted();
    if (this.#failure) throw this.#failure;
    const live = this.#create(target);
    const id = live.trace.id;
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        live.connected = null;
        live.stream.destroy();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      live.connected = (error) => {
        signal.removeEventListener('abort', onAbort);
        live.connected = null;
        if (error) reject(error);
        else resolve();
      };
      this.#send({ kind: 'connect', id, ...target });
    });
    return live.connection;
  }

  async close(): Promise<void> {
    await (this.#closing ??= this.#end());
  }

  // Once only: the descriptor's number may belong to somebody else by the second time.
  async #end(): Promise<void> {
    for (const live of this.#live.values()) live.stream.destroy();
    if (!this.#failure) this.#send({ kind: 'stop' });
    this.#failure ??= new Error('the transport is closed');
    await this.#stopped;
    for (const live of this.#live.values()) {
      this.#forget(live);
      live.connected?.(this.#failure);
    }
    this.#over = true;
    libc().close(this.#wakeFd);
  }

  #create(target: TcpTarget): Live {
    const id = this.#nextId++;
    const trace = newTrace(id, target, 0);
    trace.tapComplete = this.tap;
    let markClosed: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      markClosed = resolve;
    });
    const stream = new ArrivalStream(
      {
        write: (bytes, done) => {
          live.written += bytes.length;
          live.writes.push({ endOffset: live.written, done });
          this.#send({ kind: 'write', id, bytes: Uint8Array.from(bytes) });
        },
        shutdown: () => this.#send({ kind: 'shutdown', id }),
        destroyed: () => {
          if (this.#live.has(id) && !this.#failure) this.#send({ kind: 'close', id });
        },
        consumed: (bytes) => {
          live.consumed += bytes;
          if (live.consumed < consumedStepBytes) return;
          this.#send({ kind: 'consumed', id, bytes: live.consumed });
          live.consumed = 0;
        },
      },
      target.bulk ? bulkPerTurn : 1,
    );
    const connection: TcpConnection = {
      trace,
      stream,
      get arriving() {
        return stream.arriving;
      },
      readInfo: (phase) =>
        new Promise((resolve) => {
          if (!this.#live.has(id) || this.#failure) {
            resolve(null);
            return;
          }
          live.infoWaiters.push(resolve);
          this.#send({ kind: 'info', id, phase });
        }),
      close: async () => {
        stream.destroy();
        if (!this.#failure) await closed;
      },
    };
    const live: Live = {
      trace,
      stream,
      connection,
      connected: null,
      consumed: 0,
      writes: [],
      written: 0,
      infoWaiters: [],
      closed,
      markClosed,
    };
    this.#live.set(id, live);
    return live;
  }

  #send(order: ToWorker): void {
    if (this.#over) return;
    this.#worker.postMessage(order);
    libc().write(this.#wakeFd, this.#one, 8);
  }

  #take(batch: Batch): void {
    const { rows } = batch;
    let at = 0;
    for (let i = 0; i < rows.length; i += rowLength) {
      const live = this.#live.get(rows[i + 1] as number);
      // By index: this runs for every token, and taking a row apart by iteration costs several times as much.
      const a = rows[i + 2] as number;
      const b = rows[i + 3] as number;
      const d = rows[i + 4] as number;
      const e = rows[i + 5] as number;
      const f = rows[i + 6] as number;
      if (rows[i] === rowKind.delivery) {
        const bytes = batch.bytes.subarray(at, at + f);
        at += f;
        if (!live) continue;
        const arrival: Arrival = { endOffset: a, atMs: b, readAtMs: d, stamp: e === 1 ? 'kernel' : 'user' };
        keep(live.trace.arrivals, arrival);
        live.stream.deliver(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), arrival);
      } else if (live) {
        keep(live.trace.segments, {
          startOffset: a,
          endOffset: b,
          atMs: d,
          tsval: e < 0 ? null : e,
          ackedOffset: f,
        });
      }
    }
    for (const event of batch.events) this.#hear(event);
  }

  #hear(event: FromWorker): void {
    if (event.kind === 'tapLoss') {
      for (const live of this.#live.values()) live.trace.tapComplete = false;
      return;
    }
    if (event.kind === 'stopped') return;
    if (event.id === nobody) this.#isReady();
    const live = this.#live.get(event.id);
    if (!live) return;
    const { trace } = live;
    switch (event.kind) {
      case 'connecting':
        trace.connectMs = event.atMs;
        break;
      case 'connected':
        this.#connected(live, event);
        break;
      case 'failed':
        this.#forget(live);
        live.connected?.(new ConnectError(event.operation, event.errno, trace.target));
        break;
      case 'sending':
        keep(trace.sendings, { endOffset: event.endOffset, calledMs: event.calledMs, leftMs: null, ackedMs: null });
        break;
      case 'left':
      case 'acked':
        stampSending(trace, event);
        break;
      case 'flushed':
        while (live.writes[0] && live.writes[0].endOffset <= event.endOffset) live.writes.shift()?.done();
        break;
      case 'info':
        if (event.info) keep(trace.info, { atMs: event.atMs, phase: event.phase, info: event.info });
        live.infoWaiters.shift()?.(event.info);
        break;
      case 'end':
        live.stream.deliver(null, null);
        break;
      case 'error':
        this.#forget(live);
        live.stream.destroy(socketError(event.operation, event.errno, trace.target));
        break;
      case 'closed':
        this.#forget(live);
        break;
    }
  }

  #connected(live: Live, event: Extract<FromWorker, { kind: 'connected' }>): void {
    const { trace } = live;
    if (event.info) {
      trace.handshakeRttMs = event.info.rttMs;
      trace.synRetransmits = event.info.totalRetrans;
      trace.info.push({ atMs: event.atMs, phase: 'connected', info: event.info });
    }
    // Best stamp first: the SYN-ACK itself; else connect time plus the kernel's round trip; else when we noticed.
    const byRtt =
      event.info && event.info.totalRetrans === 0 && event.info.rttMs > 0
        ? trace.connectMs + event.info.rttMs
        : event.atMs;
    trace.connectedMs = event.synAckMs ?? Math.min(byRtt, event.atMs);
    live.connected?.(null);
  }

  #forget(live: Live): void {
    this.#live.delete(live.trace.id);
    for (const waiter of live.infoWaiters.splice(0)) waiter(null);
    for (const { done } of live.writes.splice(0)) done();
    live.markClosed();
  }

  #broke(error: Error): void {
    this.#failure = error;
    this.#isReady();
    for (const live of this.#live.values()) {
      this.#forget(live);
      live.connected?.(error);
      live.stream.destroy(error);
    }
  }
}

/** An error as node:net would make it, so that node:http and node:tls pass it on with its code. */
function socketError(operation: string, errno: string, target: TcpTarget): Error {
  return Object.assign(new Error(`${operation} ${formatTarget(target)}: ${errno}`), {
    code: errno,
    syscall: operation,
  });
}

function stampSending(
  trace: ConnectionTrace,
  event: { kind: 'left' | 'acked'; endOffset: number; atMs: number },
): void {
  // Newest last and stamps come soon, so the search is short.
  for (let i = trace.sendings.length - 1; i >= 0; i--) {
    const sending = trace.sendings[i];
    if (sending && sending.endOffset === event.endOffset) {
      // A retransmission stamps its bytes again; the way of the request began with the first.
      if (event.kind === 'left') sending.leftMs ??= event.atMs;
      else sending.ackedMs ??= event.atMs;
      return;
    }
  }
}

function keep<T>(list: T[], item: T): void {
  if (list.length >= maxRows) list.splice(0, maxRows / 2);
  list.push(item);
}
