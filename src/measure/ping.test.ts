import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import type { EchoEvents } from '../wire/echo-socket.ts';
import { SystemCallError } from '../wire/libc.ts';
import type { SynProbe, SynRequest, SynResult } from '../wire/syn-probe.ts';
import { makePingProbe, pingProbe, type PingSockets } from './ping.ts';
import { collect, targetOf } from './probe.case.ts';

const EPERM = 1;
const never = new AbortController().signal;
const target = targetOf('https://192.0.2.1/');

/** What the fake network does with probe `n`, sent at `atMs`: events that drain() reports once the clock has reached them. */
type Network = (n: number, atMs: number) => { atMs: number; event: (events: EchoEvents) => void }[];

function fakes(network: Network, more: Partial<PingSockets> = {}) {
  const io = fakeIo();
  const sentMs: number[] = [];
  let steps: number[] = [];
  let closed = 0;
  let queue: ReturnType<Network> = [];
  const sockets: PingSockets = {
    openEcho: () => ({
      kind: 'ping socket',
      send: (n) => {
        sentMs.push(io.clock.monoMs());
        queue.push(...network(n, io.clock.monoMs()));
      },
      drain: (events) => {
        const now = io.clock.monoMs();
        for (const { atMs, event } of queue) if (atMs <= now) event(events);
        queue = queue.filter(({ atMs }) => atMs > now);
        return steps.shift() ?? 0;
      },
      close: () => void closed++,
    }),
    openSyn: () => {
      throw new Error('not expected');
    },
    openUserSyn: () => {
      throw new Error('not expected');
    },
    holdStamps: () => Promise.resolve(() => undefined),
    ...more,
  };
  const run = async (options: object, signal = never) => {
    const probe = makePingProbe(sockets);
    const all = await collect(probe.run(target, probe.options.parse(options), io, signal));
    return all.flatMap((one) => (one.kind === 'ping' ? [one] : []));
  };
  return { io, run, sentMs, closed: () => closed, step: (values: number[]) => (steps = values) };
}

/** Kernel stamps `rttMs` apart, read whenever drain() comes by. */
function reply(n: number, atMs: number, rttMs: number): ReturnType<Network> {
  return [
    { atMs, event: (events) => events.transmitted(n, atMs + 0.1) },
    { atMs: atMs + 0.1 + rttMs, event: (events) => events.replied(n, atMs + 0.1 + rttMs) },
  ];
}

describe('pingProbe by ICMP', () => {
  test('gives one record per probe, timed by the kernel stamps and not by when they were read', async () => {
    const { run, closed } = fakes((n, atMs) => reply(n, atMs, 7.25 + n));
    const all = await run({ count: 3, intervalMs: 10 });
    expect(all.map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
    for (const { rttMs, sequence } of all) expect(rttMs).toBeCloseTo(7.25 + sequence, 9);
    expect(all[0]).toMatchObject({ method: 'icmp', address: '192.0.2.1', outcome: { kind: 'answered' } });
    expect(all[0]?.how).toContain('kernel TX and kernel RX');
    expect(closed()).toBe(1);
  });

  test('sends on its schedule while earlier probes are unanswered, and calls those lost after the timeout', async () => {
    const { run, sentMs } = fakes((n, atMs) => (n === 1 ? reply(n, atMs, 1) : []));
    const all = await run({ count: 4, intervalMs: 20, timeoutMs: 500 });
    expect(sentMs.map((ms) => Math.round(ms - (sentMs[0] ?? 0)))).toEqual([0, 20, 40, 60]);
    expect(all.filter(({ outcome }) => outcome.kind === 'lost').map(({ sequence }) => sequence)).toEqual([0, 2, 3]);
    expect(all.filter(({ outcome }) => outcome.kind === 'answered').map(({ sequence }) => sequence)).toEqual([1]);
  });

  test('a reply later than the timeout is lost, whether it is read before or after the timeout', async () => {
    const late = fakes((n, atMs) => reply(n, atMs, 120));
    expect((await late.run({ count: 1, timeoutMs: 100 })).map(({ outcome, rttMs }) => [outcome.kind, rttMs])).toEqual([
      ['lost', null],
    ]);
    // Read in time, but its stamps say that it was not: the reader's clock must not win.
    const stamped = fakes((n, atMs) => [
      { atMs, event: (events) => events.transmitted(n, atMs) },
      { atMs, event: (events) => events.replied(n, atMs + 101) },
    ]);
    expect((await stamped.run({ count: 1, timeoutMs: 100 })).map(({ outcome }) => outcome.kind)).toEqual(['lost']);
  });

  test('does not count a duplicate', async () => {
    const { run } = fakes((n, atMs) => [...reply(n, atMs, 1), ...reply(n, atMs, 2), ...reply(n + 70, atMs, 2)]);
    const all = await run({ count: 2, intervalMs: 50 });
    expect(all.map(({ sequence, rttMs }) => [sequence, Math.round(rttMs ?? -1)])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  test('a router that says no is named', async () => {
    const { run } = fakes((n, atMs) => [
      { atMs, event: (e) => e.undeliverable(n, '192.0.2.254', 'host unreachable (ICMP 3/1)') },
    ]);
    expect((await run({ count: 1 }))[0]?.outcome).toEqual({
      kind: 'unreachable',
      by: '192.0.2.254',
      message: 'host unreachable (ICMP 3/1)',
    });
  });

  test('a step of the wall clock voids the stamps on the way, not the answer', async () => {
    const { run, step } = fakes((n, atMs) => reply(n, atMs, 5));
    step([0, 0, -3000]);
    const all = await run({ count: 2, intervalMs: 100 });
    expect(all.map(({ outcome, rttMs }) => [outcome.kind, rttMs === null])).toEqual([
      ['answered', true],
      ['answered', false],
    ]);
    expect(all[0]?.how).toContain('stepped');
  });

  test('without a stamp the own clock stands in, and it says so', async () => {
    const { run } = fakes((n, atMs) => [{ atMs: atMs + 4, event: (events) => events.replied(n, null) }]);
    const [one] = await run({ count: 1 });
    expect(one?.how).toContain('user TX and user RX');
    expect(one?.rttMs).toBeGreaterThanOrEqual(4);
  });

  test('says that ICMP may be filtered while nothing ever came back', async () => {
    const { run } = fakes(() => []);
    expect((await run({ count: 1, timeoutMs: 50 }))[0]).toMatchObject({
      outcome: { kind: 'lost' },
      how: expect.stringContaining('may be filtered'),
    });
  });

  test.each([
    [101, { kind: 'unreachable', by: 'this host' }],
    [1, { kind: 'failed', operation: 'send', errno: 'EPERM' }],
  ])('errno %d of send() becomes an outcome', async (errno, outcome) => {
    const { run } = fakes(() => {
      throw new SystemCallError('send', errno, '192.0.2.1');
    });
    expect((await run({ count: 2, intervalMs: 1 })).map((one) => one.outcome)).toMatchObject([outcome, outcome]);
  });

  test('an abort ends it with the probes on the way marked as interrupted', async () => {
    const stop = new AbortController();
    const { run } = fakes((n) => {
      if (n === 2) stop.abort();
      return [];
    });
    const all = await run({ count: 1000, intervalMs: 10, timeoutMs: 60_000 }, stop.signal);
    expect(all.map(({ sequence, outcome }) => [sequence, outcome.kind])).toEqual([
      [0, 'interrupted'],
      [1, 'interrupted'],
      [2, 'interrupted'],
    ]);
  });
});

describe('pingProbe by TCP', () => {
  const denied = () => {
    throw new SystemCallError('socket', EPERM, '');
  };

  function syn(results: (SynResult | null)[]) {
    const requests: SynRequest[] = [];
    let open = 0;
    const openSyn = (request: SynRequest): SynProbe => {
      const result = results[requests.push(request) - 1] ?? null;
      open++;
      return { sentMs: 0, poll: () => result, close: () => void open-- };
    };
    return { requests, openSyn, open: () => open };
  }

  test('stands in where ICMP is not permitted, and says why', async () => {
    const { openSyn, requests, open } = syn([
      { kind: 'accepted', rttMs: 3.5, synRetransmits: 0 },
      { kind: 'accepted', rttMs: 1003, synRetransmits: 1 },
      { kind: 'refused', rttMs: 4 },
      { kind: 'icmp', by: '192.0.2.9', type: 3, code: 1, message: 'host unreachable (ICMP 3/1)', rttMs: 2 },
      { kind: 'icmp', by: '192.0.2.1', type: 3, code: 3, message: 'port unreachable (ICMP 3/3)', rttMs: 2 },
      { kind: 'failed', operation: 'connect', errno: 'EMFILE' },
      { kind: 'failed', operation: 'connect', errno: 'ENETUNREACH' },
      null,
    ]);
    const { run } = fakes(() => [], { openEcho: denied, openSyn });
    const all = await run({ count: 8, intervalMs: 1 });
    expect(all.map(({ sequence, rttMs, outcome }) => [sequence, outcome.kind, rttMs])).toEqual([
      [0, 'answered', 3.5],
      [1, 'lost', null],
      [2, 'refused', 4],
      [3, 'unreachable', null],
      [4, 'refused', 2],
      [5, 'failed', null],
      [6, 'unreachable', null],
      [7, 'lost', null],
    ]);
    expect(all[0]).toMatchObject({ method: 'tcp-connect', how: expect.stringContaining('ping_group_range') });
    expect(requests[0]).toEqual({ address: '192.0.2.1', port: 443 });
    expect(open()).toBe(0);
  });

  test('waits one second at most, because then the SYN is sent again', async () => {
    const { openSyn } = syn([]);
    const { run, io } = fakes(() => [], { openSyn });
    const startMs = io.clock.monoMs();
    expect(await run({ count: 1, timeoutMs: 30_000, method: 'tcp-connect' })).toMatchObject([
      { outcome: { kind: 'lost' } },
    ]);
    expect(io.clock.monoMs() - startMs).toBeLessThan(1100);
  });

  test('does not stand in when ICMP was asked for', async () => {
    const { run } = fakes(() => [], { openEcho: denied });
    expect(await run({ method: 'icmp' })).toMatchObject([
      { method: 'icmp', outcome: { kind: 'failed', errno: 'EPERM' } },
    ]);
  });

  test('every platform can use the sockets of Node, by the user clock', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const io = fakeIo({ realClock: true, platform: 'darwin' });
    const options = pingProbe.options.parse({ count: 3, intervalMs: 5 });
    const all = await collect(pingProbe.run(targetOf(`http://127.0.0.1:${port}/`), options, io, never));
    server.close();
    expect(all).toMatchObject(
      Array.from({ length: 3 }, () => ({ method: 'tcp-connect', outcome: { kind: 'answered' } })),
    );
    expect(all[0]?.how).toContain('user clock');
  });

  test.runIf(process.platform === 'linux')(
    'TCP_INFO times real handshakes on loopback below what our clock sees',
    async () => {
      const server = createServer((socket) => socket.destroy());
      await new Promise<void>((done) => server.listen(0, '::1', done));
      const { port } = server.address() as { port: number };
      const io = fakeIo({ realClock: true });
      const options = pingProbe.options.parse({ count: 5, intervalMs: 5, method: 'tcp-connect' });
      const startMs = io.clock.monoMs();
      const all = await collect(pingProbe.run(targetOf(`http://[::1]:${port}/`), options, io, never));
      const spentMs = io.clock.monoMs() - startMs;
      server.close();
      expect(all).toHaveLength(5);
      for (const one of all) {
        if (one.kind !== 'ping') throw new Error('wrong kind');
        expect(one.outcome.kind).toBe('answered');
        expect(one.rttMs).toBeGreaterThan(0);
        expect(one.rttMs).toBeLessThan(spentMs);
      }
    },
  );
});
