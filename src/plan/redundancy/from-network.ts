import type { Link, Network } from '../../model/network.ts';
import { linkLength, placesOf } from '../lengths.ts';
import {
  beyond,
  cableFailing,
  cableFailures,
  cableRepair,
  enteredFailing,
  type Failing,
  type FailingKeys,
  neverFails,
} from './failing.ts';
import type { NetLink, NetNode, NetRisk, RiskNetwork } from './risk-network.ts';

type Group = Network['riskGroups'][number];

/** What was not in the network file, for whoever reads the result. */
export interface FromNetwork {
  net: RiskNetwork;
  notes: string[];
}

/**
 * Sites are nodes; a site with devices is a node that its devices hang on, so that links may end at either. What joins a site and its
 * devices never fails.
 */
export function riskNetworkOf(network: Network): FromNetwork {
  const notes: string[] = [];
  const places = placesOf(network);
  const lengthOf = (link: Pick<Link, 'lengthKm' | 'route' | 'from' | 'to'>) =>
    linkLength(link, places, network.planning.routeFactor)?.lengthKm ?? null;
  const unknownLength = network.links.filter((link) => lengthOf(link) === null).map(({ name }) => name);
  if (unknownLength.length > 0)
    notes.push(`no length is known of ${unknownLength.join(', ')}: counted as 0 km, so that its cable never fails`);
  const groups = network.riskGroups.map((group) => groupOf(group, network, lengthOf, notes));
  const net: RiskNetwork = {
    nodes: nodesOf(network),
    links: [
      ...network.links.map((link) => linkOf(link, lengthOf(link) ?? 0, network, groups)),
      ...network.nodes.map(({ name, site }): NetLink => {
        return {
          name: `${name} at ${site}`,
          from: name,
          to: site,
          lengthKm: 0,
          carrier: null,
          groups: [],
          failing: null,
        };
      }),
    ],
    groups,
    carriers: network.carriers.map(({ name, availability }): NetRisk => {
      return { name, failing: asAWhole({ availability }), lengthKm: 0 };
    }),
    sites: network.sites.map(({ name, availability }) => ({ name, failing: asAWhole({ availability }), lengthKm: 0 })),
  };
  return { net, notes };
}

const asAWhole = (keys: FailingKeys) => enteredFailing(keys, cableRepair.value) ?? neverFails;

function nodesOf({ sites, nodes }: Network): NetNode[] {
  return [
    ...sites.map(({ name }) => ({ name, site: name, failing: null, carrier: null, groups: [] })),
    ...nodes.map(({ name, site, carrier, riskGroups, ...keys }) => {
      return { name, site, failing: asAWhole(keys), carrier: carrier ?? null, groups: riskGroups };
    }),
  ];
}

/** By what is entered, else by its length; a group of links without a length is taken to be as long as its shortest link. */
function groupOf(
  { name, lengthKm, about: _about, ...keys }: Group,
  network: Network,
  lengthOf: (link: Link) => number | null,
  notes: string[],
): NetRisk {
  const members = network.links.filter(({ riskGroups }) => riskGroups.includes(name));
  const lengths = members.map(lengthOf).filter((km) => km !== null);
  const km = lengthKm ?? Math.min(...lengths);
  const isKnown = Number.isFinite(km);
  const entered = enteredFailing(keys, cableRepair.value);
  if (entered) return { name, failing: entered, lengthKm: lengthKm ?? 0 };
  if (!isKnown) return { name, failing: neverFails, lengthKm: 0 };
  if (lengthKm === undefined)
    notes.push(
      `risk group ${name} has no lengthKm: taken to be shared along the whole of its shortest link, ${Math.round(km)} km`,
    );
  const byLength = cableFailing(km, cableFailures.value, keys.repairHours ?? cableRepair.value, false);
  return { name, failing: lengthKm === undefined ? { ...byLength, origin: 'assumed' } : byLength, lengthKm: km };
}

/** What is entered for a link, or follows from its length, is of the whole link: its groups are taken off. */
function linkOf(link: Link, lengthKm: number, { carriers }: Network, groups: readonly NetRisk[]): NetLink {
  const { name, from, to, carrier: carrierName, riskGroups } = link;
  const carrier = carriers.find(({ name }) => name === carrierName);
  const repair = link.repairHours ?? carrier?.repairHours ?? cableRepair.value;
  const its = groups.filter(({ name }) => riskGroups.includes(name));
  const entered = enteredFailing(link, repair);
  return {
    name,
    from,
    to,
    lengthKm,
    carrier: carrierName ?? null,
    groups: riskGroups,
    failing: entered ? withoutGroups(entered, its) : ownCable(lengthKm, its, repair, carrier?.failuresPer1000KmYear),
  };
}

function withoutGroups(whole: Failing, groups: readonly NetRisk[]): Failing {
  if (groups.length === 0) return whole;
  return {
    ...whole,
    down: beyond(
      whole.down,
      groups.map(({ failing }) => failing.down),
    ),
    how: `${whole.how}, beyond its risk groups`,
  };
}

function ownCable(lengthKm: number, groups: readonly NetRisk[], repair: number, entered: number | undefined): Failing {
  const ownKm = Math.max(0, lengthKm - groups.reduce((sum, group) => sum + group.lengthKm, 0));
  return cableFailing(ownKm, entered ?? cableFailures.value, repair, entered !== undefined);
}
