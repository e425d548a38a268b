import { makeGraph } from '../../stats/graph/graph.ts';
import type { Failing } from './failing.ts';
import { makeRiskMap, type Risk, type RiskKind, type RiskMap } from './risk-map.ts';

/** A place where paths meet: a site, or a device at one. */
export interface NetNode {
  name: string;
  site: string | null;
  /** Fails alone; null of a site, which has an entry of its own. */
  failing: Failing | null;
  carrier: string | null;
  groups: readonly string[];
}

export interface NetLink {
  name: string;
  from: string;
  to: string;
  lengthKm: number;
  carrier: string | null;
  groups: readonly string[];
  /** Of its own part, beyond its groups; null of what joins a site and its devices: that never fails and is no link to anybody. */
  failing: Failing | null;
}

/** What fails as a whole. */
export interface NetRisk {
  name: string;
  failing: Failing;
  lengthKm: number;
}

/** A network as its redundancy is asked for: by names, so that a change is a copy with one thing else. */
export interface RiskNetwork {
  nodes: readonly NetNode[];
  links: readonly NetLink[];
  groups: readonly NetRisk[];
  carriers: readonly NetRisk[];
  sites: readonly NetRisk[];
}

/** Numbers in place of names. Groups, carriers and sites that nothing belongs to are left out. */
export function riskMapOf({ nodes, links, groups, carriers, sites }: RiskNetwork): RiskMap {
  const numberOf = new Map(nodes.map(({ name }, i) => [name, i]));
  const graph = makeGraph({
    nodes: nodes.length,
    from: links.map(({ from }) => numberOf.get(from)!),
    to: links.map(({ to }) => numberOf.get(to)!),
    length: links.map(({ lengthKm }) => lengthKm),
  });
  const where = <T>(list: readonly T[], belongs: (item: T) => boolean) =>
    list.flatMap((item, i) => (belongs(item) ? [i] : []));
  const shared = (
    kind: RiskKind,
    list: readonly NetRisk[],
    belongs: (part: NetNode | NetLink, name: string) => boolean,
  ) =>
    list.map(({ name, failing, lengthKm }): Risk => {
      const has = (part: NetNode | NetLink) => belongs(part, name);
      return { kind, name, links: where(links, has), nodes: where(nodes, has), down: failing.down, lengthKm };
    });
  const own = (kind: RiskKind, list: readonly (NetNode | NetLink)[]): Risk[] =>
    list.flatMap(({ name, failing, ...part }, i) => {
      if (!failing) return [];
      const lengthKm = 'lengthKm' in part ? part.lengthKm : 0;
      return [
        {
          kind,
          name,
          links: kind === 'link' ? [i] : [],
          nodes: kind === 'node' ? [i] : [],
          down: failing.down,
          lengthKm,
        },
      ];
    });
  const risks = [
    ...shared('group', groups, (part, name) => part.groups.includes(name)),
    ...shared('carrier', carriers, (part, name) => part.carrier === name),
    ...shared('site', sites, (part, name) => 'site' in part && part.site === name),
    ...own('link', links),
    ...own('node', nodes),
  ].filter(({ links, nodes }) => links.length + nodes.length > 0);
  return makeRiskMap({
    graph,
    risks,
    nodeNames: nodes.map(({ name }) => name),
    linkNames: links.map(({ name }) => name),
  });
}
