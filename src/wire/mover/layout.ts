/**
 * What the threads of a transfer share: a word that stops them, a budget of bytes, and counters that the worker writes and the
 * main thread reads at any time. Every number has one writer. Aligned 64-bit loads and stores do not tear on x86-64 and arm64, so
 * plain reads are enough.
 */
export interface MoverStream {
  fd: number;
  role: 'send' | 'receive';
  /** Where its counters stand. */
  index: number;
}

export interface MoverSetup {
  shared: SharedArrayBuffer;
  worker: number;
  streams: number;
  /** An eventfd that ends a wait at once. */
  wakeFd: number;
  protocol: 'tcp' | 'udp';
  /** Octets per send() of TCP, per datagram of UDP. */
  blockBytes: number;
  /** Per sending stream; 0: as fast as it goes. */
  bitsPerS: number;
  counters64: boolean;
  /** Whether the shared budget bounds what is sent. */
  budgeted: boolean;
}

export const streamField = {
  bytes: 0,
  packets: 1,
  lost: 2,
  outOfOrder: 3,
  jitterMs: 4,
  /** 0 while it runs; see `endedBy`. */
  ended: 5,
  errno: 6,
} as const;
export const STREAM_FIELDS = 8;

export const endedBy = { running: 0, peer: 1, error: 2, budget: 3 } as const;

export const workerField = { userMs: 0, systemMs: 1, sinceMs: 2, untilMs: 3, waitedMs: 4 } as const;
export const WORKER_FIELDS = 8;

const HEADER_BYTES = 16;

/** Views of one shared buffer. */
export interface Shared {
  buffer: SharedArrayBuffer;
  /** [0]: 1 stops the workers. */
  control: Int32Array;
  /** [0]: octets that may still be sent, over all streams. */
  budget: BigInt64Array;
  streams: Float64Array;
  workers: Float64Array;
}

export function makeShared(streams: number, workers: number): Shared {
  return viewsOf(
    new SharedArrayBuffer(HEADER_BYTES + 8 * (streams * STREAM_FIELDS + workers * WORKER_FIELDS)),
    streams,
  );
}

export function viewsOf(buffer: SharedArrayBuffer, streams: number): Shared {
  return {
    buffer,
    control: new Int32Array(buffer, 0, 2),
    budget: new BigInt64Array(buffer, 8, 1),
    streams: new Float64Array(buffer, HEADER_BYTES, streams * STREAM_FIELDS),
    workers: new Float64Array(buffer, HEADER_BYTES + 8 * streams * STREAM_FIELDS),
  };
}

/** Takes up to `wanted` octets from the budget; 0 when it is used up. Threads may race: what is taken is never more than there is. */
export function takeBudget(budget: BigInt64Array, wanted: number): number {
  const before = Number(Atomics.sub(budget, 0, BigInt(wanted)));
  const got = Math.min(wanted, Math.max(0, before));
  if (got < wanted) Atomics.add(budget, 0, BigInt(wanted - got));
  return got;
}

export function returnBudget(budget: BigInt64Array, octets: number): void {
  Atomics.add(budget, 0, BigInt(octets));
}
