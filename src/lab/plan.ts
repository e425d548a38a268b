import { addressBytes, addressText } from '../wire/ip.ts';
import { shortestPaths } from './routes.ts';
import type { Conditions, Link, Topology } from './topology.ts';

/** One end or router, numbered: hosts come first. */
export interface PlanNode {
  name: string;
  kind: 'host' | 'router';
  v4: string;
  v6: string;
  /** Hosts: the MTU of their device, the smallest of their outgoing links. */
  mtu: number;
  /** Routers: ICMP messages per second and at once; 0 is silent, Infinity unlimited. */
  icmpPerSecond: number;
  icmpBurst: number;
}

/** One direction of a link with nothing left open. */
export interface PlanDirection {
  from: number;
  to: number;
  cost: number;
  delayMs: number;
  jitterMs: number;
  lossRatio: number;
  /** Mean losses in a row; 0 for independent losses. */
  meanBurst: number;
  reorderRatio: number;
  reorderMs: number;
  /** 0 for unlimited. */
  rateMbit: number;
  /** 0 when the queue is measured in time. */
  queuePackets: number;
  queueMs: number;
  mtu: number;
}

/** A topology resolved into numbers: what the forwarder gets, cloneable to its thread. */
export interface Plan {
  seed: number;
  nodes: PlanNode[];
  directions: PlanDirection[];
  /** `next[from * nodes.length + to]`: the direction to take, -1 where there is no way. */
  next: Int32Array;
}

/** Resolves addresses, per-direction conditions and routes. */
export function planOf(topology: Topology): Plan {
  const bare = planNodes(topology);
  const index = new Map(bare.map((node, position) => [node.name, position]));
  const directions = topology.links.flatMap((link) => {
    const [a, b] = [index.get(link.a) ?? -1, index.get(link.b) ?? -1];
    return [direction(link, 'ab', a, b), direction(link, 'ba', b, a)];
  });
  const nodes = bare.map((node, position) => ({
    ...node,
    mtu: Math.min(...directions.filter((one) => one.from === position).map((one) => one.mtu), DEFAULT_MTU_LIMIT),
  }));
  const transit = nodes.map((node) => node.kind === 'router');
  return { seed: topology.seed, nodes, directions, next: shortestPaths(nodes.length, directions, transit) };
}

const DEFAULT_MTU = 1500;
/** Also the MTU of a host without any link. */
const DEFAULT_MTU_LIMIT = 9216;

function direction(link: Link, which: 'ab' | 'ba', from: number, to: number): PlanDirection {
  const set: Conditions = { ...withoutQueue(link, link[which]), ...link[which] };
  const delayMs = set.delayMs ?? 0;
  const loss = typeof set.loss === 'object' ? set.loss : { ratio: set.loss ?? 0 };
  return {
    from,
    to,
    cost: link.cost ?? delayMs + 1,
    delayMs,
    jitterMs: set.jitterMs ?? 0,
    lossRatio: loss.ratio,
    meanBurst: loss.meanBurst ?? 0,
    reorderRatio: set.reorder ?? 0,
    reorderMs: set.reorderMs ?? 2,
    rateMbit: set.rateMbit ?? 0,
    queuePackets: set.queuePackets ?? 0,
    queueMs: set.queueMs ?? 100,
    mtu: set.mtu ?? DEFAULT_MTU,
  };
}

/** A direction that names its own queue replaces the link's, whichever unit either uses. */
function withoutQueue(link: Link, own: Conditions | undefined): Conditions {
  const { queuePackets, queueMs, ...others } = link;
  if (own?.queuePackets !== undefined || own?.queueMs !== undefined) return others;
  return {
    ...others,
    ...(queuePackets === undefined ? {} : { queuePackets }),
    ...(queueMs === undefined ? {} : { queueMs }),
  };
}

function planNodes(topology: Topology): PlanNode[] {
  const stated = [...topology.hosts, ...topology.routers].flatMap((node) => node.addresses ?? []);
  const taken = new Set(stated.map(canonical));
  const hosts = topology.hosts.map((host) => ({
    name: host.name,
    kind: 'host' as const,
    ...addressesOf(host.addresses ?? [], 1, taken),
    mtu: 0,
    icmpPerSecond: Number.POSITIVE_INFINITY,
    icmpBurst: 1,
  }));
  const routers = topology.routers.map((router) => {
    const limit = typeof router.icmp === 'object' ? router.icmp : undefined;
    return {
      name: router.name,
      kind: 'router' as const,
      ...addressesOf(router.addresses ?? [], 2, taken),
      mtu: 0,
      icmpPerSecond: router.icmp === false ? 0 : (limit?.perSecond ?? Number.POSITIVE_INFINITY),
      icmpBurst: limit?.burst ?? 1,
    };
  });
  return [...hosts, ...routers];
}

/** The stated addresses, and the first free ones of 10.<block>.0.0/16 and fd00:<block>::/32 for a family not stated. */
function addressesOf(stated: readonly string[], block: number, taken: Set<string>): { v4: string; v6: string } {
  const v4 = stated.find((text) => !text.includes(':')) ?? firstFree((n) => `10.${block}.${n >> 8}.${n & 0xff}`, taken);
  const v6 = stated.find((text) => text.includes(':')) ?? firstFree((n) => `fd00:${block}::${n.toString(16)}`, taken);
  return { v4: canonical(v4), v6: canonical(v6) };
}

function firstFree(make: (n: number) => string, taken: Set<string>): string {
  for (let n = 1; ; n += 1) {
    const text = canonical(make(n));
    if (taken.has(text)) continue;
    taken.add(text);
    return text;
  }
}

function canonical(text: string): string {
  return addressText(addressBytes(text));
}
