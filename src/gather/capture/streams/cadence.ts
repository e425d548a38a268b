import type { ExchangeStall } from '../../../model/capture/exchange.ts';
import { addSample, type Histogram, histogramQuantile, makeHistogram } from '../../../stats/histogram.ts';

/** A shorter silence is no stall, whatever the pace: nobody who reads along sees it. */
export const leastStallMs = 60;
/** Stalls of one answer that are kept, the longest. */
const maxStalls = 64;
/** What comes this close behind another had been held back together with it. */
export const atOnceMs = 1;

/** Gaps that are put into the histogram at once. */
const recentGaps = 32;

/** Gaps between the chunks of one answer and the stalls among them, in bounded memory whatever their number. */
export class Cadence {
  readonly #gaps: Histogram = makeHistogram();
  /** Gaps that are not in the histogram yet: its memory is fetched once for many of them. */
  readonly #recent: number[] = [];
  #recents = 0;
  chunks = 0;
  firstMs = NaN;
  lastMs = NaN;
  /** When the octets of the first chunk themselves passed, and where they begin. */
  firstWireMs = NaN;
  firstOffset = NaN;
  /** Moments at which something came that had nothing within a millisecond before it. */
  moments = 0;
  #earliestWireMs = Infinity;
  #latestWireMs = -Infinity;
  #candidates: ExchangeStall[] = [];
  #dropped = 0;
  #usualMs = NaN;
  #usualAt = 8;
  #open: ExchangeStall | null = null;
  #holed = false;

  /** The capture lacks octets here. */
  hole(): void {
    this.#holed = true;
  }

  chunk(atMs: number, wireMs: number, streamOffset: number): void {
    if (this.chunks === 0) this.#first(atMs, wireMs, streamOffset);
    else this.#next(atMs, wireMs, streamOffset);
    this.#holed = false;
    if (wireMs < this.#earliestWireMs) this.#earliestWireMs = wireMs;
    if (wireMs > this.#latestWireMs) this.#latestWireMs = wireMs;
    this.chunks++;
    this.lastMs = atMs;
  }

  get gaps(): Histogram {
    for (let i = 0; i < this.#recents; i++) addSample(this.#gaps, this.#recent[i]!);
    this.#recents = 0;
    return this.#gaps;
  }

  /** Mean time between chunks by when they passed; NaN of fewer than two. */
  get paceMs(): number {
    return this.chunks < 2 ? NaN : (this.#latestWireMs - this.#earliestWireMs) / (this.chunks - 1);
  }

  /** Median gap so far, recalculated as the number of gaps doubles; NaN of few. */
  get usualMs(): number {
    if (this.chunks > this.#usualAt) {
      this.#usualMs = histogramQuantile(this.gaps, 0.5);
      this.#usualAt = 2 * this.gaps.count;
    }
    return this.#usualMs;
  }

  /** In order of time, those longer than `aboveMs`, and how many shorter ones were let go. */
  stalls(aboveMs: number): { listed: ExchangeStall[]; notListed: number } {
    const listed = this.#candidates.filter(({ gapMs }) => gapMs > aboveMs);
    return { listed, notListed: this.#dropped };
  }

  #first(atMs: number, wireMs: number, streamOffset: number): void {
    this.firstMs = atMs;
    this.firstWireMs = wireMs;
    this.firstOffset = streamOffset;
    this.moments = 1;
  }

  #next(atMs: number, wireMs: number, streamOffset: number): void {
    const gapMs = Math.max(0, atMs - this.lastMs);
    this.#recent[this.#recents++] = gapMs;
    if (this.#recents === recentGaps) void this.gaps;
    if (gapMs > atOnceMs) {
      this.moments++;
      this.#open = null;
      if (gapMs > leastStallMs) this.#candidate(gapMs, atMs, wireMs, streamOffset);
    } else if (this.#open) this.#open.chunksAtOnce++;
  }

  #candidate(gapMs: number, endMs: number, wireMs: number, streamOffset: number): void {
    if (this.#candidates.length >= maxStalls) this.#prune();
    const shortest = this.#candidates.length < maxStalls ? -1 : shortestOf(this.#candidates);
    if (shortest >= 0) {
      this.#dropped++;
      if (this.#candidates[shortest]!.gapMs >= gapMs) return;
      this.#candidates.splice(shortest, 1);
    }
    this.#open = {
      startMs: this.lastMs,
      endMs,
      wireMs,
      gapMs,
      afterChunk: this.chunks,
      streamOffset,
      chunksAtOnce: 0,
      acrossCaptureGap: this.#holed,
    };
    this.#candidates.push(this.#open);
  }

  /** Lets go of what is no stall at the pace so far. A pace that slows down later only makes the limit higher. */
  #prune(): void {
    const above = stallAbove(histogramQuantile(this.gaps, 0.5));
    this.#candidates = this.#candidates.filter(({ gapMs }) => gapMs > above);
  }
}

/** Above which a gap is a stall, by the median of the answer. */
export const stallAbove = (medianMs: number): number => Math.max(3 * medianMs, leastStallMs);

function shortestOf(stalls: readonly ExchangeStall[]): number {
  let at = 0;
  for (let i = 1; i < stalls.length; i++) if (stalls[i]!.gapMs < stalls[at]!.gapMs) at = i;
  return at;
}
