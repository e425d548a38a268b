import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { errorEstimate, readReflector, signStamp, verifyStamp, writeSender } from '../../../wire/stamp.ts';
import { findSizeTlv, SIZE_STATUS, writePadding, writeSizeTlv } from '../../../wire/stamp-tlv.ts';
import { stampLimits, startStampReflector, type StampOptions, type StampReflector } from './stamp-reflector.ts';

const error = errorEstimate(0.5, false);
let running: StampReflector | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function reflectWith(options: Partial<StampOptions> = {}): Promise<StampReflector> {
  const policy = { stateful: true, key: null, sizes: false, limits: stampLimits };
  running = await startStampReflector({ address: '127.0.0.1', port: 0, ...policy, ...options });
  return running;
}

function now(): { sec: number; nsec: number } {
  const ms = performance.timeOrigin + performance.now();
  return { sec: Math.floor(ms / 1000), nsec: Math.floor((ms % 1000) * 1e6) };
}

/** Sends the packets from one socket, and returns as many answers as there are packets. */
async function exchange(to: { address: string; port: number }, packets: readonly Buffer[]): Promise<Buffer[]> {
  const socket = createSocket({ type: to.address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 << 20 });
  const answers: Buffer[] = [];
  socket.on('message', (message, { address }) => {
    expect(address).toBe(to.address);
    answers.push(message);
  });
  for (const packet of packets) socket.send(packet, to.port, to.address);
  while (answers.length < packets.length) await once(socket, 'message');
  socket.close();
  return answers;
}

function request(sequence: number, length = 44): Buffer {
  const packet = Buffer.alloc(length);
  writeSender(packet, { sequence, time: now(), error, ssid: 9 });
  if (length > 44) writePadding(packet, 44, length);
  return packet;
}

describe.skipIf(process.platform !== 'linux')('a STAMP reflector on a socket', () => {
  test('answers a burst in order, with times between sending and receiving, and counts it', async () => {
    const reflector = await reflectWith();
    const answers = await exchange(
      reflector,
      Array.from({ length: 200 }, (_, i) => request(i, i % 2 === 0 ? 44 : 1200)),
    );
    const packets = answers.map((answer) => readReflector(answer, answer.length)!);
    expect(packets.map(({ sequence }) => sequence)).toEqual(packets.map((_, i) => i));
    expect(packets.map(({ sender }) => sender.sequence)).toEqual(packets.map((_, i) => i));
    expect(answers.map(({ length }) => length)).toEqual(packets.map((_, i) => (i % 2 === 0 ? 44 : 1200)));
    for (const { received, time, ssid, sender } of packets) {
      const ns = ({ sec, nsec }: { sec: number; nsec: number }) => BigInt(sec) * 1_000_000_000n + BigInt(nsec);
      expect(ns(time) >= ns(received)).toBe(true);
      // T1 is of a clock with a resolution of microseconds at best.
      expect(ns(received) > ns(sender.time) - 5_000_000n).toBe(true);
      expect(ssid).toBe(9);
      expect(sender.ttl).toBe(64);
    }
    // The last count is written behind the last reply.
    await reflector.stop();
    expect(reflector.stats()).toMatchObject({ received: 200, reflected: 200, sessions: 1, unsent: 0, malformed: 0 });
  });

  test('answers from the address that it was asked at, over IPv4 and IPv6', async () => {
    const { port } = await reflectWith({ address: '::' });
    const [six] = await exchange({ address: '::1', port }, [request(1)]);
    expect(readReflector(six!, 44)).toMatchObject({ sequence: 0, sender: { ttl: 64 } });
    const [four] = await exchange({ address: '127.0.0.9', port }, [request(1)]);
    expect(readReflector(four!, 44)?.sender.sequence).toBe(1);
  });

  test('is silent to what is no STAMP packet', async () => {
    const reflector = await reflectWith();
    const socket = createSocket('udp4');
    for (const junk of ['', 'hello', 'x'.repeat(43), Buffer.alloc(44)]) socket.send(junk, reflector.port, '127.0.0.1');
    await exchange(reflector, [request(0)]);
    socket.close();
    // The last count is written behind the last reply.
    await reflector.stop();
    expect(reflector.stats()).toMatchObject({ malformed: 4, reflected: 1 });
  });

  test('answers only with a key what is signed with it', async () => {
    const key = Buffer.from('shared');
    const reflector = await reflectWith({ key });
    const packet = Buffer.alloc(112);
    writeSender(packet, { sequence: 3, time: now(), error, ssid: 0 }, 'authenticated');
    signStamp(packet, key);
    const forged = Buffer.from(packet);
    forged[0]! ^= 1;
    const socket = createSocket('udp4');
    socket.send(forged, reflector.port, '127.0.0.1');
    const [answer] = await exchange(reflector, [packet]);
    socket.close();
    expect(verifyStamp(answer!, key)).toBe(true);
    // The last count is written behind the last reply.
    await reflector.stop();
    expect(reflector.stats()).toMatchObject({ unauthenticated: 1, reflected: 1 });
  });

  test('sends large replies to who has shown that it receives them', async () => {
    const reflector = await reflectWith({ sizes: true });
    const socket = createSocket('udp4');
    const ask = async (cookie: Buffer) => {
      const packet = request(0, 72);
      writeSizeTlv(packet, 44, { status: SIZE_STATUS.ASKED, replyBytes: 9000, cookie });
      socket.send(packet, reflector.port, '127.0.0.1');
      const [answer] = (await once(socket, 'message')) as [Buffer];
      return { length: answer.length, said: findSizeTlv(answer, 44, answer.length)! };
    };
    const first = await ask(Buffer.alloc(16));
    expect(first).toMatchObject({ length: 72, said: { status: SIZE_STATUS.COOKIE } });
    expect(await ask(first.said.cookie)).toMatchObject({ length: 9000, said: { status: SIZE_STATUS.DONE } });
    socket.close();
  });

  test('says why it cannot listen', async () => {
    const { port } = await reflectWith();
    const policy = { stateful: true, key: null, sizes: false, limits: stampLimits };
    const second = startStampReflector({ address: '127.0.0.1', port, ...policy });
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
