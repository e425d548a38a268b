import { expect, test } from 'vitest';
import { exchange } from '../../../model/capture/exchange.ts';
import { ToldConnection } from './connection.case.ts';
import { read } from './tap.case.ts';

const rttMs = 40;
/** The request leaves with the Finished; its answer cannot be here before this. */
const askedMs = rttMs + 1;

/** Chunks of a model at a steady pace, with sizes that vary. */
function stream(connection: ToldConnection, fromMs: number, count: number, paceMs = 20): number {
  for (let i = 0; i < count; i++) connection.server(fromMs + i * paceMs, 84 + (i % 7));
  return fromMs + (count - 1) * paceMs;
}

test('a stream has TTFB, TTFT, cadence and no stall; what the hellos say is kept', () => {
  const connection = new ToldConnection({ alpn: ['http/1.1'] }).client(askedMs, 600);
  const endMs = stream(connection.server(300, 250), 320, 30);
  const [found, ...more] = connection.exchanges();
  expect(more).toEqual([]);
  expect(exchange.parse(found)).toEqual(found);
  expect(found).toMatchObject({
    kind: 'tls',
    shape: 'stream',
    requestStartMs: askedMs,
    requestEndMs: askedMs,
    requestBytes: 600,
    firstByteMs: 300,
    firstChunkMs: 300,
    endMs,
    chunks: 31,
    stalls: [],
    overlapped: false,
    confidence: 'high',
    tls: { version: 'TLS 1.3', serverName: 'model.test', alpn: 'http/1.1', group: 'x25519' },
  });
  expect(found!.gaps!.medianMs).toBeCloseTo(20, 0);
});

test.each([
  ['none', []],
  ['one', [230]],
  ['two', [250, 250]],
  ['four', [250, 250, 250, 250]],
  ['two that differ by a block', [234, 250]],
])('session tickets (%s) one round trip after the Finished are no answer', (_, tickets) => {
  const connection = new ToldConnection({ tickets }).client(askedMs, 600).server(300, 250);
  stream(connection, 320, 30);
  expect(connection.exchanges()).toMatchObject([{ firstByteMs: 300, firstChunkMs: 300, chunks: 31 }]);
});

test('tickets in the first flight of the server (Go) are none of the answer, and no more are expected', () => {
  const connection = new ToldConnection({ earlyTickets: [120], tickets: [] }).client(askedMs, 600);
  // The head comes as early as a ticket would.
  stream(connection.server(2 * rttMs + 2, 160), 300, 30);
  expect(connection.exchanges()).toMatchObject([
    { firstByteMs: 2 * rttMs + 2, firstChunkMs: 300, chunks: 30, confidence: 'high' },
  ]);
});

test('tickets that came before the request are all that there are: a head that comes soon is one', () => {
  const connection = new ToldConnection().client(2 * rttMs + 3, 600).server(3 * rttMs + 4, 136);
  stream(connection, 300, 30);
  expect(connection.exchanges()).toMatchObject([{ firstByteMs: 3 * rttMs + 4, firstChunkMs: 300, chunks: 30 }]);
});

test('tickets that wait for the answer (BoringSSL) come out of its front', () => {
  const connection = new ToldConnection({ tickets: [] }).client(askedMs, 600).server(250, 396, 164);
  stream(connection, 400, 30);
  expect(connection.exchanges()).toMatchObject([{ firstByteMs: 250, firstChunkMs: 400, chunks: 30 }]);
});

test('a head that comes early makes TTFB and TTFT differ; on the next exchange as well', () => {
  const connection = new ToldConnection().client(askedMs, 600).server(2 * rttMs + 3, 164);
  const endMs = stream(connection, 400, 30);
  connection
    .server(endMs, 5)
    .client(endMs + 500, 700)
    .server(endMs + 545, 164);
  stream(connection, endMs + 900, 30);
  expect(connection.exchanges()).toMatchObject([
    { firstByteMs: 2 * rttMs + 3, firstChunkMs: 400, chunks: 30, confidence: 'high' },
    { requestEndMs: endMs + 500, firstByteMs: endMs + 545, firstChunkMs: endMs + 900, chunks: 30, confidence: 'high' },
  ]);
});

test('a head that is large enough for a chunk makes an early head unsure', () => {
  const connection = new ToldConnection().client(askedMs, 600).server(2 * rttMs + 3, 900);
  stream(connection, 400, 30);
  expect(connection.exchanges()).toMatchObject([
    { firstChunkMs: 400, firstChunkOtherwiseMs: 2 * rttMs + 3, confidence: 'medium' },
  ]);
});

test('a long request that is still going on when the tickets come is one request', () => {
  const connection = new ToldConnection()
    .client(askedMs, 4000, 4000, 4000)
    .client(2 * rttMs + 3, 4000)
    .client(125, 900);
  stream(connection.server(500, 250), 520, 30);
  expect(connection.exchanges()).toMatchObject([
    { requestStartMs: askedMs, requestEndMs: 125, requestBytes: 16_900, firstByteMs: 500, chunks: 31 },
  ]);
});

test('100 Continue is not an answer: the request ends with its body', () => {
  const connection = new ToldConnection({ tickets: [] }).client(askedMs, 300).server(200, 25).client(201, 5000);
  stream(connection.server(400, 250), 420, 30);
  expect(connection.exchanges()).toMatchObject([{ requestStartMs: askedMs, requestEndMs: 201, firstByteMs: 400 }]);
});

test('keep-alives before the first token are left out, how many there are', () => {
  for (const count of [1, 2, 3, 60]) {
    const connection = new ToldConnection().client(askedMs, 600).server(90, 164);
    for (let i = 1; i <= count; i++) connection.server(90 + i * 15_000, 33);
    const firstMs = 90 + count * 15_000 + 4000;
    stream(connection, firstMs, 30);
    expect(connection.exchanges(), `${count}`).toMatchObject([
      { firstByteMs: 90, firstChunkMs: firstMs, chunks: 30, heartbeats: count, stalls: [] },
    ]);
  }
});

test('keep-alives inside do not hide how long the model was silent', () => {
  const connection = new ToldConnection().client(askedMs, 600).server(90, 164);
  const pausedMs = stream(connection, 300, 40);
  for (const i of [1, 2, 3]) connection.server(pausedMs + i * 1000, 33);
  stream(connection, pausedMs + 3500, 40);
  const [found] = connection.exchanges();
  expect(found).toMatchObject({ chunks: 80, heartbeats: 3 });
  expect(found!.stalls).toMatchObject([{ startMs: pausedMs, endMs: pausedMs + 3500, gapMs: 3500, afterChunk: 40 }]);
});

test('equal chunks with a pause between them are no keep-alives', () => {
  const connection = new ToldConnection().client(askedMs, 600).server(90, 164);
  connection.server(300, 84).server(900, 84);
  for (let i = 0; i < 40; i++) connection.server(920 + 20 * i, 84);
  const [found] = connection.exchanges();
  expect(found).toMatchObject({ firstChunkMs: 300, chunks: 42, heartbeats: 0 });
  expect(found!.stalls).toMatchObject([{ startMs: 300, endMs: 900 }]);
});

test('a preconnected connection without a request yields nothing', () => {
  expect(new ToldConnection().client(5000, 2).server(5000, 2).exchanges()).toEqual([]);
});

test('notices and the end of the connection start no exchange', () => {
  const connection = new ToldConnection().client(askedMs, 600);
  const endMs = stream(connection.server(300, 250), 320, 30);
  connection
    .client(endMs + 10, 5)
    .client(endMs + 20, 2)
    .server(endMs + 30, 2);
  expect(connection.exchanges()).toMatchObject([{ requestEndMs: askedMs, endMs }]);
});

test('an answer in one burst has no cadence, and its TTFT is its first octets', () => {
  const connection = new ToldConnection().client(askedMs, 600).server(900, 250, 4000, 4000, 900);
  const [found] = connection.exchanges();
  expect(found).toMatchObject({ shape: 'whole', firstByteMs: 900, firstChunkMs: 900, gaps: null, stalls: [] });
});

test('a request without an answer is told as one', () => {
  const [found] = new ToldConnection().client(askedMs, 600).exchanges();
  expect(found).toMatchObject({ shape: 'unanswered', firstByteMs: null, firstChunkMs: null, chunks: 0 });
});

test('a stall is a gap above three times the usual one and above 60 ms, with what had been held back', () => {
  const connection = new ToldConnection().client(askedMs, 600).server(300, 250);
  const pausedMs = stream(connection, 330, 20, 30);
  connection.server(pausedMs + 400, 80, 81, 82);
  const endMs = stream(connection, pausedMs + 430, 20, 30);
  // 85 ms are long, but not three times 30.
  stream(connection, endMs + 85, 5, 30);
  const [found] = connection.exchanges();
  expect(found!.stalls).toMatchObject([{ startMs: pausedMs, endMs: pausedMs + 400, gapMs: 400, chunksAtOnce: 2 }]);
});

test('HTTP/2: SETTINGS, acknowledgements, windows and pings are no requests and no chunks', () => {
  const connection = new ToldConnection({ alpn: ['h2', 'http/1.1'] }).client(askedMs, 46).client(askedMs, 120, 700);
  connection.server(2 * rttMs + 2, 40, 9).client(2 * rttMs + 3, 9);
  connection.server(300, 60);
  for (let i = 0; i < 40; i++) {
    connection.server(320 + 20 * i, 84 + (i % 7));
    if (i % 10 === 5)
      connection
        .client(325 + 20 * i, 13, 13)
        .server(330 + 20 * i, 17)
        .client(335 + 20 * i, 17);
  }
  expect(connection.exchanges()).toMatchObject([
    {
      kind: 'http2-tls',
      requestEndMs: askedMs,
      firstByteMs: 300,
      firstChunkMs: 320,
      chunks: 40,
      overlapped: false,
      stalls: [],
    },
  ]);
});

test('HTTP/2: SETTINGS that go out with two windows behind a request are no head, as HAProxy sends them', () => {
  const connection = new ToldConnection({ alpn: ['h2', 'http/1.1'] }).client(askedMs, 52, 694);
  connection.server(2 * rttMs + 3, 56).client(2 * rttMs + 4, 9);
  stream(connection.server(2 * rttMs + 6, 60), 400, 30);
  expect(connection.exchanges()).toMatchObject([
    { requests: 1, firstByteMs: 2 * rttMs + 6, firstChunkMs: 400, chunks: 30, stalls: [] },
  ]);
  // Those of Node go out together with the head.
  const together = new ToldConnection({ alpn: ['h2'] }).client(askedMs, 52, 694);
  stream(together.server(2 * rttMs + 3, 66).client(2 * rttMs + 4, 9), 400, 30);
  expect(together.exchanges()).toMatchObject([
    { firstByteMs: 2 * rttMs + 3, firstChunkMs: 400, chunks: 30, stalls: [] },
  ]);
});

test.each([22, 35])(
  'HTTP/2: %i octets before any head are an acknowledgement and room for the body, not an answer',
  (octets) => {
    const connection = new ToldConnection({ alpn: ['h2'], tickets: [], earlyTickets: [250] })
      .client(askedMs, 46)
      .client(askedMs, 120, 8000);
    connection.server(2 * rttMs + 2, 40).server(2 * rttMs + 4, octets);
    stream(connection.server(300, 60), 320, 30);
    expect(connection.exchanges()).toMatchObject([{ requests: 1, firstByteMs: 300, firstChunkMs: 320, chunks: 30 }]);
  },
);

test('HTTP/2: a request behind the end of a stream is the next exchange; one in the middle overlaps', () => {
  const one = new ToldConnection({ alpn: ['h2'] }).client(askedMs, 120, 700).server(300, 60);
  const endMs = stream(one, 320, 30);
  one
    .server(endMs, 9)
    .client(endMs + 1, 60, 500)
    .server(endMs + 45, 30);
  stream(one, endMs + 200, 30);
  expect(one.exchanges()).toMatchObject([
    { requests: 1, endMs },
    { requests: 1, requestEndMs: endMs + 1, firstByteMs: endMs + 45, firstChunkMs: endMs + 200 },
  ]);

  const two = new ToldConnection({ alpn: ['h2'] }).client(askedMs, 120, 700).server(300, 60);
  const halfMs = stream(two, 320, 30);
  two.client(halfMs + 5, 60, 500);
  stream(two, halfMs + 20, 60, 10);
  expect(two.exchanges()).toMatchObject([
    { requests: 2, overlapped: true, confidence: 'low', firstByteMs: 300, firstChunkMs: 320, gaps: null, paceMs: null },
  ]);
});

test('HTTP/2: requests at once before any answer are counted, and of none is told when it was answered', () => {
  const apart = new ToldConnection({ alpn: ['h2'] })
    .client(askedMs, 120, 700)
    .client(200, 60, 900)
    .client(350, 60, 900);
  stream(apart.server(400, 60), 410, 30);
  stream(apart, 1100, 30, 10);
  expect(apart.exchanges()).toMatchObject([
    { requests: 3, overlapped: true, firstByteMs: null, firstChunkMs: null, firstChunkOtherwiseMs: null },
  ]);
  // Bodies that do not fill their frames are whole: what follows them at once is the next request.
  const together = new ToldConnection({ alpn: ['h2'] }).client(askedMs, 120, 700, 60, 900);
  stream(together.server(400, 60), 410, 30);
  expect(together.exchanges()).toMatchObject([{ requests: 2, overlapped: true, firstChunkMs: null }]);
  const long = new ToldConnection({ alpn: ['h2'] }).client(askedMs, 120, 16_393, 16_393, 900);
  stream(long.server(400, 60), 410, 30);
  expect(long.exchanges()).toMatchObject([{ requests: 1, overlapped: false, firstByteMs: 400, firstChunkMs: 410 }]);
});

test('HTTP/2: while requests overlap a silence ends nothing; the end of all of their streams does', () => {
  const connection = new ToldConnection({ alpn: ['h2'] }).client(askedMs, 120, 700).server(300, 60);
  connection.client(stream(connection, 320, 30) + 5, 60, 500);
  const endMs = stream(connection, 910, 30, 10);
  // The second one may still be waiting for its model.
  connection.client(endMs + 900, 60, 500);
  const laterMs = stream(connection.server(endMs + 1000, 9), endMs + 1010, 30);
  connection
    .server(laterMs, 9)
    .server(laterMs + 5, 9)
    .client(laterMs + 50, 60, 600);
  stream(connection.server(laterMs + 100, 40), laterMs + 300, 30);
  expect(connection.exchanges()).toMatchObject([
    { requests: 3, overlapped: true },
    { requests: 1, overlapped: false, firstByteMs: laterMs + 100, firstChunkMs: laterMs + 300 },
  ]);
});

test('HTTP/2 that was not agreed on in sight shows by its SETTINGS', () => {
  const connection = new ToldConnection({ alpn: ['h2', 'http/1.1'] }).client(askedMs, 1400);
  connection.server(2 * rttMs + 3, 15, 9).client(2 * rttMs + 4, 9);
  stream(connection.server(300, 60), 320, 30);
  expect(connection.exchanges()).toMatchObject([
    { kind: 'http2-tls', requests: 1, firstByteMs: 300, firstChunkMs: 320, chunks: 30 },
  ]);
});

test('a server that stands still behind its first chunk: both moments are told, or the answers before tell which', () => {
  const open = new ToldConnection().client(askedMs, 600).server(300, 900);
  stream(open, 700, 30);
  // A head would not have waited for the model, so the chunk is more likely with it.
  expect(open.exchanges()).toMatchObject([{ firstChunkMs: 300, firstChunkOtherwiseMs: 700, confidence: 'medium' }]);

  const known = new ToldConnection().client(askedMs, 600).server(300, 900);
  const endMs = stream(known, 320, 30);
  known.client(endMs + 500, 700).server(endMs + 545, 902);
  stream(known, endMs + 900, 30);
  expect(known.exchanges()).toMatchObject([
    { firstChunkMs: 300, firstChunkOtherwiseMs: null, chunks: 31 },
    { firstChunkMs: endMs + 545, firstChunkOtherwiseMs: null, chunks: 31, confidence: 'high' },
  ]);
});

test('a head that is followed at once tells what heads of its size are', () => {
  const connection = new ToldConnection().client(askedMs, 600).server(300, 250).server(300.5, 88);
  const endMs = stream(connection, 320, 30);
  connection.client(endMs + 500, 700).server(endMs + 600, 252);
  stream(connection, endMs + 900, 30);
  connection.client(endMs + 2500, 700).server(endMs + 2600, 250 + 88);
  stream(connection, endMs + 2900, 30);
  expect(connection.exchanges()).toMatchObject([
    { firstChunkMs: 300.5 },
    { firstByteMs: endMs + 600, firstChunkMs: endMs + 900, firstChunkOtherwiseMs: null },
    { firstChunkMs: endMs + 2600, firstChunkOtherwiseMs: null },
  ]);
});

test('a client with a certificate: its flight is no request', () => {
  const connection = new ToldConnection();
  // Certificate and CertificateVerify before the Finished, which the told connection sends alone.
  const finished = connection.pieces.pop()!;
  connection.client(rttMs + 1, 900, 110);
  connection.pieces.push(finished);
  stream(connection.client(askedMs, 600).server(300, 250), 320, 30);
  expect(connection.exchanges()).toMatchObject([{ requestBytes: 600, firstByteMs: 300 }]);
});

test('a capture that begins in the middle of an answer has its cadence and stalls, and no TTFT', () => {
  const connection = new ToldConnection().client(askedMs, 600).server(300, 250);
  const pausedMs = stream(connection, 320, 60);
  const endMs = stream(connection, pausedMs + 500, 60);
  connection.client(endMs + 1000, 600);
  stream(connection.server(endMs + 1200, 250), endMs + 1220, 30);
  const late = connection.pieces.filter(({ atMs }) => atMs > 700);
  const [rest, next] = read(late, Infinity, true);
  expect(rest).toMatchObject({ requestStartMs: null, firstByteMs: null, firstChunkMs: null, confidence: 'low' });
  expect(rest!.stalls).toMatchObject([{ startMs: pausedMs, gapMs: 500 }]);
  expect(next).toMatchObject({ requestEndMs: endMs + 1000, firstByteMs: endMs + 1200, chunks: 31 });
});

test('beginnings of segments are enough, except for the hellos', () => {
  const connection = new ToldConnection().client(askedMs, 600);
  stream(connection.server(300, 250), 320, 60);
  expect(read(connection.pieces, 62)).toMatchObject([{ chunks: 61, firstByteMs: 300, confidence: 'medium' }]);
});
