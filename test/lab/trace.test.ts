import { describe, expect, test } from 'vitest';
import { startLab } from '../../src/lab/lab.ts';
import type { TraceGraph } from '../../src/model/trace.ts';
import { observation, type ObservationOf } from '../../src/model/observation.ts';
import { fakeIo } from '../fakes/io.ts';
import { loadScenario, type Scenario } from '../scenarios/scenario.ts';
import { walkerOf } from '../scenarios/walk.ts';
import { programOf } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';

const RUNNER = programOf(new URL('run-trace.ts', import.meta.url));
/** So sure that a branch is missed in one of ten thousand balancers, and not in one of twenty. */
const SURE = { confidence: 0.9999, maxFlows: 512, budgetMs: 20_000 };
/** An ordinary user, who may open no raw socket, but may read this checkout even where it lies in root's home. */
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...mayOnly('dac_override')];

function mayOnly(capability: string): string[] {
  const sets = ['inh-caps', 'ambient-caps', 'bounding-set'].map((set) => `--${set}=-all,+${capability}`);
  return [...sets, '--securebits=+no_setuid_fixup'];
}

type Trace = ObservationOf<'trace'> & { graph: TraceGraph };

interface Named {
  trace: Trace;
  hops: Set<string>[];
  edges: Set<string>;
  nodes: (TraceGraph['nodes'][number] & { name: string })[];
}

interface Circumstances {
  family?: 4 | 6;
  as?: readonly string[];
}

/** One trace after the other in the network of a scenario, everything by the names of its nodes. */
async function traceIn(scenario: Scenario, runs: readonly object[], { family = 4, as = [] }: Circumstances = {}) {
  const io = { ...fakeIo({ realClock: true }), env: process.env, cwd: process.cwd() };
  const lab = await startLab(scenario.topology, { io });
  try {
    const address = lab.addressOf('server', family);
    const url = `http://${family === 6 ? `[${address}]` : address}:7041/`;
    const options = runs.map((run) => JSON.stringify({ ...SURE, ...run }));
    const command = [...as, process.execPath, ...RUNNER, url, ...options];
    const { code, stdout, stderr } = await lab.run('client', command);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { nameOf } = walkerOf(scenario, family);
    return stdout
      .trim()
      .split('\n')
      .map((line) => named(observation.parse(JSON.parse(line)) as Trace, nameOf));
  } finally {
    await lab.stop();
  }
}

function named(trace: Trace, nameOf: (address: string) => string): Named {
  const nodes = trace.graph.nodes.map((node) => ({
    ...node,
    name: node.address === null ? '*' : nameOf(node.address),
  }));
  const hops: Set<string>[] = [];
  for (const { ttl, name } of nodes) (hops[ttl - 1] ??= new Set()).add(name);
  const edges = new Set(trace.graph.edges.map(({ from, to }) => `${nodes[from]!.name}>${nodes[to]!.name}`));
  return { trace, hops, edges, nodes };
}

function expectTruth({ truth }: Scenario, { trace, hops, edges }: Named): void {
  expect(trace.reached).toBe(true);
  expect(edges).toEqual(new Set(truth.adjacencies?.map((pair) => pair.join('>'))));
  for (const [i, names] of truth.hops!.entries()) {
    const answering = names.filter((name) => name !== '*');
    expect(hops[i]).toEqual(new Set(answering.length > 0 ? names : ['*']));
  }
  if (truth.paths !== undefined) expect(trace.graph.paths.length).toBe(truth.paths);
  for (const { kind } of trace.graph.balancers) expect(kind).toBe('per-flow');
}

const ALL = ['udp', 'icmp', 'tcp', 'tcp-connect'] as const;
const each = (...methods: readonly string[]) => methods.map((method) => ({ method }));

describe.skipIf(skipLab)('trace in networks whose truth is known', () => {
  test.each(['plain', 'ecmp-4', 'meshed-diamond'])('%s by every method over IPv4', async (name) => {
    const scenario = loadScenario(name);
    const found = await traceIn(scenario, each(...ALL));
    expect(found.map(({ trace }) => trace.method)).toEqual([...ALL]);
    for (const one of found) expectTruth(scenario, one);
  });

  test.each(['plain', 'ecmp-2', 'flow-label'])('%s by every method over IPv6', async (name) => {
    const scenario = loadScenario(name);
    for (const one of await traceIn(scenario, each('udp', 'tcp', 'tcp-connect'), { family: 6 }))
      expectTruth(scenario, one);
  });

  test.each([4, 6] as const)('an ordinary user finds the same by UDP and by connections over IPv%d', async (family) => {
    const scenario = loadScenario('ecmp-2');
    const found = await traceIn(scenario, each('udp', 'tcp-connect', 'tcp'), { family, as: NOBODY });
    for (const one of found) expectTruth(scenario, one);
    expect(found.map(({ trace }) => trace.method)).toEqual(['udp', 'tcp-connect', 'tcp-connect']);
    for (const { trace } of found) expect(trace.how).toContain('CAP_NET_RAW');
  });

  test.each(['unequal-branches', 'nested-diamonds', 'ecmp-parallel-links'])('%s node by node', async (name) => {
    const scenario = loadScenario(name);
    const [mda, lite] = await traceIn(scenario, [
      { method: 'tcp', algorithm: 'mda' },
      { method: 'icmp', algorithm: 'mda-lite' },
    ]);
    for (const one of [mda!, lite!]) expectTruth(scenario, one);
    if (name !== 'ecmp-parallel-links') expect(lite!.trace.graph.fallback).toBe('asymmetry');
  });

  test('packets that are spread one by one are told from flows, and no link is made up', async () => {
    const scenario = loadScenario('per-packet');
    for (const { edges, trace, hops } of await traceIn(scenario, each('udp'))) {
      const truth = new Set(scenario.truth.adjacencies?.map((pair) => pair.join('>')));
      for (const edge of edges) expect(truth).toContain(edge);
      expect(edges).toContain('in>a1');
      expect(hops[1]).toEqual(new Set(['a1', 'a2', '*']));
      expect(trace.graph.balancers).toContainEqual({ node: 0, kind: 'per-packet', branches: 2 });
    }
  });

  test('a router that answers five times a second is found, and so is what is behind it', async () => {
    const scenario = loadScenario('silent-and-rate-limited');
    const [one] = await traceIn(scenario, each('tcp'));
    expectTruth(scenario, one!);
  });

  // Silence is asked again for as long as there is time.
  test('a branch that never answers is a branch nevertheless', async () => {
    const [one] = await traceIn(loadScenario('silent-branch'), [{ method: 'icmp', budgetMs: 5000 }]);
    expect(one!.edges).toEqual(new Set(['in>a1', 'a1>out', 'out>server']));
    expect(one!.trace.reached).toBe(true);
  });

  test('label stacks and interfaces are read, with privilege and without', async () => {
    for (const as of [[], NOBODY]) {
      const mpls = loadScenario('mpls-uniform');
      const [labels] = await traceIn(mpls, each('udp'), { as });
      for (const [name, stack] of Object.entries(mpls.truth.mpls ?? {})) {
        const node = labels!.nodes.find((one) => one.name === name);
        expect(node?.mpls.map(({ label }) => label)).toEqual(stack);
      }
      const info = loadScenario('interface-info');
      const [interfaces] = await traceIn(info, each('udp'), { as });
      for (const [name, expected] of Object.entries(info.truth.interfaceInfo ?? {})) {
        expect(interfaces!.nodes.find((one) => one.name === name)?.interfaces[0]).toMatchObject(expected);
      }
    }
  });

  test.each([
    ['nat', [false, false, false]],
    ['nat-traces', [false, true, true]],
    ['nat-raw-quotes', [false, true, true]],
  ])('%s shows in what routers quote, where it leaves traces', async (name, rewritten) => {
    const [one] = await traceIn(loadScenario(name), each('udp'));
    expect(one!.trace.graph.nodes.slice(0, 3).map(({ natRewrite }) => natRewrite)).toEqual(rewritten);
  });

  test('quoted TTLs and the length of the way back are those of the network', async () => {
    const scenario = loadScenario('asymmetric-return');
    const [one] = await traceIn(scenario, each('udp'));
    for (const [name, ttl] of Object.entries(scenario.truth.replyTtl ?? {})) {
      expect(one!.nodes.find((node) => node.name === name)?.replyTtl).toBe(ttl);
    }
    for (const { name, quotedTtl } of one!.nodes) if (name !== 'server') expect(quotedTtl).toBe(1);
  });

  test('rounds count loss from the hop on behind which it happens, and none before', async () => {
    const [one] = await traceIn(loadScenario('lossy-middle'), [{ method: 'tcp', count: 100, intervalMs: 40 }]);
    const lost = (name: string) => {
      const node = one!.nodes.find((one) => one.name === name)!;
      expect(node.sent).toBe(100);
      return node.sent - node.received;
    };
    expect([lost('r1'), lost('r2')]).toEqual([0, 0]);
    // A tenth of 100 in bursts of three: none, or more than 40, less often than once in ten thousand runs.
    for (const name of ['r3', 'r4', 'server']) {
      expect(lost(name)).toBeGreaterThan(0);
      expect(lost(name)).toBeLessThan(41);
    }
    expect(one!.trace.graph.paths[0]).toMatchObject({ sent: 100, received: 100 - lost('server') });
  });
});
