import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { exchange } from '../../../model/capture/exchange.ts';
import { ToldConnection } from './connection.case.ts';
import { type Piece, read, tapBefore } from './tap.case.ts';

const chunk = (data: string): string => `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;
const token = (text: string): string =>
  `data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}}}]}\n\n`;
const post = (path = '/v1/chat/completions?key=secret', body = 'body'): string =>
  `POST ${path} HTTP/1.1\r\nhost: model.test\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const head = (type: string, more = 'transfer-encoding: chunked'): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${more}\r\n\r\n`;

const told = (...pieces: readonly (readonly [direction: 0 | 1, atMs: number, text: string])[]): Piece[] =>
  pieces.map(([direction, atMs, text]) => ({ direction, atMs, bytes: Buffer.from(text, 'latin1') }));

test('a stream of events: role, keep-alives, usage and end mark are no chunks', () => {
  const [found, ...more] = read(
    told(
      [0, 10, post()],
      [1, 50, head('text/event-stream; charset=utf-8')],
      [1, 90, chunk(': ping\n\n')],
      [1, 100, chunk('data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n')],
      [1, 200, chunk(token('a'))],
      [1, 220, chunk(token('b'))],
      [1, 620, chunk(token('c'))],
      [1, 640, chunk('data: {"choices":[],"usage":{"completion_tokens":3}}\n\n')],
      [1, 641, chunk('data: [DONE]\n\n') + chunk('')],
    ),
  );
  expect(more).toEqual([]);
  expect(exchange.parse(found)).toEqual(found);
  expect(found).toMatchObject({
    kind: 'http1',
    shape: 'stream',
    requestStartMs: 10,
    requestEndMs: 10,
    firstByteMs: 50,
    firstChunkMs: 200,
    endMs: 641,
    chunks: 3,
    heartbeats: 1,
    confidence: 'high',
    stalls: [{ startMs: 220, endMs: 620, gapMs: 400, afterChunk: 2 }],
    http: { method: 'POST', path: '/v1/chat/completions', status: 200, streaming: 'sse' },
  });
  expect(JSON.stringify(found)).not.toContain('secret');
});

test.each([
  ['an empty delta', '{"choices":[{"delta":{}}]}', false],
  ['content', '{"choices":[{"delta":{"content":"x"}}]}', true],
  ['reasoning', '{"choices":[{"delta":{"reasoning_content":"x"}}]}', true],
  ['a call', '{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":""}}]}}]}', true],
  ['completions', '{"choices":[{"text":"x"}]}', true],
  ['filter results of Azure', '{"choices":[],"prompt_filter_results":[{"content":"x"}]}', false],
  ['message_start of Anthropic', '{"type":"message_start","message":{"content":[],"model":"m"}}', false],
  [
    'content_block_start of Anthropic',
    '{"type":"content_block_start","content_block":{"type":"text","text":""}}',
    false,
  ],
  ['content_block_delta of Anthropic', '{"type":"content_block_delta","delta":{"type":"text_delta","text":"x"}}', true],
  ['ping of Anthropic', '{"type":"ping"}', false],
  ['delta of Responses', '{"type":"response.output_text.delta","delta":"x"}', true],
  ['done of Responses, which repeats', '{"type":"response.output_text.done","text":"x"}', false],
  ['Gemini', '{"candidates":[{"content":{"parts":[{"text":"x"}]}}]}', true],
  ['TGI', '{"token":{"id":1,"text":"x","special":false}}', true],
  ['an error', '{"error":{"message":"x"}}', false],
  ['no JSON', 'plain text', true],
])('%s: chunk or not', (_, data, isChunk) => {
  const [found] = read(told([0, 0, post()], [1, 9, head('text/event-stream')], [1, 20, chunk(`data: ${data}\n\n`)]));
  expect(found!.chunks).toBe(Number(isChunk));
  expect(found!.firstChunkMs).toBe(isChunk ? 20 : null);
});

test('NDJSON, and a body that ends with the connection', () => {
  const [found] = read(
    told(
      [0, 0, post('/api/chat')],
      [1, 30, head('application/x-ndjson', 'connection: close')],
      [1, 40, '{"message":{"content":"a"},"done":false}\n{"message":{"con'],
      [1, 60, 'tent":"b"},"done":false}\n'],
      [1, 80, '{"message":{"content":""},"done":true,"eval_count":2}\n'],
    ),
  );
  expect(found).toMatchObject({ chunks: 2, firstByteMs: 30, firstChunkMs: 40, http: { streaming: 'ndjson' } });
});

test('requests in a row without waiting are answered in their order', () => {
  const found = read(
    told(
      [0, 0, post('/a') + post('/b')],
      [0, 5, post('/c')],
      [1, 20, 'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'],
      [1, 30, 'HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\n'],
      [1, 40, 'abc'],
    ),
  );
  expect(
    found.map(({ http, firstByteMs, endMs, shape }) => [http!.path, http!.status, firstByteMs, endMs, shape]),
  ).toEqual([
    ['/a', 204, 20, 20, 'whole'],
    ['/b', 200, 20, 20, 'whole'],
    ['/c', 404, 30, 40, 'whole'],
  ]);
});

test('100 Continue is no answer, and the body behind it is of the request', () => {
  const found = read(
    told(
      [0, 0, 'POST /v1 HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n'],
      [1, 40, 'HTTP/1.1 100 Continue\r\n\r\n'],
      [0, 41, 'body'],
      [1, 90, head('text/event-stream') + chunk(token('a'))],
    ),
  );
  expect(found).toMatchObject([{ requestStartMs: 0, requestEndMs: 41, firstByteMs: 90, http: { status: 200 } }]);
});

test('octet by octet and with beginnings of segments only: the same chunks', () => {
  const pieces = told(
    [0, 0, post()],
    [1, 50, head('text/event-stream')],
    ...Array.from({ length: 20 }, (_, i) => [1, 100 + 20 * i, chunk(token(`word ${i} `.repeat(9)))] as const),
    [1, 600, chunk('')],
  );
  const single = pieces.flatMap(({ bytes, ...rest }) =>
    [...bytes].map((octet) => ({ ...rest, bytes: Buffer.from([octet]) })),
  );
  const [whole] = read(pieces);
  const [[octets], [cut]] = [read(single), read(pieces, 120)];
  expect(whole).toMatchObject({ chunks: 20, firstChunkMs: 100, confidence: 'high' });
  // Where the octets begin that completed a chunk depends on how they came.
  const place = { stalls: [], firstChunkOffset: null };
  expect({ ...octets, ...place }).toEqual({ ...whole, ...place });
  expect(cut).toMatchObject({ chunks: 20, firstChunkMs: 100, confidence: 'medium' });
});

test('behind octets that the capture lacks the next answer is found again', () => {
  const found = read(
    told(
      [0, 0, post('/a')],
      [1, 20, head('text/event-stream')],
      [1, 40, `ffff\r\n${token('a')}`],
      [1, 41, 'noise, because a hole was not announced'],
    ).concat(told([0, 100, post('/b')])),
  );
  expect(found.map(({ http }) => http!.path)).toEqual(['/a', '/b']);
});

test('TLS through a CONNECT of a proxy is read as TLS; a refused one is an exchange', () => {
  const inner = new ToldConnection().client(41, 600).server(300, 250, 90);
  const through = [
    ...told(
      [0, 0, 'CONNECT model.test:443 HTTP/1.1\r\nhost: model.test\r\n\r\n'],
      [1, 1, 'HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n'],
      [0, 2, 'CONNECT model.test:443 HTTP/1.1\r\nproxy-authorization: Basic x\r\n\r\n'],
      [1, 3, 'HTTP/1.1 200 Connection established\r\n\r\n'],
    ),
    ...inner.pieces,
  ];
  expect(read(through)).toMatchObject([
    { kind: 'http1', http: { method: 'CONNECT', status: 407 } },
    { kind: 'tls', firstByteMs: 300, tls: { serverName: 'model.test' } },
  ]);
});

test("a stream of Node's server has the chunks that it wrote, and begins with the right one", async () => {
  const writes: number[] = [];
  const stream = async (answer: ServerResponse): Promise<void> => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    for (let i = 0; i < 8; i++) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      writes.push(performance.now());
      answer.write(i === 0 ? ': wait\n\n' : token(`${i}`));
    }
    answer.end('data: [DONE]\n\n');
  };
  const server = createServer((asked, answer) => {
    asked.resume().on('end', () => void stream(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tap = await tapBefore((server.address() as AddressInfo).port);
  await new Promise<void>((resolve) => {
    const asking = request({ port: tap.port, method: 'POST', path: '/v1/chat/completions', agent: false }, (answer) => {
      answer.resume().on('end', resolve);
    });
    asking.end('{"stream":true}');
  });
  await tap.idle();
  tap.stop();
  server.close();
  const [found] = read(tap.connections[0]!);
  expect(found).toMatchObject({ chunks: 7, heartbeats: 1, http: { path: '/v1/chat/completions', streaming: 'sse' } });
  expect(found!.firstChunkMs).toBeGreaterThanOrEqual(writes[1]!);
  expect(found!.firstByteMs).toBeLessThan(found!.firstChunkMs!);
});
