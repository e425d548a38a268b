import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { selfSignedCertificate } from '../../../test/fixtures/certificate.ts';
import type { TlsReply } from '../../model/secure/tls-survey.ts';
import { allSchemes, suites13, version } from '../../wire/tls/code-points.ts';
import { ClientHandshake } from '../../wire/tls/handshake.ts';
import { converse } from './converse.ts';
import type { StartTls } from './starttls.ts';

const keyed = selfSignedCertificate(['mail.test'], Date.now());
const secureContext = createSecureContext({ cert: keyed.cert, key: keyed.key });
const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** What a server says, and what it waits for before it says the next; `TLS` turns to TLS. */
type Script = readonly (string | RegExp)[];

function play(socket: Socket, script: Script): void {
  socket.on('error', () => undefined);
  let heard = '';
  const left = [...script];
  const go = () => {
    for (let next = left[0]; next !== undefined; next = left[0]) {
      if (typeof next !== 'string') {
        if (!next.test(heard)) return;
        heard = '';
      } else if (next === 'TLS') {
        socket.off('data', onData);
        new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined);
        left.length = 0;
        return;
      } else socket.write(next, 'latin1');
      left.shift();
    }
  };
  const onData = (chunk: Buffer) => {
    heard += chunk.toString('latin1');
    go();
  };
  socket.on('data', onData);
  go();
}

async function ask(kind: StartTls, script: Script, timeoutMs = 20_000): Promise<TlsReply> {
  const server = createServer((socket) => play(socket, script));
  open.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const io = fakeIo({ realClock: true });
  const transport = io.sockets.openTcp({ tap: false });
  const offer = {
    serverName: null,
    versions: [version.tls13],
    suites: suites13,
    groups: [0x1d],
    shares: [0x1d],
    schemes: allSchemes,
    alpn: [],
  };
  const way = { target: { address: '127.0.0.1', family: 4 as const, port }, starttls: kind, timeoutMs };
  const { signal } = new AbortController();
  const { reply } = await converse(way, new ClientHandshake(offer, 'end'), null, transport, io, signal);
  await transport.close();
  return reply;
}

/** Length 8 and the code 80877103, in the octets of PostgreSQL's protocol. */
const sslRequest = new RegExp(`^${Buffer.from('0000000804d2162f', 'hex').toString('latin1')}$`);

describe('startTls() leads to a whole handshake', () => {
  test.each<[StartTls, Script]>([
    [
      'smtp',
      [
        '220-mail.test\r\n220 ready\r\n',
        /^EHLO \[127\.0\.0\.1\]\r\n$/,
        '250-hi\r\n250-SIZE\r\n250 STARTTLS\r\n',
        /^STARTTLS\r\n$/,
        '220 go\r\n',
        'TLS',
      ],
    ],
    ['imap', ['* OK IMAP4rev2\r\n', /^a1 STARTTLS\r\n$/, '* CAPABILITY x\r\na1 OK begin\r\n', 'TLS']],
    ['postgres', [sslRequest, 'S', 'TLS']],
  ])('%s', async (kind, script) => {
    expect(await ask(kind, script)).toMatchObject({ kind: 'complete', said: { version: 'TLS 1.3', group: 'x25519' } });
  });
});

describe('startTls() says what a server does instead', () => {
  test.each<[string, StartTls, Script, RegExp]>([
    ['does not offer it', 'smtp', ['220 x\r\n', /EHLO/, '250 SIZE\r\n'], /no STARTTLS in its EHLO/],
    [
      'refuses',
      'smtp',
      ['220 x\r\n', /EHLO/, '250 STARTTLS\r\n', /STARTTLS/, '454 not now\r\n'],
      /STARTTLS: 454 not now/,
    ],
    ['greets otherwise', 'smtp', ['554 no\r\n'], /greeting: 554 no/],
    ['says BAD', 'imap', ['* OK x\r\n', /STARTTLS/, 'a1 BAD what\r\n'], /STARTTLS: a1 BAD what/],
    ['has it switched off', 'postgres', [/./, 'N'], /TLS switched off/],
    ['sends octets behind its answer', 'postgres', [/./, 'Sinjected'], /octets in the clear/],
    ['never stops', 'smtp', [`220-${'x'.repeat(20_000)}`], /more than 16384 octets/],
  ])('%s', async (_, kind, script, words) => {
    const reply = await ask(kind, script);
    expect(reply).toMatchObject({ kind: 'unreached', outcome: { kind: 'failed', phase: 'tls' } });
    expect(JSON.stringify(reply)).toMatch(words);
  });

  test('silence is a time-out', async () => {
    expect(await ask('imap', [/never/], 200)).toMatchObject({ kind: 'unreached', outcome: { kind: 'timedOut' } });
  });
});
