import type { RoundTripFigures } from '../model/round-trips.ts';
import { addSample, type Histogram, histogramQuantile } from '../stats/histogram.ts';
import type { ImportContext, Sink } from './importer.ts';
import { iso, timeOfFile } from './probe-run.ts';

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
    figures,
  });
}

/** The sums of samples that are at hand: then the median is known, to the width of a bucket. */
export function figuresOf(samples: Histogram, sent: number | null): RoundTripFigures {
  const any = samples.count > 0;
  return {
    sent,
    received: samples.count,
    minMs: any ? samples.min : null,
    medianMs: any ? rounded(histogramQuantile(samples, 0.5)) : null,
    meanMs: any ? rounded(samples.sum / samples.count) : null,
    maxMs: any ? samples.max : null,
    stddevMs: null,
  };
}

/** Adds what is a number. */
export function addMs(samples: Histogram, valueMs: number | null): void {
  if (valueMs !== null) addSample(samples, valueMs);
}

function rounded(valueMs: number): number {
  return Math.round(valueMs * 1000) / 1000;
}
