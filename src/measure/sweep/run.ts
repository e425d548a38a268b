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
  for (let i = 0; i < count; i++)
    if (table.family[i] === 0) columns.state.fill(ProbeState.failed, i * columns.rounds, (i + 1) * columns.rounds);
  return columns;
}

/** Where a method goes when neither the target nor the user says a port. */
const USUAL_PORT: Record<SweepMethod, number> = { icmp: 0, udp: 33_434, 'tcp-syn': 443, 'tcp-connect': 443, tls: 443 };

function setPorts(columns: Columns, table: TargetTable, usual: number): void {
  for (let i = 0; i < table.count; i++) {
    const port = table.port[i]! || usual;
    columns.port[i] = ((port & 0xff) << 8) | (port >>> 8);
  }
}

export type WantedMethod = 'auto' | 'tcp' | SweepMethod;

/** The ways to try one after the other; a later one only where the one before is not permitted. */
function waysOf(wanted: WantedMethod, table: TargetTable): SweepMethod[] {
  const tcp: SweepMethod[] = ['tcp-syn', 'tcp-connect'];
  if (wanted === 'tcp') return tcp;
  if (wanted !== 'auto') return [wanted];
  // Who names ports wants to know of what listens there: ICMP may be treated otherwise on the way.
  return table.withPort === table.count ? tcp : ['icmp', 'udp'];
}

const DENIED: Partial<Record<SweepMethod, string>> = {
  icmp: 'no ICMP echo: neither net.ipv4.ping_group_range nor CAP_NET_RAW permits it',
  'tcp-syn': 'no half-open SYN: CAP_NET_RAW is missing',
};

/** Runs the sweep on its thread, by the first way that this process may go. */
export async function runSweep(
  {
    columns,
    table,
    wanted,
    options,
  }: { columns: Columns; table: TargetTable; wanted: WantedMethod; options: SweepOptions },
  thread: SweepThread,
  io: Io,
  signal: AbortSignal,
): Promise<SweepResult> {
  const plan = planSweep(columns.targets, options);
  const stop = () => void (columns.control[0] = 1);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  const word = () => Math.floor(io.random.next() * 2 ** 32);
  const attempt = (method: SweepMethod) => {
    setPorts(columns, table, options.port ?? USUAL_PORT[method]);
    return thread.run({
      buffer: columns.state.buffer as SharedArrayBuffer,
      targets: columns.targets,
      rounds: columns.rounds,
      method,
      serverNames: method === 'tls' ? table.hosts : new Map(),
      families: ([4, 6] as const).filter((family) => columns.family.includes(family)),
      plan: method === 'tcp-connect' ? { ...plan, timeoutMs: Math.min(plan.timeoutMs, SYN_WAIT_MS) } : plan,
      payloadBytes: options.payloadBytes,
      dscp: options.dscp,
      random: [word(), word(), word()],
    });
  };
  try {
    let fallback = '';
    for (const [i, method] of waysOf(wanted, table).entries()) {
      const answer = await attempt(method);
      if ('end' in answer) return { columns, plan, method, end: answer.end, failed: null, fallback };
      const isDenied = ['EPERM', 'EACCES'].includes(answer.failed.errno);
      if (!isDenied || i + 1 === waysOf(wanted, table).length)
        return { columns, plan, method, end: null, failed: answer.failed, fallback };
      fallback = DENIED[method] ?? '';
    }
    throw new Error('No way to measure was tried');
  } finally {
    signal.removeEventListener('abort', stop);
    thread.close();
  }
}

/** After a second the kernel sends a SYN again, and an answer would be that to the second one. */
const SYN_WAIT_MS = 990;
