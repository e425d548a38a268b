import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from '../abi.ts';
import { libc, memory } from '../libc.ts';
import { Mover, type MoverOptions } from './mover.ts';
import {
  closeSocket,
  connectTcp,
  connectUdp,
  localAddress,
  openListener,
  readTcpInfo,
  unackedBytes,
} from './sockets.ts';

const wait = { timeoutMs: 5000, signal: new AbortController().signal };
const defaults: MoverOptions = {
  protocol: 'tcp',
  streams: 1,
  threads: 1,
  blockBytes: 131_072,
  bitsPerS: 0,
  counters64: true,
  budgetBytes: undefined,
};

async function tcpPair(): Promise<[number, number]> {
  const listener = openListener({ address: '127.0.0.1', port: 0 }, 'tcp');
  const { port } = localAddress(listener)!;
  const client = await connectTcp({ address: '127.0.0.1', port }, { noDelay: true }, wait);
  const server = libc().accept4(listener, memory(28), memory(4), SOCK_NONBLOCK | SOCK_CLOEXEC);
  closeSocket(listener);
  return [client, server];
}

/** Two sockets connected to each other, as client and server of a test are. */
async function udpPair(): Promise<[number, number]> {
  const probe = openListener({ address: '127.0.0.1', port: 0 }, 'udp');
  const { port } = localAddress(probe)!;
  const client = await connectUdp({ address: '127.0.0.1', port }, {});
  const server = await connectUdp(
    { address: '127.0.0.1', port: localAddress(client)!.port },
    {},
    { address: '127.0.0.1', port },
  );
  closeSocket(probe);
  return [client, server];
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await sleep(10);
}

async function transfer(
  pair: readonly [number, number],
  sender: Partial<MoverOptions>,
  receiver: Partial<MoverOptions>,
  over: (send: Mover, receive: Mover) => Promise<void>,
) {
  const send = new Mover({ ...defaults, ...sender });
  const receive = new Mover({ ...defaults, ...receiver });
  await Promise.all([send.ready, receive.ready]);
  receive.start([{ fd: pair[1], role: 'receive' }]);
  send.start([{ fd: pair[0], role: 'send' }]);
  await over(send, receive);
  await Promise.all([send.stop(), receive.stop()]);
  return { sent: send.counters(0), received: receive.counters(0), cpu: send.cpu(), info: readTcpInfo(pair[0]) };
}

describe.skipIf(process.platform !== 'linux')('Mover', () => {
  test('moves octets as fast as it goes until it is stopped, and says what CPU it took', async () => {
    const pair = await tcpPair();
    const { sent, received, cpu, info } = await transfer(pair, {}, {}, () => sleep(200));
    expect(sent.bytes).toBeGreaterThan(1 << 20);
    expect(received.bytes).toBeGreaterThan(1 << 20);
    expect(received.bytes).toBeLessThanOrEqual(sent.bytes);
    expect(cpu.userMs + cpu.systemMs).toBeGreaterThan(0);
    expect(cpu.busiestShare).toBeLessThan(1.2);
    expect(info?.bytesAcked).toBeGreaterThan(1 << 20);
    pair.forEach(closeSocket);
  });

  test('sends exactly its budget, of which every octet arrives', async () => {
    const pair = await tcpPair();
    const budgetBytes = 3_333_333;
    const { sent, received } = await transfer(pair, { budgetBytes }, {}, async (send, receive) => {
      await until(() => send.counters(0).ended === 'budget' && receive.counters(0).bytes === budgetBytes);
    });
    expect(sent).toMatchObject({ bytes: budgetBytes, ended: 'budget' });
    expect(received.bytes).toBe(budgetBytes);
    expect(unackedBytes(pair[0])).toBe(0);
    pair.forEach(closeSocket);
  });

  test('never sends more than its rate allows', async () => {
    const pair = await tcpPair();
    const beganMs = performance.now();
    const { sent } = await transfer(pair, { bitsPerS: 8e6, blockBytes: 1000 }, {}, () => sleep(500));
    expect(sent.bytes).toBeGreaterThan(10_000);
    expect(sent.bytes).toBeLessThanOrEqual((performance.now() - beganMs) * 1000 + 1000);
    pair.forEach(closeSocket);
  });

  test('tells that the peer ended, and that it was reset', async () => {
    const pair = await tcpPair();
    const { received } = await transfer(pair, { budgetBytes: 1000 }, {}, async (send, receive) => {
      await until(() => send.counters(0).ended === 'budget');
      libc().shutdown(pair[0], 1);
      await until(() => receive.counters(0).ended !== 'running');
    });
    expect(received).toMatchObject({ bytes: 1000, ended: 'peer' });
    pair.forEach(closeSocket);
    const other = await tcpPair();
    const mover = new Mover(defaults);
    await mover.ready;
    closeSocket(other[1]);
    mover.start([{ fd: other[0], role: 'send' }]);
    await until(() => mover.counters(0).ended !== 'running');
    expect(mover.counters(0).ended).toBe('error');
    expect(mover.counters(0).errno).toBeGreaterThan(0);
    await mover.stop();
    closeSocket(other[0]);
  });

  test('deals streams out to threads, and each keeps its own count', async () => {
    const pairs = await Promise.all([tcpPair(), tcpPair(), tcpPair()]);
    const send = new Mover({ ...defaults, streams: 3, threads: 2, budgetBytes: 900_000 });
    const receive = new Mover({ ...defaults, streams: 3, threads: 2 });
    await Promise.all([send.ready, receive.ready]);
    receive.start(pairs.map(([, fd]) => ({ fd, role: 'receive' })));
    send.start(pairs.map(([fd]) => ({ fd, role: 'send' })));
    const total = (mover: Mover) => [0, 1, 2].reduce((sum, i) => sum + mover.counters(i).bytes, 0);
    await until(() => total(receive) === 900_000);
    await Promise.all([send.stop(), receive.stop()]);
    expect(total(send)).toBe(900_000);
    for (const i of [0, 1, 2]) expect(receive.counters(i).bytes).toBe(send.counters(i).bytes);
    pairs.flat().forEach(closeSocket);
  });

  test.each([true, false])(
    'UDP with 64-bit counters %s: paced packets arrive in order with small jitter',
    async (counters64) => {
      const pair = await udpPair();
      const udp = { protocol: 'udp' as const, blockBytes: 500, counters64 };
      const { sent, received } = await transfer(pair, { ...udp, bitsPerS: 4e6 }, udp, () => sleep(300));
      expect(sent.packets).toBeGreaterThan(20);
      expect(sent.bytes).toBe(sent.packets * 500);
      expect(received).toMatchObject({ lost: 0, outOfOrder: 0 });
      expect(received.packets).toBeGreaterThan(20);
      expect(received.bytes).toBe(received.packets * 500);
      expect(received.jitterMs).toBeGreaterThan(0);
      pair.forEach(closeSocket);
    },
  );

  test('UDP says what was lost: packets that found no room', async () => {
    const pair = await udpPair();
    const udp = { protocol: 'udp' as const, blockBytes: 1400, counters64: true };
    const send = new Mover({ ...defaults, ...udp, budgetBytes: 1400 * 20_000 });
    await send.ready;
    send.start([{ fd: pair[0], role: 'send' }]);
    await until(() => send.counters(0).ended === 'budget');
    const receive = new Mover({ ...defaults, ...udp });
    await receive.ready;
    receive.start([{ fd: pair[1], role: 'receive' }]);
    await sleep(200);
    libc().send(pair[0], Buffer.alloc(16), 16, 0); // sequence 0: late, not lost
    await Promise.all([send.stop(), receive.stop()]);
    const { packets } = receive.counters(0);
    expect(packets).toBeGreaterThan(10);
    expect(packets).toBeLessThan(20_000);
    pair.forEach(closeSocket);
  });

  test('can be stopped before it was started', async () => {
    const mover = new Mover(defaults);
    await mover.stop();
    expect(mover.counters(0)).toMatchObject({ bytes: 0, ended: 'running' });
  });
});
