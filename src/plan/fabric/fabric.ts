import type { Figure } from '../../model/figure.ts';
import type { PlanFabric } from '../../model/plan/fabric.ts';
import { computed } from '../figures.ts';
import { bisectionGbps, type Rates } from './bisection.ts';
import { type Clos, designClos, largestFabric, nicsPerPort } from './clos.ts';
import { fabricFailures } from './failures.ts';
import { fabricFindings } from './findings.ts';
import { mediumFor } from './reach.ts';

/** What is wanted; every number with its origin. */
export interface FabricWish {
  gpus: Figure;
  gpusPerNode: Figure;
  nicsPerGpu: Figure;
  nicGbps: Figure;
  radix: Figure;
  portGbps: Figure;
  oversubscription: Figure;
  /** 0: no rails. */
  rails: Figure;
  hostToLeafM: Figure;
  leafToSpineM: Figure;
  spineToCoreM: Figure;
}

/** A mistake between figures that each alone would do. */
export function wishMistakes(wish: FabricWish): string[] {
  const nicsPerNode = wish.gpusPerNode.value * wish.nicsPerGpu.value;
  const rails = wish.rails.value;
  return [
    ...(wish.nicGbps.value > wish.portGbps.value
      ? [`nicGbps: found ${wish.nicGbps.value}; allowed: at most the rate of a switch port, ${wish.portGbps.value}`]
      : []),
    ...(rails > 1 && nicsPerNode % rails !== 0
      ? [`rails: found ${rails}; allowed: 0 or a divisor of the ${nicsPerNode} NICs of a node`]
      : []),
  ];
}

/** The fabric for a cluster; null when three tiers of these switches cannot connect it. */
export function planFabric(wish: FabricWish): PlanFabric | null {
  const nodes = Math.ceil(wish.gpus.value / wish.gpusPerNode.value);
  const nicsPerNode = wish.gpusPerNode.value * wish.nicsPerGpu.value;
  // Rails want full nodes: every leaf of a rail has a port for every node.
  const endpoints = wish.rails.value > 1 ? nodes * nicsPerNode : wish.gpus.value * wish.nicsPerGpu.value;
  const closWish = {
    endpoints,
    nicGbps: wish.nicGbps.value,
    radix: wish.radix.value,
    portGbps: wish.portGbps.value,
    oversubscription: wish.oversubscription.value,
    rails: Math.max(1, wish.rails.value),
  };
  const clos = designClos(closWish);
  if (!clos) return null;
  const rates: Rates = { endpoints, nicGbps: closWish.nicGbps, portGbps: closWish.portGbps };
  const bisection = bisectionGbps(clos, rates);
  const full = Math.floor(endpoints / 2) * closWish.nicGbps;
  const perLeaf = Math.ceil(endpoints / clos.leaves);
  const cables = cablesOf(clos, rates, wish);
  const oversubscription = clos.tiers === 1 ? 1 : (perLeaf * rates.nicGbps) / (clos.leafUp * rates.portGbps);
  const failures = fabricFailures(clos, rates, {
    nicsPerNode,
    nicsPerGpu: wish.nicsPerGpu.value,
    rails: closWish.rails,
  });
  const plan: Omit<PlanFabric, 'findings'> = {
    schema: 'inferpath/plan-fabric@1',
    layout: wish.rails.value > 1 ? 'rail-optimised' : 'leaf-spine',
    tiers: clos.tiers,
    gpus: wish.gpus.value,
    nodes,
    endpoints,
    switches: switchesOf(clos),
    pods: clos.pods,
    leaf: { hostPorts: clos.leafDown, endpoints: perLeaf, uplinks: clos.leafUp, linksPerSpine: clos.linksPerSpine },
    spine: {
      downlinks: (clos.leaves / clos.pods) * clos.linksPerSpine,
      uplinks: clos.coresPerPlane * clos.linksPerCore,
      linksPerCore: clos.linksPerCore,
    },
    ports: portsOf(clos, rates, wish.radix.value),
    cables,
    transceivers: cables.reduce((sum, c) => sum + c.transceivers, 0),
    oversubscription,
    bisectionGbps: bisection,
    fullBisectionGbps: full,
    mtu,
    failures,
    largest: largestFabric(closWish),
    figures: [
      ...Object.values(wish),
      computed(
        'NIC ports',
        endpoints,
        '',
        wish.rails.value > 1 ? 'nodes, filled up, × NICs of a node' : 'GPUs × NICs of a GPU',
        [wish.gpus, wish.nicsPerGpu, wish.gpusPerNode],
      ),
      computed('bisection', bisection, 'Gbit/s', 'least cut between two halves of the NICs, over all halves', [
        wish.nicGbps,
        wish.portGbps,
        wish.oversubscription,
      ]),
    ],
    notes: notesOf(clos, rates),
  };
  return { ...plan, findings: fabricFindings(plan) };
}

/** RoCEv2 carries an InfiniBand packet of at most 4,096 B of payload (IBTA, annex A17); jumbo frames leave room around it. */
const mtu = {
  hostBytes: 9000,
  switchBytes: 9216,
  how: 'RoCEv2 at the InfiniBand MTU of 4,096 B needs 4,096 + BTH 12 + RETH 16 + CRC 4 + UDP 8 + IPv6 40 = 4,176 B; TCP gains from 9,000; switches get 9,216 for tags and tunnels',
};

function switchesOf({ leaves, pods, spinesPerPod, coresPerPlane }: Clos): PlanFabric['switches'] {
  const [spine, core] = [pods * spinesPerPod, spinesPerPod * coresPerPlane];
  return { leaf: leaves, spine, core, total: leaves + spine + core };
}

function portsOf(clos: Clos, rates: Rates, radix: number): PlanFabric['ports'] {
  const total = switchesOf(clos).total * radix;
  const hostPorts = portsTowardsHosts(clos, rates);
  const used = hostPorts + 2 * (linksToSpines(clos) + linksToCores(clos));
  return { total, used, free: total - used };
}

/** Leaves have the same number of NICs, or one more; each fills its ports before it takes another. */
function portsTowardsHosts({ leaves }: Clos, rates: Rates): number {
  const breakout = nicsPerPort(rates);
  const small = Math.floor(rates.endpoints / leaves);
  const big = rates.endpoints - small * leaves;
  return big * Math.ceil((small + 1) / breakout) + (leaves - big) * Math.ceil(small / breakout);
}

const linksToSpines = ({ leaves, leafUp }: Clos): number => leaves * leafUp;
const linksToCores = ({ pods, spinesPerPod, coresPerPlane, linksPerCore }: Clos): number =>
  pods * spinesPerPod * coresPerPlane * linksPerCore;

function cablesOf(clos: Clos, rates: Rates, wish: FabricWish): PlanFabric['cables'] {
  const kinds = [
    ['host-leaf', rates.endpoints, rates.nicGbps, wish.hostToLeafM.value],
    ['leaf-spine', linksToSpines(clos), rates.portGbps, wish.leafToSpineM.value],
    ['spine-core', linksToCores(clos), rates.portGbps, wish.spineToCoreM.value],
  ] as const;
  return kinds
    .filter(([, count]) => count > 0)
    .map(([between, count, gbps, lengthM]) => {
      const medium = mediumFor(lengthM, between === 'host-leaf' ? rates.portGbps : gbps);
      return {
        between,
        count,
        gbps,
        lengthM,
        medium: medium?.name ?? 'longer than LR optics reach',
        kind: medium?.kind ?? ('beyond' as const),
        transceivers: medium?.kind === 'optic' ? transceivers(between === 'host-leaf', count, clos, rates) : 0,
        how: medium ? `${lengthM} m; ${medium.source}` : `${lengthM} m; see plan optical`,
      };
    });
}

/** Two ends for each link; where a port is broken out, one module at the switch serves several NICs. */
function transceivers(toHosts: boolean, count: number, clos: Clos, rates: Rates): number {
  return toHosts ? count + portsTowardsHosts(clos, rates) : 2 * count;
}

function notesOf(clos: Clos, rates: Rates): string[] {
  const breakout = nicsPerPort(rates);
  return [
    'spare switches, management and storage networks are not counted',
    'bisection is what perfect load balancing can reach: with ECMP on few large flows expect less',
    ...(breakout > 1 ? [`each switch port is broken out to ${breakout} NICs`] : []),
    ...(clos.tiers === 3 ? ['pods are equal: leaves are rounded up to fill them'] : []),
  ];
}
