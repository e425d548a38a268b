import type { Half } from './columns.ts';
import type { SweepEnd } from './sweep.ts';
import type { SweepPlan } from './flight.ts';

export type SweepMethod = 'icmp' | 'udp' | 'tcp-syn' | 'tcp-connect' | 'tls';

/** What the thread of a sweep is asked to do. The columns travel as their memory and are shared, not copied. */
export interface SweepJob {
  buffer: SharedArrayBuffer;
  targets: number;
  rounds: number;
  /** Only these of the targets; absent: all. */
  half?: Half;
  method: SweepMethod;
  /** Names of targets that have one, for the ClientHello. */
  serverNames: ReadonlyMap<number, string>;
  families: readonly (4 | 6)[];
  plan: SweepPlan;
  /** Octets behind the ICMP or UDP header. */
  payloadBytes: number;
  dscp: number;
  /** Three random words: the token of two, and the identifier. */
  random: readonly [number, number, number];
}

/** What it answers, once. `failed`: no socket could be had, nothing was sent. */
export type SweepAnswer = { end: SweepEnd } | { failed: { operation: string; errno: string; address: string } };
