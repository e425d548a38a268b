import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { selfSignedCertificate } from '../../test/fixtures/certificate.ts';
import { collect, targetOf } from './probe.case.ts';
import { tlsProbe } from './tls.ts';

const never = new AbortController().signal;
const own = selfSignedCertificate(['localhost', '127.0.0.1', '::1'], Date.now(), 40);
const stops: (() => void)[] = [];
afterAll(() => stops.forEach((stop) => stop()));

async function serve(options: TlsOptions = {}, host = '127.0.0.1') {
  const received = { bytes: 0 };
  const server = createServer({ ...own, ALPNProtocols: ['h2', 'http/1.1'], ...options }, (socket) => {
    socket.on('data', (chunk) => (received.bytes += chunk.length)).on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, host);
  await once(server, 'listening');
  stops.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, received };
}

async function look(url: string, more = {}, platform = 'linux') {
  const io = fakeIo({ realClock: true, platform, wallMs: Date.now() });
  const found = await collect(tlsProbe.run(targetOf(url, more), tlsProbe.options.parse({}), io, never));
  return found.map((one) => (one.kind === 'tls' ? one : null));
}

test.each(['linux', 'darwin'])(
  'tlsProbe on %s shows what was agreed and whose certificate it is, unverified',
  async (on) => {
    const { url, received } = await serve();
    const found = await look(url, {}, on);
    expect(found).toHaveLength(2);
    for (const one of found) {
      expect(one).toMatchObject({
        outcome: { kind: 'answered' },
        tls: {
          version: 'TLSv1.3',
          alpn: 'h2',
          authorized: false,
          authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT',
          resumed: false,
          certificate: { keyType: expect.stringMatching(/P-256|prime256v1/), chainLength: 1 },
        },
      });
      expect(one?.durationMs).toBeGreaterThan(0);
      expect(Math.round(one?.tls?.certificate?.daysLeft ?? 0)).toBe(40);
    }
    expect(received.bytes).toBe(0);
  },
);

test('tlsProbe trusts the authorities of the target', async () => {
  const { url } = await serve();
  expect((await look(url, { ca: own.cert }))[0]?.tls).toMatchObject({ authorized: true, authorizationError: null });
});

test('tlsProbe sees an old version as what it is', async () => {
  const { url } = await serve({ maxVersion: 'TLSv1.2' });
  expect((await look(url))[0]?.tls).toMatchObject({ version: 'TLSv1.2' });
});

test('tlsProbe goes over IPv6 with an address in brackets', async () => {
  const { url } = await serve({}, '::1');
  expect((await look(url))[0]).toMatchObject({ outcome: { kind: 'answered' }, address: url.slice('https://'.length) });
});

test('a plain endpoint has nothing to look at', async () => {
  expect(await look('http://127.0.0.1:9')).toEqual([]);
});
