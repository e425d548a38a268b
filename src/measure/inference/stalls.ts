import type { Stall, StallCause } from '../../model/inference.ts';
import type { ConnectionTrace } from '../../wire/tcp/connection.ts';
import type { TokenArrival } from './exchange.ts';
import type { SegmentView } from './segments.ts';

/** Everything that can testify about a silence in a token stream. */
export interface StallWitnesses {
  thresholdMs: number;
  view: SegmentView | null;
  trace: ConnectionTrace;
  /** Longest stall of our event loop between two moments; only where arrivals are stamped by it. */
  loopLagMs: ((fromMs: number, toMs: number) => number) | null;
}

/** A cause needs this share of the silence; between the two shares nobody is blamed. Own choice. */
const mostOf = 0.6;
const littleOf = 0.4;
/** What follows a silence this fast, against the usual pace, had been waiting somewhere. */
const catchUpShare = 0.25;
/** Of what the pace makes during a silence, at least this share has to come at once behind it. Own choice. */
const catchUpFill = 0.4;
/** A median gap below this is no pace but a buffer that lets go. */
const burstGapMs = 1;

/**
 * Every gap between token arrivals above the threshold, with its cause. The server is to blame when it handed the token over
 * late by its own clock; the network when the token was handed over in time and arrived late; nobody when no witness says.
 */
export function findStalls(tokens: readonly TokenArrival[], witnesses: StallWitnesses): Stall[] {
  const stalls: Stall[] = [];
  const usualMs = usualGapMs(tokens);
  for (let i = 1; i < tokens.length; i++) {
    const before = tokens[i - 1] as TokenArrival;
    const after = tokens[i] as TokenArrival;
    const durationMs = after.atMs - before.atMs;
    if (durationMs <= witnesses.thresholdMs) continue;
    const { cause, evidence } = judgeStall(tokens, i, usualMs, witnesses);
    stalls.push({ afterToken: i, durationMs: Math.round(durationMs * 1000) / 1000, cause, evidence });
  }
  return stalls;
}

function judgeStall(
  tokens: readonly TokenArrival[],
  index: number,
  usualMs: number,
  witnesses: StallWitnesses,
): { cause: StallCause; evidence: string[] } {
  const before = tokens[index - 1] as TokenArrival;
  const after = tokens[index] as TokenArrival;
  const gapMs = after.atMs - before.atMs;
  const evidence: string[] = [];
  const { view, trace, loopLagMs } = witnesses;

  const own = loopLagMs?.(before.atMs, after.atMs) ?? 0;
  if (own > mostOf * gapMs)
    return { cause: 'client', evidence: [`own event loop stood still for ${own.toFixed(0)} ms`] };

  if (before.serverWallMs !== null && after.serverWallMs !== null) {
    const serverMs = after.serverWallMs - before.serverWallMs;
    evidence.push(`server stamped the two tokens ${serverMs.toFixed(1)} ms apart`);
    const cause = byShare(serverMs, serverMs, gapMs, usualMs);
    if (cause !== 'undetermined') return { cause, evidence };
  }

  const from = view?.handedTicks(before.endOffset);
  const to = view?.handedTicks(after.endOffset);
  const lost = view?.lossBetween(before.endOffset, after.endOffset) ?? false;
  if (lost) evidence.push('segments of the token came out of order or twice: a retransmission');
  if (view && from && to) {
    const low = Math.max(0, to[0] - from[1]);
    const high = to[1] - from[0];
    const surely = high - low <= 2;
    evidence.push(
      surely
        ? `server kernel sent the token ${high - 1} ms after the one before, by its own clock`
        : `server kernel handed the token over between ${low} and ${high} ms after the one before, by its own clock`,
    );
    const cause = byShare(low, high, gapMs, usualMs);
    if (cause === 'network' || !catchesUp(tokens, index, usualMs)) return { cause, evidence };
    // A server that was late goes on at its own pace; what had been written meanwhile and waited somewhere comes at once.
    evidence.push('the tokens behind it came at once: they had been waiting');
    if (lost) return { cause: 'network', evidence };
    if (!view.heldBack(after.endOffset)) return { cause: 'undetermined', evidence };
    evidence.push("several in one segment, with the sender's congestion window full: they waited for acknowledgements");
    return { cause: 'network', evidence };
  }

  const outOfOrder = counterDelta(trace, before.atMs, after.atMs, 'rcvOooPack');
  if (outOfOrder !== null && outOfOrder > 0) {
    evidence.push(`${outOfOrder} segments came out of order during it (TCP_INFO): a retransmission`);
    return { cause: 'network', evidence };
  }
  if (evidence.length === 0)
    evidence.push('no retransmission seen, and no clock of the server to tell when it sent the token');
  return { cause: 'undetermined', evidence };
}

function byShare(serverLowMs: number, serverHighMs: number, gapMs: number, usualMs: number): StallCause {
  // The usual pace is nobody's fault: what counts is the excess over it.
  const excess = Math.max(gapMs - usualMs, gapMs * 0.1);
  if (serverLowMs - usualMs >= mostOf * excess) return 'server';
  if (serverHighMs - usualMs <= littleOf * excess) return 'network';
  return 'undetermined';
}

/**
 * Whether the tokens behind the silence come at once although they were made one by one: a good part of what the pace makes in
 * that time has been waiting. In a stream that comes in bursts anyway every silence is followed by one.
 */
function catchesUp(tokens: readonly TokenArrival[], index: number, usualMs: number): boolean {
  const silenceMs = (tokens[index]?.atMs ?? 0) - (tokens[index - 1]?.atMs ?? 0);
  const inBursts = usualMs < burstGapMs;
  const stepMs = inBursts ? burstGapMs : catchUpShare * usualMs;
  let atOnce = 1;
  while (
    tokens[index + atOnce] &&
    (tokens[index + atOnce] as TokenArrival).atMs - (tokens[index + atOnce - 1] as TokenArrival).atMs <= stepMs
  )
    atOnce++;
  if (inBursts) return atOnce >= 2;
  const behind = tokens.length - index;
  return atOnce >= 2 && atOnce >= Math.min(behind, catchUpFill * (silenceMs / usualMs));
}

function usualGapMs(tokens: readonly TokenArrival[]): number {
  const gaps: number[] = [];
  for (let i = 1; i < tokens.length; i++) gaps.push((tokens[i]?.atMs ?? 0) - (tokens[i - 1]?.atMs ?? 0));
  gaps.sort((a, b) => a - b);
  return gaps[gaps.length >> 1] ?? 0;
}

function counterDelta(trace: ConnectionTrace, fromMs: number, toMs: number, field: 'rcvOooPack'): number | null {
  const before = trace.info.filter((i) => i.atMs <= fromMs).at(-1)?.info[field];
  const after = trace.info.find((i) => i.atMs >= toMs)?.info[field];
  return before === undefined || before === null || after === undefined || after === null ? null : after - before;
}
