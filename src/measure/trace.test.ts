import { describe, expect, test } from 'vitest';
import { fakeIo } from '../../test/fakes/io.ts';
import { SystemCallError } from '../wire/libc.ts';
import type { SynRequest, SynResult } from '../wire/syn-probe.ts';
import type { UdpEvents } from '../wire/udp-probe.ts';
import { collect, targetOf } from './probe.case.ts';
import { makeTraceProbe, traceProbe, type TraceSockets } from './trace.ts';

const never = new AbortController().signal;
const target = targetOf('https://192.0.2.1/');

/** A path by TTL: the address of each router, null for a silent one; the target stands after the last. */
interface Path {
  routers: (string | null)[];
  /** What the target says; silent when left out. */
  answer?: SynResult;
  /** Answers before anything else is looked at. */
  first?: (request: SynRequest) => SynResult | undefined;
}

function exceeded(by: string, rttMs: number): SynResult {
  return { kind: 'icmp', by, type: 11, code: 0, message: 'time to live exceeded (ICMP 11/0)', rttMs };
}

function fakes({ routers, answer, first }: Path, udp?: TraceSockets['openUdp']) {
  const io = fakeIo();
  const requests: SynRequest[] = [];
  let open = 0;
  const sockets: TraceSockets = {
    openSyn: (request) => {
      requests.push(request);
      open++;
      const router = request.hops === undefined ? undefined : routers[request.hops - 1];
      const result =
        first?.(request) ??
        (router === undefined ? answer : router === null ? undefined : exceeded(router, request.hops ?? 0));
      return { poll: () => result ?? null, close: () => void open-- };
    },
    openUdp: udp ?? (() => Promise.reject(new Error('not expected')) as never),
    holdStamps: () => Promise.resolve(() => undefined),
  };
  const run = async (options: object, signal = never) => {
    const probe = makeTraceProbe(sockets);
    const all = await collect(probe.run(target, probe.options.parse(options), io, signal));
    const [one] = all;
    if (all.length !== 1 || one?.kind !== 'trace') throw new Error(`expected one trace, got ${JSON.stringify(all)}`);
    return one;
  };
  return { io, run, requests, open: () => open };
}

const accepted: SynResult = { kind: 'accepted', rttMs: 9.5, synRetransmits: 0 };
const hop = (ttl: number, address: string | null, rttMs: number | null) => ({ ttl, address, rttMs });

describe('traceProbe by TCP', () => {
  test('names every router up to the target, all SYNs with a TTL being one flow', async () => {
    const { run, requests, open } = fakes({ routers: ['10.0.0.1', null, '10.0.0.3'], answer: accepted });
    expect(await run({})).toMatchObject({
      outcome: { kind: 'answered' },
      reached: true,
      address: '192.0.2.1',
      method: 'tcp-connect',
      hops: [hop(1, '10.0.0.1', 1), hop(2, null, null), hop(3, '10.0.0.3', 3), hop(4, '192.0.2.1', 9.5)],
    });
    expect(requests.map(({ hops }) => hops)).toEqual([undefined, 1, 2, 3, 4]);
    expect(new Set(requests.slice(1).map(({ localPort }) => localPort)).size).toBe(1);
    expect(new Set(requests.map(({ port }) => port))).toEqual(new Set([443]));
    expect(open()).toBe(0);
  });

  test('a reset is the target, too', async () => {
    const { run } = fakes({ routers: ['10.0.0.1'], answer: { kind: 'refused', rttMs: 2 } });
    expect(await run({ port: 81 })).toMatchObject({
      reached: true,
      outcome: { kind: 'refused', address: '192.0.2.1' },
      hops: [hop(1, '10.0.0.1', 1), hop(2, '192.0.2.1', 2)],
    });
  });

  test('stops after five silent hops within its budget', async () => {
    const { run, io } = fakes({ routers: ['10.0.0.1'] });
    const startMs = io.clock.monoMs();
    const trace = await run({});
    expect(trace).toMatchObject({ reached: false, outcome: { kind: 'lost' } });
    expect(trace.hops).toHaveLength(6);
    expect(io.clock.monoMs() - startMs).toBeLessThan(3010);
  });

  test('says so when the target answers but its distance stays unknown', async () => {
    const { run } = fakes({ routers: ['10.0.0.1', null, null, null, null, null, null], answer: accepted });
    const trace = await run({});
    expect(trace).toMatchObject({ reached: false, outcome: { kind: 'answered' } });
    expect(trace.how).toContain('answers a plain connection in 9.500 ms');
  });

  test('a router that refuses to forward ends it', async () => {
    const prohibited: SynResult = {
      kind: 'icmp',
      by: '10.0.0.2',
      type: 3,
      code: 13,
      message: 'administratively prohibited (ICMP 3/13)',
      rttMs: 2,
    };
    const { run } = fakes({ routers: ['10.0.0.1'], answer: prohibited });
    expect(await run({})).toMatchObject({
      reached: false,
      outcome: { kind: 'unreachable', by: '10.0.0.2' },
      hops: [hop(1, '10.0.0.1', 1), hop(2, '10.0.0.2', 2)],
    });
  });

  test('takes another source port when the first is taken, and gives up when all are', async () => {
    const taken: SynResult = { kind: 'failed', operation: 'connect', errno: 'EADDRINUSE' };
    const ports = new Set<number>();
    const once = fakes({
      routers: ['10.0.0.1'],
      answer: accepted,
      first: ({ localPort }) => (localPort !== undefined && ports.add(localPort).size === 1 ? taken : undefined),
    });
    expect(await once.run({})).toMatchObject({
      reached: true,
      hops: [hop(1, '10.0.0.1', 1), hop(2, '192.0.2.1', 9.5)],
    });
    const always = fakes({ routers: [], first: ({ hops }) => (hops ? taken : undefined) });
    expect(await always.run({})).toMatchObject({
      reached: false,
      hops: [],
      outcome: { kind: 'failed', errno: 'EADDRINUSE' },
    });
  });

  test('no route from this host is an outcome', async () => {
    const { run } = fakes({ routers: [], answer: { kind: 'failed', operation: 'connect', errno: 'ENETUNREACH' } });
    expect(await run({})).toMatchObject({ outcome: { kind: 'unreachable', by: 'this host' }, hops: [] });
  });

  test('a kernel that does not tell who said no is named as the reason', async () => {
    const { run } = fakes({
      routers: [],
      answer: accepted,
      first: ({ hops }) => (hops ? { kind: 'failed', operation: 'connect', errno: 'EHOSTUNREACH' } : undefined),
    });
    expect(await run({})).toMatchObject({
      hops: [],
      outcome: { kind: 'failed', message: expect.stringContaining('Linux 5.8') },
    });
  });

  test('an abort ends it with the hops so far', async () => {
    const stop = new AbortController();
    const { run } = fakes({
      routers: ['10.0.0.1', '10.0.0.2', null],
      answer: accepted,
      first: ({ hops }) => {
        if (hops === 3) stop.abort();
        return undefined;
      },
    });
    expect(await run({}, stop.signal)).toMatchObject({
      outcome: { kind: 'interrupted' },
      hops: [hop(1, '10.0.0.1', 1), hop(2, '10.0.0.2', 2)],
    });
  });
});

test('traceProbe says what is missing on another platform', async () => {
  const io = fakeIo({ platform: 'win32' });
  expect(await collect(traceProbe.run(target, traceProbe.options.parse({}), io, never))).toMatchObject([
    {
      reached: false,
      hops: [],
      outcome: { kind: 'failed', errno: 'ENOTSUP', message: expect.stringContaining('IP_RECVERR') },
    },
  ]);
});

describe('traceProbe by UDP', () => {
  type Reply = (hops: number, events: UdpEvents) => void;

  function udp(reply: Reply, steps: number[] = []) {
    const sent: number[] = [];
    const queue: number[] = [];
    let closed = 0;
    const open: TraceSockets['openUdp'] = () => ({
      send: (hops) => void queue.push(sent[sent.push(hops) - 1] ?? 0),
      drain: (events) => {
        for (const hops of queue.splice(0)) reply(hops, events);
        return steps.shift() ?? 0;
      },
      close: () => void closed++,
    });
    return { ...fakes({ routers: [] }, open), sent, closed: () => closed };
  }

  const stamped = (hops: number, events: UdpEvents, by: string, type: number, code: number, rttMs: number) => {
    events.transmitted(hops, 1000);
    events.icmpError(hops, by, type, code, 1000 + rttMs);
  };

  test('the lowest TTL that the target answers is its distance', async () => {
    const { run, sent, closed } = udp((hops, events) => {
      if (hops < 4) stamped(hops, events, `10.0.0.${hops}`, 11, 0, hops);
      else stamped(hops, events, '192.0.2.1', 3, 3, 8);
    });
    expect(await run({ method: 'udp' })).toMatchObject({
      reached: true,
      outcome: { kind: 'answered' },
      hops: [hop(1, '10.0.0.1', 1), hop(2, '10.0.0.2', 2), hop(3, '10.0.0.3', 3), hop(4, '192.0.2.1', 8)],
    });
    expect(sent.length).toBeLessThanOrEqual(6);
    expect(closed()).toBe(1);
  });

  test('keeps five silent hops and stops', async () => {
    const { run, sent } = udp((hops, events) => {
      if (hops === 2) stamped(hops, events, '10.0.0.2', 11, 0, 2);
    });
    const trace = await run({ method: 'udp' });
    expect(trace).toMatchObject({ reached: false, outcome: { kind: 'lost' } });
    expect(trace.hops.map(({ address }) => address)).toEqual([null, '10.0.0.2', null, null, null, null, null]);
    expect(sent.length).toBeLessThanOrEqual(14);
  });

  test('a router that refuses to forward is the end, and the target is not reached', async () => {
    const { run } = udp((hops, events) =>
      stamped(hops, events, '10.0.0.1', hops === 1 ? 11 : 3, hops === 1 ? 0 : 13, 1),
    );
    expect(await run({ method: 'udp' })).toMatchObject({
      reached: false,
      outcome: { kind: 'unreachable', by: '10.0.0.1', message: 'administratively prohibited (ICMP 3/13)' },
      hops: [hop(1, '10.0.0.1', 1), hop(2, '10.0.0.1', 1)],
    });
  });

  test('a quote too short to tell the packet is used only where one packet is on the way', async () => {
    const many = udp((hops, events) => events.icmpError(null, `10.0.0.${hops}`, 11, 0, null));
    const trace = await many.run({ method: 'udp', maxTtl: 6, silentHops: 2 });
    expect(trace.hops.filter(({ address }) => address !== null).length).toBeLessThan(2);
    const single = udp((_hops, events) => events.icmpError(null, '192.0.2.1', 3, 3, null));
    expect(await single.run({ method: 'udp', maxTtl: 1 })).toMatchObject({
      reached: true,
      hops: [hop(1, '192.0.2.1', null)],
    });
  });

  test('a step of the wall clock voids the times and not the hops', async () => {
    const { run } = udp((hops, events) => stamped(hops, events, '192.0.2.1', 3, 3, hops), [0, 4000]);
    expect(await run({ method: 'udp' })).toMatchObject({ reached: true, hops: [hop(1, '192.0.2.1', null)] });
  });

  test('a second answer, an unknown TTL and an abort do no harm', async () => {
    const stop = new AbortController();
    const { run } = udp((hops, events) => {
      stamped(hops, events, '10.0.0.1', 11, 0, 1);
      stamped(hops, events, '10.9.9.9', 11, 0, 2);
      stamped(200, events, '10.9.9.9', 11, 0, 2);
      if (hops === 3) stop.abort();
    });
    const trace = await run({ method: 'udp' }, stop.signal);
    expect(trace.outcome).toEqual({ kind: 'interrupted' });
    expect(trace.hops.map(({ address }) => address)).not.toContain('10.9.9.9');
  });

  test.each([
    ['ENETUNREACH', 101, 'unreachable'],
    ['EPERM', 1, 'failed'],
  ])('%s of send() or of opening is an outcome', async (_name, errno, kind) => {
    const fail = () => {
      throw new SystemCallError('send', errno, '192.0.2.1');
    };
    const sending = fakes({ routers: [] }, () => ({ send: fail, drain: () => 0, close: () => undefined }));
    expect(await sending.run({ method: 'udp' })).toMatchObject({ outcome: { kind }, hops: [] });
    expect(await fakes({ routers: [] }, fail).run({ method: 'udp' })).toMatchObject({ outcome: { kind }, hops: [] });
  });
});
