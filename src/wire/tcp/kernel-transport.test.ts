import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openTransport } from './open.ts';
import { listening, transportContract } from './transport.case.ts';

const monoMs = () => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
};
const open = (tap = true) => openTransport({ platform: process.platform, tap, monoMs });
const never = new AbortController().signal;

describe.skipIf(process.platform !== 'linux')('openTransport() on Linux', () => {
  transportContract(() => open());

  test('stamps by the kernel what arrives, leaves and is acknowledged, in the order of nature', async () => {
    const transport = open(false);
    await transport.ready;
    const { target, close } = await listening((socket) => socket.pipe(socket));
    const connection = await transport.connect(target, never);
    const { stream, trace } = connection;
    for (let i = 0; i < 20; i++) {
      stream.write(`request ${i}`);
      await once(stream, 'data');
    }
    const info = await connection.readInfo('end');
    expect(transport).toMatchObject({ stamps: 'kernel', tap: false });
    expect(info).toMatchObject({ totalRetrans: 0 });
    expect(trace.info.map((i) => i.phase)).toEqual(['connected', 'end']);
    expect(trace.handshakeRttMs).toBeGreaterThan(0);
    expect(trace.arrivals.filter((a) => a.stamp === 'kernel').length).toBeGreaterThan(10);
    const stamped = trace.sendings.filter((s) => s.leftMs !== null && s.ackedMs !== null);
    expect(stamped.length).toBeGreaterThan(10);
    for (const { calledMs, leftMs, ackedMs } of stamped) {
      // Wall clock and monotonic clock are compared by samples of both: a few microseconds.
      expect(leftMs as number).toBeGreaterThanOrEqual(calledMs - 0.1);
      expect(ackedMs as number).toBeGreaterThanOrEqual((leftMs as number) - 0.1);
    }
    await transport.close();
    await close();
  });

  test('sees the segments of the peer with its clock where the tap is allowed', async () => {
    const transport = open(true);
    await transport.ready;
    const { target, close } = await listening((socket) => socket.pipe(socket));
    const { stream, trace } = await transport.connect(target, never);
    for (let i = 0; i < 5; i++) {
      stream.write('x');
      await once(stream, 'data');
    }
    await sleep(20);
    // Without CAP_NET_RAW the tap is off and says so.
    expect(trace.tapComplete).toBe(transport.tap);
    expect(trace.segments.at(-1)?.endOffset).toBe(transport.tap ? 5 : undefined);
    const ticks = trace.segments.map((s) => s.tsval ?? -1);
    expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
    await transport.close();
    await close();
  });

  test('carries 50 MB to a reader that dawdles, and holds little of it meanwhile', async () => {
    const total = 50 << 20;
    let taken = 0;
    const { target, close } = await listening((socket) => {
      const piece = Buffer.alloc(256 << 10, 7);
      const more = () => {
        while (taken < total) {
          taken += piece.length;
          if (!socket.write(piece)) return;
        }
        socket.end();
      };
      socket.on('drain', more);
      more();
    });
    const transport = open(false);
    await transport.ready;
    const { stream } = await transport.connect(target, never);
    // Nobody reads: our buffers (8 MB) and those of the two kernels fill up, then the peer has to wait.
    for (let before = -1; before !== taken; await sleep(400)) before = taken;
    expect(taken).toBeLessThan(45 << 20);
    let got = 0;
    stream.on('data', (bytes: Buffer) => (got += bytes.length));
    await once(stream, 'end');
    expect(got).toBe(total);
    await transport.close();
    await close();
  });

  test('closing it twice is no error, and nothing can be connected afterwards that hangs', async () => {
    const transport = open(false);
    await transport.close();
    await transport.close();
    const outcome = await Promise.race([
      transport.connect({ address: '127.0.0.1', family: 4, port: 1 }, AbortSignal.timeout(500)).then(
        () => 'connected',
        () => 'rejected',
      ),
      sleep(5000, 'hangs'),
    ]);
    expect(outcome).toBe('rejected');
  });
});
