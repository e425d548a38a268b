import type { ObservationOf } from '../model/observation.ts';
import type { Outcome } from '../model/outcome.ts';
import type { ImportContext, Sink } from './importer.ts';
import { finite, iso, timeOfFile } from './probe-run.ts';

type Transfer = ObservationOf<'transfer'>;
export type TransferSums = Omit<Transfer, 'kind' | 'at' | 'from' | 'to' | 'how' | 'outcome'> & {
  to: string;
  tool: string;
  outcome?: Outcome;
  atMs?: number | null;
};

/** Intervals that are kept: a day of seconds. */
export const MAX_INTERVALS = 86_400;

export function emitTransfer(sums: TransferSums, context: ImportContext, sink: Sink): void {
  const { to, tool, atMs = null, outcome = { kind: 'answered' }, ...rest } = sums;
  sink.observation({
    ...rest,
    kind: 'transfer',
    at: iso(atMs ?? context.clock.ms),
    from: context.from ?? 'unnamed',
    to: context.to ?? to,
    how: `imported from ${tool}, ${context.source}; ${atMs === null ? timeOfFile(context) : 'time as the text says'}`,
    outcome,
    streams: count(rest.streams),
    bytes: count(rest.bytes),
    retransmits: count(rest.retransmits),
    targetMbitPerS: finite(rest.targetMbitPerS),
    senderMbitPerS: told(rest.senderMbitPerS, rest.receiverMbitPerS),
    receiverMbitPerS: finite(rest.receiverMbitPerS),
    durationS: finite(rest.durationS),
    intervals: rest.intervals
      .slice(0, MAX_INTERVALS)
      .filter(({ startS, endS, mbitPerS }) => Number.isFinite(startS + endS + mbitPerS)),
  });
}

/** A sender that wrote nothing while something arrived is one that did not tell. */
function told(senderMbitPerS: number | null, receiverMbitPerS: number | null): number | null {
  return senderMbitPerS === 0 && (receiverMbitPerS ?? 0) > 0 ? null : finite(senderMbitPerS);
}

/** iperf3 prints −1 as a number near 2^64 where it does not know. */
export function count(value: number | null): number | null {
  return value !== null && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** What iperf3 says when it fails. A refused connection is an answer; the rest is told in its words. */
export function iperfFailure(message: string, address: string): Outcome {
  if (/connection refused/i.test(message)) return { kind: 'refused', address };
  if (/no route to host|network is unreachable/i.test(message)) return { kind: 'unreachable', by: 'own host', message };
  const phase = /unable to connect|timed out/i.test(message) ? ('tcp' as const) : ('stream' as const);
  return { kind: 'failed', phase, operation: 'iperf3', errno: 'unnamed', address, message };
}

/** What a test that was cut short did reach: the mean of its intervals, without the omitted ones. */
export function meanRate(intervals: Transfer['intervals']): number | null {
  const kept = intervals.filter(({ omitted }) => !omitted);
  const seconds = kept.reduce((sum, { startS, endS }) => sum + endS - startS, 0);
  return seconds > 0
    ? kept.reduce((sum, { startS, endS, mbitPerS }) => sum + mbitPerS * (endS - startS), 0) / seconds
    : null;
}
