import type { Plan } from './plan.ts';

/** What happened to packets that did not simply pass, over the whole lab. */
export const totalNames = [
  'read',
  'delivered',
  'multicastIgnored',
  'malformed',
  'noRoute',
  'ttlExpired',
  'tooBig',
  'fragmented',
  'localIgnored',
  'icmpSent',
  'icmpSuppressed',
  'duplicated',
  'natDropped',
  'linkDown',
  'poolFull',
  'writeFailed',
] as const;
export type TotalName = (typeof totalNames)[number];
export const total = Object.fromEntries(totalNames.map((name, index) => [name, index])) as Record<TotalName, number>;

export const directionNames = ['packets', 'bytes', 'lost', 'queueDropped'] as const;
export const hostNames = ['read', 'delivered', 'kernelDropped'] as const;

/** Delay errors in bins of one microsecond; the last bin takes everything from 100 ms. */
const ERROR_BINS = 100_001;
const BINS_PER_MS = 1000;

/** Written by the forwarder's thread, read by anybody at any time: plain numbers in shared memory. */
export interface Counters {
  totals: Float64Array;
  directions: Float64Array;
  hosts: Float64Array;
  errorBins: Uint32Array;
  /** [0]: largest delay error, ms. */
  errorMax: Float64Array;
  /** [0]: 1 when the forwarder got realtime scheduling. */
  flags: Uint8Array;
}

export function makeCounters(plan: Plan): Counters {
  const shared = (bytes: number) => new SharedArrayBuffer(bytes);
  return {
    totals: new Float64Array(shared(8 * totalNames.length)),
    directions: new Float64Array(shared(8 * directionNames.length * Math.max(1, plan.directions.length))),
    hosts: new Float64Array(shared(8 * hostNames.length * plan.nodes.length)),
    errorBins: new Uint32Array(shared(4 * ERROR_BINS)),
    errorMax: new Float64Array(shared(8)),
    flags: new Uint8Array(shared(1)),
  };
}

/** Notes how late a packet was handed over. */
export function noteDelayError(counters: Counters, errorMs: number): void {
  const bin = Math.min(ERROR_BINS - 1, Math.max(0, Math.floor(errorMs * BINS_PER_MS)));
  counters.errorBins[bin] = counters.errorBins[bin]! + 1;
  if (errorMs > counters.errorMax[0]!) counters.errorMax[0] = errorMs;
}

/** The lab's own lateness over `packets` deliveries, milliseconds, to the microsecond. */
export interface DelayError {
  packets: number;
  medianMs: number;
  p99Ms: number;
  maxMs: number;
}

export interface LabStats {
  delayError: DelayError;
  /** Whether the forwarder runs with realtime priority; without it a busy machine shows in the delay error. */
  realtime: boolean;
  totals: Record<TotalName, number>;
  links: { from: string; to: string; packets: number; bytes: number; lost: number; queueDropped: number }[];
  hosts: { name: string; read: number; delivered: number; kernelDropped: number }[];
}

export function readCounters(counters: Counters, plan: Plan): LabStats {
  const at = (table: Float64Array, row: number, width: number, column: number) => table[row * width + column]!;
  return {
    delayError: delayErrorOf(counters),
    realtime: counters.flags[0] === 1,
    totals: Object.fromEntries(totalNames.map((name, index) => [name, counters.totals[index]!])) as Record<
      TotalName,
      number
    >,
    links: plan.directions.map((direction, row) => ({
      from: plan.nodes[direction.from]!.name,
      to: plan.nodes[direction.to]!.name,
      packets: at(counters.directions, row, 4, 0),
      bytes: at(counters.directions, row, 4, 1),
      lost: at(counters.directions, row, 4, 2),
      queueDropped: at(counters.directions, row, 4, 3),
    })),
    hosts: plan.nodes
      .filter((node) => node.kind === 'host')
      .map((node, row) => ({
        name: node.name,
        read: at(counters.hosts, row, 3, 0),
        delivered: at(counters.hosts, row, 3, 1),
        kernelDropped: at(counters.hosts, row, 3, 2),
      })),
  };
}

function delayErrorOf(counters: Counters): DelayError {
  const bins = counters.errorBins;
  const packets = bins.reduce((sum, count) => sum + count, 0);
  const quantile = (share: number) => {
    let left = Math.ceil(packets * share);
    const bin = packets === 0 ? 0 : bins.findIndex((count) => (left -= count) <= 0);
    return bin / BINS_PER_MS;
  };
  return { packets, medianMs: quantile(0.5), p99Ms: quantile(0.99), maxMs: counters.errorMax[0]! };
}
