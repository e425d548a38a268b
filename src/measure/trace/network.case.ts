import { seededRandom } from '../../stats/random.ts';

/** A network of routers between here and one target, made at random, whose truth is known: for tests of discovery. */
export interface Network {
  /** By node: the nodes that a packet may go to next. Node 0 is here, the last is the target. */
  next: number[][];
  address: string[];
  silent: boolean[];
  perPacket: boolean[];
  loss: number;
  seed: number;
}

export interface NetworkOptions {
  seed: number;
  shape?: 'uniform' | 'meshed' | 'any';
  silentShare?: number;
  perPacketShare?: number;
  loss?: number;
}

/** Layers of one to six routers; each router leads to one or more of the next layer, in shape `any` sometimes of the one after. */
export function randomNetwork(options: NetworkOptions): Network {
  const { seed, shape = 'any', silentShare = 0, perPacketShare = 0, loss = 0 } = options;
  const random = seededRandom(seed);
  const below = (n: number) => Math.floor(random() * n);
  const layers = [[0]];
  let nodes = 1;
  const count = 2 + below(6);
  for (let i = 0; i < count; i++) {
    const width = shape === 'uniform' ? (random() < 0.5 ? 1 : [2, 4][below(2)]!) : random() < 0.4 ? 1 : 1 + below(6);
    layers.push(Array.from({ length: width }, () => nodes++));
  }
  layers.push([nodes++]);
  const next = Array.from({ length: nodes }, () => [] as number[]);
  for (let i = 0; i + 1 < layers.length; i++) link(next, layers[i]!, layers[i + 1]!, shape, random);
  if (shape === 'any' && random() < 0.3) {
    const i = below(layers.length - 2);
    next[pick(layers[i]!, random)]!.push(pick(layers[i + 2]!, random));
  }
  const inner = (share: number) => next.map((_, node) => node > 0 && node < nodes - 1 && random() < share);
  return {
    next,
    address: next.map((_, node) => `10.0.${node >> 8}.${node & 255}`),
    silent: inner(silentShare),
    perPacket: inner(perPacketShare),
    loss,
    seed,
  };
}

function pick(from: readonly number[], random: () => number): number {
  return from[Math.floor(random() * from.length)]!;
}

function link(
  next: number[][],
  near: readonly number[],
  far: readonly number[],
  shape: NetworkOptions['shape'],
  random: () => number,
): void {
  if (shape === 'uniform') {
    const wide = Math.max(near.length, far.length);
    for (let i = 0; i < wide; i++) {
      // Neighbours stay together where the hop narrows or widens: no mesh, and even where the widths divide.
      const from = near[Math.floor((i * near.length) / wide)]!;
      next[from]!.push(far[Math.floor((i * far.length) / wide)]!);
    }
    return;
  }
  for (const to of far) next[pick(near, random)]!.push(to);
  for (const from of near) {
    if (next[from]!.length === 0 || random() < 0.3) {
      const to = pick(far, random);
      if (!next[from]!.includes(to)) next[from]!.push(to);
    }
  }
}

function mix(...values: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const value of values) {
    state = Math.imul(state ^ value, 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return state >>> 0;
}

/** Who answers a packet of this flow and TTL: null for silence. `nth` tells packets of one flow apart. */
export function answerOf(
  network: Network,
  ttl: number,
  flow: number,
  nth: number,
): { address: string; ends: boolean } | null {
  let node = 0;
  for (let hop = 1; hop <= ttl; hop++) {
    const ways = network.next[node]!;
    if (ways.length === 0) break;
    const draw = network.perPacket[node] ? mix(network.seed, node, flow, ttl, nth, 77) : mix(network.seed, node, flow);
    node = ways[draw % ways.length]!;
  }
  if (network.silent[node] || mix(network.seed, ttl, flow, nth) / 2 ** 32 < network.loss) return null;
  return { address: network.address[node]!, ends: node === network.next.length - 1 };
}

/** Addresses that answer and that packets can come to, and the pairs of neighbours among all nodes, as `a>b`. */
export function truthOf(network: Network): { addresses: Set<string>; links: Set<string>; balancers: number } {
  const reachable = new Set([0]);
  for (const node of reachable) network.next[node]!.forEach((to) => reachable.add(to));
  const links = new Set<string>();
  const addresses = new Set<string>();
  let balancers = 0;
  for (const node of reachable) {
    if (network.next[node]!.length > 1) balancers++;
    if (node > 0 && !network.silent[node]) addresses.add(network.address[node]!);
    for (const to of network.next[node]!) links.add(`${network.address[node]}>${network.address[to]}`);
  }
  return { addresses, links, balancers };
}
