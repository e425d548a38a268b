import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { memoryDocuments, memoryStore } from '../../test/fakes/memory-store.ts';
import { Configuration } from './configuration.ts';
import { Authorities } from './pki/authorities.ts';
import { makeCsr } from './pki/csr.ts';
import { fetchAuthority } from './pki/pin.ts';
import { serveBench, someBatch, someNetwork } from './serve.case.ts';
import { type RunningServer, startServer } from './server.ts';

const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const by = { actor: 'test', address: null };

describe('enrolment', () => {
  const enroll = { door: 'agents' } as const;

  test('takes a token once, for the agent that it was made for, within 15 minutes', async () => {
    const bench = await serveBench();
    const invite = async () => (await bench.context.agents!.invite('edge', by)).token;
    const ask = (token: string, name = 'edge') =>
      bench.ask('POST', '/agent/v1/enroll', { ...enroll, body: { token, name, csr: makeCsr(name, keys()) } });
    const token = await invite();
    expect((await ask(token, 'other')).status).toBe(401);
    expect((await ask(token)).status).toBe(201);
    expect((await ask(token)).status).toBe(401);
    const late = await invite();
    bench.io.advance(15 * 60_000);
    expect((await ask(late)).status).toBe(401);
    expect((await ask(`ifpe_${'A'.repeat(43)}`)).status).toBe(401);
    const [raced, ...twins] = await Promise.all(
      [invite()].flatMap((t) => Array.from({ length: 8 }, async () => (await ask(await t)).status)),
    );
    expect([raced, ...twins].filter((status) => status === 201)).toHaveLength(1);
  });

  test('keeps the token as a hash only, and tells the log who came', async () => {
    const bench = await serveBench();
    const { token } = await bench.context.agents!.invite('edge', by);
    expect(JSON.stringify([...bench.documents.all.values()])).not.toContain(token.slice(5));
    await bench.ask('POST', '/agent/v1/enroll', {
      ...enroll,
      body: { token, name: 'edge', csr: makeCsr('edge', keys()) },
    });
    expect((await bench.context.audit.page(undefined, 9)).map((e) => `${e.actor} ${e.action} ${e.subject}`)).toEqual([
      'agent edge agent.enroll edge',
      'test agent.invite edge',
    ]);
  });

  test('renews over its certificate, also up to seven days after its end, and keeps the one before for a lost reply', async () => {
    const bench = await serveBench();
    const first = await bench.enroll('edge');
    const renew = async (certificate: X509Certificate) => {
      const response = await bench.ask('POST', '/agent/v1/certificate', {
        ...enroll,
        certificate,
        body: { csr: makeCsr('edge', keys()) },
      });
      const { certificate: pem = '', renewAfterMs } = (await response.json()) as {
        certificate?: string;
        renewAfterMs?: number;
      };
      return { status: response.status, certificate: pem === '' ? null : new X509Certificate(pem), renewAfterMs };
    };
    const second = await renew(first);
    expect(second).toMatchObject({ status: 201, renewAfterMs: 16 * 3_600_000 });
    expect((await renew(first)).status).toBe(201);
    bench.io.advance(8 * 24 * 3_600_000 - 1);
    const third = await renew(second.certificate!);
    expect(third.status).toBe(201);
    bench.io.advance(8 * 24 * 3_600_000);
    expect((await renew(third.certificate!)).status).toBe(401);
  });

  test('of agents that renewed while the clock of the server was ahead goes on when it is set back', async () => {
    const bench = await serveBench();
    const first = await bench.enroll('edge');
    const renew = async (certificate: X509Certificate) => {
      const body = { csr: makeCsr('edge', keys()) };
      const reply = await bench.ask('POST', '/agent/v1/certificate', { ...enroll, certificate, body });
      return { status: reply.status, ...((await reply.json()) as { certificate?: string }) };
    };
    const works = async (certificate: X509Certificate) =>
      (await bench.ask('GET', '/agent/v1/jobs', { ...enroll, certificate })).status;
    const day = 24 * 3_600_000;
    const renewedAhead = async (certificate: X509Certificate, aheadMs: number) => {
      const { wallMs } = bench.io.clock;
      bench.io.clock.wallMs = () => wallMs() + aheadMs;
      const next = new X509Certificate((await renew(certificate)).certificate ?? '');
      bench.io.clock.wallMs = wallMs;
      return next;
    };
    const byDay = await renewedAhead(first, 1.5 * day);
    expect(await works(byDay)).toBe(200);
    const byWeek = await renewedAhead(byDay, 7 * day);
    expect(await works(byWeek)).toBe(403);
    const now = await renew(byWeek);
    expect(now.status).toBe(201);
    expect(await works(new X509Certificate(now.certificate ?? ''))).toBe(200);
  });

  test('of an agent that was revoked is over, renewal too', async () => {
    const bench = await serveBench();
    const certificate = await bench.enroll('edge');
    await bench.context.agents!.revoke('edge', by);
    const body = { csr: makeCsr('edge', keys()) };
    expect((await bench.ask('POST', '/agent/v1/certificate', { ...enroll, certificate, body })).status).toBe(401);
  });
});

describe('the door of agents, by real TLS', () => {
  let server: RunningServer | null = null;
  afterEach(async () => {
    await server?.stop();
    server = null;
  });

  async function start(): Promise<RunningServer & { authorities: Authorities }> {
    const io = fakeIo({ realClock: true, wallMs: Date.now() - 1000 - performance.now() });
    const wallMs = () => Date.now();
    const clocked = { ...io, clock: { ...io.clock, wallMs } };
    const documents = memoryDocuments();
    const authorities = await Authorities.open('ca.json', clocked);
    const configuration = await Configuration.open(documents, () => Promise.resolve(someNetwork()));
    const place = { host: '127.0.0.1', port: 0 };
    server = await startServer(
      { web: place, agents: place, names: [] },
      { io: clocked, version: '0', documents, store: memoryStore(), configuration, authorities },
    );
    return { ...server, authorities };
  }

  interface Client {
    ca?: string;
    cert?: string;
    key?: string;
  }
  function call(
    port: number,
    method: string,
    path: string,
    body: unknown,
    client: Client,
  ): Promise<{ status: number; json: Record<string, string> }> {
    return new Promise((done, fail) => {
      const text = body === null ? '' : JSON.stringify(body);
      const headers = body === null ? {} : { 'content-type': 'application/json' };
      const request = httpsRequest(
        { host: '127.0.0.1', port, method, path, headers, agent: false, ...client },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            done({
              status: response.statusCode ?? 0,
              json: JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, string>,
            }),
          );
        },
      );
      request.on('error', fail).end(text);
    });
  }
  const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();

  test('enrols by pin and token, takes batches by certificate, and knows a stranger', async () => {
    const { agents, context, authorities } = await start();
    const { port } = agents!;
    const { token, pin } = await context.agents!.invite('edge', by);
    await expect(fetchAuthority('127.0.0.1', port, `sha256:${'0'.repeat(64)}`)).rejects.toThrow(
      'not the one with the pin',
    );
    const ca = await fetchAuthority('127.0.0.1', port, pin);
    const own = keys();
    const enrolled = await call(
      port,
      'POST',
      '/agent/v1/enroll',
      { token, name: 'edge', csr: makeCsr('edge', own) },
      { ca },
    );
    expect(enrolled.status).toBe(201);
    const client = {
      ca: enrolled.json['authorities'] ?? '',
      cert: enrolled.json['certificate'] ?? '',
      key: pem(own.privateKey),
    };
    const batch = someBatch('batch-0001', Date.now());
    expect(await call(port, 'POST', '/agent/v1/batches', batch, client)).toMatchObject({
      status: 200,
      json: { result: 'stored' },
    });
    expect(await call(port, 'POST', '/agent/v1/batches', batch, client)).toMatchObject({
      json: { result: 'duplicate' },
    });
    expect((await call(port, 'GET', '/agent/v1/jobs', null, client)).status).toBe(200);
    expect((await call(port, 'GET', '/agent/v1/jobs', null, { ca })).status).toBe(401);
    expect((await call(port, 'GET', '/api/v1/tokens', null, client)).status).toBe(404);
    // A certificate of the same name by another authority.
    const { issueAgentCertificate, makeAuthority } = await import('./pki/authority.ts');
    const spki = own.publicKey.export({ type: 'spki', format: 'der' });
    const cert = issueAgentCertificate(makeAuthority(Date.now()), 'edge', spki, Date.now()).certificate;
    expect((await call(port, 'GET', '/agent/v1/jobs', null, { ...client, cert })).status).toBe(401);
    // Rotated at once: the new authority signs the server, and the old client is still trusted.
    await authorities.rotate(0);
    await expect(call(port, 'GET', '/agent/v1/jobs', null, { ...client, ca })).rejects.toThrow(
      /certificate|issuer|unable/,
    );
    const renewedCa = authorities.bundle();
    expect((await call(port, 'GET', '/agent/v1/jobs', null, { ...client, ca: renewedCa })).status).toBe(200);
  });

  test('answers to garbage and to the wrong Host with an error, and lives', async () => {
    const { web } = await start();
    const { connect } = await import('node:net');
    const say = (text: string) =>
      new Promise<string>((done) => {
        const socket = connect(web.port, '127.0.0.1', () => socket.end(text));
        let answer = '';
        socket
          .on('data', (chunk) => (answer += chunk.toString()))
          .on('close', () => done(answer))
          .on('error', () => done(answer));
      });
    const line = (target: string, host = '127.0.0.1') =>
      `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
    expect(await say(line('/livez'))).toMatch(/^HTTP\/1.1 200 /);
    expect(await say(line('//livez'))).toMatch(/^HTTP\/1.1 400 /);
    expect(await say(line('/x/../livez'))).toMatch(/^HTTP\/1.1 400 /);
    expect(await say(line('http://127.0.0.1/livez'))).toMatch(/^HTTP\/1.1 400 /);
    expect(await say(line('/livez', 'evil.example'))).toMatch(/^HTTP\/1.1 421 /);
    expect(await say(line('/livez', 'a b'))).toMatch(/^HTTP\/1.1 400 /);
    expect(await say('GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await say('\u0000\u0001\r\n\r\n')).toMatch(/^HTTP\/1.1 400 |^$/);
    expect(await say(line('/livez'))).toMatch(/^HTTP\/1.1 200 /);
  });
});
