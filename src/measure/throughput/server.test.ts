import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import type { ServedTest } from '../../model/throughput.ts';
import { encodeCookie, encodeJson, iperfState } from '../../wire/iperf/control.ts';
import { decodeEchoAnswer, ECHO_BYTES, encodeEchoRequest } from '../../wire/iperf/datagram.ts';
import { AddressLocks } from './address-locks.ts';
import { type RunningServer, startServer } from './server.ts';

const io = fakeIo({ realClock: true });

describe.skipIf(process.platform !== 'linux')('a server among hostile clients', () => {
  let server: RunningServer;
  const served: ServedTest[] = [];
  const away: string[] = [];
  beforeAll(() => {
    const limits = { maxDurationS: 10, maxBitsPerS: undefined, maxStreams: 8, maxClients: 64, once: false };
    server = startServer({ address: '127.0.0.1', port: 0, ...limits }, io, {
      finished: (one) => served.push(one),
      turnedAway: (_, reason) => away.push(reason),
    });
  });
  afterAll(() => server.close());

  /** Sends `bytes` in a new connection; resolves with all that came back once the server has closed it. */
  const talk = (bytes: Uint8Array, end = true): Promise<Buffer> =>
    new Promise((resolve) => {
      const socket: Socket = connect(server.port, '127.0.0.1', () => (end ? socket.end(bytes) : socket.write(bytes)));
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(Buffer.concat(chunks)));
    });
  let cookies = 0;
  const cookie = () => encodeCookie(`${'x'.repeat(20)}${String(cookies++).padStart(16, '0')}`);

  test('who sends no cookie is dropped without a word', async () => {
    expect(await talk(Buffer.from('GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n'))).toHaveLength(0);
    expect(await talk(Buffer.alloc(10))).toHaveLength(0);
    await expect.poll(() => away).toEqual(expect.arrayContaining(['no cookie', 'closed']));
  });

  test('whatever follows a cookie ends that one test and nothing else', async () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.jsonValue({ maxDepth: 4 }).map((value) => new Uint8Array(encodeJson(value))),
      fc.nat(0xffff_ffff).map((length) => Uint8Array.from([length >>> 24, length >>> 16, length >>> 8, length])),
      fc.constant(new Uint8Array(encodeJson({ tcp: true, time: 1, parallel: 9 }))),
      fc.constant(new Uint8Array(encodeJson({ udp: true, time: 1, len: 1 << 20 }))),
      fc.constant(new Uint8Array(encodeJson({ tcp: true, time: 86_400 }))),
    );
    const inputs = fc.sample(hostile, { numRuns: 150, seed: 7 });
    for (let i = 0; i < inputs.length; i += 30) {
      const answers = await Promise.all(
        inputs.slice(i, i + 30).map((bytes) => talk(Buffer.concat([cookie(), Buffer.from(bytes)]))),
      );
      for (const answer of answers) expect(answer.readInt8(0)).toBe(iperfState.paramExchange);
    }
    await expect.poll(() => served.length, { timeout: 20_000 }).toBe(inputs.length);
    expect(served.map(({ ended }) => ended)).not.toContain('done');
    expect(served.map(({ reason }) => reason)).not.toContain('internal error');
  });

  test('a connection that drips its cookie is dropped after five seconds', async () => {
    const beganMs = performance.now();
    expect(await talk(encodeCookie('y'.repeat(36)).subarray(0, 20), false)).toHaveLength(0);
    expect(performance.now() - beganMs).toBeGreaterThan(4000);
    await expect.poll(() => away).toContain('no cookie in time');
  });

  test('a second control connection with the cookie of a test is turned away', async () => {
    const twice = cookie();
    const first = connect(server.port, '127.0.0.1', () => first.write(twice));
    first.on('error', () => undefined);
    await new Promise((resolve) => first.once('data', resolve));
    expect([...(await talk(twice))]).toEqual([0xff]);
    first.destroy();
  });

  test('the echo is answered with the time it lay there; anything else by UDP is not', async () => {
    const socket = createSocket('udp4');
    const answers: Buffer[] = [];
    socket.on('message', (message) => answers.push(message));
    const ask = Buffer.alloc(ECHO_BYTES);
    encodeEchoRequest(ask, 5, 99n);
    for (const [bytes] of fc.sample(fc.tuple(fc.uint8Array({ maxLength: 100 })), { numRuns: 50, seed: 3 }))
      socket.send(Buffer.from(bytes), server.port, '127.0.0.1');
    socket.send(Buffer.from('9876'), server.port, '127.0.0.1');
    socket.send(ask, server.port, '127.0.0.1');
    while (answers.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(answers).toHaveLength(1);
    expect(decodeEchoAnswer(answers[0]!, ECHO_BYTES)).toMatchObject({ sequence: 5, token: 99n });
    socket.close();
  });
});

test('AddressLocks lets one in at a time for each address, in order, and others pass', async () => {
  const locks = new AddressLocks();
  const order: string[] = [];
  const first = await locks.take('a');
  const second = locks.take('a').then((release) => (order.push('second'), release));
  const third = locks.take('a').then((release) => (order.push('third'), release));
  const other = await locks.take('b');
  order.push('other');
  other();
  order.push('first');
  first();
  (await second)();
  (await third)();
  expect(order).toEqual(['other', 'first', 'second', 'third']);
  (await locks.take('a'))();
});
