import { createServer, connect, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ChannelClosedError, ChannelTimeoutError, ControlChannel } from './channel.ts';
import { encodeCookie, encodeJson, iperfState, PARAMETERS_MAX_BYTES, RESULTS_MAX_BYTES } from './control.ts';

let server: Server | undefined;
afterEach(() => server?.close());

/** A channel, and the raw socket at its other end. */
async function pair(): Promise<{ channel: ControlChannel; peer: Socket }> {
  const listening = createServer();
  server = listening;
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  const accepted = new Promise<Socket>((done) => listening.once('connection', done));
  const { port } = listening.address() as { port: number };
  const peer = connect(port, '127.0.0.1');
  return { channel: new ControlChannel(await accepted), peer };
}

const wait = { timeoutMs: 5000 };

test('reads cookie, states and JSON that came in one piece', async () => {
  const { channel, peer } = await pair();
  const cookie = 'c'.repeat(36);
  peer.write(Buffer.concat([encodeCookie(cookie), Buffer.from([1, 2]), encodeJson({ a: 1 }), Buffer.from([0xff])]));
  expect(await channel.cookie(wait)).toBe(cookie);
  expect(await channel.state(wait)).toBe(iperfState.testStart);
  expect(await channel.state(wait)).toBe(iperfState.testRunning);
  expect(await channel.json(100, wait)).toEqual({ a: 1 });
  expect(await channel.state(wait)).toBe(iperfState.accessDenied);
  peer.destroy();
});

test('reads JSON that comes octet by octet', async () => {
  const { channel, peer } = await pair();
  peer.setNoDelay(true);
  const reading = channel.json(100, wait);
  for (const octet of encodeJson({ long: 'enough' })) {
    peer.write(Buffer.from([octet]));
    await new Promise((done) => setImmediate(done));
  }
  expect(await reading).toEqual({ long: 'enough' });
  peer.destroy();
});

test('refuses a length beyond the bound before it waits for the text', async () => {
  const { channel, peer } = await pair();
  peer.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  await expect(channel.json(PARAMETERS_MAX_BYTES, wait)).rejects.toThrow('4294967295');
  peer.destroy();
});

test('does not wait longer than it was told for a peer that drips', async () => {
  const { channel, peer } = await pair();
  peer.write(Buffer.from([0, 0, 0]));
  await expect(channel.json(RESULTS_MAX_BYTES, { timeoutMs: 50 })).rejects.toBeInstanceOf(ChannelTimeoutError);
  peer.destroy();
});

test('an end in the middle is told, and what came before it can still be read', async () => {
  const { channel, peer } = await pair();
  peer.end(Buffer.from([9, 0, 0]));
  expect(await channel.state(wait)).toBe(iperfState.paramExchange);
  await expect(channel.json(100, wait)).rejects.toBeInstanceOf(ChannelClosedError);
  expect(channel.ended?.errno).toBeNull();
});

test('an abort ends a read at once', async () => {
  const { channel, peer } = await pair();
  await expect(channel.state({ timeoutMs: 60_000, signal: AbortSignal.timeout(20) })).rejects.toThrow('timeout');
  peer.destroy();
});

test('a flood that nobody asked for is not read into memory', async () => {
  const { channel, peer } = await pair();
  let drained = 0;
  peer.on('drain', () => drained++);
  for (let i = 0; i < 64; i++) peer.write(Buffer.alloc(1 << 20));
  await new Promise((done) => setTimeout(done, 200));
  expect(peer.writableLength).toBeGreaterThan(16 << 20);
  expect(drained).toBe(0);
  expect(await channel.state(wait)).toBe(0);
  channel.destroy();
  peer.destroy();
});

test('sends what it was given, in order, then closes', async () => {
  const { channel, peer } = await pair();
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  channel.sendCookie('c'.repeat(36));
  channel.sendState(iperfState.serverError);
  channel.sendJson({ b: 2 });
  channel.close();
  await new Promise((done) => peer.on('end', done));
  const expected = Buffer.concat([encodeCookie('c'.repeat(36)), Buffer.from([0xfe]), encodeJson({ b: 2 })]);
  expect(Buffer.concat(chunks)).toEqual(expected);
});
