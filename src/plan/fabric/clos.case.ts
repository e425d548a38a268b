import type { Rates } from './bisection.ts';
import type { Clos } from './clos.ts';

/** The fabric switch by switch and link by link, for tests: what the counts of a Clos claim, built. */
export interface Built {
  nodes: number;
  /** Node numbers of the leaves, with the hosts on each. */
  hosts: { leaf: number; count: number }[];
  /** Links between switches with their capacity, Gbit/s; parallel ones summed up. */
  links: { a: number; b: number; gbps: number }[];
  /** Switch ports in use, by switch. */
  ports: number[];
}

export function build(clos: Clos, { endpoints, portGbps, nicGbps }: Rates): Built {
  const perPod = clos.leaves / clos.pods;
  const spine = (pod: number, i: number) => clos.leaves + pod * clos.spinesPerPod + i;
  const core = (plane: number, i: number) =>
    clos.leaves + clos.pods * clos.spinesPerPod + plane * clos.coresPerPlane + i;
  const nodes = core(clos.spinesPerPod, 0);
  const ports = Array.from({ length: nodes }, () => 0);
  const links: Built['links'] = [];
  const connect = (a: number, b: number, count: number) => {
    links.push({ a, b, gbps: count * portGbps });
    ports[a]! += count;
    ports[b]! += count;
  };
  for (let leaf = 0; leaf < clos.leaves; leaf++)
    for (let i = 0; i < clos.spinesPerPod; i++) connect(leaf, spine(Math.floor(leaf / perPod), i), clos.linksPerSpine);
  for (let pod = 0; pod < clos.pods; pod++)
    for (let plane = 0; plane < clos.spinesPerPod; plane++)
      for (let i = 0; i < clos.coresPerPlane; i++) connect(spine(pod, plane), core(plane, i), clos.linksPerCore);
  const small = Math.floor(endpoints / clos.leaves);
  const big = endpoints - small * clos.leaves;
  const hosts = Array.from({ length: clos.leaves }, (_, leaf) => ({ leaf, count: small + (leaf < big ? 1 : 0) }));
  for (const { leaf, count } of hosts) ports[leaf]! += Math.ceil(count / Math.floor(portGbps / nicGbps));
  return { nodes, hosts, links, ports };
}

/** The least max-flow between two halves of the hosts, every way to halve them tried. */
export function bruteBisection(built: Built, nicGbps: number): number {
  const total = built.hosts.reduce((sum, h) => sum + h.count, 0);
  let least = Infinity;
  const choose = (i: number, left: number, here: number[]): void => {
    if (left < 0) return;
    if (i === built.hosts.length) {
      if (left === 0) least = Math.min(least, flowBetween(built, here, nicGbps));
      return;
    }
    for (let n = 0; n <= built.hosts[i]!.count; n++) choose(i + 1, left - n, [...here, n]);
  };
  choose(0, Math.floor(total / 2), []);
  return least;
}

/** Edmonds and Karp on a matrix: slow, short, and shares nothing with what it checks. */
function flowBetween({ nodes, hosts, links }: Built, here: readonly number[], nicGbps: number): number {
  const n = nodes + 2;
  const [source, sink] = [nodes, nodes + 1];
  const room = new Float64Array(n * n);
  for (const { a, b, gbps } of links) {
    room[a * n + b]! += gbps;
    room[b * n + a]! += gbps;
  }
  hosts.forEach(({ leaf, count }, i) => {
    room[source * n + leaf]! += here[i]! * nicGbps;
    room[leaf * n + sink]! += (count - here[i]!) * nicGbps;
  });
  for (let flow = 0; ;) {
    const from = new Int32Array(n).fill(-1);
    from[source] = source;
    const queue = [source];
    for (const at of queue)
      for (let to = 0; to < n; to++)
        if (from[to] === -1 && room[at * n + to]! > 1e-9) queue.push(((from[to] = at), to));
    if (from[sink] === -1) return flow;
    let most = Infinity;
    for (let v = sink; v !== source; v = from[v]!) most = Math.min(most, room[from[v]! * n + v]!);
    for (let v = sink; v !== source; v = from[v]!) {
      room[from[v]! * n + v]! -= most;
      room[v * n + from[v]!]! += most;
    }
    flow += most;
  }
}
