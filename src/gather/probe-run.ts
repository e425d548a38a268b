import type { Outcome } from '../model/outcome.ts';
import type { ImportContext, Sink } from './importer.ts';

/** One echo as a line of some tool tells it. */
export interface EchoProbe {
  sequence: number;
  address: string;
  outcome: Outcome;
  rttMs: number | null;
  /** Stamp of its line; null when the line has none. */
  atMs: number | null;
}

export interface RunHead {
  to: string;
  address: string;
  method: 'icmp' | 'tcp-connect';
  /** "ping (iputils)": the beginning of `how`. */
  tool: string;
  /** Sequence of the first probe, where the beginning was seen; null: that of the first line. */
  firstSequence: number | null;
}

/** What the tool itself says at the end. */
export interface RunTotals {
  sent?: number | null;
  received?: number | null;
  durationMs?: number | null;
}

export interface ProbeRun {
  add(probe: EchoProbe): void;
  /** Gives out what is held, and the losses that the totals prove. */
  close(totals?: RunTotals): void;
  count(): number;
}

/** Probes that are held back at most, so that losses and times can be told from what follows. */
const HELD = 4096;
const KEPT = 1024;
/** More missing sequence numbers in a row than this are no loss but another run, or garbage. */
const MAX_GAP = 32_768;

/**
 * Puts the lines about one target in the order of their sequence, makes a lost probe of each number that is missing, and gives
 * every probe a time: that of its line, else one between those of its neighbours, else start + interval, else the file's.
 * Holds at most HELD probes; of a longer run without stamps the interval is only known when the user says it.
 */
export function probeRun(head: RunHead, context: ImportContext, sink: Sink): ProbeRun {
  let held: EchoProbe[] = [];
  let next = head.firstSequence;
  let added = 0;
  let answered = 0;
  let fills = true;
  let startMs: number | null = context.clock.of === 'start' ? context.clock.ms : null;
  let origin: number | null = head.firstSequence;
  let lastStamped: EchoProbe | null = null;

  const flush = (keep: number, intervalMs: number | null, upTo: number | null) => {
    held.sort((a, b) => a.sequence - b.sequence);
    const out = held.slice(0, Math.max(0, held.length - keep));
    held = held.slice(out.length);
    const all = withLosses(out, upTo);
    stamp(all, intervalMs);
  };

  const withLosses = (out: readonly EchoProbe[], upTo: number | null): EchoProbe[] => {
    const all: EchoProbe[] = [];
    const fillTo = (end: number) => {
      if (!fills || next === null || end <= next) return;
      if (end - next > MAX_GAP) {
        sink.warning(null, `${head.to}: ${end - next} sequence numbers are missing at ${next}; not counted as loss`);
        return;
      }
      for (let sequence = next; sequence < end; sequence++)
        all.push({ sequence, address: head.address, outcome: { kind: 'lost' }, rttMs: null, atMs: null });
    };
    for (const probe of out) {
      origin ??= probe.sequence;
      next ??= probe.sequence;
      fillTo(probe.sequence);
      all.push(probe);
      next = Math.max(next, probe.sequence + 1);
    }
    if (upTo !== null) {
      fillTo(upTo);
      next = Math.max(next ?? upTo, upTo);
    }
    return all;
  };

  const stamp = (all: readonly EchoProbe[], intervalMs: number | null) => {
    const following = nextStamped(all);
    for (const [i, probe] of all.entries()) {
      const placed = placeInTime(probe, lastStamped, following[i] ?? null, intervalMs);
      if (probe.atMs !== null) lastStamped = probe;
      const [ms, how] = placed ?? byStart(probe, intervalMs);
      sink.observation({
        kind: 'ping',
        at: iso(ms),
        from: context.from ?? 'unnamed',
        to: head.to,
        how: `imported from ${head.tool}, ${context.source}; ${how}`,
        outcome: probe.outcome,
        address: probe.address,
        method: head.method,
        sequence: probe.sequence,
        rttMs: finite(probe.rttMs),
      });
    }
  };

  const byStart = (probe: EchoProbe, intervalMs: number | null): [number, string] => {
    if (startMs === null || intervalMs === null) return [context.clock.ms, timeOfFile(context)];
    const ms = startMs + (probe.sequence - (origin ?? probe.sequence)) * intervalMs;
    return [ms, 'time from start and interval'];
  };

  return {
    count: () => added,
    add: (probe) => {
      // Numbers without end are garbage, not probes.
      if (!Number.isSafeInteger(probe.sequence)) {
        sink.warning(null, `${head.to}: a sequence number beyond all counting is skipped`);
        return;
      }
      added++;
      if (probe.outcome.kind === 'answered') answered++;
      held.push(probe);
      if (held.length >= HELD) flush(KEPT, context.intervalMs ?? null, null);
    },
    close: ({ sent = null, received = null, durationMs = null } = {}) => {
      const trusted = received === null || received === answered;
      if (!trusted)
        sink.warning(
          null,
          `${head.to}: ${received} answers by the tool's own count, ${answered} lines with one; missing numbers are not counted as loss`,
        );
      const between = durationMs !== null && sent !== null && sent > 1 ? durationMs / (sent - 1) : null;
      const intervalMs = context.intervalMs ?? between;
      if (startMs === null && intervalMs !== null && sent !== null)
        startMs = context.clock.ms - (durationMs ?? (sent - 1) * intervalMs);
      fills = trusted;
      const first = head.firstSequence ?? (held[0] ? Math.min(...held.map((p) => p.sequence)) : null);
      flush(0, intervalMs, trusted && sent !== null && first !== null ? first + sent : null);
    },
  };
}

/** For each probe the next one at or after it whose line has a stamp. */
function nextStamped(all: readonly EchoProbe[]): (EchoProbe | null)[] {
  const following: (EchoProbe | null)[] = Array.from({ length: all.length }, () => null);
  let near: EchoProbe | null = null;
  for (let i = all.length - 1; i >= 0; i--) {
    const probe = all[i] as EchoProbe;
    if (probe.atMs !== null) near = probe;
    following[i] = near;
  }
  return following;
}

function placeInTime(
  probe: EchoProbe,
  before: EchoProbe | null,
  after: EchoProbe | null,
  intervalMs: number | null,
): [number, string] | null {
  if (probe.atMs !== null) return [probe.atMs, 'time of its line'];
  if (before?.atMs != null && after?.atMs != null && after.sequence > before.sequence) {
    const share = (probe.sequence - before.sequence) / (after.sequence - before.sequence);
    return [before.atMs + share * (after.atMs - before.atMs), 'time between its neighbours'];
  }
  const near = before ?? after;
  if (near?.atMs == null) return null;
  if (intervalMs === null) return [near.atMs, 'time of the nearest line'];
  return [near.atMs + (probe.sequence - near.sequence) * intervalMs, 'time from its neighbour and the interval'];
}

/** Null for what overflowed or was no number. */
export function finite(value: number | null): number | null {
  return value === null || Number.isFinite(value) ? value : null;
}

/** How the time is told when the text has none. */
export function timeOfFile({ clock }: ImportContext): string {
  return clock.of === 'start' ? 'time of the start' : 'time of the file, not of the probe';
}

/** ISO 8601; what no date can be is the epoch. */
export function iso(ms: number): string {
  return new Date(Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? ms : 0).toISOString();
}
