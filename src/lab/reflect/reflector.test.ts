import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from './certificate.ts';
import { ask, chat, dataOf } from './client.case.ts';
import { startReflector, type Reflector } from './reflector.ts';
import { plainIo } from './test-io.case.ts';
import { truthRow, type TruthRow } from './truth.ts';
import type { ReflectorInput } from './options.ts';

const path = '/v1/chat/completions';
let running: Reflector | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

/** Starts one on a free port; `next` resolves with its next truth row. */
async function reflectWith(input: ReflectorInput): Promise<{ reflector: Reflector; next: () => Promise<TruthRow> }> {
  const rows: TruthRow[] = [];
  let wake: (() => void) | undefined;
  const onTruth = (row: TruthRow): void => {
    rows.push(row);
    wake?.();
  };
  running = await startReflector({ listen: '127.0.0.1:0', tokens: 4, tokenMs: 3, ...input }, plainIo(), { onTruth });
  const next = async (): Promise<TruthRow> => {
    while (rows.length === 0) await new Promise<void>((done) => (wake = done));
    return rows.shift()!;
  };
  return { reflector: running, next };
}

/** Sends raw bytes and collects what comes until the server closes. */
async function raw(reflector: Reflector, bytes: string): Promise<string> {
  const socket = connect(reflector.port, reflector.address);
  socket.write(bytes);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

describe('truth', () => {
  test('stamps lie in order, on or after the schedule, and before the client read the bytes', async () => {
    const { reflector, next } = await reflectWith({ queueMs: 8, prefillMsPer1kTokens: 50 });
    const reply = await ask(reflector, path, chat({ stream: true }), { headers: { 'x-request-id': 'r-1' } });
    const row = truthRow.parse(await next());
    expect(row).toMatchObject({ requestId: 'r-1', dialect: 'openai-chat', stream: true, tokens: 4, aborted: false });
    expect(row).toMatchObject({ tokenCounts: [1, 1, 1, 1], queueMs: 8, backpressured: false, reused: false });
    expect(row.promptTokens).toBe(100);
    expect(row.prefillMs).toBeCloseTo(5);
    expect(row.scheduledMs.map((ms) => Math.round((ms - row.requestReadMs) * 1000) / 1000)).toEqual([13, 16, 19, 22]);
    row.tokenMs.forEach((ms, i) => expect(ms).toBeGreaterThanOrEqual(row.scheduledMs[i]!));
    const stamps = [row.requestHeadMs, row.requestReadMs, row.firstByteMs!, ...row.tokenMs, row.endMs];
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
    expect(row.firstTokenMs).toBe(row.tokenMs[0]);
    expect(row.lastTokenMs).toBe(row.tokenMs.at(-1));
    expect(reply.readsMs[0]).toBeGreaterThan(row.firstByteMs!);
    expect(reply.readsMs.at(-1)).toBeGreaterThan(row.lastTokenMs!);
    expect(reply.headers['x-request-id']).toBe('r-1');
  });

  test('an answer without stream is one write of all tokens', async () => {
    const { reflector, next } = await reflectWith({});
    await ask(reflector, path, chat());
    const row = await next();
    expect(row).toMatchObject({ stream: false, tokens: 4, tokenCounts: [4] });
    expect(row.tokenMs).toEqual([row.firstByteMs]);
    expect(row.firstByteMs! - row.requestReadMs).toBeGreaterThanOrEqual(9);
  });

  test('an abandoned answer is flagged with what had been written', async () => {
    const { reflector, next } = await reflectWith({ tokens: 1000, tokenMs: 5 });
    const socket = connect(reflector.port, reflector.address);
    const body = JSON.stringify(chat({ stream: true }));
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    await once(socket, 'data');
    socket.destroy();
    const row = await next();
    expect(row.aborted).toBe(true);
    expect(row.tokens).toBeGreaterThan(0);
    expect(row.tokens).toBeLessThan(1000);
    expect(row.tokenMs).toHaveLength(row.tokens);
    expect(row.scheduledMs).toHaveLength(row.tokens);
    expect(reflector.stats()).toMatchObject({ active: 0, aborted: 1 });
  });

  test.each([
    ['plain', undefined],
    ['TLS', {}],
  ] as const)(
    'a client that does not read holds its own answer back (%s), nobody else, and the row says where',
    async (_, tls) => {
      // 10 MB of events: twice what the socket buffers of both ends take while nobody reads.
      const { reflector, next } = await reflectWith({ tokens: 40_000, tokenMs: 0, ...(tls ? { tls } : {}) });
      const to = { port: reflector.port, host: reflector.address };
      const socket = tls ? connectTls({ ...to, ca: reflector.certificate! }) : connect(to);
      const body = JSON.stringify(chat({ stream: true }));
      const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`;
      socket.pause();
      socket.write(head + body);
      const written = (): number => reflector.stats().lag.events;
      for (let before = -1; before < written(); await plainIo().clock.sleep(150)) before = written();
      expect((await ask(reflector, path, chat({ stream: true, max_tokens: 2 }))).text).toContain('[DONE]');
      expect(await next()).toMatchObject({ tokens: 2, backpressured: false });
      const resumedMs = plainIo().clock.monoMs();
      socket.resume();
      const row = await next();
      expect(row).toMatchObject({ tokens: 40_000, aborted: false, backpressured: true });
      const held = row.backpressuredEvents[0]!;
      expect(row.tokenMs[held]).toBeGreaterThan(resumedMs);
      expect(row.tokenMs[held - 1]).toBeLessThan(resumedMs);
      expect(row.tokenMs.every((ms, i) => ms >= (row.tokenMs[i - 1] ?? 0))).toBe(true);
    },
  );

  test('goes to a file, one line per request, complete after stop()', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'reflect-'));
    try {
      const truthFile = join(folder, 'truth.jsonl');
      const { reflector } = await reflectWith({ truthFile, tokens: 500, tokenMs: 20 });
      await ask(reflector, path, chat({ stream: true, max_tokens: 2 }));
      const cut = ask(reflector, path, chat({ stream: true })).catch(() => 'cut');
      await plainIo().clock.sleep(30);
      await reflector.stop();
      expect(await cut).toBe('cut');
      const rows = (await readFile(truthFile, 'utf8')).trimEnd().split('\n');
      expect(rows.map((line) => truthRow.parse(JSON.parse(line)).aborted)).toEqual([false, true]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a truth file that cannot be opened is told before listening', async () => {
    await expect(reflectWith({ truthFile: '/nonexistent/dir/t' })).rejects.toThrow('ENOENT');
  });
});

describe('server times', () => {
  test('in the body add up to the stamps of the truth row', async () => {
    const { reflector, next } = await reflectWith({ serverTimes: 'body', queueMs: 6, tokens: 5 });
    const reply = await ask(reflector, path, chat({ stream: true }));
    const row = await next();
    const metrics = dataOf(reply.text).at(-1)!['metrics'] as Record<string, number>;
    const ttftMs = metrics['queue_time_ms']! + metrics['time_to_first_token_ms']!;
    expect(ttftMs).toBeCloseTo(row.firstTokenMs! - row.requestReadMs, 2);
    expect(ttftMs + metrics['generation_time_ms']!).toBeCloseTo(row.lastTokenMs! - row.requestReadMs, 2);
    expect(metrics['queue_time_ms']).toBe(6);
  });

  test('in Anthropic and Ollama answers are the same facts in their own fields', async () => {
    const { reflector, next } = await reflectWith({ serverTimes: 'body', queueMs: 6 });
    const claude = await ask(reflector, '/v1/messages', chat({ stream: true, max_tokens: 10 }));
    const first = await next();
    const delta = dataOf(claude.text).find((event) => event['type'] === 'message_delta')!;
    const metrics = delta['inferpath_metrics'] as Record<string, number>;
    expect(metrics['generation_time_ms']).toBeCloseTo(first.lastTokenMs! - first.firstTokenMs!, 2);
    const llama = await ask(reflector, '/api/chat', chat());
    const second = await next();
    const lines = llama.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    expect(lines.at(-1)!['total_duration']! / 1e6).toBeCloseTo(second.lastTokenMs! - second.requestReadMs, 2);
    const clocks = lines.slice(0, -1).map((line) => Date.parse(String(line['created_at'])));
    expect(clocks).toEqual([...clocks].sort((a, b) => a - b));
    // Each stands between the request and the end, in whole ms; when exactly a busy machine wrote it is its own affair.
    expect(clocks.at(-1)! - clocks[0]!).toBeLessThanOrEqual(second.lastTokenMs! - second.requestReadMs + 1);
  });

  test('in headers cover the time to the first byte, in whole ms', async () => {
    const { reflector, next } = await reflectWith({ serverTimes: 'headers', queueMs: 12 });
    const reply = await ask(reflector, path, chat({ stream: true }));
    const row = await next();
    const reported = Number(reply.headers['openai-processing-ms']);
    expect(Math.abs(reported - (row.firstByteMs! - row.requestReadMs))).toBeLessThanOrEqual(0.5);
    expect(row.firstByteMs).toBe(row.firstTokenMs);
  });

  test('are absent by default, and early headers leave before the first token', async () => {
    const { reflector, next } = await reflectWith({ earlyHeaders: true, queueMs: 15 });
    for (const [route, dialect] of [
      [path, 'openai-chat'],
      ['/api/chat', 'ollama-chat'],
    ] as const) {
      const reply = await ask(reflector, route, chat({ stream: true }));
      const row = await next();
      expect(row.dialect).toBe(dialect);
      expect(row.firstTokenMs! - row.firstByteMs!).toBeGreaterThan(0);
      expect(reply.headers['openai-processing-ms']).toBeUndefined();
      expect(reply.text).not.toContain('metrics');
    }
  });
});

describe('answers', () => {
  test('have the tokens asked for, grouped as told, with the usage chunk only on request', async () => {
    const { reflector, next } = await reflectWith({ tokens: 7, tokensPerEvent: 3 });
    const reply = await ask(reflector, path, chat({ stream: true, stream_options: { include_usage: true } }));
    expect((await next()).tokenCounts).toEqual([3, 3, 1]);
    expect(dataOf(reply.text).at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 7 } });
    expect(reply.text.endsWith('data: [DONE]\n\n')).toBe(true);
    const short = await ask(reflector, path, chat({ stream: true, max_completion_tokens: 2 }));
    expect((await next()).tokens).toBe(2);
    expect(short.text).toContain('"finish_reason":"length"');
    expect(short.text).not.toContain('usage');
  });

  test('numbers of responses events rise by one from the first', async () => {
    const { reflector } = await reflectWith({});
    const reply = await ask(reflector, '/v1/responses', { model: 'm', input: 'hi', stream: true });
    const events = dataOf(reply.text);
    expect(events.map((event) => event['sequence_number'])).toEqual(events.map((_, i) => i));
    expect(events.at(-1)!['type']).toBe('response.completed');
  });

  test('repeat for a seed', async () => {
    const input = { seed: 5, tokenMs: 'exp:2', queueMs: 'uniform:0,5', stall: '0.5:3', tokens: 20 } as const;
    const plans = [];
    for (let i = 0; i < 2; i++) {
      const { reflector, next } = await reflectWith(input);
      await ask(reflector, path, chat({ stream: true }));
      const row = await next();
      plans.push([row.queueMs, row.stalls, row.scheduledMs.map((ms) => (ms - row.requestReadMs).toFixed(3))]);
      await reflector.stop();
    }
    expect(plans[0]).toEqual(plans[1]);
    expect(plans[0]![1]).not.toEqual([]);
  });

  test('come in order to pipelined requests of one connection, and to an HTTP/1.0 client without chunks', async () => {
    const { reflector, next } = await reflectWith({});
    const post = (id: string, version: string, more: string) => {
      const body = JSON.stringify(chat({ stream: true }));
      return `POST ${path} HTTP/${version}\r\nhost: x\r\nx-request-id: ${id}\r\n${more}content-length: ${body.length}\r\n\r\n${body}`;
    };
    const both = await raw(reflector, post('one', '1.1', '') + post('two', '1.1', 'connection: close\r\n'));
    expect(both.match(/\[DONE\]/g)).toHaveLength(2);
    expect(both.indexOf('x-request-id: one')).toBeLessThan(both.indexOf('[DONE]'));
    expect(both.indexOf('x-request-id: two')).toBeGreaterThan(both.indexOf('[DONE]'));
    expect([(await next()).reused, (await next()).reused]).toEqual([false, true]);
    const old = await raw(reflector, post('three', '1.0', ''));
    expect(old).not.toMatch(/transfer-encoding/i);
    expect(old.endsWith('data: [DONE]\n\n')).toBe(true);
  });
});

describe('hostile or mistaken clients', () => {
  test.each([
    ['bad JSON', path, '{', 400, 'invalid_request_error'],
    ['not an object', path, '[]', 400, 'JSON object'],
    ['a model that is no text', path, '{"model":7}', 400, 'model'],
    ['empty messages', path, '{"model":"m","messages":[]}', 400, 'messages'],
    ['no max_tokens', '/v1/messages', '{"model":"m","messages":[{}]}', 400, 'max_tokens: Field required'],
    ['negative max_tokens', path, '{"model":"m","messages":[1],"max_tokens":-1}', 400, 'whole number'],
    ['no prompt', '/api/generate', '{"model":"m"}', 400, '{"error":"prompt: expected a text"}'],
    ['no inputs', '/generate', '{}', 422, 'validation'],
    ['unknown route', '/v2/x', '{}', 404, 'unknown_url'],
    ['POST on a document', '/v1/models', '{}', 405, 'use GET, HEAD'],
  ])('%s: POST %s %s → %i', async (_, route, body, status, words) => {
    const { reflector } = await reflectWith({});
    const reply = await ask(reflector, route, body);
    expect(reply.status).toBe(status);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.text).toContain(words);
  });

  test('GET on a route for POST is answered with 405 at once, without a truth row', async () => {
    const { reflector } = await reflectWith({ queueMs: 60_000 });
    const reply = await ask(reflector, path, '', { method: 'GET' });
    expect(reply.status).toBe(405);
    expect(reply.headers['allow']).toBe('POST');
    expect(JSON.parse(reply.text)).toHaveProperty('error.message');
    expect(reflector.stats()).toMatchObject({ refused: 1, active: 0, tokens: 0 });
  });

  test.each([
    ['garbage', '\u0000\u0001\u0002 nonsense\r\n\r\n', 'HTTP/1.1 400'],
    ['a header of 100 KB', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`, 'HTTP/1.1 431'],
    ['a wrong length', `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: abc\r\n\r\n`, 'HTTP/1.1 400'],
  ])('%s ends that connection only', async (_, bytes, beginning) => {
    const { reflector } = await reflectWith({});
    expect(await raw(reflector, bytes)).toMatch(new RegExp(`^${beginning}`));
    expect((await ask(reflector, path, chat())).status).toBe(200);
  });

  test('an x-request-id that could not be printed is replaced', async () => {
    const { reflector } = await reflectWith({});
    const reply = await ask(reflector, path, chat(), { headers: { 'x-request-id': 'a'.repeat(200) } });
    expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('TLS', () => {
  test('serves HTTP/1.1 with a certificate for its own address', async () => {
    const { reflector, next } = await reflectWith({ tls: {} });
    const reply = await ask(reflector, path, chat({ stream: true }));
    expect(reply.text).toContain('[DONE]');
    expect(await next()).toMatchObject({ httpVersion: '1.1', tokens: 4, backpressured: false });
  });

  test('serves HTTP/2 by ALPN, several streams on one connection', async () => {
    const { reflector, next } = await reflectWith({ tls: {} });
    const session = connectHttp2(reflector.url, { ca: reflector.certificate! });
    const post = async (): Promise<string> => {
      const stream = session.request({ ':method': 'POST', ':path': path });
      stream.end(JSON.stringify(chat({ stream: true })));
      let text = '';
      for await (const chunk of stream) text += String(chunk);
      return text;
    };
    const texts = await Promise.all([post(), post(), post()]);
    session.close();
    for (const text of texts) expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    const rows = [await next(), await next(), await next()];
    expect(rows.map((row) => row.httpVersion)).toEqual(['2.0', '2.0', '2.0']);
    expect(rows.filter((row) => row.reused)).toHaveLength(2);
    expect(rows.every((row) => !row.aborted && row.tokens === 4)).toBe(true);
  });

  test('asks for a client certificate when told to', async () => {
    const authority = selfSignedCertificate(['client'], Date.now());
    const { reflector } = await reflectWith({ tls: { clientCa: authority.cert } });
    const to = {
      host: reflector.address,
      port: reflector.port,
      ca: reflector.certificate!,
      ALPNProtocols: ['http/1.1'],
    };
    const without = connectTls(to).resume();
    const [error] = (await once(without, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/ECONNRESET|CERTIFICATE_REQUIRED/);
    const withOne = connectTls({ ...to, cert: authority.cert, key: authority.key });
    withOne.write('GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const [data] = (await once(withOne, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 200/);
  });
});

test('listens on IPv6 and brackets the address in its URL', async () => {
  const { reflector } = await reflectWith({ listen: '[::1]:0' });
  expect(reflector.url).toBe(`http://[::1]:${reflector.port}`);
  expect((await ask(reflector, '/api/version', '', { method: 'GET' })).text).toContain('version');
});
