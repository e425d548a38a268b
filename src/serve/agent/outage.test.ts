import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { type FakeDisk, fakeDisk } from '../../../test/fakes/durable-files.ts';
import { fakeIo } from '../../../test/fakes/io.ts';
import { type VirtualClock, virtualClock } from '../../../test/fakes/virtual-clock.ts';
import { type Exchange, httpExchange } from './http-exchange.ts';
import { httpLink } from './http-link.ts';
import { Sender } from './sender.ts';
import { Spool } from './spool.ts';

/** What a server may do to a batch. `gone`: nothing listens. */
const moods = [
  'good', 'gone', '500', '503', '429', 'lies', 'stores and hangs up', 'hangs', 'half an answer', 'no JSON', 'redirects', 'resets', 'no such page',
] as const; // prettier-ignore
type Mood = (typeof moods)[number];

/** A small server over real sockets that keeps what it acknowledges, once per key, as the real one does. */
class MoodyServer {
  mood: Mood = 'good';
  port = 0;
  readonly stored = new Map<string, string[]>();
  arrivals = 0;
  hanging = 0;
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((done) => server.listen(this.port, '127.0.0.1', done));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async kill(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => (this.#server ? this.#server.close(done) : done(null)));
    this.#server = null;
  }

  async become(mood: Mood): Promise<void> {
    if (mood === 'gone') await this.kill();
    else if (this.#server === null) await this.start();
    this.mood = mood;
  }

  ids(): string[] {
    return [...this.stored.values()].flat();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.arrivals++;
    const octets = Buffer.concat(chunks);
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(octets) : octets).toString();
    const { key, ids } = JSON.parse(text) as { key: string; ids: string[] };
    const answer = (status: number, body: string, headers: Record<string, string> = {}) => {
      response.writeHead(status, headers);
      response.end(body);
    };
    const store = () => {
      const result = this.stored.has(key) ? 'duplicate' : 'stored';
      if (result === 'stored') this.stored.set(key, ids);
      return JSON.stringify({ key, result });
    };
    switch (this.mood) {
      case 'good':
        return answer(200, store());
      case '500':
        return answer(500, 'oops \u001b[31m');
      case '503':
        return answer(503, '', { 'retry-after': '20' });
      case '429':
        return answer(429, '', { 'retry-after': new Date(0).toUTCString() });
      case 'lies':
        return answer(200, JSON.stringify({ key: 'another-batch', result: 'stored' }));
      case 'no JSON':
        return answer(200, '<html>Welcome to the hotel network</html>');
      case 'redirects':
        return answer(302, '', { location: `http://127.0.0.1:${this.port}/elsewhere` });
      case 'no such page':
        return answer(404, 'nginx');
      case 'stores and hangs up':
        store();
        return void request.socket.destroy();
      case 'half an answer': {
        const body = store();
        response.writeHead(200, { 'content-length': String(body.length) });
        response.write(body.slice(0, body.length / 2), () => request.socket.end());
        return;
      }
      case 'hangs':
        this.hanging++;
        request.socket.once('close', () => this.hanging--);
        return;
      case 'resets':
        return void request.socket.resetAndDestroy();
      case 'gone':
        return;
    }
  }
}

/** An agent's spool and sender; `crash` takes its memory away and starts it anew on the same disk. */
class Agent {
  sender!: Sender;
  spool!: Spool;
  underWay = 0;
  readonly #clock: VirtualClock;
  readonly #disk: FakeDisk;
  readonly #server: MoodyServer;
  readonly io = fakeIo({ seed: 5 });
  #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();
  #close = () => undefined as void;
  life = 0;

  constructor(clock: VirtualClock, disk: FakeDisk, server: MoodyServer) {
    this.#clock = clock;
    this.#disk = disk;
    this.#server = server;
  }

  async start(): Promise<void> {
    this.life++;
    this.spool = await Spool.open(this.#disk, '/spool');
    const server = new URL(`http://127.0.0.1:${this.#server.port}`);
    const { exchange, close } = httpExchange({ server, identity: null, clock: this.#clock, timeoutMs: 30_000 });
    const counted: Exchange = (request, signal) => {
      this.underWay++;
      return exchange(request, signal).finally(() => this.underWay--);
    };
    const { deliver } = httpLink(counted, { about: server.href, clock: this.#clock });
    this.sender = new Sender({
      spool: this.spool,
      deliver,
      clock: this.#clock,
      random: this.io.random,
      log: this.io.log,
    });
    this.#stop = new AbortController();
    this.#close = close;
    this.#done = this.sender.run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    this.#close();
  }

  async crash(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async measure(n: number): Promise<void> {
    const key = `life-${this.life}.${String(n).padStart(5, '0')}`;
    const ids = [`${n}/0`, `${n}/1`, `${n}/2`];
    const payload = gzipSync(JSON.stringify({ key, ids }));
    const where = await this.spool.append({ key, samples: 3, encoding: 'gzip', payload });
    if (where !== 'durable') throw new Error(`batch ${n} is ${where}`);
    this.sender.wake();
  }
}

let server: MoodyServer;
let agent: Agent;
afterEach(async () => {
  await agent.stop();
  await server.kill();
});

async function setUp() {
  const clock = virtualClock();
  server = new MoodyServer();
  await server.start();
  agent = new Agent(clock, fakeDisk(), server);
  await agent.start();
  const pass = (ms: number) => clock.run(ms, () => agent.underWay > server.hanging);
  return { clock, pass };
}

function expectExactlyOnce(count: number): void {
  const ids = server.ids();
  const wanted = Array.from({ length: count }, (_, n) => [`${n}/0`, `${n}/1`, `${n}/2`]).flat();
  expect(ids.toSorted()).toEqual(wanted.toSorted());
  expect(agent.spool.figures()).toMatchObject({ batches: 0, dropped: { batches: 0 }, quarantined: { batches: 0 } });
}

test('an hour without network: everything measured meanwhile is in the store exactly once', async () => {
  const { pass } = await setUp();
  let n = 0;
  for (; n < 12; n++) await Promise.all([agent.measure(n), pass(5000)]);
  await server.become('gone');
  for (const before = n; n < before + 720; n++) {
    await agent.measure(n);
    await pass(5000);
  }
  expect(agent.spool.figures().batches).toBeGreaterThanOrEqual(720);
  expect(server.ids().length).toBeLessThanOrEqual(3 * 12);
  await server.become('good');
  await pass(70_000);
  expectExactlyOnce(n);
  expect(agent.sender.figures()).toMatchObject({ failuresInARow: 0, trouble: null });
}, 60_000);

test.each(moods.filter((mood) => mood !== 'good'))(
  'a server that is or does "%s" for ten minutes costs nothing but time',
  async (mood) => {
    const { pass } = await setUp();
    let n = 0;
    await server.become(mood);
    for (; n < 60; n++) {
      await agent.measure(n);
      await pass(10_000);
    }
    expect(agent.spool.figures().batches).toBe(60);
    expect(agent.sender.figures().trouble).not.toBeNull();
    // It is asked about once a minute, not hammered.
    expect(server.arrivals).toBeLessThan(60);
    await server.become('good');
    await pass(70_000);
    expectExactlyOnce(n);
  },
);

test('a server of changing moods and an agent that crashes at any time: exactly once, counted by id', async () => {
  const { pass } = await setUp();
  for (let n = 0; n < 400; n++) {
    // A walk through all moods, each for a while, with good times in between; seeded by arithmetic, so that it can be repeated.
    if (n % 7 === 0) await server.become(n % 3 === 0 ? 'good' : moods[(n * 31) % moods.length]!);
    await agent.measure(n);
    if (n % 23 === 11) await agent.crash();
    await pass(4000 + ((n * 7919) % 9000));
  }
  await server.become('good');
  await pass(200_000);
  expectExactlyOnce(400);
  expect(agent.sender.figures().trouble).toBeNull();
}, 60_000);

test('what the server names wrong is told to the user in printable words', async () => {
  const { pass } = await setUp();
  await server.become('500');
  await agent.measure(0);
  await pass(100);
  expect(agent.sender.figures().trouble).toBe('HTTP 500 oops  [31m');
});
