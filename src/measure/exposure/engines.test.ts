import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import type { AuthState, EngineName, ExposedService } from '../../model/secure/exposure.ts';
import * as fixtures from './fixtures.case.ts';
import { exposureGate } from './gate.ts';
import { scan, type ScanOptions } from './scan.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((it) => it.close()))));

async function serve(...given: Parameters<typeof fixtures.serve>): Promise<fixtures.Served> {
  const served = await fixtures.serve(...given);
  open.push(served);
  return served;
}

function options(more: Partial<ScanOptions>): ScanOptions {
  return {
    hosts: [{ address: '127.0.0.1', host: '127.0.0.1' }],
    ports: [],
    gate: exposureGate(['127.0.0.0/8', '::1/128']),
    ratePerS: 10_000,
    parallel: 4,
    connectMs: 5000,
    answerMs: 5000,
    signal: new AbortController().signal,
    clock: fakeIo({ realClock: true }).clock,
    progress: () => undefined,
    ...more,
  };
}

async function look(
  fixture: fixtures.Fixture,
  more: Partial<ScanOptions> = {},
): Promise<{ service: ExposedService; served: fixtures.Served }> {
  const served = await serve(fixture);
  const { services } = await scan(options({ ports: [served.port], ...more }));
  return { service: services[0]!, served };
}

const named = new Map(Object.entries(fixtures) as [string, fixtures.Fixture][]);
type Row = [
  fixture: string,
  engine: EngineName | null,
  identity: ExposedService['identity'],
  auth: AuthState,
  openPaths?: string[],
];
const table: Row[] = [
  ['ollama', 'ollama', 'confirmed', 'none', ['/api/tags', '/api/ps']],
  ['ollamaEmpty', 'ollama', 'confirmed', 'none', ['/api/tags', '/api/ps']],
  ['ollamaBehindProxy', 'ollama', 'confirmed', 'enforced'],
  ['vllm', 'vllm', 'confirmed', 'none', ['/v1/models', '/invocations', '/score', '/tokenize', '/is_paused', '/load']],
  // The trap: a key is set, and the same inference stands beside it without one.
  ['vllmKeyed', 'vllm', 'confirmed', 'partial', ['/invocations', '/score', '/tokenize', '/is_paused', '/load']],
  [
    'vllmDevelopment',
    'vllm',
    'confirmed',
    'partial',
    ['/invocations', '/score', '/tokenize', '/is_paused', '/load', '/collective_rpc'],
  ],
  ['vllmAllBehindKey', 'vllm', 'confirmed', 'enforced'],
  // Nothing that names the engine gets through: honest ignorance.
  ['vllmAllowList', null, 'unknown', 'unknown'],
  ['sglang', 'sglang', 'confirmed', 'none', ['/get_model_info', '/generate', '/unload_lora_adapter']],
  ['sglangAdminOnly', 'sglang', 'confirmed', 'partial', ['/get_model_info', '/generate']],
  ['sglangKeyed', 'sglang', 'likely', 'enforced'],
  ['tgi', 'tgi', 'confirmed', 'none', ['/generate']],
  ['tgiKeyed', 'tgi', 'confirmed', 'enforced'],
  ['triton', 'triton', 'confirmed', 'none', ['/v2', '/v2/models/stats', '/v2/repository/index']],
  ['tritonRestricted', 'triton', 'confirmed', 'partial', ['/v2', '/v2/models/stats']],
  ['llamaCpp', 'llama.cpp', 'confirmed', 'none', ['/props']],
  // The other trap: the list of models stays open although a key is set.
  ['llamaCppKeyed', 'llama.cpp', 'confirmed', 'enforced'],
  ['ray', 'ray', 'confirmed', 'none', ['/api/jobs/', '/api/version']],
  ['rayToken', 'ray', 'confirmed', 'enforced'],
  ['openWebui', 'open-webui', 'confirmed', 'enforced', ['/api/config']],
  ['openWebuiNoLogin', 'open-webui', 'confirmed', 'none', ['/api/config']],
  ['openWebuiSignup', 'open-webui', 'confirmed', 'partial', ['/api/config']],
  ['openWebuiFresh', 'open-webui', 'confirmed', 'none', ['/api/config']],
  ['lmStudio', 'lm-studio', 'confirmed', 'none', ['/api/v1/models', '/v1/models']],
  ['lmStudioToken', 'lm-studio', 'likely', 'enforced'],
  ['kserve', 'kserve', 'confirmed', 'none', ['/v1/models', '/v2/models', '/v2']],
  ['mlflow', 'mlflow', 'confirmed', 'none', ['/api/2.0/mlflow/experiments/search?max_results=1']],
  ['mlflowLogin', 'mlflow', 'confirmed', 'enforced'],
  // A 403 that is no authentication.
  ['mlflowHostCheck', 'mlflow', 'confirmed', 'unknown'],
  ['jupyterOpen', 'jupyter', 'confirmed', 'none', ['/api/status', '/api/kernelspecs']],
  ['jupyterToken', 'jupyter', 'confirmed', 'enforced'],
  ['somethingElse', null, 'unknown', 'unknown'],
  ['answersEverything', null, 'unknown', 'unknown'],
  ['errors', null, 'unknown', 'unknown'],
  ['unknownOpenAi', null, 'unknown', 'unknown'],
];

describe('engines and their oracles', () => {
  test.each(table)('%s is %s (%s) with authentication %s', async (name, engine, identity, auth, paths = []) => {
    const { service, served } = await look(named.get(name)!);
    expect(service).toMatchObject({ engine, identity, auth, transport: 'http', address: '127.0.0.1' });
    expect(service.checks.filter(({ answer }) => answer === 'open').map(({ path }) => path)).toEqual(paths);
    // Whatever was said stands in the report with what was concluded from it, and nothing was asked twice.
    expect(new Set(served.heard).size).toBe(served.heard.length);
    expect(service.asked.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(served.heard.toSorted());
  });

  test('at its usual port and at any other, an engine is recognised alike', async () => {
    for (const [fixture, port, engine] of [
      [fixtures.ollama, 11434, 'ollama'],
      [fixtures.ray, 8265, 'ray'],
      [fixtures.jupyterToken, 8888, 'jupyter'],
    ] as const) {
      // An address that nobody else on a busy machine has taken.
      const served = await serve(fixture, { address: '127.77.0.1', port });
      const host = { address: '127.77.0.1', host: '127.77.0.1' };
      const { services } = await scan(options({ hosts: [host], ports: [port] }));
      expect(services[0]).toMatchObject({ engine, identity: 'confirmed' });
      // Only what tells it is asked there.
      expect(served.heard.length).toBeLessThan(9);
    }
  });

  test('asked by the name that its users use, a server with a host check tells', async () => {
    const hosts = [{ address: '127.0.0.1', host: 'mlflow.corp' }];
    const { service } = await look(fixtures.mlflowHostCheck, { hosts });
    expect(service).toMatchObject({ engine: 'mlflow', auth: 'none', host: 'mlflow.corp' });
  });

  test('nothing is asked that runs inference or changes anything, and no credential is sent', async () => {
    const all = Object.entries(fixtures).filter(([name]) => table.some(([listed]) => listed === name));
    const posts = new Set<string>();
    for (const [, fixture] of all) {
      const { served } = await look(fixture as fixtures.Fixture);
      for (const line of served.heard) if (!line.startsWith('GET ')) posts.add(line);
      for (const headers of served.headers)
        expect(Object.keys(headers).filter((name) => /auth|cookie|key|token/.test(name))).toEqual([]);
      expect(served.heard.join('\n')).not.toMatch(
        /GET \/(flush_cache|health_generate|pause|resume|sleep|start_profile)/,
      );
      expect(served.heard.length).toBeLessThan(40);
    }
    expect([...posts].toSorted()).toEqual(['POST /generate', 'POST /unload_lora_adapter', 'POST /v2/repository/index']);
  });
});

describe('what a service may do to us', () => {
  test('a redirect is told and never followed', async () => {
    const other = await serve(fixtures.ollama);
    const { service } = await look(fixtures.redirects(`http://127.0.0.1:${other.port}/`));
    expect(other.heard).toEqual([]);
    expect(service).toMatchObject({ engine: null, auth: 'unknown' });
    expect(service.asked[0]!.says).toMatch(/which is not followed/);
  });

  test('one that accepts and says nothing is listed as such, after a bounded wait', async () => {
    const server = await raw((socket) => socket.on('error', () => undefined));
    const { services, counts } = await scan(options({ ports: [server], answerMs: 100 }));
    expect(services).toMatchObject([{ transport: 'tcp', engine: null, auth: 'unknown', identity: 'unknown' }]);
    expect(counts.connections).toBe(2);
  });

  test('garbage, a cut answer and endless bytes are survived', async () => {
    const endless = `HTTP/1.1 200 OK\r\nserver: llama.cpp\r\n\r\n${'x'.repeat(1_000_000)}`;
    for (const bytes of [
      'SSH-2.0-OpenSSH_9.2\r\n',
      'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx',
      endless,
      `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(10_000)}\r\n`,
    ]) {
      const server = await raw((socket) => socket.on('error', () => undefined).write(bytes));
      const { services } = await scan(options({ ports: [server], answerMs: 1000 }));
      expect(services).toHaveLength(1);
      expect(services[0]!.auth).toBe('unknown');
    }
  });

  test('what it says of itself reaches the report without control characters', async () => {
    const evil = '\u001b[31m2.0\u0007\nFAIL';
    const { service } = await look((request) =>
      request.path === '/v2'
        ? { status: 200, body: { name: 'triton', version: evil, extensions: ['schedule_policy'] } }
        : { status: 302, body: '', headers: { location: '/\u009b31m' } },
    );
    expect(service.engine).toBe('triton');
    // oxlint-disable-next-line no-control-regex -- exactly these must not be there
    expect(JSON.stringify(service)).not.toMatch(/\\u00(0|1|9)/);
  });
});

describe('a scan', () => {
  test('counts what is closed, and asks no port twice', async () => {
    const served = await serve(fixtures.jupyterToken);
    const closed = await freePort();
    const seen: number[] = [];
    const result = await scan(options({ ports: [served.port, closed], progress: (done) => seen.push(done) }));
    expect(result).toMatchObject({ complete: true, counts: { addresses: 1, open: 1, refused: 1, silent: 0 } });
    expect(seen).toEqual([1, 2]);
  });

  test('asks over IPv6, and over TLS where a port speaks only that', async () => {
    const served = await serve(fixtures.vllmKeyed, {
      address: '::1',
      tls: fixtures.selfSigned(),
    });
    const { services } = await scan(options({ hosts: [{ address: '::1', host: '::1' }], ports: [served.port] }));
    expect(services).toMatchObject([
      { address: '::1', transport: 'https', certificateTrusted: false, engine: 'vllm', auth: 'partial' },
    ]);
    expect(served.headers[0]!.host).toBe(`[::1]:${served.port}`);
  });

  test('keeps to its rate', async () => {
    const io = fakeIo();
    const ports = await Promise.all([freePort(), freePort(), freePort(), freePort(), freePort()]);
    await scan(options({ ports, ratePerS: 2, clock: io.clock }));
    // Five connections at two a second: four waits of half a second, on a clock that jumps.
    expect(io.clock.monoMs()).toBe(2000);
  });

  test('ends when interrupted, and tells what it has', async () => {
    const stop = new AbortController();
    const server = await raw((socket) => {
      socket.on('error', () => undefined);
      stop.abort();
    });
    const { complete, services } = await scan(options({ ports: [server, server, server], signal: stop.signal }));
    expect(complete).toBe(false);
    expect(services).toEqual([]);
  });

  test('ports between nodes are connected to, and nothing is sent there', async () => {
    const heard: string[] = [];
    const server = createServer((socket) =>
      socket.on('error', () => undefined).on('data', (bytes) => heard.push(String(bytes))),
    );
    await new Promise<void>((done) => server.listen(29500, '127.77.0.2', done));
    open.push({ close: () => server.close() });
    const hosts = [{ address: '127.77.0.2', host: '127.77.0.2' }];
    const { services, counts } = await scan(options({ hosts, ports: [29500, 14579] }));
    expect(services).toMatchObject([{ port: 29500, transport: 'tcp', auth: 'unknown', asked: [] }]);
    expect(counts).toMatchObject({ open: 1, refused: 1, connections: 2, requests: 0 });
    await new Promise((done) => setTimeout(done, 100));
    expect(heard).toEqual([]);
  });

  test('an address outside of the ranges is never connected to', async () => {
    const served = await serve(fixtures.ollama, { address: '127.0.0.2' });
    const gate = exposureGate(['127.0.0.1/32']);
    const hosts = [{ address: '127.0.0.2', host: '127.0.0.2' }];
    await expect(scan(options({ hosts, ports: [served.port], gate }))).rejects.toThrow(/lies in none of the ranges/);
    expect(served.heard).toEqual([]);
  });
});

async function raw(listener: (socket: import('node:net').Socket) => unknown): Promise<number> {
  const sockets = new Set<import('node:net').Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    listener(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push({ close: () => (sockets.forEach((socket) => socket.destroy()), server.close()) });
  return (server.address() as { port: number }).port;
}

async function freePort(): Promise<number> {
  const served = await fixtures.serve(fixtures.errors);
  await served.close();
  return served.port;
}
