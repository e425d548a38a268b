import { describe, expect, test } from 'vitest';
import { loadScenario, scenarioNames, type Scenario } from '../../test/scenarios/scenario.ts';
import { packetTo, walk, walkerOf, type Answer, type Walker } from '../../test/scenarios/walk.ts';
import { readIcmpError, type IcmpError } from '../wire/icmp-error.ts';
import { directionNames } from './counters.ts';
import { drain, icmpOf, quotedOf, send, sourceOf, transportSum, type Delivered } from './engine.case.ts';
import { groupAt } from './routes.ts';

/** What each scenario's file calls its truth, proven on the engine by brute force. */
const FLOWS = 150;
const LONGEST = 12;
const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
const sorted = (values: readonly string[]): string[] => unique(values).toSorted();

interface Proof<T> {
  truth: T;
  scenario: Scenario;
  walker: Walker;
  answers: readonly Answer[];
}
type Truth = Scenario['truth'];
type Proofs = { [K in keyof Truth]-?: (proof: Proof<NonNullable<Truth[K]>>) => void };

const proofs: Proofs = {
  hops({ truth, scenario, answers }) {
    truth.forEach((nodes, index) => {
      const seen = sorted(answers.filter(({ ttl }) => ttl === index + 1).map(({ node }) => node ?? '*'));
      if (scenario.truth.perFamily === undefined) expect(seen).toEqual(sorted(nodes));
      else for (const node of seen) expect(nodes).toContain(node);
    });
    expect(Math.max(...answers.map(({ ttl }) => ttl))).toBe(truth.length);
  },

  adjacencies({ truth, scenario, walker, answers }) {
    const perPacket = scenario.truth.balancers?.some(({ kind }) => kind === 'per-packet');
    const seen = perPacket ? routedPairs(walker) : flowPairs(answers);
    expect(sorted(seen)).toEqual(sorted(truth.map(([from, to]) => `${from} ${to}`)));
  },

  paths({ truth, answers }) {
    expect(pathsOf(answers).size).toBe(truth);
  },

  perFamily({ truth, answers }) {
    expect(pathsOf(answers).size).toBe(truth);
  },

  interfaces({ truth, answers }) {
    for (const [name, count] of Object.entries(truth))
      expect([name, unique(answersOf(answers, name).map(({ address }) => address)).length]).toEqual([name, count]);
  },

  balancers({ truth, walker, answers }) {
    for (const { at, kind, branches } of truth) {
      const node = walker.engine.plan.nodes.findIndex(({ name }) => name === at);
      const entry = walker.engine.routes.next[node * walker.engine.nodes + walker.server]!;
      expect(walker.engine.routes.groups[groupAt(entry)]!.length).toBe(branches);
      const before = answersOf(answers, at);
      const after = before.map(({ flow, ttl }) => answers.find((one) => one.flow === flow && one.ttl === ttl + 1));
      const [{ flow, ttl }] = before as [Answer];
      const again = Array.from({ length: 40 }, () => walker.probe(flow, ttl + 1).address);
      expect(unique(again).length).toBe(kind === 'per-packet' ? branches : 1);
      expect(unique(after.map((one) => one?.address)).length).toBe(kind === 'per-destination' ? 1 : branches);
    }
  },

  rttMs({ truth, scenario, answers }) {
    for (const [name, expected] of Object.entries(truth)) {
      const own = answersOf(answers, name);
      // What a single way passes by is seen from one side only.
      if (own.length === 0 && scenario.truth.perFamily !== undefined) continue;
      // Within 0.05 ms: a rate adds the time that the packet itself takes.
      expect([name, leastRtt(own)]).toEqual([name, expect.closeTo(expected, 1)]);
    }
  },

  delayAdded({ truth, scenario, walker }) {
    const topology = {
      ...scenario.topology,
      routers: scenario.topology.routers.map(({ icmp: _, ...others }) => others),
    };
    const ideal = walk(walkerOf({ ...scenario, topology }, walker.family), 20, LONGEST);
    const steps = flowPairs(ideal).map((pair) => {
      const [from, to] = pair.split(' ') as [string, string];
      return { pair, ms: leastRtt(answersOf(ideal, to)) - leastRtt(answersOf(ideal, from)) };
    });
    const largest = steps.toSorted((x, y) => y.ms - x.ms)[0]!;
    expect(largest).toEqual({ pair: truth.between.join(' '), ms: expect.closeTo(truth.ms, 6) });
  },

  loss({ truth, scenario, walker: { family } }) {
    const count = 20_000;
    const walker = walkerOf(scenario, family);
    for (const [from, to, ratio] of [
      ['client', 'server', truth.there],
      ['server', 'client', truth.back],
    ] as const) {
      const arrived = stream(walker, from, to, { count, everyMs: 1 }).length;
      // Five standard deviations of a binomial; bursts of three widen it about twofold.
      const tolerance = 5 * 2 * Math.sqrt((ratio * (1 - ratio)) / count);
      expect(Math.abs(1 - arrived / count - ratio)).toBeLessThanOrEqual(tolerance);
    }
    expect(lossyPairs(walker)).toEqual([truth.between.toSorted().join(' ')]);
  },

  rateLimited({ truth, scenario, walker }) {
    const routers = scenario.truth.hops!.flatMap((nodes, index) => nodes.map((name) => ({ name, ttl: index + 1 })));
    for (const { name, ttl } of routers.filter((one) => one.name !== '*' && one.name !== 'server')) {
      const count = 200;
      const answered = stream(walkerOf(scenario, walker.family), 'client', 'server', { count, everyMs: 2, ttl }).length;
      if (truth.includes(name)) expect([name, answered < count * 0.1]).toEqual([name, true]);
      else expect([name, answered > count * 0.9]).toEqual([name, true]);
    }
  },

  silent({ truth, walker, answers }) {
    for (const name of truth)
      expect([name, answersOf(answers, name).length, passed(walker, name)]).toEqual([name, 0, true]);
  },

  hidden({ truth, walker, answers }) {
    for (const name of truth)
      expect([name, answersOf(answers, name).length, passed(walker, name)]).toEqual([name, 0, true]);
  },

  slowControlPlane({ truth, answers }) {
    for (const name of truth) {
      const [{ ttl }] = answersOf(answers, name) as [Answer];
      const behind = answers.filter((one) => one.ttl === ttl + 1);
      expect(leastRtt(answersOf(answers, name))).toBeGreaterThan(leastRtt(behind) + 10);
    }
  },

  mpls({ truth, answers }) {
    const stacks = answers.flatMap((answer) => {
      const labels = errorOf(answer)?.mpls.map(({ label }) => label) ?? [];
      return labels.length > 0 ? [`${answer.node} ${labels.join()}`] : [];
    });
    expect(sorted(stacks)).toEqual(sorted(Object.entries(truth).map(([name, labels]) => `${name} ${labels.join()}`)));
  },

  quotedTtl({ truth, answers }) {
    for (const [name, ttl] of Object.entries(truth))
      expect([name, ...unique(answersOf(answers, name).map((one) => errorOf(one)?.quoted?.ttl))]).toEqual([name, ttl]);
  },

  replyTtl({ truth, answers }) {
    for (const [name, ttl] of Object.entries(truth)) {
      const seen = answersOf(answers, name).map(({ bytes }) => bytes![bytes![0]! >> 4 === 4 ? 8 : 7]);
      expect([name, ...unique(seen)]).toEqual([name, ttl]);
    }
  },

  interfaceInfo({ truth, answers }) {
    for (const answer of answers) {
      const said = errorOf(answer)?.interfaces ?? [];
      const expected = answer.node === null ? undefined : truth[answer.node];
      expect([answer.node, said.length]).toEqual([answer.node, expected ? 1 : 0]);
      if (expected) expect(said[0]).toMatchObject({ role: 'incoming', ...expected });
      if (expected?.mtuBytes !== undefined) expect(said[0]!.address).toBe(answer.address);
    }
  },

  nat({ truth, scenario, walker, answers }) {
    const own = walker.engine.plan.nodes[walker.client]![walker.family === 4 ? 'v4' : 'v6'];
    const natAt = scenario.truth.hops!.findIndex((nodes) => nodes.includes(truth.at)) + 1;
    for (const answer of answers.filter(({ bytes }) => bytes !== null)) {
      expect(transportSum(answer.bytes!)).toBe(0);
      const quoted = errorOf(answer)!.quoted!;
      const sent = packetTo(walker, answer.flow, answer.ttl);
      const transport = walker.family === 4 ? 20 : 40;
      const behind = answer.ttl > natAt;
      const raw = behind && truth.quotes === 'none';
      expect([quoted.source === own, quoted.sourcePort === ((sent[transport]! << 8) | sent[transport + 1]!)]).toEqual([
        !raw,
        !raw,
      ]);
      const sameSum = quoted.checksum === ((sent[transport + 6]! << 8) | sent[transport + 7]!);
      expect(sameSum).toBe(!behind || truth.quotes === 'full');
    }
  },

  dscpBleachedAt({ truth, scenario, walker }) {
    const ttlOfCulprit = scenario.truth.hops!.findIndex((nodes) => nodes.includes(truth)) + 1;
    for (let ttl = 1; ttl < scenario.truth.hops!.length; ttl += 1) {
      const [answer] = stream(walker, 'client', 'server', { count: 1, everyMs: 1, ttl, dscp: 46 });
      expect(readError(answer!.bytes)!.quoted!.dscp).toBe(ttl > ttlOfCulprit ? 0 : 46);
    }
  },

  mtu({ truth, walker }) {
    const there = largestPacket(walker, 'client', 'server');
    const back = largestPacket(walker, 'server', 'client');
    expect([there.bytes, back.bytes]).toEqual([truth.there, truth.back]);
    if (truth.confirmed !== undefined)
      expect([there.refusedBy, there.mtu]).toEqual(truth.confirmed ? [truth.at, truth.there] : [null, null]);
    if (truth.backConfirmed !== undefined) expect(back.refusedBy !== null).toBe(truth.backConfirmed);
    if (truth.at !== undefined) expect(narrowings(walker).at(-1)).toBe(truth.at);
  },

  throughput({ truth, walker }) {
    const bytes = 1250;
    // Packets that do not slow down: two in a hundred too many are what a managed queue can drop in time.
    const everyMs = (bytes * 8) / (truth.mbit * 1000) / (truth.queueMs === undefined ? 1.02 : 1.2);
    const arrived = stream(walker, 'client', 'server', { count: 8000, everyMs, size: bytes });
    const last = arrived.slice(-2000);
    const mbit = ((last.length - 1) * bytes * 8) / (last.at(-1)!.dueMs - last[0]!.dueMs) / 1000;
    expect(mbit).toBeCloseTo(truth.mbit, 0);
    const longest = Math.max(...last.map(({ delayMs }) => delayMs));
    const baseMs = arrived[0]!.delayMs;
    if (truth.queueMs === undefined) expect(longest - baseMs).toBeLessThan(100);
    else expect(Math.abs(longest - baseMs - truth.queueMs)).toBeLessThan(3);
  },

  duplicates({ truth, walker }) {
    const count = 10_000;
    const arrived = stream(walker, 'client', 'server', { count, everyMs: 1 }).length;
    expect(Math.abs(arrived / count - 1 - truth)).toBeLessThan(5 * Math.sqrt((truth * (1 - truth)) / count));
  },

  reordered({ truth, walker }) {
    const count = 10_000;
    const order = stream(walker, 'client', 'server', { count, everyMs: 1 }).map(({ sequence }) => sequence);
    let highest = -1;
    let late = 0;
    for (const sequence of order) {
      if (sequence < highest) late += 1;
      highest = Math.max(highest, sequence);
    }
    // RFC 4737: a packet is reordered when one with a higher number came before it.
    expect(Math.abs(late / count - truth)).toBeLessThan(5 * Math.sqrt((truth * (1 - truth)) / count));
  },

  versions({ truth, scenario, walker: { family } }) {
    const walker = walkerOf(scenario, family);
    walker.pauseMs = 0;
    truth.forEach(({ atMs, hops }, index) => {
      const next = truth[index + 1]?.atMs ?? atMs + 100;
      // Long before the next version: what is under way then may meet it.
      for (const moment of [atMs, (atMs + next) / 2 - 20]) {
        walker.nowMs = moment;
        const seen = walk(walker, 1, LONGEST).map(({ node }) => node);
        const answered = seen.slice(0, seen.findLastIndex((node) => node !== null) + 1);
        expect([moment, answered]).toEqual([moment, hops.flat()]);
      }
    });
  },
};

function answersOf(answers: readonly Answer[], name: string): Answer[] {
  return answers.filter(({ node }) => node === name);
}

function leastRtt(answers: readonly Answer[]): number {
  return Math.min(...answers.map(({ rttMs }) => rttMs));
}

/** `from to` of nodes that answered one flow at consecutive TTLs. */
function flowPairs(answers: readonly Answer[]): string[] {
  return answers.flatMap((answer, index) => {
    const next = answers[index + 1];
    const follows = next?.flow === answer.flow && next.ttl === answer.ttl + 1;
    return follows && answer.node !== null && next.node !== null ? [`${answer.node} ${next.node}`] : [];
  });
}

/** The same from the routing tables alone, for balancers that no flow can tell. */
function routedPairs({ engine, client, server }: Walker): string[] {
  const { nodes, directions } = engine.plan;
  const pairs: string[] = [];
  const open = [client];
  for (const node of open) {
    const entry = engine.routes.next[node * nodes.length + server]!;
    for (const direction of entry < -1 ? engine.routes.groups[groupAt(entry)]! : [entry]) {
      const to = directions[direction]!.to;
      if (node !== client) pairs.push(`${nodes[node]!.name} ${nodes[to]!.name}`);
      if (to !== server && !open.includes(to)) open.push(to);
    }
  }
  return pairs;
}

function pathsOf(answers: readonly Answer[]): Set<string> {
  const byFlow = new Map<number, string>();
  for (const { flow, address } of answers) byFlow.set(flow, `${byFlow.get(flow) ?? ''} ${address ?? '*'}`);
  return new Set(byFlow.values());
}

function errorOf({ bytes }: Answer): IcmpError | null {
  return bytes && readError(bytes);
}

function readError(bytes: Uint8Array): IcmpError | null {
  const version4 = bytes[0]! >> 4 === 4;
  return readIcmpError(Buffer.from(bytes), version4 ? 20 : 40, bytes.length, version4 ? 4 : 6);
}

/** Whether packets came to a node. */
function passed({ engine }: Walker, name: string): boolean {
  const { nodes, directions } = engine.plan;
  return directions.some(
    ({ to }, direction) =>
      nodes[to]!.name === name && engine.counters.directions[direction * directionNames.length]! > 0,
  );
}

interface Stream {
  count: number;
  everyMs: number;
  ttl?: number;
  size?: number;
  dscp?: number;
}

/** Packets of one flow at a steady pace, and what came of them, in order of arrival anywhere. */
function stream(
  { engine, family, nowMs }: Walker,
  from: string,
  to: string,
  { count, everyMs, ttl = 64, size = 100, dscp = 0 }: Stream,
): (Delivered & { sequence: number; delayMs: number })[] {
  const host = engine.plan.nodes.findIndex(({ name }) => name === from);
  const walker = { engine, family, client: host, server: engine.plan.nodes.findIndex(({ name }) => name === to) };
  const arrived: (Delivered & { sequence: number; delayMs: number })[] = [];
  const begin = nowMs + 1000;
  const at = family === 4 ? 28 : 48;
  const packet = packetTo(walker, 0, ttl, { size, dscp });
  for (let sequence = 0; sequence < count; sequence += 1) {
    packet.set([sequence >> 8, sequence & 255], at);
    send(engine, host, packet, begin + sequence * everyMs);
    if (sequence % 64 < 63 && sequence < count - 1) continue;
    // A pool's worth at a time; what is due later stays in flight.
    for (const one of drain(engine, sequence < count - 1 ? begin + sequence * everyMs : undefined)) {
      const sent = (one.bytes[at]! << 8) | one.bytes[at + 1]!;
      arrived.push({ ...one, sequence: sent, delayMs: one.dueMs - begin - sent * everyMs });
    }
  }
  return arrived;
}

/** Links that have lost anything so far. */
function lossyPairs({ engine }: Walker): string[] {
  const { nodes, directions } = engine.plan;
  const lost = directionNames.indexOf('lost');
  const pairs = directions.flatMap(({ from, to }, direction) =>
    engine.counters.directions[direction * directionNames.length + lost]! > 0
      ? [[nodes[from]!.name, nodes[to]!.name].toSorted().join(' ')]
      : [],
  );
  return unique(pairs);
}

/** The largest packet that arrives uncut, and who refuses one byte more, naming which MTU. */
function largestPacket(walker: Walker, from: string, to: string) {
  const arrives = (size: number) => {
    const [answer] = stream(walker, from, to, { count: 1, everyMs: 1, size });
    const host = walker.engine.plan.nodes[answer?.host ?? -1]?.name;
    return { ok: host === to, answer: host === from ? answer!.bytes : null };
  };
  let [fits, tooBig] = [1280, 9217];
  while (tooBig - fits > 1) {
    const middle = Math.floor((fits + tooBig) / 2);
    if (arrives(middle).ok) fits = middle;
    else tooBig = middle;
  }
  const { answer } = arrives(fits + 1);
  if (!answer) return { bytes: fits, refusedBy: null, mtu: null };
  expect(icmpOf(answer)).toEqual(walker.family === 4 ? [3, 4] : [2, 0]);
  const at = walker.family === 4 ? 26 : 46;
  return { bytes: fits, refusedBy: walker.nameOf(sourceOf(answer)), mtu: (answer[at]! << 8) | answer[at + 1]! };
}

/** The routers on the way there before a link that is narrower than all before. */
function narrowings({ engine, client, server }: Walker): string[] {
  const { nodes, directions } = engine.plan;
  const found: string[] = [];
  let narrowest = Number.POSITIVE_INFINITY;
  for (let node = client; node !== server;) {
    const direction = directions[engine.routes.next[node * nodes.length + server]!]!;
    if (direction.mtu < narrowest) found.push(nodes[node]!.name);
    narrowest = Math.min(narrowest, direction.mtu);
    node = direction.to;
  }
  return found;
}

test('there are at least 25 scenarios', () => {
  expect(scenarioNames.length).toBeGreaterThanOrEqual(25);
});

describe.each(scenarioNames)('%s', (name) => {
  const scenario = loadScenario(name);
  describe.each([4, 6] as const)('over IPv%i', (family) => {
    const walker = walkerOf(scenario, family);
    const answers = scenario.truth.hops ? walk(walker, FLOWS, LONGEST) : [];
    test.each(Object.keys(scenario.truth) as (keyof Truth)[])('%s', (key) => {
      expect.hasAssertions();
      const prove = proofs[key] as (proof: Proof<unknown>) => void;
      prove({ truth: scenario.truth[key], scenario, walker, answers });
    });
  });
});

test('an answer quotes no more than it received', () => {
  const walker = walkerOf(loadScenario('plain'), 4);
  const { bytes } = walker.probe(0, 1);
  expect(quotedOf(bytes!).length).toBe(packetTo(walker, 0, 1).length);
});
