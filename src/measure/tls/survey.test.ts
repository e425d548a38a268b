import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { selfSignedCertificate } from '../../../test/fixtures/certificate.ts';
import { type TlsSurvey, tlsSurvey } from '../../model/secure/tls-survey.ts';
import { surveyTls, type SurveyOptions } from './survey.ts';

const open: Server[] = [];
afterAll(() => {
  for (const server of open) server.close();
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

const keyed = selfSignedCertificate(['server.test'], Date.now());
const quick: SurveyOptions = { timeoutMs: 5000, rate: 1000, alpn: [], gapMs: 1 };

async function survey(port: number, options: Partial<SurveyOptions> = {}, signal = new AbortController().signal) {
  const io = fakeIo({ realClock: true });
  const transport = io.sockets.openTcp({ tap: false });
  try {
    const endpoint = { host: '127.0.0.1', port, starttls: null, serverName: 'server.test' };
    const found = await surveyTls(endpoint, { ...quick, ...options }, transport, io, signal);
    expect(tlsSurvey.safeParse(found).error).toBeUndefined();
    return found;
  } finally {
    await transport.close();
  }
}

const tlsServer = (options: object) => {
  const server = createTls({ cert: keyed.cert, key: keyed.key, ...options }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  return listen(server);
};

describe('surveyTls()', () => {
  test('a server of TLS 1.2 has no group of TLS 1.3, and the rest is still asked', async () => {
    const found = await survey(await tlsServer({ maxVersion: 'TLSv1.2' }));
    expect(found.versions.map(({ support }) => support)).toEqual(['no', 'yes', 'no', 'no']);
    expect(found.groups.every(({ support }) => support === 'no')).toBe(true);
    expect(found.probes.map(({ id }) => id)).toEqual([
      'control',
      'browser',
      'version-1.3',
      'version-1.1',
      'version-1.0',
      'split-large-1',
      'split-large-200',
      'split-large-half',
      'split-large-1200',
      'split-small',
      'unknown-share',
      'tls12-offer',
    ]);
    expect(found.chains[0]).toMatchObject({ isSignatureValid: null });
  });

  test('keeps to its rate', async () => {
    const found = await survey(await tlsServer({ ecdhCurve: 'X25519' }), { rate: 50 });
    expect(found.durationMs).toBeGreaterThanOrEqual((found.probes.length - 1) * 20 - 5);
    expect(found).toMatchObject({ preference: 'only-one', asksClientCertificate: false });
  });

  test('what a server refuses because of other connections is asked again alone', async () => {
    // It takes one connection at a time, and resets what still meets another one after a moment.
    const inner = await tlsServer({ ecdhCurve: 'X25519:P-256' });
    let busy = false;
    let refused = 0;
    const take = (socket: Socket) => {
      if (busy) {
        refused++;
        socket.resetAndDestroy();
        return;
      }
      busy = true;
      const onward = connect(inner, '127.0.0.1');
      onward.on('error', () => undefined);
      socket.pipe(onward).pipe(socket);
      socket.on('close', () => {
        busy = false;
        onward.destroy();
      });
    };
    const front = createServer((socket) => {
      socket.on('error', () => undefined);
      if (busy) setTimeout(() => take(socket), 80);
      else take(socket);
    });
    const port = await listen(front);
    const quiet = await survey(inner, { atOnce: 1 });
    const crowded = await survey(port, { atOnce: 8, timeoutMs: 20_000 });
    expect(refused).toBeGreaterThan(0);
    const kinds = ({ probes }: TlsSurvey) => probes.map(({ id, reply }) => [id, reply.kind]);
    expect(kinds(crowded)).toEqual(kinds(quiet));
    expect(crowded).toMatchObject({ groups: quiet.groups, versions: quiet.versions, signatures: quiet.signatures });
  });

  test.each<[string, (server: Server) => void]>([
    ['that is silent', () => undefined],
    ['that closes', (server) => server.on('connection', (socket) => socket.end())],
    ['that resets', (server) => server.on('connection', (socket) => socket.resetAndDestroy())],
    ['that speaks HTTP', (server) => server.on('connection', (socket) => socket.end('HTTP/1.1 400 x\r\n\r\n'))],
  ])('a peer %s is left alone after two questions, and nothing is said about it', async (_, behave) => {
    const server = createServer((socket) => void socket.on('error', () => undefined).resume());
    behave(server);
    const found = await survey(await listen(server), { timeoutMs: 200 });
    expect(found.probes.length).toBeLessThanOrEqual(2);
    expect(found).toMatchObject({ versions: [], groups: [], chains: [], asksClientCertificate: null });
  });

  test('an interrupted survey has what it had', async () => {
    const stop = new AbortController();
    const port = await tlsServer({});
    const found = await survey(port, { onAnswer: ({ id }) => void (id === 'browser' && stop.abort()) }, stop.signal);
    expect(found.interrupted).toBe(true);
    expect(found.probes.map(({ id }) => id)).toEqual(['control', 'browser']);
    expect(found.groups.every(({ support }) => support === 'unknown')).toBe(true);
  });
});
