import { connect, createServer as createTcp, type AddressInfo, type Server } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../../test/fixtures/certificate.ts';
import type { Offer } from './client-hello.ts';
import { allSchemes, schemes, suites12, suites13, version } from './code-points.ts';
import { ClientHandshake, type Depth, type Heard } from './handshake.ts';

const keyed = selfSignedCertificate(['server.test'], Date.now());
const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

function tlsServer(options: TlsOptions = {}): Promise<number> {
  const server = createServer({ cert: keyed.cert, key: keyed.key, ...options }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  return listen(server);
}

const base: Offer = {
  serverName: 'server.test',
  versions: [version.tls13],
  suites: suites13,
  groups: [0x1d, 0x17],
  shares: [0x1d],
  schemes: allSchemes,
  alpn: [],
};

/** One handshake over a plain socket. @param step octets per delivery, to cut what comes as the network may */
function speak(port: number, offer: Partial<Offer>, depth: Depth, step = Infinity): Promise<Heard> {
  const handshake = new ClientHandshake({ ...base, ...offer }, depth);
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = () => {
      socket.destroy();
      resolve(handshake.heard);
    };
    socket.on('connect', () => socket.write(handshake.start()));
    socket.on('data', (chunk) => {
      for (let at = 0; at < chunk.length; at += step) {
        const answer = handshake.receive(chunk.subarray(at, at + step));
        if (answer) socket.write(answer);
      }
      if (handshake.isOver) end();
    });
    socket.on('end', end);
    socket.on('error', end);
  });
}

describe("ClientHandshake with Node's own server", () => {
  test.each([
    ['x25519', 0x1d],
    ['P-256', 0x17],
    ['P-384', 0x18],
    ['P-521', 0x19],
    ['x448', 0x1e],
  ])('reads TLS 1.3 to the end and checks it, by %s', async (_, group) => {
    const heard = await speak(await tlsServer(), { groups: [group], shares: [group] }, 'end', 100);
    expect(heard).toMatchObject({ problem: null, alert: null, isComplete: true, retry: null });
    expect(heard.hello?.group).toBe(group);
    expect(heard.signature).toEqual({ scheme: 0x04_03, isValid: true });
    expect(heard.certificates).toHaveLength(1);
  });

  test.each(suites13.map((suite) => [suite.toString(16), suite]))('decrypts suite %s', async (_, suite) => {
    const heard = await speak(await tlsServer(), { suites: [suite] }, 'end');
    expect(heard).toMatchObject({ problem: null, isComplete: true, hello: { suite } });
  });

  test('names a group for an empty key_share, and goes on with the second ClientHello', async () => {
    const port = await tlsServer({ ecdhCurve: 'P-384' });
    const offer = { groups: [0x1d, 0x18], shares: [] };
    expect((await speak(port, offer, 'answer')).retry).toMatchObject({ group: 0x18, isRetry: true });
    const whole = await speak(port, offer, 'end', 7);
    expect(whole).toMatchObject({ problem: null, isComplete: true, retry: { group: 0x18 }, hello: { group: 0x18 } });
  });

  test('reads TLS 1.2 in the clear, with the curve of the key exchange', async () => {
    const port = await tlsServer({ maxVersion: 'TLSv1.2' });
    const offer = { versions: [version.tls13, version.tls12], suites: [...suites13, ...suites12] };
    const heard = await speak(port, offer, 'end', 11);
    expect(heard).toMatchObject({ problem: null, isComplete: true, curve: 0x1d, hello: { version: version.tls12 } });
    expect(heard.certificates).toHaveLength(1);
  });

  test('hears ALPN, what a client may sign with, and alerts', async () => {
    const port = await tlsServer({ ALPNProtocols: ['h2'], requestCert: true, rejectUnauthorized: false });
    const heard = await speak(port, { alpn: ['h2', 'http/1.1'] }, 'end');
    expect(heard).toMatchObject({ alpn: 'h2', isComplete: true });
    expect(heard.clientSchemes).toContain(0x04_03);
    expect((await speak(port, { schemes: schemes.mlDsa }, 'end')).alert).toEqual({ fatal: true, code: 40 });
    expect((await speak(port, { alpn: ['smtp'] }, 'end')).alert?.code).toBe(120);
  });
});

describe('ClientHandshake with a peer that is none', () => {
  test('says what came instead of TLS', async () => {
    const port = await listen(createTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expect(await speak(port, {}, 'end')).toMatchObject({ problem: 'the answer is no TLS record', hello: null });
  });

  test.each([
    [
      'octets behind the ServerHello in the same record',
      (hello: Buffer) => Buffer.concat([hello, Buffer.from([8, 0])]),
    ],
    ['two ServerHellos', (hello: Buffer) => Buffer.concat([hello, hello])],
    ['a ServerHello whose length is a lie', (hello: Buffer) => (hello.writeUInt8(0xff, hello.length - 33), hello)],
  ])('stops at %s', (_, change) => {
    const handshake = new ClientHandshake(base, 'end');
    const body = change(Buffer.from(serverHello(Buffer.alloc(32, 9))));
    handshake.receive(Buffer.concat([Buffer.from([22, 3, 3, body.length >> 8, body.length & 0xff]), body]));
    expect(handshake.heard.problem).not.toBeNull();
    expect(handshake.receive(Buffer.from('more'))).toBeNull();
  });

  test('announced sizes are believed by nobody: a message of 16 MB ends it at its header', () => {
    const handshake = new ClientHandshake(base, 'end');
    handshake.receive(Buffer.from([22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff]));
    expect(handshake.heard.problem).toMatch(/at most 262144 are read/);
  });

  test('whatever octets come, in whatever pieces, it neither throws nor keeps more than it may', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), fc.boolean(), (chunks, isRecord) => {
        const handshake = new ClientHandshake(base, 'end');
        for (const chunk of chunks) {
          const head = isRecord ? [22, 3, 3, chunk.length >> 8, chunk.length & 0xff] : [];
          handshake.receive(Buffer.concat([Buffer.from(head), chunk]));
        }
        expect(handshake.heard.isComplete).toBe(false);
      }),
    );
  });
});

/** A ServerHello of TLS 1.3 with an x25519 share. */
function serverHello(share: Buffer): Buffer {
  const extensions = Buffer.concat([Buffer.from([0, 43, 0, 2, 3, 4, 0, 51, 0, 36, 0, 0x1d, 0, 32]), share]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 5),
    Buffer.from([0, 0x13, 1, 0, extensions.length >> 8, extensions.length & 0xff]),
    extensions,
  ]);
  return Buffer.concat([Buffer.from([2, 0, body.length >> 8, body.length & 0xff]), body]);
}
