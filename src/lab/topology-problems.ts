import { addressBytes, addressText } from '../wire/ip.ts';
import type { Topology } from './topology.ts';

/** One mistake: where in the value, and what is allowed there. */
export interface Problem {
  path: (string | number)[];
  message: string;
}

/** What the schema alone cannot say: names that exist once, links between names that exist, one queue unit, unused keys. */
export function topologyProblems(topology: Topology): Problem[] {
  return [
    ...nameProblems(topology),
    ...addressProblems(topology),
    ...linkProblems(topology),
    ...natProblems(topology),
    ...timelineProblems(topology),
    ...serviceProblems(topology),
  ];
}

function nodesOf(topology: Topology): Owner[] {
  return [
    ...topology.hosts.map((host, index) => ({
      path: ['hosts', index],
      name: host.name,
      addresses: host.addresses ?? [],
    })),
    ...topology.routers.map((router, index) => ({
      path: ['routers', index],
      name: router.name,
      addresses: router.addresses ?? [],
    })),
  ];
}

/** Whoever owns addresses: hosts, routers and the ends of links. */
function ownersOf(topology: Topology): Owner[] {
  const ends = topology.links.flatMap((link, index) =>
    (['a', 'b'] as const).map((end) => ({
      path: ['links', index],
      name: link[end],
      key: `${end}Addresses` as const,
      addresses: link[`${end}Addresses`] ?? [],
    })),
  );
  return [...nodesOf(topology), ...ends];
}

interface Owner {
  path: (string | number)[];
  name: string;
  /** Where the addresses stand, when not under `addresses`. */
  key?: string;
  addresses: readonly string[];
}

function nameProblems(topology: Topology): Problem[] {
  const seen = new Set<string>();
  return nodesOf(topology).flatMap((node) => {
    if (!seen.has(node.name)) {
      seen.add(node.name);
      return [];
    }
    return [
      { path: [...node.path, 'name'], message: `"${node.name}" is taken; every host and router needs its own name` },
    ];
  });
}

function addressProblems(topology: Topology): Problem[] {
  const owner = new Map<string, string>();
  return ownersOf(topology).flatMap((node) =>
    node.addresses.flatMap((text, index) => {
      const key = addressText(addressBytes(text));
      const taken = owner.get(key);
      owner.set(key, node.name);
      return taken === undefined
        ? []
        : [{ path: [...node.path, node.key ?? 'addresses', index], message: `${text} belongs to "${taken}" already` }];
    }),
  );
}

function linkProblems(topology: Topology): Problem[] {
  const names = nodesOf(topology).map((node) => node.name);
  return topology.links.flatMap((link, index) => {
    const problems: Problem[] = [];
    for (const end of ['a', 'b'] as const)
      if (!names.includes(link[end]))
        problems.push({
          path: ['links', index, end],
          message: `no host or router is named "${link[end]}"; there are ${names.join(', ')}`,
        });
    for (const end of ['a', 'b'] as const)
      if (link[`${end}Addresses`] !== undefined && topology.hosts.some((host) => host.name === link[end]))
        problems.push({
          path: ['links', index, `${end}Addresses`],
          message: `"${link[end]}" is a host: its addresses belong to the host, not to a link`,
        });
    if (link.a === link.b)
      problems.push({
        path: ['links', index, 'b'],
        message: `a link needs two different ends, found "${link.b}" twice`,
      });
    for (const part of [[], ['ab'], ['ba']] as const) {
      const settings = part[0] === undefined ? link : link[part[0]];
      if (settings?.queueMs !== undefined && settings.queuePackets !== undefined)
        problems.push({
          path: ['links', index, ...part, 'queueMs'],
          message: 'either queuePackets or queueMs, found both',
        });
    }
    return problems;
  });
}

function natProblems(topology: Topology): Problem[] {
  return topology.routers.flatMap((router, index) => {
    if (!router.nat) return [];
    const neighbours = topology.links.flatMap(({ a, b }) => (a === router.name ? [b] : b === router.name ? [a] : []));
    if (neighbours.includes(router.nat.outside)) return [];
    return [
      {
        path: ['routers', index, 'nat', 'outside'],
        message: `"${router.nat.outside}" is no neighbour of "${router.name}"; there are ${neighbours.join(', ') || 'none'}`,
      },
    ];
  });
}

function timelineProblems(topology: Topology): Problem[] {
  return topology.timeline.flatMap(({ link, router, set }, index) => {
    const path = ['timeline', index];
    const hit = topology.links.some(({ a, b }) =>
      link ? link.includes(a) && link.includes(b) && link[0] !== link[1] : a === router || b === router,
    );
    if (set.queueMs !== undefined && set.queuePackets !== undefined)
      return [{ path: [...path, 'set', 'queueMs'], message: 'either queuePackets or queueMs, found both' }];
    if (hit) return [];
    return link
      ? [{ path: [...path, 'link'], message: `there is no link between "${link[0]}" and "${link[1]}"` }]
      : [{ path: [...path, 'router'], message: `there is no link of "${router}"` }];
  });
}

function serviceProblems(topology: Topology): Problem[] {
  return topology.hosts.flatMap((host, index) => {
    if (host.command !== undefined) return [];
    return (['env', 'readyPort'] as const)
      .filter((key) => host[key] !== undefined)
      .map((key) => ({ path: ['hosts', index, key], message: `${key} needs a command to belong to` }));
  });
}
