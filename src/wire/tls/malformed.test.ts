import { type AddressInfo, connect } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../../test/fixtures/certificate.ts';
import { DerError } from '../der.ts';
import { readCertificate } from './certificate.ts';
import { allSchemes, suites12, suites13, version } from './code-points.ts';
import { ClientHandshake } from './handshake.ts';
import { makeKeyShare } from './key-share.ts';
import { TlsError } from './octets.ts';
import { maxHandshakeBytes } from './records.ts';
import {
  readCertificateRequest,
  readCertificates,
  readCertificateVerify,
  readEncryptedExtensions,
  readServerHello,
  readServerKeyExchange,
} from './server-messages.ts';

/**
 * Sequences of octets that a hostile server may send: answers of a real server with octets changed, pieces cut, repeated, moved or
 * invented, and in pieces of any size. INFERPATH_FUZZ says how many; a million were run once (docs/secure/tls.md). The seed is
 * fixed: a failure is the same for everybody.
 */
const SEQUENCES = Number(process.env['INFERPATH_FUZZ'] ?? 100_000);

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

const ready = [0x1d, 0x17].map(makeKeyShare);
const base = {
  serverName: 'server.test',
  versions: [version.tls13, version.tls12],
  suites: [...suites13, ...suites12],
  groups: [0x11_ec, 0x1d, 0x17],
  shares: [0x1d],
  schemes: allSchemes,
  alpn: ['h2'],
};

/** What a real server answers to each kind of offer. */
const answers: Buffer[] = [];

beforeAll(async () => {
  const keyed = selfSignedCertificate(['server.test'], Date.now());
  for (const [options, offer] of [
    [{}, {}],
    [{ ecdhCurve: 'P-256' }, {}],
    [{ maxVersion: 'TLSv1.2' as const }, {}],
    [{ maxVersion: 'TLSv1.2' as const, requestCert: true }, { versions: [version.tls12] }],
    [{ minVersion: 'TLSv1.3' as const }, { versions: [version.tls12] }],
  ] as const) {
    const server = createTls({ cert: keyed.cert, key: keyed.key, ALPNProtocols: ['h2'], ...options });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const handshake = new ClientHandshake({ ...base, ...offer }, 'end', ready);
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const got: Buffer[] = [];
    await new Promise<void>((done) => {
      socket.on('connect', () => socket.write(handshake.start()));
      socket.on('data', (chunk) => {
        got.push(chunk);
        const answer = handshake.receive(chunk);
        if (answer) socket.write(answer);
        if (handshake.isOver) done();
      });
      socket.on('close', () => done());
    });
    socket.destroy();
    server.close();
    answers.push(Buffer.concat(got));
  }
  // Records cut out of the answers, to be put together anew.
  for (const answer of answers.slice())
    for (let at = 0; at + 5 <= answer.length; at += 5 + answer.readUInt16BE(at + 3))
      answers.push(answer.subarray(at, at + 5 + answer.readUInt16BE(at + 3)));
});

// Most of the time would go into stacks of errors that are expected.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

/** One hostile sequence. */
function sequence(random: (below: number) => number): Buffer {
  const parts: Buffer[] = [];
  for (let n = 1 + random(3); n > 0; n--) {
    const from = answers[random(answers.length)]!;
    const piece = Buffer.from(random(3) === 0 ? from.subarray(0, random(from.length + 1)) : from);
    for (let flips = piece.length === 0 ? 0 : random(6); flips > 0; flips--) piece[random(piece.length)] = random(256);
    // What is announced is where parsers break: lengths more often than others.
    if (piece.length > 9 && random(2) === 0) piece[random(2) === 0 ? 3 + random(2) : 6 + random(3)] = random(256);
    parts.push(piece);
  }
  if (random(8) === 0) {
    const noise = Buffer.alloc(random(200));
    for (let at = 0; at < noise.length; at++) noise[at] = random(256);
    parts.splice(random(parts.length + 1), 0, noise);
  }
  return Buffer.concat(parts);
}

test(`${SEQUENCES} hostile sequences end in an answer or a problem, and never in an exception`, () => {
  const random = numbers(20_260);
  const depths = ['answer', 'hello', 'end'] as const;
  let problems = 0;
  for (let i = 0; i < SEQUENCES; i++) {
    const octets = sequence(random);
    const handshake = new ClientHandshake(base, depths[random(3)]!, ready);
    handshake.start();
    for (let at = 0; at < octets.length && !handshake.isOver;) {
      const step = 1 + random(octets.length);
      handshake.receive(octets.subarray(at, at + step));
      at += step;
    }
    if (handshake.heard.problem !== null) problems++;
    if (handshake.heard.receivedBytes > maxHandshakeBytes + octets.length) throw new Error(`too much, at ${i}`);
    for (const one of handshake.heard.certificates) tryToRead(readCertificate, one);
    // Behind a ServerHello messages are encrypted, so a changed one never gets to its reader that way.
    tryToRead(readers[random(readers.length)]!, octets.subarray(random(64)));
  }
  // Changed octets do break things: a reader that takes all of it would not have read.
  expect(problems).toBeGreaterThan(SEQUENCES / 4);
}, 3_600_000);

const readers: readonly ((octets: Uint8Array) => unknown)[] = [
  readServerHello,
  readEncryptedExtensions,
  readCertificateRequest,
  readCertificateVerify,
  (octets) => readCertificates(octets, version.tls13),
  (octets) => readCertificates(octets, version.tls12),
  (octets) => readServerKeyExchange(octets, version.tls12),
];

function tryToRead(read: (octets: Uint8Array) => unknown, octets: Uint8Array): void {
  try {
    read(octets);
  } catch (error) {
    if (!(error instanceof DerError || error instanceof TlsError)) throw error;
  }
}

test('a server that never stops sending is stopped at 256 KiB', () => {
  const handshake = new ClientHandshake(base, 'end', ready);
  handshake.start();
  const warning = Buffer.from([21, 3, 3, 0, 2, 1, 112]);
  const many = Buffer.concat(Array.from({ length: 10_000 }, () => warning));
  for (let i = 0; i < 5; i++) handshake.receive(many);
  expect(handshake.heard.problem).toMatch(/more than 262144 octets/);
});
