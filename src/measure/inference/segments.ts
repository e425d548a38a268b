import type { SeenSegment } from '../../wire/tcp/connection.ts';

/**
 * What the segments of a connection say about one byte of its stream: when it could be read here, and between which ticks of
 * the server kernel's clock it was handed over there. Built once per connection; every question is a binary search.
 *
 * The server's clock is TSval (RFC 7323), taken as 1 ms ticks after `tickIsMs` has checked that it runs like that.
 */
export interface SegmentView {
  /** When all bytes below `offset` had arrived, ms; null when not seen. */
  availableMs(offset: number): number | null;
  /** Server ticks between which the byte before `offset` was handed to the server's kernel: [low, high]; null when not seen. */
  handedTicks(offset: number): [number, number] | null;
  /** Where segments with an end in (from, to] ended, rising. */
  ends(from: number, to: number): number[];
  /** The first segment that acknowledges our bytes up to `offset`, and how long it queued above the least seen (0 to 1 tick too much). */
  acknowledged(offset: number): { atMs: number; tick: number; queuedMs: number } | null;
  /** True when bytes between the two offsets were filled late: later bytes had come first, or bytes came twice. */
  lossBetween(fromOffset: number, toOffset: number): boolean;
  /** True when the segment with the byte before `offset` may have waited for the sender's congestion window. */
  heldBack(offset: number): boolean;
  /** Highest one-way delay above the lowest, ms, by arrival against the server's clock; null without enough segments. */
  delayVariationMs: number | null;
}

/** How far the server's clock may stray from ours before its ticks are not milliseconds. */
const tickTolerance = 0.05;
const tickCheckMs = 400;

/** More holes than this is a path (or a peer) of which nothing can be said segment by segment. */
const maxHoles = 2000;

/**
 * @param segments in order of arrival
 * @param fromOffset bytes of the stream that were complete before the first of them
 * @param rttMs round trip of the path; after a filled hole the sender may be held back by its window for about two of them
 * @param shared whether other requests use the connection at the same time (HTTP/2)
 * @returns null when the segments carry no usable clock
 */
export function viewSegments(
  segments: readonly SeenSegment[],
  fromOffset: number,
  rttMs: number,
  shared = false,
): SegmentView | null {
  const recoveryMs = 10 + 2 * rttMs;
  if (segments.length < 2 || segments.some((s) => s.tsval === null)) return null;
  if (!tickIsMs(segments)) return null;

  // Arrival order: how far the stream was complete, and which segments came late.
  const coveredOffset: number[] = [];
  const coveredMs: number[] = [];
  const holes: { from: number; to: number; untilMs: number }[] = [];
  let covered = fromOffset;
  let highest = fromOffset;
  let waiting: { start: number; end: number }[] = [];
  for (const { startOffset, endOffset, atMs } of segments) {
    if (endOffset <= startOffset) continue;
    if (holes.length > maxHoles) return null;
    if (endOffset <= covered) {
      // Came before: the first copy was not lost, but its acknowledgement or its timing was.
      holes.push({ from: startOffset, to: endOffset, untilMs: atMs + recoveryMs });
      continue;
    }
    if (startOffset > covered) waiting.push({ start: startOffset, end: endOffset });
    else {
      if (highest > endOffset) holes.push({ from: startOffset, to: highest, untilMs: atMs + recoveryMs });
      covered = endOffset;
      if (waiting.length > 0) {
        waiting.sort((a, b) => a.start - b.start);
        for (const w of waiting) if (w.start <= covered) covered = Math.max(covered, w.end);
        waiting = waiting.filter((w) => w.start > covered);
      }
      coveredOffset.push(covered);
      coveredMs.push(atMs);
    }
    if (endOffset > highest) highest = endOffset;
  }

  // Stream order: the earliest tick at which a byte or anything behind it left the server.
  const data = segments.filter((s) => s.endOffset > s.startOffset);
  const byEnd = [...data].sort((a, b) => a.endOffset - b.endOffset);
  const ends = byEnd.map((s) => s.endOffset);
  const earliestFrom = new Float64Array(byEnd.length);
  let earliest = Infinity;
  for (let i = byEnd.length - 1; i >= 0; i--) {
    earliest = Math.min(earliest, byEnd[i]?.tsval as number);
    earliestFrom[i] = earliest;
  }
  const held = heldBack(byEnd, rttMs, shared);
  const disturbed = byEnd.map(
    (s) =>
      held.has(s) ||
      holes.some(
        (h) => (s.startOffset < h.to && s.endOffset > h.from) || (s.startOffset >= h.from && s.atMs <= h.untilMs),
      ),
  );
  // Highest tick of an undisturbed segment that ends at or below: nothing behind it was handed over before.
  const sureUpTo = new Float64Array(byEnd.length);
  let sure = 0;
  for (let i = 0; i < byEnd.length; i++) {
    if (!disturbed[i]) sure = Math.max(sure, byEnd[i]?.tsval as number);
    sureUpTo[i] = sure;
  }

  // Lowest and highest one-way delay, each against the same unknown zero.
  let base = Infinity;
  let top = -Infinity;
  for (const s of segments) {
    const delay = s.atMs - (s.tsval as number);
    base = Math.min(base, delay);
    top = Math.max(top, delay);
  }

  return {
    availableMs: (offset) => {
      const i = firstAtLeast(coveredOffset, offset);
      return i < 0 ? null : (coveredMs[i] as number);
    },
    handedTicks: (offset) => {
      const i = firstAtLeast(ends, offset);
      if (i < 0) return null;
      const high = earliestFrom[i] as number;
      const low = disturbed[i] ? (i > 0 ? (sureUpTo[i - 1] as number) : 0) : high;
      return [Math.min(low, high), high + 1];
    },
    ends: (from, to) => {
      const found: number[] = [];
      for (let i = firstAtLeast(ends, from + 1); i >= 0 && i < ends.length && (ends[i] as number) <= to; i++)
        if (ends[i] !== found.at(-1)) found.push(ends[i] as number);
      return found;
    },
    acknowledged: (offset) => {
      const s = segments.find((x) => x.ackedOffset >= offset);
      return s ? { atMs: s.atMs, tick: s.tsval as number, queuedMs: s.atMs - (s.tsval as number) - base } : null;
    },
    heldBack: (offset) => held.has(byEnd[firstAtLeast(ends, offset)] as SeenSegment),
    lossBetween: (from, to) => holes.some((h) => h.from < to && h.to > from),
    delayVariationMs: segments.length < 3 ? null : Math.max(0, top - base - 1),
  };
}

/** Segments in flight from which a sender may be waiting for its initial window of ten (RFC 6928). */
const windowNear = 8;
/** A segment this much larger than usual holds more than one token: they were handed over while the sender waited. */
const joinedShare = 1.7;
/** A shared connection that is silent this long, and this many times its usual step, has been stopped. */
const silentTicks = 10;
const silentTimes = 6;

/**
 * Segments that the sender's congestion window may have held back: many in flight, and several tokens in one. Their tick says
 * when the window opened, not when the token was handed over.
 */
function heldBack(byEnd: readonly SeenSegment[], rttMs: number, shared: boolean): Set<SeenSegment> {
  const held = new Set<SeenSegment>();
  const sizes = byEnd.map((s) => s.endOffset - s.startOffset).sort((a, b) => a - b);
  const usual = sizes[sizes.length >> 1] ?? 0;
  const steps = byEnd.slice(1).map((s, i) => (s.tsval as number) - (byEnd[i]?.tsval as number));
  const silence = Math.max(silentTicks, silentTimes * (steps.sort((a, b) => a - b)[steps.length >> 1] ?? 0));
  let oldest = 0;
  let inFlightBefore = 0;
  for (let i = 0; i < byEnd.length; i++) {
    const s = byEnd[i] as SeenSegment;
    while ((byEnd[oldest]?.tsval as number) < (s.tsval as number) - rttMs) oldest++;
    const inFlight = i - oldest;
    const joined = s.endOffset - s.startOffset >= joinedShare * usual;
    const previous = byEnd[i - 1];
    const behindHeld =
      previous !== undefined && held.has(previous) && (s.tsval as number) - (previous.tsval as number) <= 1;
    // Streams that share a connection do not fall silent together unless the connection makes them.
    const silent = shared && previous !== undefined && (s.tsval as number) - (previous.tsval as number) > silence;
    // The window was full when the one before left; by now part of it has been acknowledged.
    if ((Math.max(inFlight, inFlightBefore) >= windowNear && (joined || silent)) || behindHeld) held.add(s);
    inFlightBefore = inFlight;
  }
  return held;
}

/** Whether TSval counts milliseconds, judged over the whole span; short connections get the benefit of RFC 7323's usual tick. */
function tickIsMs(segments: readonly SeenSegment[]): boolean {
  const first = segments[0] as SeenSegment;
  const last = segments.at(-1) as SeenSegment;
  const spanMs = last.atMs - first.atMs;
  const ticks = (last.tsval as number) - (first.tsval as number);
  if (spanMs < tickCheckMs) return ticks <= spanMs * 2 + 50;
  // A path change or a queue moves arrivals by less than this share plus 100 ms.
  return Math.abs(ticks - spanMs) <= spanMs * tickTolerance + 100;
}

/** Index of the first element ≥ value in an ascending list, or −1. */
function firstAtLeast(list: readonly number[], value: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low < list.length ? low : -1;
}
