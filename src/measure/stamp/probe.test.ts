import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import type { ObservationOf } from '../../model/observation.ts';
import { readSender, signStamp, writeReflector, writeSender } from '../../wire/stamp.ts';
import { collect, probeContract, targetOf } from '../probe.case.ts';
import { stampProbe } from './probe.ts';

probeContract('the STAMP probe', {
  probe: stampProbe,
  quick: { count: 3, intervalMs: 5, timeoutMs: 100 },
  slow: { count: 1000, intervalMs: 50, timeoutMs: 5000 },
  platforms: ['darwin'],
});

let server: Socket | undefined;
afterEach(() => void server?.close());

/** What a peer makes of a request; each reply is sent. */
type Peer = (request: Buffer, n: number) => Buffer[];

/** Written apart from the reflector: what is common to both is the codec only. */
async function listen(peer: Peer): Promise<string> {
  const socket = createSocket('udp4');
  server = socket;
  let n = 0;
  socket.on('message', (request: Buffer, from: RemoteInfo) => {
    for (const reply of peer(request, n++)) socket.send(reply, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return `http://127.0.0.1:${socket.address().port}/`;
}

function reply(request: Buffer, sequence: number, key?: Buffer): Buffer {
  const mode = key ? 'authenticated' : 'open';
  const sender = readSender(request, request.length, mode)!;
  const bytes = Buffer.from(request);
  const now = { sec: 5000, nsec: 0 };
  writeReflector(bytes, { ...sender, sequence, time: now, received: now, sender: { ...sender, ttl: 7 } }, mode);
  if (key) signStamp(bytes, key);
  return bytes;
}

async function measure(peer: Peer, options: object = {}): Promise<ObservationOf<'stamp'>> {
  const url = await listen(peer);
  const parsed = stampProbe.options.parse({ count: 20, intervalMs: 5, timeoutMs: 300, ...options });
  const [one, ...more] = await collect(
    stampProbe.run(targetOf(url), parsed, fakeIo({ realClock: true }), new AbortController().signal),
  );
  expect(more).toEqual([]);
  return one as ObservationOf<'stamp'>;
}

describe.skipIf(process.platform !== 'linux')('the STAMP probe', () => {
  test('reads the numbers of a stateful reflector that loses packets both ways', async () => {
    let counted = 0;
    const peer: Peer = (request, n) => {
      if (n % 5 === 1) return [];
      const answer = reply(request, counted++);
      return n % 5 === 3 ? [] : [answer];
    };
    const { summary, outcome, how } = await measure(peer);
    expect(outcome).toEqual({ kind: 'answered' });
    expect(summary).toMatchObject({ sent: 20, answered: 12, counting: 'stateful', hops: [7, 7] });
    expect(summary!.up.lost).toEqual([4, 4]);
    expect(summary!.down.lost).toEqual([4, 4]);
    expect(how).toContain('counts per session');
  });

  test('says that a stateless one tells no direction', async () => {
    const { summary, how } = await measure((request, n) =>
      n % 4 === 1 ? [] : [reply(request, request.readUInt32BE(0))],
    );
    expect(summary).toMatchObject({ answered: 15, counting: 'stateless', up: { lost: null }, down: { lost: null } });
    expect(how).toContain('loss has no direction');
  });

  test('is not fooled by junk, by answers to what it never sent, or by its own packets sent back', async () => {
    const peer: Peer = (request, n) => {
      const foreign = Buffer.from(request);
      writeSender(foreign, {
        sequence: 4_000_000,
        time: { sec: 1, nsec: 1 },
        error: { synchronised: false, ptp: false, scale: 1, multiplier: 1 },
        ssid: 0,
      });
      return [Buffer.from('junk'), Buffer.alloc(44), request, reply(foreign, 3), ...(n < 3 ? [reply(request, n)] : [])];
    };
    const { summary } = await measure(peer, { count: 10 });
    expect(summary).toMatchObject({ sent: 10, answered: 3 });
  });

  test('tells duplicates of the way back', async () => {
    const { summary } = await measure((request, n) => [reply(request, n), ...(n === 4 ? [reply(request, n)] : [])]);
    expect(summary!.down.duplicates).toBe(1);
    expect(summary!.up.duplicates).toBe(0);
  });

  test('believes only signed answers when it has a key', async () => {
    const key = 'a shared key';
    const peer: Peer = (request, n) => [reply(request, n, Buffer.from(n < 5 ? key : 'wrong'))];
    const { summary, how } = await measure(peer, { key, count: 10 });
    expect(summary).toMatchObject({ sent: 10, answered: 5 });
    expect(how).toContain('authenticated');
  });

  test('sends packets of the wanted size, or of the next one that there is', async () => {
    const sizes: number[] = [];
    const peer: Peer = (request, n) => (sizes.push(request.length), [reply(request, n)]);
    for (const [bytes, dscp] of [
      [44, undefined],
      [46, undefined],
      [1400, undefined],
      [44, 46],
    ] as const) {
      await measure(peer, { count: 1, bytes, ...(dscp !== undefined && { dscp }) });
      server?.close();
    }
    server = undefined;
    expect(sizes).toEqual([44, 48, 1400, 52]);
  });

  test('an interruption leaves what is known by then, and does not call lost what is on its way', async () => {
    const url = await listen((request, n) => (n < 10 ? [reply(request, n)] : []));
    const options = stampProbe.options.parse({ count: 1000, intervalMs: 10, timeoutMs: 5000 });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 400);
    const [one] = await collect(stampProbe.run(targetOf(url), options, fakeIo({ realClock: true }), stop.signal));
    expect(one).toMatchObject({ outcome: { kind: 'answered' }, summary: { sent: 10, answered: 10 } });
  });
});
