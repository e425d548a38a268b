import { columnBytes, type Columns, makeColumns, ProbeState } from '../../wire/batch/columns.ts';
import type { SweepMethod } from '../../wire/batch/job.ts';
import type { SweepPlan } from '../../wire/batch/flight.ts';
import type { SweepEnd } from '../../wire/batch/sweep.ts';
import type { SweepThread } from '../../wire/batch/thread.ts';
import type { Io } from '../../wire/io.ts';
import { planSweep, type SweepOptions } from './options.ts';
import type { TargetTable } from './targets.ts';

export interface SweepResult {
  columns: Columns;
  plan: SweepPlan;
  method: SweepMethod;
  /** Null when nothing could be sent at all; `failed` says why. */
  end: SweepEnd | null;
  failed: { operation: string; errno: string; address: string } | null;
  /** Why another method than the wanted one was taken; empty otherwise. */
  fallback: string;
}

/** Columns of more than this are refused: a terabyte of addresses is a typing mistake. */
export const MOST_COLUMN_BYTES = 2 ** 31;

/** Octets that a sweep will need. */
export function sweepBytes(targets: number, options: SweepOptions): number {
  return columnBytes(targets, options.count);
}

/** Copies the targets into columns that a thread can share. */
export function columnsOf(table: TargetTable, options: SweepOptions): Columns {
  const { count } = table;
  const columns = makeColumns(count, options.count);
  columns.family.set(table.family.subarray(0, count));
  columns.address32.set(table.address32.subarray(0, count * 4));
  columns.scope.set(table.scope.subarray(0, count));
  for (let i = 0; i < count; i++) {
    const port = table.port[i]! || options.port;
    columns.port[i] = ((port & 0xff) << 8) | (port >>> 8);
    if (table.family[i] === 0) columns.state.fill(ProbeState.failed, i * columns.rounds, (i + 1) * columns.rounds);
  }
  return columns;
}

/** Runs the sweep on its thread. Where ICMP is not permitted and was not asked for by name, datagrams stand in. */
export async function runSweep(
  columns: Columns,
  wanted: 'auto' | SweepMethod,
  options: SweepOptions,
  thread: SweepThread,
  io: Io,
  signal: AbortSignal,
): Promise<SweepResult> {
  const plan = planSweep(columns.targets, options);
  const stop = () => void (columns.control[0] = 1);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  const word = () => Math.floor(io.random.next() * 2 ** 32);
  const attempt = (method: SweepMethod) =>
    thread.run({
      buffer: columns.state.buffer as SharedArrayBuffer,
      targets: columns.targets,
      rounds: columns.rounds,
      method,
      families: ([4, 6] as const).filter((family) => columns.family.includes(family)),
      plan,
      payloadBytes: options.payloadBytes,
      dscp: options.dscp,
      random: [word(), word(), word()],
    });
  try {
    let method: SweepMethod = wanted === 'auto' ? 'icmp' : wanted;
    let answer = await attempt(method);
    let fallback = '';
    if (wanted === 'auto' && 'failed' in answer && ['EPERM', 'EACCES'].includes(answer.failed.errno)) {
      fallback = 'no ICMP echo: neither net.ipv4.ping_group_range nor CAP_NET_RAW permits it';
      method = 'udp';
      answer = await attempt(method);
    }
    if ('failed' in answer) return { columns, plan, method, end: null, failed: answer.failed, fallback };
    return { columns, plan, method, end: answer.end, failed: null, fallback };
  } finally {
    signal.removeEventListener('abort', stop);
    thread.close();
  }
}
