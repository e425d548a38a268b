import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServerReported, Split } from '../../model/inference.ts';
import { newTrace, type SeenSegment } from '../../wire/tcp/connection.ts';
import { attribute, type AttributionInput } from './attribution.ts';
import { viewSegments } from './segments.ts';

/** One request whose every millisecond is known. Ways are without queues; each packet queues for its own time on top. */
interface World {
  reused: boolean;
  dnsMs: number;
  /** Ours: from the name to SYN, from the handshake to the request. */
  clientMs: [number, number];
  thereMs: number;
  backMs: number;
  /** Of SYN, request, SYN-ACK, acknowledgement, first token, last token; at most half of the jitter. */
  queueMs: number[];
  /** Kernel of the server to its code. */
  readMs: number;
  serverMs: number;
  streamMs: number;
  /** How long the server's kernel holds the acknowledgement back (delayed ACK), on a connection in use. */
  heldMs: number;
  /** Zero of the server's clock against a whole tick. */
  phaseMs: number;
}

const jitterMs = 4;
const readDelayMs = 2;
const part = (max: number) => fc.double({ min: 0, max, noNaN: true });
const world: fc.Arbitrary<World> = fc.record({
  reused: fc.boolean(),
  dnsMs: part(50),
  clientMs: fc.tuple(part(5), part(5)),
  thereMs: fc.double({ min: 0.05, max: 100, noNaN: true }),
  backMs: fc.double({ min: 0.05, max: 100, noNaN: true }),
  queueMs: fc.array(part(jitterMs / 2), { minLength: 6, maxLength: 6 }),
  readMs: part(readDelayMs),
  serverMs: part(500),
  streamMs: part(2000),
  heldMs: part(40),
  phaseMs: part(1),
});

type Evidence = 'ticks' | 'ack' | 'user';

interface Truth {
  networkMs: number;
  serverMs: number;
  clientMs: number;
}

const startMs = 10_000;
const requestBytes = 500;

/** What our kernel and the tap would have seen of it, and the truth of both intervals. */
function played(w: World, evidence: Evidence, change: Partial<AttributionInput> = {}) {
  const [synQueue, requestQueue, synAckQueue, ackQueue, firstQueue, lastQueue] = w.queueMs as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const dnsEndMs = startMs + (w.reused ? 0 : w.dnsMs);
  const connectMs = dnsEndMs + w.clientMs[0];
  const handshakeMs = w.thereMs + synQueue + w.backMs + synAckQueue;
  const connectedMs = connectMs + handshakeMs;
  const calledMs = w.reused ? startMs + w.clientMs[1] : connectedMs + w.clientMs[1];
  const atServerMs = calledMs + w.thereMs + requestQueue;
  const firstWrittenMs = atServerMs + w.readMs + w.serverMs;
  const lastWrittenMs = firstWrittenMs + w.streamMs;
  const ackLeavesMs = Math.min(atServerMs + (w.reused ? w.heldMs : 0), firstWrittenMs);
  const ackedMs = ackLeavesMs + w.backMs + ackQueue;
  // TCP hands bytes over in order: what came before holds up what comes behind.
  const firstMs = Math.max(ackedMs, firstWrittenMs + w.backMs + firstQueue);
  const lastMs = Math.max(firstMs, lastWrittenMs + w.backMs + lastQueue);
  const tick = (ms: number) => Math.floor(ms + w.phaseMs);
  const seen = (start: number, end: number, atMs: number, leftMs: number, acked: number): SeenSegment => ({
    startOffset: start,
    endOffset: end,
    atMs,
    tsval: tick(leftMs),
    ackedOffset: acked,
  });
  const segments = [
    seen(0, 0, ackedMs, ackLeavesMs, requestBytes),
    seen(0, 100, firstMs, firstWrittenMs, requestBytes),
    seen(100, 200, lastMs, lastWrittenMs, requestBytes),
  ];
  const kernel = evidence !== 'user';
  const trace = newTrace(1, { address: '192.0.2.1', family: 4, port: 80 }, w.reused ? startMs - 1000 : connectMs);
  Object.assign(trace, {
    connectedMs: w.reused ? startMs - 900 : connectedMs,
    handshakeRttMs: kernel ? handshakeMs : null,
    synRetransmits: kernel ? 0 : null,
    tapComplete: evidence === 'ticks',
    segments: evidence === 'ticks' ? segments : [],
  });
  if (w.reused) trace.connectedMs = trace.connectMs + handshakeMs;
  const sending = {
    endOffset: requestBytes,
    calledMs,
    leftMs: kernel ? calledMs : null,
    ackedMs: kernel ? ackedMs : null,
  };
  trace.sendings.push(sending);
  const input: AttributionInput = {
    startMs,
    setUp: w.reused
      ? null
      : {
          startMs,
          dns: { startMs, endMs: dnsEndMs, how: '', addresses: [] },
          proxy: null,
          tls: null,
          endMs: connectedMs,
        },
    trace,
    sendings: [sending],
    handedMs: calledMs,
    finishedMs: lastMs,
    firstTokenMs: firstMs,
    lastTokenMs: lastMs,
    firstTokenOffset: 100,
    lastTokenOffset: 200,
    doubtfulAfterOffset: null,
    firstByteMs: firstMs,
    reported: [],
    view: evidence === 'ticks' ? viewSegments(segments, 0, w.thereMs + w.backMs) : null,
    shadowRttMs: null,
    retransmitted: false,
    context: {
      rttFloorMs: w.thereMs + w.backMs,
      jitterMs,
      beyondMs: null,
      readDelayMs,
      terminated: false,
      burstMs: 0,
      loopLagMs: 0,
    },
    ...change,
  };
  const clientMs = w.reused ? w.clientMs[1] : w.clientMs[0] + w.clientMs[1];
  const truthOf = (untilMs: number, serverMs: number): Truth => ({
    serverMs,
    clientMs,
    networkMs: untilMs - startMs - serverMs - clientMs,
  });
  return {
    result: attribute(input),
    ttft: truthOf(firstMs, w.serverMs),
    total: truthOf(lastMs, w.serverMs + w.streamMs),
    wholeMs: { ttft: firstMs - startMs, total: lastMs - startMs },
  };
}

/** Splits are rounded to microseconds. */
const roundingMs = 0.002;

function expectHolds(split: Split | null, truth: Truth): void {
  if (!split) throw new Error('no split');
  const { networkMs, serverMs } = split;
  const said = `${JSON.stringify(split)} against ${JSON.stringify(truth)}`;
  expect(networkMs[0], said).toBeLessThanOrEqual(truth.networkMs + roundingMs);
  expect(networkMs[1], said).toBeGreaterThanOrEqual(truth.networkMs - roundingMs);
  expect(serverMs[0], said).toBeLessThanOrEqual(truth.serverMs + roundingMs);
  expect(serverMs[1], said).toBeGreaterThanOrEqual(truth.serverMs - roundingMs);
}

function expectAddsUp(split: Split | null, wholeMs: number): void {
  if (!split) throw new Error('no split');
  const { networkMs, serverMs, clientMs, undeterminedMs } = split;
  expect(Math.abs(networkMs[0] + serverMs[1] + clientMs - wholeMs)).toBeLessThan(2 * roundingMs);
  expect(Math.abs(networkMs[1] + serverMs[0] + clientMs - wholeMs)).toBeLessThan(2 * roundingMs);
  expect(Math.abs(networkMs[1] - networkMs[0] - undeterminedMs)).toBeLessThan(2 * roundingMs);
}

const evidences = ['ticks', 'ack', 'user'] as const;
const plain: World = {
  reused: true,
  dnsMs: 0,
  clientMs: [0, 0],
  thereMs: 10,
  backMs: 10,
  queueMs: [0, 0, 0, 0, 0, 0],
  readMs: 0,
  serverMs: 100,
  streamMs: 300,
  heldMs: 0,
  phaseMs: 0,
};
const reportOf = (change: Partial<ServerReported>): ServerReported => ({
  source: 'test field',
  covers: 'ttft',
  by: 'server',
  valueMs: 100,
  resolutionMs: 0.001,
  ...change,
});

describe('attribute()', () => {
  test.each(evidences)('holds the truth of every world within its bounds, with evidence "%s"', (evidence) => {
    fc.assert(
      fc.property(world, (w) => {
        const { result, ttft, total } = played(w, evidence);
        expectHolds(result.ttft, ttft);
        expectHolds(result.total, total);
        if (evidence !== 'user') expect(Math.abs(result.clientMs - ttft.clientMs)).toBeLessThan(roundingMs);
      }),
      { numRuns: 1000 },
    );
  });

  test.each(evidences)('adds up to the whole at both ends of the bounds, with evidence "%s"', (evidence) => {
    fc.assert(
      fc.property(world, (w) => {
        const { result, wholeMs } = played(w, evidence);
        expectAddsUp(result.ttft, wholeMs.ttft);
        expectAddsUp(result.total, wholeMs.total);
      }),
    );
  });

  test.each([
    ['ticks', 'kernel'],
    ['ack', 'kernel'],
    ['user', 'handshake'],
  ] as const)('with "%s" says that its evidence is "%s"', (evidence, grade) => {
    expect(played(plain, evidence).result.ttft?.evidence).toBe(grade);
  });

  test('the clock of the server makes the bounds narrow, whatever the queues did', () => {
    expect(played(plain, 'ticks').result.ttft?.undeterminedMs).toBeLessThan(5);
  });

  test('a server that reports its time truly is believed to its resolution', () => {
    fc.assert(
      fc.property(world, fc.constantFrom(0.001, 1), (w, resolutionMs) => {
        const valueMs = Math.round(w.serverMs / resolutionMs) * resolutionMs;
        // The read delay is network by definition, and a server that reports starts its clock behind it.
        const { result, ttft } = played(w, 'ticks', { reported: [reportOf({ valueMs, resolutionMs })] });
        expectHolds(result.ttft, ttft);
        expect(result.ttft?.undeterminedMs).toBeLessThanOrEqual(2 * (resolutionMs + 0.5) + roundingMs);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['more time than passed', 5000],
    ['less for the network than its shortest round trip', 115],
  ])('a server that claims %s is not believed', (_, valueMs) => {
    const honest = played(plain, 'ticks').result.ttft as Split;
    const lied = played(plain, 'ticks', { reported: [reportOf({ valueMs })] }).result.ttft as Split;
    expect(lied.networkMs).toEqual(honest.networkMs);
    expect(lied.evidence).toBe('kernel');
    expect(lied.why).toContain('not believed');
  });

  test('a report that leaves waiting out is a lower bound for the server only', () => {
    fc.assert(
      fc.property(world, part(0.99), (w, share) => {
        const reported = [reportOf({ valueMs: w.serverMs * share, floor: true })];
        const { result, ttft } = played(w, 'user', { reported });
        expectHolds(result.ttft, ttft);
        expect(result.ttft?.serverMs[0] ?? 0).toBeGreaterThanOrEqual(w.serverMs * share - 0.02 - roundingMs);
      }),
    );
  });

  test('a front proxy cannot speak for the way behind it: only the way to it is sure', () => {
    const reported = [reportOf({ covers: 'headers', by: 'front-proxy', valueMs: 100 })];
    const context = {
      rttFloorMs: 20,
      jitterMs,
      beyondMs: null,
      readDelayMs,
      terminated: true,
      burstMs: 0,
      loopLagMs: 0,
    };
    const split = played(plain, 'ticks', { reported, context }).result.ttft as Split;
    expect(split.networkMs[0]).toBeGreaterThanOrEqual(19);
    expect(split.networkMs[1]).toBeCloseTo(120, 0);
  });

  test('behind a terminator nothing bounds the network from above until the trivial answer does', () => {
    const context = {
      rttFloorMs: 20,
      jitterMs,
      beyondMs: null,
      readDelayMs,
      terminated: true,
      burstMs: 0,
      loopLagMs: 0,
    };
    const open = played(plain, 'ticks', { context }).result.ttft as Split;
    const bounded = played(plain, 'ticks', { context: { ...context, beyondMs: 40 } }).result.ttft as Split;
    expect(open.serverMs[0]).toBe(0);
    expect(bounded.networkMs[1]).toBeGreaterThanOrEqual(58);
    expect(bounded.networkMs[1]).toBeLessThan(open.networkMs[1]);
  });

  test('user stamps open the bounds by what the event loop stood still', () => {
    const context = {
      rttFloorMs: 20,
      jitterMs: 1,
      beyondMs: null,
      readDelayMs,
      terminated: false,
      burstMs: 0,
      loopLagMs: 50,
    };
    const split = played(plain, 'user', { context }).result.ttft as Split;
    expect(split.networkMs[1]).toBeGreaterThanOrEqual(70);
  });

  test('without a token there is no split, and no throw', () => {
    const none = { firstTokenMs: null, lastTokenMs: null, firstTokenOffset: null, lastTokenOffset: null };
    expect(played(plain, 'ticks', none).result).toMatchObject({ ttft: null, total: null });
    expect(played(plain, 'user', { ...none, sendings: [], firstByteMs: null }).result.ttft).toBeNull();
  });
});
