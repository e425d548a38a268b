/** A folded Clos of identical switches, in numbers; everything is symmetric, so counts say it all. */
export interface Clos {
  tiers: 1 | 2 | 3;
  leaves: number;
  /** Ports of a leaf to hosts and to spines. */
  leafDown: number;
  leafUp: number;
  /** Pods of a fabric of three tiers; 1 below that. */
  pods: number;
  spinesPerPod: number;
  /** Links from each leaf to each spine of its pod. */
  linksPerSpine: number;
  /** Cores over each spine position, which only connect the spines of that position (a plane); 0 below three tiers. */
  coresPerPlane: number;
  /** Links from each spine to each core of its plane. */
  linksPerCore: number;
}

export interface ClosWish {
  /** NIC ports to connect. */
  endpoints: number;
  nicGbps: number;
  /** Ports of a switch and their rate; a port can be broken out to several NICs. */
  radix: number;
  portGbps: number;
  /** Capacity towards hosts over capacity towards spines, 1 or more. */
  oversubscription: number;
  /** Leaves come in groups of so many, one of each rail; 1: no rails. */
  rails: number;
}

/** NICs that one switch port serves. */
export const nicsPerPort = ({ portGbps, nicGbps }: Pick<ClosWish, 'portGbps' | 'nicGbps'>): number =>
  Math.floor(portGbps / nicGbps);

/** The smallest fabric of one, two or three tiers that connects all; null when three tiers cannot. */
export function designClos(wish: ClosWish): Clos | null {
  const { endpoints, radix, rails } = wish;
  const breakout = nicsPerPort(wish);
  if (rails === 1 && endpoints <= radix * breakout) return oneSwitch(Math.ceil(endpoints / breakout));
  const most = largestLeaf(wish);
  if (most < 1) return null;
  const perRail = Math.ceil(endpoints / rails);
  const leaves = rails * Math.ceil(perRail / (most * breakout));
  const leafDown = Math.ceil(endpoints / leaves / breakout);
  const leafUp = uplinks(leafDown, wish);
  return twoTiers(leaves, leafDown, leafUp, radix) ?? threeTiers(leaves, leafUp, wish);
}

/** Most NICs that two and three tiers can connect with these switches. */
export function largestFabric(wish: ClosWish): { twoTiers: number; threeTiers: number } {
  const down = largestLeaf(wish);
  const perLeaf = down * nicsPerPort(wish);
  // Spines give half of their ports to leaves and half to cores; a core reaches one pod with every port.
  return { twoTiers: perLeaf * wish.radix, threeTiers: perLeaf * Math.floor(wish.radix / 2) * wish.radix };
}

function oneSwitch(leafDown: number): Clos {
  return {
    tiers: 1,
    leaves: 1,
    leafDown,
    leafUp: 0,
    pods: 1,
    spinesPerPod: 0,
    linksPerSpine: 0,
    coresPerPlane: 0,
    linksPerCore: 0,
  };
}

/** Most host ports of a leaf that leave enough ports for the uplinks they need. */
function largestLeaf(wish: ClosWish): number {
  let down = wish.radix - 1;
  while (down > 0 && down + uplinks(down, wish) > wish.radix) down--;
  return down;
}

function uplinks(down: number, wish: ClosWish): number {
  const towardsHosts = down * nicsPerPort(wish) * wish.nicGbps;
  // A billionth keeps 32 × 400 ÷ (2 × 400) from becoming 17.
  return Math.ceil(towardsHosts / (wish.oversubscription * wish.portGbps) - 1e-9);
}

/** Fewest switches above `below` of them with `up` links each, at most `ports` ports used downwards and two for redundancy. */
function above(below: number, up: number, ports: number, spare: number): { switches: number; links: number } | null {
  let best: { switches: number; links: number } | null = null;
  const most = Math.min(Math.floor(ports / below), Math.max(1, Math.floor(up / 2)));
  for (let links = 1; links <= most; links++) {
    const switches = Math.ceil(up / links);
    if (switches * links > up + spare) continue;
    const better = !best || switches < best.switches || (switches === best.switches && links < best.links);
    if (better) best = { switches, links };
  }
  return best;
}

function twoTiers(leaves: number, leafDown: number, leafUp: number, radix: number): Clos | null {
  const spine = above(leaves, leafUp, radix, radix - leafDown - leafUp);
  if (!spine) return null;
  return {
    tiers: 2,
    leaves,
    leafDown,
    leafUp: spine.switches * spine.links,
    pods: 1,
    spinesPerPod: spine.switches,
    linksPerSpine: spine.links,
    coresPerPlane: 0,
    linksPerCore: 0,
  };
}

/** Pods are equal and hold whole groups of rails, so the number of leaves is rounded up to fill them. */
function threeTiers(wanted: number, leafUp: number, wish: ClosWish): Clos | null {
  const { radix, rails } = wish;
  const half = Math.floor(radix / 2);
  const group = rails <= half ? rails : 1;
  const mostPerPod = Math.floor(half / group) * group;
  let pods = Math.max(2, Math.ceil(wanted / mostPerPod));
  const leavesIn = (n: number) => Math.ceil(wanted / n / group) * group;
  // More rails than a pod has room for: pods of a number that still makes every rail as large as the others.
  while (pods <= radix && (pods * leavesIn(pods)) % rails !== 0) pods++;
  if (pods > radix) return null;
  const perPod = leavesIn(pods);
  const leaves = perPod * pods;
  const leafDown = Math.ceil(wish.endpoints / leaves / nicsPerPort(wish));
  const up = Math.min(leafUp, uplinks(leafDown, wish));
  const spine = above(perPod, up, half, radix - leafDown - up);
  if (!spine) return null;
  // As many links up as down: above the leaves nothing is oversubscribed.
  const spineUp = perPod * spine.links;
  const core = above(pods, spineUp, radix, radix - 2 * spineUp);
  if (!core) return null;
  return {
    tiers: 3,
    leaves,
    leafDown,
    leafUp: spine.switches * spine.links,
    pods,
    spinesPerPod: spine.switches,
    linksPerSpine: spine.links,
    coresPerPlane: core.switches,
    linksPerCore: core.links,
  };
}
