import type { TopologyMap } from '../../gather/topology/graphml.ts';
import { mapLengths } from '../../gather/topology/map-lengths.ts';
import { cableFailing, cableFailures, cableRepair, neverFails } from './failing.ts';
import type { FromNetwork } from './from-network.ts';
import type { NetRisk } from './risk-network.ts';

/** Length of every link of a map that says of none where it is, km. */
const kmPerHop = 100;

/** A map has links and nodes and nothing else: no carriers, no ducts; cables fail by their length. */
export function riskNetworkOfMap(map: TopologyMap, routeFactor: number, groups: readonly MapGroup[] = []): FromNetwork {
  const { unit, length, assumed, assumedLength } = mapLengths(map, routeFactor);
  const kmOf = (link: number) => (unit === 'm' ? length[link]! / 1000 : kmPerHop);
  const notes = [
    unit === 'm'
      ? `lengths are great circles × ${routeFactor}, which is a guess`
      : `the map does not say where its nodes are: every link is taken to be ${kmPerHop} km long`,
    ...(assumed > 0
      ? [
          `${assumed} links without a place at one end are taken to be ${Math.round(assumedLength! / 1000)} km long, the median`,
        ]
      : []),
    'the map has no risk groups: what its links share in the ground is not in the result',
  ].slice(0, groups.length > 0 ? -1 : undefined);
  const cable = (km: number) => cableFailing(km, cableFailures.value, cableRepair.value, false);
  const shared = (link: number) => groups.filter(({ links }) => links.includes(link));
  return {
    net: {
      nodes: map.nodes.map(({ name }) => ({ name, site: null, failing: neverFails, carrier: null, groups: [] })),
      links: map.links.map(({ name, from, to }, i) => {
        const its = shared(i);
        const ownKm = Math.max(0, kmOf(i) - its.reduce((sum, { lengthKm }) => sum + lengthKm, 0));
        return {
          name,
          from: map.nodes[from]!.name,
          to: map.nodes[to]!.name,
          lengthKm: kmOf(i),
          carrier: null,
          groups: its.map((group) => group.name),
          failing: cable(ownKm),
        };
      }),
      groups: groups.map(({ name, lengthKm }): NetRisk => ({ name, lengthKm, failing: cable(lengthKm) })),
      carriers: [],
      sites: [],
    },
    notes,
  };
}

/** What some links of a map share, by their numbers. */
export interface MapGroup {
  name: string;
  lengthKm: number;
  links: readonly number[];
}
