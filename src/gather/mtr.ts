import type { RoundTripFigures } from '../model/round-trips.ts';
import { isIP } from '../stats/address.ts';
import { emitTrace, type Hop, type TraceMethod } from './hops.ts';
import type { ImportContext, Sink } from './importer.ts';
import { emitRoundTrips } from './round-trips.ts';

/** One row of an mtr report, whatever the shape. Missing columns are null. */
export interface MtrRow {
  ttl: number;
  /** Address or name; null for `???`. */
  host: string | null;
  lossPercent: number | null;
  sent: number | null;
  received: number | null;
  lastMs: number | null;
  meanMs: number | null;
  minMs: number | null;
  maxMs: number | null;
  stddevMs: number | null;
  /** Further addresses of the same hop. */
  others?: string[];
}

export interface MtrReport {
  tool: string;
  from: string | null;
  to: string;
  atMs: number | null;
  method?: TraceMethod;
  rows: readonly MtrRow[];
}

/** Columns of `mtr -o`, by their heading. */
export const mtrColumns: Readonly<Record<string, keyof MtrRow>> = {
  'Loss%': 'lossPercent',
  Snt: 'sent',
  Rcv: 'received',
  Last: 'lastMs',
  Avg: 'meanMs',
  Best: 'minMs',
  Wrst: 'maxMs',
  StDev: 'stddevMs',
};

export function emptyRow(ttl: number, host: string): MtrRow {
  const none = { lossPercent: null, sent: null, received: null, lastMs: null };
  const nothing = { meanMs: null, minMs: null, maxMs: null, stddevMs: null };
  return { ttl, host: host === '???' || host === '' ? null : host, ...none, ...nothing };
}

/**
 * A report is a trace with the figures of each hop, and the figures of the target once more as round trips, which is what
 * people judge. mtr follows one or many flows without saying which: the hops are in order, but no link between two is claimed.
 */
export function emitMtr(report: MtrReport, context: ImportContext, sink: Sink): void {
  const { tool, from, to, atMs, rows, method = 'unknown' } = report;
  const last = rows.at(-1);
  if (!last) return;
  const hops = rows.map(hopOfRow);
  const address = isIP(to) ? to : last.host !== null && isIP(last.host) ? last.host : to;
  const answered = (figuresOfRow(last).received ?? 0) > 0;
  // Where one side is a name and the other an address nobody can compare them: mtr stops at the target.
  const isComparable = isIP(to) && last.host !== null && isIP(last.host);
  const reached = answered && (!isComparable || last.host === to || (last.others ?? []).includes(to));
  emitTrace({ to, address, tool, method, hops, reached, atMs, from }, context, sink);
  if (!reached) return;
  const kind = method === 'tcp-connect' ? 'tcp' : method;
  const named = context.from === undefined && from ? { ...context, from } : context;
  emitRoundTrips({ to, address, tool, method: kind, figures: figuresOfRow(last), atMs }, named, sink);
}

function hopOfRow(row: MtrRow): Hop {
  const figures = figuresOfRow(row);
  const address = row.host;
  const rttMs = figures.received === 0 ? null : (row.minMs ?? row.lastMs);
  const { others = [] } = row;
  const replies = [address, ...others].map((one) => ({ address: one, rttMs: null }));
  return { ttl: row.ttl, address, rttMs, figures, ...(others.length > 0 ? { replies } : {}) };
}

/** mtr prints zeros for a hop that never answered: those are no round trips. */
function figuresOfRow(row: MtrRow): RoundTripFigures {
  const { sent, lossPercent } = row;
  const byLoss = sent === null || lossPercent === null ? null : Math.round(sent * (1 - lossPercent / 100));
  const received = row.received ?? byLoss;
  const none = received === 0 || row.host === null;
  return {
    sent,
    received,
    minMs: none ? null : row.minMs,
    medianMs: null,
    meanMs: none ? null : row.meanMs,
    maxMs: none ? null : row.maxMs,
    stddevMs: none ? null : row.stddevMs,
  };
}
