import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConnectionTrace, newTrace, type SeenSegment } from '../../wire/tcp/connection.ts';
import type { TcpInfo } from '../../wire/tcp/tcp-info.ts';
import type { TokenArrival } from './exchange.ts';
import { viewSegments } from './segments.ts';
import { findStalls, type StallWitnesses } from './stalls.ts';

const thresholdMs = 200;
const emptyTrace = (): ConnectionTrace => newTrace(1, { address: '192.0.2.1', family: 4, port: 80 }, 0);

/** Tokens of 100 bytes at these times; `wallMs` where the server stamps them. */
function tokensAt(times: readonly number[], wallMs?: readonly number[]): TokenArrival[] {
  return times.map((atMs, i) => ({
    endOffset: (i + 1) * 100,
    atMs,
    visible: true,
    delivery: i,
    serverWallMs: wallMs?.[i] ?? null,
  }));
}

/** One segment a token: when it arrived, and the server's clock when it left. */
function viewOf(times: readonly number[], ticks: readonly number[]) {
  const segments: SeenSegment[] = times.map((atMs, i) => ({
    startOffset: i * 100,
    endOffset: (i + 1) * 100,
    atMs,
    tsval: ticks[i] as number,
    ackedOffset: 0,
  }));
  return viewSegments(
    segments.toSorted((a, b) => a.atMs - b.atMs),
    0,
    20,
  );
}

const witnesses = (change: Partial<StallWitnesses> = {}): StallWitnesses => ({
  thresholdMs,
  view: null,
  trace: emptyTrace(),
  loopLagMs: null,
  ...change,
});

/** Every 20 ms, but for a silence before token 10. */
const paced = (silenceMs: number) => Array.from({ length: 20 }, (_, i) => i * 20 + (i >= 10 ? silenceMs : 0));
const arrive = (ticks: readonly number[], delayMs: (i: number) => number) => ticks.map((t, i) => 1000 + t + delayMs(i));

describe('findStalls()', () => {
  test('finds exactly the gaps above the threshold', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 40 }), (gaps) => {
        let atMs = 0;
        const times = [0, ...gaps.map((gap) => (atMs += gap))];
        const long = gaps.flatMap((gap, i) => (gap > thresholdMs ? [[i + 1, gap]] : []));
        const found = findStalls(tokensAt(times), witnesses());
        expect(found.map((s) => [s.afterToken, s.durationMs])).toEqual(long);
        expect(found.every((s) => s.evidence.length > 0)).toBe(true);
      }),
    );
  });

  test('blames the server when its own kernel sent the token late', () => {
    const ticks = paced(400);
    const times = arrive(ticks, () => 30);
    expect(findStalls(tokensAt(times), witnesses({ view: viewOf(times, ticks) }))).toMatchObject([
      { afterToken: 10, durationMs: 420, cause: 'server' },
    ]);
  });

  test('blames the network when the token left in time and arrived late', () => {
    // Long enough to end without a queue: the clock of the server is checked against ours over the whole.
    const ticks = Array.from({ length: 60 }, (_, i) => i * 20);
    // A queue that fills at once and drains: what is behind waits its turn.
    const times = arrive(ticks, (i) => (i < 10 ? 30 : Math.max(30, 430 - (i - 10) * 19)));
    const stalls = findStalls(tokensAt(times), witnesses({ view: viewOf(times, ticks) }));
    expect(stalls.map((s) => s.cause)).toEqual(['network']);
  });

  test('blames the network for a lost segment that others overtook', () => {
    const ticks = paced(0);
    const clean = arrive(ticks, () => 30);
    // Token 10 was lost; it leaves again 300 ms later, and until it is here nothing behind it can be read.
    const seen = clean.map((t, i) => (i === 10 ? t + 300 : t));
    const resent = ticks.map((t, i) => (i === 10 ? t + 300 : t));
    const readable = clean.map((t, i) => (i < 10 ? t : Math.max(t, seen[10] as number)));
    const stalls = findStalls(tokensAt(readable), witnesses({ view: viewOf(seen, resent) }));
    expect(stalls).toMatchObject([{ afterToken: 10, cause: 'network' }]);
    expect(stalls[0]?.evidence.join(' ')).toContain('retransmission');
  });

  test('never says server when half of the silence was each', () => {
    const ticks = paced(200);
    const times = arrive(ticks, (i) => (i < 10 ? 30 : 230));
    const [stall] = findStalls(tokensAt(times), witnesses({ view: viewOf(times, ticks) }));
    expect(stall?.cause).toBe('undetermined');
  });

  test.each([
    [400, 'server'],
    [0, 'network'],
  ])('believes the stamps of the server on its tokens: silent for %i ms means %s', (silenceMs, cause) => {
    const wall = paced(silenceMs).map((ms) => ms + 1.7e12);
    const times = arrive(paced(0), (i) => (i < 10 ? 30 : 430));
    expect(findStalls(tokensAt(times, wall), witnesses())).toMatchObject([{ cause }]);
  });

  test('blames the client when its own loop, which stamps, stood still', () => {
    const [stall] = findStalls(tokensAt(paced(400)), witnesses({ loopLagMs: () => 390 }));
    expect(stall).toMatchObject({ cause: 'client' });
    expect(findStalls(tokensAt(paced(400)), witnesses({ loopLagMs: () => 50 }))[0]?.cause).not.toBe('client');
  });

  test('takes TCP_INFO for a witness of loss where there is no clock, and knows nothing without either', () => {
    const trace = emptyTrace();
    const info = (atMs: number, rcvOooPack: number) => ({ atMs, phase: '', info: { rcvOooPack } as TcpInfo });
    trace.info.push(info(0, 0), info(5000, 3));
    expect(findStalls(tokensAt(paced(400)), witnesses({ trace }))[0]?.cause).not.toBe('server');
    expect(findStalls(tokensAt(paced(400)), witnesses())).toMatchObject([{ cause: 'undetermined' }]);
  });

  test('is silent about nothing', () => {
    expect(findStalls([], witnesses())).toEqual([]);
    expect(findStalls(tokensAt([5]), witnesses())).toEqual([]);
  });
});
