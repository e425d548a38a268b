import { addressBytes, addressText } from '../wire/ip.ts';
import { shortestPaths, type Routes } from './routes.ts';
import {
  interfaceParts,
  type balanceModes,
  type Conditions,
  type Link,
  type Router,
  type Step,
  type Topology,
} from './topology.ts';

/** How a router makes its own ICMP messages. */
export interface PlanIcmp {
  /** Messages per second and at once; 0 is silent, Infinity unlimited. */
  perSecond: number;
  burst: number;
  /** Milliseconds between errors to one destination; 0 for no such limit. */
  perDestinationMs: number;
  tooBig: boolean;
  delayMs: number;
  jitterMs: number;
}

/** One end or router, numbered: hosts come first. */
export interface PlanNode {
  name: string;
  kind: 'host' | 'router';
  v4: string;
  v6: string;
  /** Hosts: the MTU of their device, the smallest of their outgoing links. */
  mtu: number;
  /** The rest is what routers do; hosts do nothing of it. */
  icmp: PlanIcmp;
  balance: (typeof balanceModes)[number];
  flowLabel: boolean;
  mpls: Router['mpls'] | null;
  interfaceInfo: readonly (typeof interfaceParts)[number][];
  nat: Router['nat'] | null;
  ttl: 'decrement' | 'keep' | number;
  dscp: number | null;
}

/** Where packets of a direction come in: an interface of the node at its end, numbered from 1 in the order of its links. */
export interface PlanInterface {
  v4: string;
  v6: string;
  index: number;
}

/** One direction of a link with nothing left open. */
export interface PlanDirection {
  from: number;
  to: number;
  entry: PlanInterface;
  cost: number;
  delayMs: number;
  jitterMs: number;
  lossRatio: number;
  /** Mean losses in a row; 0 for independent losses. */
  meanBurst: number;
  reorderRatio: number;
  reorderMs: number;
  duplicateRatio: number;
  /** 0 for unlimited. */
  rateMbit: number;
  /** 0 when the queue is measured in time. */
  queuePackets: number;
  queueMs: number;
  codel: boolean;
  mtu: number;
}

/** A change on the timeline. */
export interface PlanStep {
  atMs: number;
  /** 0: once. */
  everyMs: number;
  convergeMs: number;
  directions: number[];
  /** Undefined: neither goes down nor comes back. */
  down: boolean | undefined;
  change: Partial<PlanDirection>;
}

/** A topology resolved into numbers: what the forwarder gets, cloneable to its thread. */
export interface Plan {
  seed: number;
  nodes: PlanNode[];
  directions: PlanDirection[];
  routes: Routes;
  timeline: PlanStep[];
}

/** Resolves addresses, per-direction conditions and routes. */
export function planOf(topology: Topology): Plan {
  const free = addressPool(statedAddresses(topology));
  const bare = planNodes(topology, free);
  const directions = planDirections(topology, bare, free);
  const nodes = bare.map((node, position) => ({
    ...node,
    mtu: Math.min(...directions.filter((one) => one.from === position).map((one) => one.mtu), DEFAULT_MTU_LIMIT),
  }));
  return {
    seed: topology.seed,
    nodes,
    directions,
    routes: routesOf(nodes, directions),
    timeline: topology.timeline.map((step) => planStep(step, topology.links)),
  };
}

/** The routes over `directions`, of which those that are `down` do not count. */
export function routesOf(nodes: readonly PlanNode[], directions: readonly PlanDirection[], down?: Uint8Array): Routes {
  const edges = down
    ? directions.map((one, index) => (down[index] ? { ...one, cost: Number.POSITIVE_INFINITY } : one))
    : directions;
  const transit = nodes.map((node) => node.kind === 'router');
  const balances = nodes.map((node) => node.balance !== 'none');
  return shortestPaths(nodes.length, edges, transit, balances);
}

const DEFAULT_MTU = 1500;
/** Also the MTU of a host without any link. */
const DEFAULT_MTU_LIMIT = 9216;

function planDirections(topology: Topology, nodes: readonly PlanNode[], free: AddressPool): PlanDirection[] {
  const position = new Map(nodes.map((node, index) => [node.name, index]));
  const links = nodes.map(() => 0);
  const end = (name: string, stated: readonly string[] | undefined): { node: number; entry: PlanInterface } => {
    const node = position.get(name)!;
    const { kind, v4, v6 } = nodes[node]!;
    links[node]! += 1;
    const own = kind === 'router' && (topology.interfaces || stated !== undefined);
    return { node, entry: { ...(own ? addressesOf(stated ?? [], 3, free) : { v4, v6 }), index: links[node]! } };
  };
  return topology.links.flatMap((link) => {
    const a = end(link.a, link.aAddresses);
    const b = end(link.b, link.bAddresses);
    return [
      { from: a.node, to: b.node, entry: b.entry, ...conditionsOf(link, 'ab') },
      { from: b.node, to: a.node, entry: a.entry, ...conditionsOf(link, 'ba') },
    ];
  });
}

type Settings = Omit<PlanDirection, 'from' | 'to' | 'entry'>;

const unconditional: Omit<Settings, 'cost'> = {
  delayMs: 0,
  jitterMs: 0,
  lossRatio: 0,
  meanBurst: 0,
  reorderRatio: 0,
  reorderMs: 2,
  duplicateRatio: 0,
  rateMbit: 0,
  queuePackets: 0,
  queueMs: 100,
  codel: false,
  mtu: DEFAULT_MTU,
};

function conditionsOf(link: Link, which: 'ab' | 'ba'): Settings {
  const set = settingsOf({ ...withoutQueue(link, link[which]), ...link[which] });
  return { ...unconditional, cost: (set.delayMs ?? 0) + 1, ...set };
}

/** What is stated, in the plan's terms. */
function settingsOf({ loss, reorder, duplicate, aqm, ...same }: Conditions): Partial<Settings> {
  const lost = typeof loss === 'object' ? loss : { ratio: loss, meanBurst: 0 };
  const kept = ['delayMs', 'jitterMs', 'reorderMs', 'rateMbit', 'queuePackets', 'queueMs', 'mtu', 'cost'] as const;
  return {
    ...Object.fromEntries(kept.flatMap((key) => (same[key] === undefined ? [] : [[key, same[key]]]))),
    ...(lost.ratio === undefined ? {} : { lossRatio: lost.ratio, meanBurst: lost.meanBurst ?? 0 }),
    ...(reorder === undefined ? {} : { reorderRatio: reorder }),
    ...(duplicate === undefined ? {} : { duplicateRatio: duplicate }),
    ...(aqm === undefined ? {} : { codel: aqm === 'codel' }),
  };
}

function planStep({ atMs, everyMs, convergeMs, link, oneWay, router, set }: Step, links: readonly Link[]): PlanStep {
  const { down, ...conditions } = set;
  const [first, second] = link ?? [router, router];
  const directions = links.flatMap(({ a, b }, index) => {
    if (!link) return a === router || b === router ? [2 * index, 2 * index + 1] : [];
    if (a === first && b === second) return oneWay ? [2 * index] : [2 * index, 2 * index + 1];
    if (a === second && b === first) return oneWay ? [2 * index + 1] : [2 * index, 2 * index + 1];
    return [];
  });
  // A queue in time takes the place of one in packets.
  const change = { ...(set.queueMs === undefined ? {} : { queuePackets: 0 }), ...settingsOf(conditions) };
  return { atMs, everyMs: everyMs ?? 0, convergeMs, directions, down, change };
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

function statedAddresses({ hosts, routers, links }: Topology): string[] {
  return [
    ...[...hosts, ...routers].flatMap((node) => node.addresses ?? []),
    ...links.flatMap((link) => [...(link.aAddresses ?? []), ...(link.bAddresses ?? [])]),
  ];
}

function planNodes(topology: Topology, free: AddressPool): PlanNode[] {
  const hosts = topology.hosts.map((host) => ({
    ...passive,
    name: host.name,
    kind: 'host' as const,
    ...addressesOf(host.addresses ?? [], 1, free),
    mtu: 0,
  }));
  const routers = topology.routers.map((router) => ({
    name: router.name,
    kind: 'router' as const,
    ...addressesOf(router.addresses ?? [], 2, free),
    mtu: 0,
    icmp: icmpOf(router),
    balance: router.balance ?? passive.balance,
    flowLabel: router.flowLabel ?? false,
    mpls: router.mpls ?? null,
    interfaceInfo: router.interfaceInfo === true ? interfaceParts : router.interfaceInfo || [],
    nat: router.nat ?? null,
    ttl: router.ttl ?? passive.ttl,
    dscp: router.dscp ?? null,
  }));
  return [...hosts, ...routers];
}

const freely: PlanIcmp = {
  perSecond: Number.POSITIVE_INFINITY,
  burst: 1,
  perDestinationMs: 0,
  tooBig: true,
  delayMs: 0,
  jitterMs: 0,
};

const passive = {
  icmp: freely,
  balance: 'none',
  flowLabel: false,
  mpls: null,
  interfaceInfo: [],
  nat: null,
  ttl: 'decrement',
  dscp: null,
} as const;

function icmpOf({ icmp }: Router): PlanIcmp {
  if (icmp === false) return { ...freely, perSecond: 0 };
  if (icmp === true || icmp === undefined) return freely;
  return {
    perSecond: icmp.perSecond ?? freely.perSecond,
    burst: icmp.burst ?? freely.burst,
    perDestinationMs: icmp.perDestinationMs ?? 0,
    tooBig: icmp.tooBig ?? true,
    delayMs: icmp.delayMs ?? 0,
    jitterMs: icmp.jitterMs ?? 0,
  };
}

/** Addresses that are given to nobody twice, and how many of each block were tried. */
interface AddressPool {
  taken: Set<string>;
  tried: Map<string, number>;
}

function addressPool(stated: readonly string[]): AddressPool {
  return { taken: new Set(stated.map(canonical)), tried: new Map() };
}

/** The stated addresses, and the first free ones of 10.<block>.0.0/16 and fd00:<block>::/32 for a family not stated. */
function addressesOf(stated: readonly string[], block: number, free: AddressPool): { v4: string; v6: string } {
  const v4 = stated.find((text) => !text.includes(':'));
  const v6 = stated.find((text) => text.includes(':'));
  return {
    v4: v4 === undefined ? nextFree(free, `10.${block}.`, (n) => `${n >> 8}.${n & 0xff}`) : canonical(v4),
    v6: v6 === undefined ? nextFree(free, `fd00:${block}::`, (n) => n.toString(16)) : canonical(v6),
  };
}

function nextFree({ taken, tried }: AddressPool, prefix: string, suffix: (n: number) => string): string {
  for (;;) {
    const n = (tried.get(prefix) ?? 0) + 1;
    tried.set(prefix, n);
    const text = canonical(prefix + suffix(n));
    if (!taken.has(text)) return text;
  }
}

function canonical(text: string): string {
  return addressText(addressBytes(text));
}
