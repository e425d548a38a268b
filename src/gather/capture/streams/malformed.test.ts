import { expect, test } from 'vitest';
import { exchange, type Exchange } from '../../../model/capture/exchange.ts';
import { ToldConnection } from './connection.case.ts';
import { newStreamReader } from './stream-reader.ts';
import type { Piece } from './tap.case.ts';

/**
 * Streams as a hostile or broken capture may show them: real ones with octets changed, pieces cut, repeated, moved, missing or
 * invented. INFERPATH_FUZZ says how many; the seed is fixed, so a failure is the same for everybody.
 */
const STREAMS = Number(process.env['INFERPATH_FUZZ'] ?? 100_000);

/** xorshift32 (Marsaglia 2003). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function piecesOf(texts: readonly (readonly [0 | 1, string])[]): Piece[] {
  return texts.map(([direction, text], i) => ({ direction, bytes: Buffer.from(text, 'latin1'), atMs: i * 10 }));
}

const event = 'data: {"choices":[{"delta":{"content":"word"}}]}\n\n';
const chunk = (data: string): string => `${data.length.toString(16)}\r\n${data}\r\n`;
const post = 'POST /v1/chat/completions?key=1 HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody';
const answered = (type: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n`;

const seeds: Piece[][] = [
  new ToldConnection().client(41, 600).server(300, 250).server(320, 90, 90).server(340, 90).client(400, 500).pieces,
  new ToldConnection({ alpn: ['h2'] }).client(41, 46).client(41, 700).server(300, 60).server(320, 90).pieces,
  piecesOf([
    [0, post],
    [1, answered('text/event-stream')],
    [1, chunk(event)],
    [1, chunk(`: ping\n\n${event}`)],
    [1, chunk('data: [DONE]\n\n') + chunk('')],
    [0, post + post],
    [1, 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'],
  ]),
  piecesOf([
    [0, 'CONNECT model.test:443 HTTP/1.1\r\n\r\n'],
    [1, 'HTTP/1.1 200 OK\r\n\r\n'],
    [0, new ToldConnection().pieces[0]!.bytes.toString('latin1')],
  ]),
  piecesOf([
    [0, post],
    [1, answered('application/x-ndjson')],
    [1, chunk('{"response":"a","done":false}\n{"response":"b"}\n')],
    [1, chunk('{"done":true}\n') + chunk('')],
  ]),
  piecesOf([
    [0, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x04\x01\x05\0\0\0\x01head`],
    [1, '\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x04\0\0\0\x01\x88'],
    [1, `\0\0${String.fromCharCode(event.length + 3)}\0\x08\0\0\0\x01\x02${event}\0\0`],
    [1, `\0\0${String.fromCharCode(event.length)}\0\x01\0\0\0\x01${event}`],
  ]),
];

function mutated(bytes: Buffer, random: (below: number) => number): Buffer {
  const copy = Buffer.from(random(6) === 0 ? bytes.subarray(random(bytes.length + 1)) : bytes);
  for (let flips = copy.length === 0 ? 0 : random(4); flips > 0; flips--) copy[random(copy.length)] = random(256);
  // What is announced is where parsers break: lengths more often than others.
  if (copy.length > 6 && random(3) === 0) copy[3 + random(2)] = random(256);
  return copy;
}

test(`${STREAMS} broken streams are read to their end, and what is told of them holds the schema`, () => {
  const random = numbers(20_261_127);
  let told = 0;
  const report = (one: Exchange) => {
    told++;
    if (told % 64 === 0) exchange.parse(one);
    if (one.stalls.length > 64) throw new Error('stalls without bound');
  };
  for (let i = 0; i < STREAMS; i++) {
    const pieces = seeds[random(seeds.length)]!;
    const reader = newStreamReader(report);
    const offsets = [0, 0];
    for (let n = 0; n < pieces.length; n++) {
      const { direction, bytes, atMs } = pieces[random(8) === 0 ? random(pieces.length) : n]!;
      if (random(10) === 0) {
        const missing = random(300);
        reader.gap(direction, missing);
        offsets[direction]! += missing;
      }
      const part = random(2) === 0 ? mutated(bytes, random) : bytes;
      const cut = random(8) === 0 ? random(part.length + 1) : 0;
      const middle = random(part.length + 1 - cut);
      reader.data(direction, part, 0, middle, 0, atMs, atMs, offsets[direction]!);
      reader.data(
        direction,
        part,
        middle,
        part.length - cut,
        cut,
        atMs,
        atMs - random(9),
        offsets[direction]! + middle,
      );
      offsets[direction]! += part.length;
    }
    reader.end(1000);
  }
  expect(told).toBeGreaterThan(STREAMS / 10);
}, 3_600_000);

test('a stream that never ends an event, a head or a record keeps its memory', () => {
  const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  const readers = ['', 'data: '].map((start) => {
    const reader = newStreamReader(() => undefined);
    const head = Buffer.from(post);
    reader.data(0, head, 0, head.length, 0, 0, 0, 0);
    const answer = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${start}`);
    reader.data(1, answer, 0, answer.length, 0, 0, 0, 0);
    const filler = Buffer.alloc(65_536, 'x');
    for (let i = 0; i < 1000; i++) reader.data(1, filler, 0, filler.length, 0, i, i, answer.length + i * 65_536);
    return reader;
  });
  const after = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  expect(after - before).toBeLessThan(32 * 1024 * 1024);
  for (const reader of readers) reader.end(1001);
});
