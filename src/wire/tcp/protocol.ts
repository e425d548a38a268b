import type { TcpInfo } from './tcp-info.ts';

/** What the main thread and the thread that owns the sockets say to each other. Times are CLOCK_MONOTONIC in ms. */
export type ToWorker =
  | { kind: 'connect'; id: number; address: string; family: 4 | 6; port: number; bulk?: boolean | undefined }
  | { kind: 'write'; id: number; bytes: Uint8Array }
  | { kind: 'shutdown'; id: number }
  | { kind: 'info'; id: number; phase: string }
  | { kind: 'consumed'; id: number; bytes: number }
  | { kind: 'close'; id: number }
  | { kind: 'stop' };

export type FromWorker =
  | { kind: 'connecting'; id: number; atMs: number }
  | { kind: 'connected'; id: number; atMs: number; synAckMs: number | null; info: TcpInfo | null }
  | { kind: 'failed'; id: number; operation: string; errno: string }
  | { kind: 'sending'; id: number; endOffset: number; calledMs: number }
  | { kind: 'left' | 'acked'; id: number; endOffset: number; atMs: number }
  | { kind: 'flushed'; id: number; endOffset: number }
  | { kind: 'info'; id: number; phase: string; atMs: number; info: TcpInfo | null }
  | { kind: 'end'; id: number }
  | { kind: 'error'; id: number; operation: string; errno: string }
  | { kind: 'closed'; id: number }
  | { kind: 'tapLoss' }
  | { kind: 'stopped' };

/**
 * A batch: deliveries and tap segments as rows of numbers, so that a token costs no object on its way, then the rarer events.
 * Row: [rowKind, id, …]; delivery: endOffset, atMs, readAtMs, stamp (1 kernel, 0 user), length;
 * segment: startOffset, endOffset, atMs, tsval (unwrapped, −1 none), ackedOffset.
 */
export interface Batch {
  rows: Float64Array;
  bytes: Uint8Array;
  events: FromWorker[];
}

export const rowLength = 7;
export const rowKind = { delivery: 1, segment: 2 } as const;

export interface WorkerSetup {
  wakeFd: number;
  tap: boolean;
}
