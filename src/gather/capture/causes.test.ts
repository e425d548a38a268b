import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../model/capture/exchange.ts';
import { judgeExchange } from './causes.ts';
import { Connection } from './tcp/connection.ts';
import type { IncidentKind } from './tcp/incidents.ts';

const sink = { wanted: false, data: () => undefined, gap: () => undefined, end: () => undefined };

/** An answer with one chunk every 25 ms and one gap from 1000 to 1200 ms, on a path of 40 ms to the server and none to the client. */
function exchange(change: { chunksAtOnce?: number; acrossCaptureGap?: boolean; gapMs?: number } = {}): Exchange {
  return {
    kind: 'tls',
    shape: 'stream',
    requestStartMs: 0,
    requestEndMs: 10,
    requestEndOffset: 1200,
    requestBytes: 900,
    requests: 1,
    firstByteMs: 510,
    firstChunkMs: 510,
    firstChunkOtherwiseMs: null,
    firstChunkWireMs: 510,
    firstChunkOffset: 1400,
    endMs: 3000,
    answerBytes: 9000,
    chunks: 90,
    heartbeats: 0,
    paceMs: 28,
    gaps: { count: 89, medianMs: 25, p90Ms: 26, p99Ms: 200, maxMs: 200 },
    stallAboveMs: 75,
    stalls: [
      {
        startMs: 1000,
        endMs: 1200,
        wireMs: 1200,
        gapMs: 200,
        afterChunk: 20,
        streamOffset: 2000,
        chunksAtOnce: 0,
        acrossCaptureGap: false,
        ...change,
      },
    ],
    stallsNotListed: 0,
    overlapped: false,
    confidence: 'high',
    how: [],
    tls: null,
    http: null,
  };
}

function connection(hasCounter = true): Connection {
  const made = new Connection(sink, () => undefined);
  made.client.started = true;
  made.client.roundTrip.handshake(40, 0);
  made.server.roundTrip.handshake(1, 0);
  if (hasCounter) for (let id = 1; id < 6; id++) made.server.ipId.seen(id, 1);
  return made;
}

function stallWith(kind: IncidentKind | null, startMs = 0, endMs = 0, direction: 0 | 1 = 1) {
  const of = connection();
  if (kind) of.incidents.add(kind, direction, startMs, endMs, 2000, 2100, 'high');
  return judgeExchange(exchange(), of).stalls[0]!;
}

describe('the cause of a stall', () => {
  test('is the server where nothing was missing', () => {
    expect(stallWith(null)).toMatchObject({ cause: 'server', confidence: 'high', networkMs: 0, serverMs: 200 });
  });

  test('is not known where the server’s timer would have sent a lost packet again just then, and no counter shows whether it did', () => {
    const of = (gapMs: number, hasCounter: boolean) => {
      const [stall] = judgeExchange(exchange({ gapMs }), connection(hasCounter)).stalls;
      return [stall!.cause, stall!.confidence, stall!.networkMs, stall!.serverMs];
    };
    // An acknowledgement to the server and the copy back are 40 ms, and its timer takes a round trip of 41 ms and 200.
    expect(of(285, false)).toEqual(['unknown', 'low', 0, 0]);
    expect(of(285, true)).toEqual(['server', 'high', 0, 285]);
    for (const gapMs of [200, 260, 320]) expect(of(gapMs, false)).toEqual(['server', 'medium', 0, gapMs]);
  });

  test('is a loss before the tap: what was lost was due one usual gap before that which showed it', () => {
    expect(stallWith('lost-upstream', 1050, 1200)).toMatchObject({ cause: 'loss', networkMs: 175, serverMs: 25 });
  });

  test('is a loss behind the tap from the first copy on', () => {
    expect(stallWith('lost-downstream', 1020, 1200)).toMatchObject({ cause: 'loss', networkMs: 180, serverMs: 20 });
  });

  test('a loss before the tap may have begun long before it showed: then nobody is blamed, and the bounds are told', () => {
    const stall = stallWith('lost-upstream', 1160, 1200);
    expect(stall).toMatchObject({ cause: 'unknown', confidence: 'low' });
    expect(stall.evidence).toContain('the network took 65 ms to 200 ms of 200 ms');
  });

  test('stays the server where a loss behind the tap explains a small part only, and says how much', () => {
    const stall = stallWith('lost-downstream', 1160, 1200);
    expect(stall).toMatchObject({ cause: 'server', confidence: 'medium', networkMs: 40, serverMs: 160 });
    expect(stall.evidence).toContain('40 ms of it went into the repair of a loss');
  });

  test('is a delay where the server’s clock says that the chunk was sent in time', () => {
    expect(stallWith('delayed', 1030, 1200)).toMatchObject({ cause: 'delay', networkMs: 170, serverMs: 30 });
  });

  test('a loss of the other direction, or of another time, is none', () => {
    expect(stallWith('lost-upstream', 1000, 1200, 0).cause).toBe('server');
    expect(stallWith('lost-upstream', 500, 900).cause).toBe('server');
  });

  test.each([
    ['zero-window', 'receiver-window'],
    ['reordered', 'reordering'],
    ['capture-loss', 'capture-loss'],
  ] as const)('%s is %s', (kind, cause) => {
    expect(stallWith(kind, 1010, 1200).cause).toBe(cause);
  });

  test('waits for delayed acknowledgements count where the connection shows them again and again', () => {
    const of = connection();
    of.incidents.add('nagle-wait', 1, 1000, 1200, 2000, 2100, 'medium');
    expect(judgeExchange(exchange(), of).stalls[0]!.cause).toBe('server');
    of.server.nagleWaits = 5;
    expect(judgeExchange(exchange(), of).stalls[0]!.cause).toBe('nagle');
  });

  test('chunks that come at once behind the gap had been held back', () => {
    expect(judgeExchange(exchange({ chunksAtOnce: 12 }), connection()).stalls[0]!.cause).toBe('buffering');
  });

  test('where the capture lacks octets nobody is blamed', () => {
    const judged = judgeExchange(exchange({ acrossCaptureGap: true }), connection());
    expect(judged.stalls[0]).toMatchObject({ cause: 'capture-loss', networkMs: 0, serverMs: 0 });
    expect(judged.stalledMs).toEqual({ network: 0, server: 0, unknown: 200 });
  });
});

test('of several answers at once a silence is nobody’s, a loss still is the network’s', () => {
  const several = { ...exchange(), overlapped: true, requests: 3, gaps: null };
  expect(judgeExchange(several, connection()).stalls[0]).toMatchObject({ cause: 'unknown', confidence: 'low' });
  const of = connection();
  of.incidents.add('lost-downstream', 1, 1010, 1200, 2000, 2100, 'high');
  expect(judgeExchange(several, of).stalls[0]).toMatchObject({ cause: 'loss', confidence: 'low', networkMs: 190 });
});

describe('the time to the first chunk', () => {
  test('is projected to the client, and divided by the round trips of both sides', () => {
    expect(judgeExchange(exchange(), connection()).firstChunk).toMatchObject({
      atTapMs: 500,
      atClientMs: 501,
      networkMs: 41,
      serverMs: 460,
      cause: 'server',
    });
  });

  test('counts the repair of a lost request as network', () => {
    const of = connection();
    of.incidents.add('lost-downstream', 0, 10, 310, 0, 900, 'high');
    expect(judgeExchange(exchange(), of).firstChunk).toMatchObject({ networkMs: 341, serverMs: 160, cause: 'network' });
  });

  test('counts what the first chunk waited behind a hole, and not what else was lost meanwhile', () => {
    const of = connection();
    of.incidents.add('lost-upstream', 1, 60, 510, 0, 900, 'high');
    const held = { ...exchange(), firstChunkWireMs: 490 };
    expect(judgeExchange(held, of).firstChunk).toMatchObject({ networkMs: 61, serverMs: 440 });
    expect(judgeExchange(exchange(), of).firstChunk).toMatchObject({ networkMs: 41, serverMs: 460 });
  });

  test('counts the repair of the first chunk itself, from one usual gap before what showed its absence', () => {
    const of = connection();
    of.incidents.add('lost-upstream', 1, 410, 510, 1400, 1500, 'high');
    expect(judgeExchange(exchange(), of).firstChunk).toMatchObject({ networkMs: 166, serverMs: 335 });
  });

  test('takes the request for late where its acknowledgement was, unless that was put off', () => {
    const late = connection();
    late.incidents.add('lost-downstream', 0, 10, 90, 0, 900, 'high');
    late.client.acks.add(0, 1200, 130);
    expect(judgeExchange(exchange(), late).firstChunk).toMatchObject({ networkMs: 121, serverMs: 380 });

    // The copy was sent for nothing: the first one had come before.
    const early = connection();
    early.incidents.add('lost-downstream', 0, 10, 90, 0, 900, 'high');
    early.client.acks.add(0, 1200, 55);
    expect(judgeExchange(exchange(), early).firstChunk).toMatchObject({ networkMs: 46, serverMs: 455 });

    const delayedAck = connection();
    delayedAck.client.acks.add(0, 1200, 95);
    expect(judgeExchange(exchange(), delayedAck).firstChunk).toMatchObject({ networkMs: 41, serverMs: 460 });
  });

  test('states an error that covers what cannot be told', () => {
    const plain = judgeExchange(exchange(), connection()).firstChunk!;
    const lost = connection();
    lost.incidents.add('lost-upstream', 1, 410, 510, 1400, 1500, 'high');
    expect(judgeExchange(exchange(), lost).firstChunk!.plusMinusMs).toBeCloseTo(plain.plusMinusMs! + 26);
    const open = { ...exchange(), firstChunkOtherwiseMs: 730 };
    expect(judgeExchange(open, connection()).firstChunk).toMatchObject({ plusMinusMs: plain.plusMinusMs! + 220 });
    expect(judgeExchange(open, connection()).firstChunk!.evidence).toContain('or 220 ms more');
  });

  test('is not divided where the way to the server is unknown', () => {
    const made = new Connection(sink, () => undefined);
    expect(judgeExchange(exchange(), made).firstChunk).toMatchObject({
      networkMs: null,
      serverMs: null,
      cause: 'unknown',
    });
  });
});
