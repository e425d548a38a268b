import { connect as connectHttp2, createSecureServer } from 'node:http2';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ServerResponse } from 'node:http';
import type { TlsOptions } from 'node:tls';
import { expect, test } from 'vitest';
import { selfSignedCertificate } from '../../../../test/fixtures/certificate.ts';
import { read, type Tap, tapBefore } from './tap.case.ts';

const keyed = selfSignedCertificate(['model.test'], Date.now());
const chunks = 12;
/** Long beside what a busy machine adds to it. */
const [firstMs, paceMs] = [300, 40];
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What the server itself noted: when it wrote the head and each chunk. */
interface Log {
  head: number;
  chunks: number[];
}

async function stream(answer: Pick<ServerResponse, 'writeHead' | 'write' | 'end'>, logs: Log[]): Promise<void> {
  const log: Log = { head: performance.now(), chunks: [] };
  logs.push(log);
  const head = answer.writeHead(200, { 'content-type': 'text/event-stream' });
  (head as unknown as { flushHeaders(): void }).flushHeaders();
  await pause(firstMs);
  for (let i = 0; i < chunks; i++) {
    log.chunks.push(performance.now());
    answer.write(`data: {"choices":[{"index":0,"delta":{"content":"word ${i}"}}]}\n\n`);
    await pause(paceMs);
  }
  answer.end();
}

async function ask(port: number, agent: Agent): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const asking = request({ port, method: 'POST', path: '/v1/chat/completions', agent }, (answer) => {
      answer.resume().on('end', resolve);
    });
    asking.on('error', reject);
    asking.end(JSON.stringify({ stream: true, prompt: 'x'.repeat(600) }));
  });
}

async function recorded(
  options: TlsOptions,
  times: number,
  agentOptions: object = {},
): Promise<{ tap: Tap; logs: Log[] }> {
  const logs: Log[] = [];
  const server = createServer({ ...keyed, ...options }, (asked, answer) => {
    asked.resume().on('end', () => void stream(answer, logs));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tap = await tapBefore((server.address() as AddressInfo).port);
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false, ...agentOptions });
  for (let i = 0; i < times; i++) await ask(tap.port, agent);
  agent.destroy();
  await tap.idle();
  tap.stop();
  server.close();
  return { tap, logs };
}

/** The chunk that the reader takes for the first one was written as the first one. */
function expectFirst(firstChunkMs: number | null, { chunks: [first, second] }: Log): void {
  expect(firstChunkMs).toBeGreaterThanOrEqual(first!);
  expect(firstChunkMs).toBeLessThan(second! + paceMs);
}

test.each([
  ['TLS 1.3', {}],
  ['TLS 1.3 with AES-128', { ciphers: 'TLS_AES_128_GCM_SHA256' }],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' as const }],
  ['TLS 1.2 with ChaCha20', { maxVersion: 'TLSv1.2' as const, ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' }],
])(
  "Node's OpenSSL, %s: two exchanges of one connection, heads early, chunks as they were written",
  async (_, options) => {
    const { tap, logs } = await recorded(options, 2);
    const found = read(tap.connections[0]!);
    expect(found).toHaveLength(2);
    for (const [i, one] of found.entries()) {
      expect(one).toMatchObject({ kind: 'tls', shape: 'stream', chunks, heartbeats: 0, overlapped: false });
      expect(one.firstByteMs).toBeLessThan(logs[i]!.chunks[0]!);
      expectFirst(one.firstChunkMs, logs[i]!);
    }
  },
);

test('a resumed session: its single ticket is not the answer', async () => {
  const { tap, logs } = await recorded({}, 2, { keepAlive: false, maxCachedSessions: 10 });
  expect(tap.connections).toHaveLength(2);
  for (const [i, pieces] of tap.connections.entries()) {
    const [found] = read(pieces);
    expect(found).toMatchObject({ shape: 'stream', chunks });
    expectFirst(found!.firstChunkMs, logs[i]!);
  }
});

test.each([
  ['TLS 1.3', {}],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' as const }],
])('HTTP/2 of Node, %s: exchanges one after the other; what steers is left out', async (_, options) => {
  const logs: Log[] = [];
  const server = createSecureServer({ ...keyed, ...options }, (asked, answer) => {
    asked.resume().on('end', () => void stream(answer as unknown as ServerResponse, logs));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tap = await tapBefore((server.address() as AddressInfo).port);
  const session = connectHttp2(`https://127.0.0.1:${tap.port}`, { rejectUnauthorized: false });
  for (let i = 0; i < 2; i++)
    await new Promise<void>((resolve) => {
      const asking = session.request({ ':method': 'POST', ':path': '/v1/chat/completions' });
      asking.resume().on('end', resolve);
      asking.end(JSON.stringify({ prompt: 'x'.repeat(600) }));
    });
  session.close();
  await tap.idle();
  tap.stop();
  server.close();
  const found = read(tap.connections[0]!);
  expect(found).toHaveLength(2);
  for (const [i, one] of found.entries()) {
    expect(one).toMatchObject({ kind: 'http2-tls', shape: 'stream', chunks, requests: 1, tls: { alpn: 'h2' } });
    expectFirst(one.firstChunkMs, logs[i]!);
  }
});
