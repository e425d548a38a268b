import { describe, expect, test } from 'vitest';
import { fakeIo, type FakeIoOptions } from '../../../test/fakes/io.ts';
import { observation } from '../../model/observation.ts';
import { SystemCallError } from '../../wire/libc.ts';
import { targetOf } from '../probe.case.ts';
import { type Network, randomNetwork, truthOf } from './network.case.ts';
import { traceOptions } from './options.ts';
import { chain, simulatedDoors, simulatedTransport, type Simulation } from './simulated.case.ts';
import { traceUpdates, type TraceUpdate } from './updates.ts';

const TARGET = '192.0.2.1';
const never = new AbortController().signal;

interface Run extends Partial<Omit<Simulation, 'network' | 'clock'>> {
  options?: object;
  io?: FakeIoOptions;
  signal?: AbortSignal;
}

async function trace(network: Network, { options = {}, io: ioOptions = {}, signal = never, ...more }: Run = {}) {
  const io = fakeIo(ioOptions);
  const transport = simulatedTransport({ network, clock: io.clock, ...more });
  const target = targetOf(`https://${network.address.at(-1) === '0.0.0.0' ? TARGET : network.address.at(-1)}/`);
  const updates: TraceUpdate[] = [];
  const parsed = traceOptions.parse({ method: 'icmp', ...options });
  for await (const update of traceUpdates(target, parsed, io, signal, simulatedDoors(transport))) updates.push(update);
  const last = updates.at(-1)!;
  expect(updates.map(({ phase }) => phase).indexOf('done')).toBe(updates.length - 1);
  for (const { trace: one } of updates) expect(observation.safeParse(one).error).toBeUndefined();
  return { io, transport, updates, last, trace: last.trace };
}

const path = (routers: (string | null)[], target: string | null = TARGET) => chain(routers, target);

describe('traceUpdates()', () => {
  test('names every router up to the target, with round trips by the stamps', async () => {
    const { trace: one, transport } = await trace(path(['10.0.0.1', null, '10.0.0.3']));
    expect(one).toMatchObject({ reached: true, outcome: { kind: 'answered' }, address: TARGET, how: 'simulated' });
    expect(one.hops).toEqual([
      { ttl: 1, address: '10.0.0.1', rttMs: 2 },
      { ttl: 2, address: null, rttMs: null },
      { ttl: 3, address: '10.0.0.3', rttMs: 6 },
      { ttl: 4, address: TARGET, rttMs: 8 },
    ]);
    expect(one.graph.complete).toBe(true);
    expect(transport.open).toBe(0);
  });

  test('asks one flow and no TTL twice where one path is wanted', async () => {
    const { transport } = await trace(path(['10.0.0.1', '10.0.0.2']), { options: { algorithm: 'single' } });
    expect(new Set(transport.sent.map(({ flow }) => flow))).toEqual(new Set([0]));
    const ttls = transport.sent.map(({ ttl }) => ttl);
    expect(new Set(ttls).size).toBe(ttls.length);
    expect(Math.max(...ttls)).toBeLessThanOrEqual(6);
  });

  test('finds all branches and states their links, whatever the order of answers', async () => {
    const network = randomNetwork({ seed: 77, shape: 'meshed' });
    const { trace: one } = await trace({ ...network, address: [...network.address.slice(0, -1), TARGET] });
    const truth = truthOf({ ...network, address: [...network.address.slice(0, -1), TARGET] });
    expect(new Set(one.graph.nodes.map(({ address }) => address))).toEqual(truth.addresses);
    const name = (id: number) => one.graph.nodes[id]?.address;
    for (const { from, to } of one.graph.edges) expect(truth.links).toContain(`${name(from)}>${name(to)}`);
    expect(one.graph.balancers.length).toBeGreaterThan(0);
  });

  test('goes on one flow after the other where a flow can be tried only once at a time', async () => {
    const { trace: one, transport } = await trace(path(['10.0.0.1', '10.0.0.2']), { exclusive: true });
    expect(one.hops.map(({ address }) => address)).toEqual(['10.0.0.1', '10.0.0.2', TARGET]);
    const flows = transport.sent.filter(({ flow }) => flow === 0).map(({ atMs }) => atMs);
    expect(new Set(flows).size).toBe(flows.length);
  });

  test('stops after the silent hops, and says that the target does not answer without a hop limit either', async () => {
    const { trace: one, transport } = await trace(path(['10.0.0.1', null, null, null, null, null, null], null), {
      options: { silentHops: 3 },
    });
    expect(one).toMatchObject({ reached: false, outcome: { kind: 'lost' } });
    expect(one.hops).toHaveLength(4);
    expect(one.how).toContain('nobody answers after hop 1, and the target does not');
    expect(Math.max(...transport.sent.map(({ ttl }) => ttl).filter((ttl) => ttl < 64))).toBe(4);
  });

  test('says so when the target answers but its distance stays unknown', async () => {
    const { trace: one } = await trace(path(['10.0.0.1', null, null, null, null, null, null]), {
      options: { silentHops: 3 },
    });
    expect(one).toMatchObject({ reached: false, outcome: { kind: 'answered' } });
    expect(one.how).toContain('though the target answers without a hop limit in 18.000 ms');
  });

  test('a router that refuses to forward ends it', async () => {
    const { trace: one } = await trace(path(['10.0.0.1', '10.0.0.2', '10.0.0.3']), {
      twist: (reply, { ttl }) =>
        ttl < 2 ? reply : { ...reply, from: '10.0.0.2', kind: 'unreachable', icmp: { type: 3, code: 13 } },
    });
    expect(one).toMatchObject({
      reached: false,
      outcome: { kind: 'unreachable', by: '10.0.0.2', message: 'administratively prohibited (ICMP 3/13)' },
    });
    expect(one.hops.map(({ address }) => address)).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  test('a reset is the target, too', async () => {
    const twist: Run['twist'] = (reply) =>
      reply.kind === 'target' ? { ...reply, kind: 'refused', icmp: null } : reply;
    const { trace: one } = await trace(path(['10.0.0.1']), { twist });
    expect(one).toMatchObject({ reached: true, outcome: { kind: 'refused', address: TARGET } });
  });

  test('packets that go round in a circle are followed three times and no further', async () => {
    const circle = { ...path(['10.0.0.1', '10.0.0.2']), next: [[1], [2], [1], []] };
    const { trace: one } = await trace(circle);
    expect(one.reached).toBe(false);
    expect(one.hops.map(({ address }) => address)).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.1',
    ]);
  });

  test('a step of the wall clock voids the times and not the hops', async () => {
    const stepsMs = Array.from({ length: 200 }, () => 4000);
    const { trace: one } = await trace(path(['10.0.0.1']), { stepsMs });
    expect(one.hops).toEqual([
      { ttl: 1, address: '10.0.0.1', rttMs: null },
      { ttl: 2, address: TARGET, rttMs: null },
    ]);
  });

  test('an answer that is late counts when it comes', async () => {
    const slow: Run['twist'] = (reply, { ttl, sentMs }) => (ttl === 2 ? { ...reply, atMs: sentMs + 400 } : reply);
    const { trace: one } = await trace(path(['10.0.0.1', '10.0.0.2', '10.0.0.3']), { twist: slow });
    expect(one.hops[1]).toEqual({ ttl: 2, address: '10.0.0.2', rttMs: 400 });
  });

  test('a router over its limit is asked slower until it has answered', async () => {
    const tokens = { count: 6, atMs: 0 };
    const limited: Run['twist'] = (reply, { ttl, sentMs }) => {
      if (ttl !== 2) return reply;
      tokens.count = Math.min(6, tokens.count + (sentMs - tokens.atMs) / 300);
      tokens.atMs = sentMs;
      if (tokens.count < 1) return null;
      tokens.count--;
      return reply;
    };
    const network = {
      ...path(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']),
      next: [[1], [2, 3], [4], [4], [5], []],
    };
    const { trace: one, transport } = await trace(network, { twist: limited, options: { budgetMs: 60_000 } });
    expect(new Set(one.graph.nodes.map(({ address }) => address)).size).toBe(5);
    expect(one.graph.complete).toBe(true);
    expect(transport.sent.filter(({ ttl }) => ttl === 2).length).toBeLessThan(40);
  });

  test('an abort ends it with what is known', async () => {
    const stop = new AbortController();
    const network = path(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
    const { trace: one } = await trace(network, {
      signal: stop.signal,
      twist: (reply, { ttl }) => {
        if (ttl === 3) stop.abort();
        return reply;
      },
    });
    expect(one.outcome).toEqual({ kind: 'interrupted' });
    expect(one.graph.complete).toBe(false);
  });

  test('the budget ends it, and the graph says that it is not complete', async () => {
    const { trace: one, io } = await trace(path([null, null, null], null), { options: { budgetMs: 500, waitMs: 400 } });
    expect(one.graph.complete).toBe(false);
    expect(io.clock.monoMs()).toBeLessThan(1500);
  });

  test.each([
    ['ENETUNREACH', 101, 'unreachable'],
    ['EPERM', 1, 'failed'],
  ])('%s of send() is an outcome', async (_name, errno, kind) => {
    const failure = new SystemCallError('send', errno, TARGET);
    const { trace: one } = await trace(path([]), { failure });
    expect(one).toMatchObject({ outcome: { kind }, reached: false, hops: [] });
  });

  test('a method that is not permitted says what it needs', async () => {
    const io = fakeIo();
    const doors = {
      open: () => {
        throw new SystemCallError('socket', 13, '');
      },
      holdStamps: () => Promise.resolve(() => undefined),
      soleNextHop: () => null,
    };
    const options = traceOptions.parse({ method: 'icmp' });
    for await (const { trace: one } of traceUpdates(targetOf(`http://${TARGET}/`), options, io, never, doors)) {
      expect(one).toMatchObject({
        outcome: { kind: 'failed', errno: 'EACCES' },
        how: expect.stringContaining('CAP_NET_RAW'),
      });
    }
  });

  test('another platform is said to be what is missing', async () => {
    const { trace: one } = await trace(path([]), { io: { platform: 'win32' } });
    expect(one.outcome).toMatchObject({
      kind: 'failed',
      errno: 'ENOTSUP',
      message: expect.stringContaining('IP_RECVERR'),
    });
  });
});

describe('rounds of traceUpdates()', () => {
  const rounds = { count: 5, intervalMs: 200 };

  test('come by their schedule, each flow and round whole and by TTL', async () => {
    const { updates, transport, last } = await trace(path(['10.0.0.1', '10.0.0.2']), { options: rounds });
    const records = updates.flatMap((update) => update.records);
    expect(records.map(({ ttl }) => ttl)).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
    expect(records.filter(({ answer }) => answer?.end === 'target')).toHaveLength(5);
    expect(last.trace.graph.nodes.map(({ sent, received }) => [sent, received])).toEqual([
      [5, 5],
      [5, 5],
      [5, 5],
    ]);
    expect(last.trace.graph.paths).toMatchObject([{ sent: 5, received: 5, rtts: { medianMs: 6 } }]);
    const starts = transport.sent
      .slice(-15)
      .filter(({ ttl }) => ttl === 1)
      .map(({ atMs }) => atMs);
    starts.forEach((atMs, i) => expect(atMs - starts[0]!).toBeCloseTo(i * 200, -1));
  });

  test('count what is lost, and follow the target when it moves away', async () => {
    let moved = false;
    const network = path(['10.0.0.1', '10.0.0.2']);
    const { updates } = await trace(network, {
      options: { ...rounds, count: 10, waitMs: 150 },
      twist: (reply, { ttl, sentMs }) => {
        moved ||= sentMs > 700;
        if (ttl === 1 && moved) return null;
        if (ttl === 3 && moved) return { ...reply, from: '10.0.0.9', kind: 'exceeded', icmp: { type: 11, code: 0 } };
        return reply;
      },
    });
    const records = updates.flatMap((update) => update.records);
    expect(records.some(({ ttl, answer }) => ttl === 1 && answer === null)).toBe(true);
    expect(records.some(({ ttl, answer }) => ttl === 3 && answer?.address === '10.0.0.9')).toBe(true);
    expect(records.at(-1)).toMatchObject({ ttl: 4, answer: { end: 'target' } });
  });

  test('show a hop that was silent while paths were looked for', async () => {
    const { last } = await trace(path(['10.0.0.1', '10.0.0.2']), {
      options: rounds,
      twist: (reply, { ttl, sentMs }) => (ttl === 1 && sentMs < 800 ? null : reply),
    });
    expect(last.trace.graph.nodes[0]).toMatchObject({ ttl: 1, address: '10.0.0.1' });
    expect(last.trace.graph.edges.some(({ from }) => from === 0)).toBe(true);
  });

  test('end soon after an abort', async () => {
    const stop = new AbortController();
    const { io, last } = await trace(path(['10.0.0.1']), {
      options: { count: 1000, intervalMs: 1000 },
      signal: stop.signal,
      twist: (reply, { sentMs }) => {
        if (sentMs > 5000) stop.abort();
        return reply;
      },
    });
    expect(last.trace.outcome).toEqual({ kind: 'interrupted' });
    expect(last.trace.hops).toHaveLength(2);
    expect(io.clock.monoMs()).toBeLessThan(6500);
  });
});
