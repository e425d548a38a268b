import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { exchange } from '../../../model/capture/exchange.ts';
import { preface } from './http2-frames.ts';
import { type Piece, read, tapBefore } from './tap.case.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const token = (text: string): string => `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`;
const line = (text: string): string => `{"response":"${text}","done":false}\n`;
const chunks = 12;

async function answer(stream: ServerHttp2Stream, path: string): Promise<void> {
  stream.respond({ ':status': 200 });
  if (path === '/whole') return void stream.end(JSON.stringify({ choices: [{ message: { content: 'all at once' } }] }));
  await pause(60);
  for (let i = 0; i < chunks; i++) {
    stream.write(path === '/lines' ? line(`word ${i}`) : token(`word ${i}`));
    await pause(10);
  }
  stream.end(path === '/lines' ? '{"done":true}\n' : 'data: [DONE]\n\n');
}

function ask(session: ClientHttp2Session, path: string): Promise<void> {
  return new Promise((resolve) => {
    const asking = session.request({ ':method': 'POST', ':path': path });
    asking.resume().on('end', resolve);
    asking.end(JSON.stringify({ prompt: 'x'.repeat(600) }));
  });
}

test("Node's HTTP/2 in the clear: answers at once are told apart, their events are chunks", async () => {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    stream.resume().on('end', () => void answer(stream, headers[':path'] ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tap = await tapBefore((server.address() as AddressInfo).port);
  const session = connect(`http://127.0.0.1:${tap.port}`);
  const paths = ['/events', '/events', '/lines', '/whole'];
  await Promise.all(paths.map((path) => ask(session, path)));
  session.close();
  await tap.idle();
  tap.stop();
  server.close();
  const found = read(tap.connections[0]!);
  for (const one of found) expect(exchange.parse(one)).toEqual(one);
  const by = (streaming: string) => found.filter(({ http }) => http?.streaming === streaming);
  expect(found).toHaveLength(4);
  expect(by('sse')).toHaveLength(2);
  for (const one of [...by('sse'), ...by('ndjson')]) {
    expect(one).toMatchObject({ kind: 'http2', shape: 'stream', chunks, overlapped: false, confidence: 'high' });
    expect(one.firstChunkMs).toBeGreaterThanOrEqual(one.firstByteMs!);
    expect(one.requestBytes).toBeGreaterThan(600);
  }
  expect(by('none')).toMatchObject([{ shape: 'whole', overlapped: false }]);
});

/** A frame of RFC 9113 §4.1. */
function frame(type: number, flags: number, stream: number, payload: string): string {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return header.toString('latin1') + payload;
}

const told = (...pieces: readonly (readonly [direction: 0 | 1, atMs: number, text: string])[]): Piece[] =>
  pieces.map(([direction, atMs, text]) => ({ direction, atMs, bytes: Buffer.from(text, 'latin1') }));

const settings = frame(4, 0, 0, '');
const start = preface.toString('latin1') + settings;
/** The length of the padding, content, padding. */
const padded = (text: string): string => `\x05${text}\0\0\0\0\0`;

test('an upgrade: the answer to what asked for it is on stream 1', () => {
  const asked =
    'GET /v1/models HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMA\r\n\r\n';
  const found = read(
    told(
      [0, 10, asked],
      [1, 50, `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: h2c\r\n\r\n${settings}`],
      [0, 51, start],
      [1, 90, frame(1, 4, 1, '\x88')],
      [1, 200, frame(0, 0, 1, token('a'))],
      [1, 220, frame(0, 1, 1, token('b'))],
      [0, 300, frame(1, 5, 3, 'head')],
      [1, 340, frame(1, 5, 3, '\x88')],
    ),
  );
  expect(found).toMatchObject([
    { kind: 'http2', requestEndMs: 10, firstByteMs: 90, firstChunkMs: 200, chunks: 2, http: { streaming: 'sse' } },
    { kind: 'http2', requestEndMs: 300, firstByteMs: 340, shape: 'whole', chunks: 0 },
  ]);
});

test('padding is no content; frames in whatever pieces; a cancelled stream ends', () => {
  const whole = told(
    [0, 10, start + frame(1, 4, 1, 'head') + frame(0, 1, 1, 'body')],
    [1, 50, settings + frame(4, 1, 0, '') + frame(1, 4, 1, '\x88')],
    [1, 200, frame(0, 8, 1, padded(token('a')))],
    [1, 220, frame(0, 8, 1, padded(token('b')))],
    [0, 230, frame(3, 0, 1, '\0\0\0\x08')],
  );
  const expected = [
    { requestBytes: 8, firstByteMs: 50, firstChunkMs: 200, chunks: 2, answerBytes: 2 * token('a').length },
  ];
  expect(read(whole)).toMatchObject(expected);
  const octets = whole.flatMap(({ direction, atMs, bytes }) =>
    Array.from(bytes, (octet) => ({ direction, atMs, bytes: Buffer.of(octet) })),
  );
  expect(read(octets)).toMatchObject(expected);
});

test('where only beginnings of segments were captured, what is inside of frames is counted', () => {
  const pieces = told(
    [0, 10, start + frame(1, 5, 1, 'head')],
    [1, 50, frame(1, 4, 1, '\x88')],
    ...Array.from({ length: 20 }, (_, i) => [1, 100 + 20 * i, frame(0, 0, 1, token('x'.repeat(100)))] as const),
  );
  const [found] = read(pieces, 64);
  expect(found).toMatchObject({ kind: 'http2', firstByteMs: 50, confidence: 'medium' });
  expect(found!.answerBytes).toBe(20 * token('x'.repeat(100)).length);
});
