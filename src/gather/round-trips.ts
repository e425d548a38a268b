import type { RoundTripFigures } from '../model/round-trips.ts';
import type { ImportContext, Sink } from './importer.ts';
import { finite, iso, timeOfFile } from './probe-run.ts';
import { quantileMs, type Samples } from './samples.ts';

export interface RoundTripSums {
  to: string;
  address: string;
  tool: string;
  method: 'icmp' | 'udp' | 'tcp' | 'unknown';
  figures: RoundTripFigures;
  /** When it was, where the text says. */
  atMs?: number | null;
}

/** What a tool says of round trips in sum becomes one observation; nobody answering is an outcome, not a zero. */
export function emitRoundTrips(sums: RoundTripSums, context: ImportContext, sink: Sink): void {
  const { to, address, tool, method, figures, atMs = null } = sums;
  sink.observation({
    kind: 'round-trips',
    at: iso(atMs ?? context.clock.ms),
    from: context.from ?? 'unnamed',
    to: context.to ?? to,
    how: `imported from ${tool}, ${context.source}; ${atMs === null ? timeOfFile(context) : 'time as the text says'}`,
    outcome: figures.received === 0 ? { kind: 'lost' } : { kind: 'answered' },
    address,
    method,
    figures: clean(figures),
  });
}

/** Figures as the schema wants them, whatever a text says: counts are whole, times are numbers. */
export function clean(figures: RoundTripFigures): RoundTripFigures {
  const count = (n: number | null) => (n !== null && Number.isSafeInteger(n) && n >= 0 ? n : null);
  return {
    sent: count(figures.sent),
    received: count(figures.received),
    minMs: finite(figures.minMs),
    medianMs: finite(figures.medianMs),
    meanMs: finite(figures.meanMs),
    maxMs: finite(figures.maxMs),
    stddevMs: finite(figures.stddevMs),
  };
}

/** The sums of samples that are at hand: then the median is known. */
export function figuresOf(samples: Samples, sent: number | null): RoundTripFigures {
  const { count, min, max, sum } = samples.histogram;
  const any = count > 0;
  const medianMs = quantileMs(samples, 0.5);
  return {
    sent,
    received: count,
    minMs: any ? min : null,
    medianMs: medianMs === null ? null : rounded(medianMs),
    meanMs: any ? rounded(sum / count) : null,
    maxMs: any ? max : null,
    stddevMs: null,
  };
}

function rounded(valueMs: number): number {
  return Math.round(valueMs * 1000) / 1000;
}
