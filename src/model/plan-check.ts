import { type Loose, list, mapping, names, type NetworkIssue, repeatedNames, unknownReference } from './check.ts';

/** Sections whose members have names. */
const named = [
  'carriers',
  'riskGroups',
  'nodes',
  'links',
  'models',
  'jobs',
  'demands',
  'quotes',
  'candidates',
] as const;

/** What is wrong between the parts of a network that planning reads: names taken twice, references to nothing. */
export function planIssues(root: Loose): NetworkIssue[] {
  const [sites, nodes] = [names(list(root, 'sites')), names(list(root, 'nodes'))];
  const ends = [...sites, ...nodes];
  const endpoints = names(list(root, 'endpoints'));
  const [carriers, riskGroups] = [names(list(root, 'carriers')), names(list(root, 'riskGroups'))];
  const check = (section: string, key: string, what: string, known: string[]) =>
    list(root, section).flatMap((item, i) => references(item[key], [section, i, key], what, known));
  return [
    ...named.flatMap((section) => repeatedNames(section, list(root, section))),
    ...nodesThatAreSites(list(root, 'nodes'), sites),
    ...check('nodes', 'site', 'site', sites),
    ...check('nodes', 'carrier', 'carrier', carriers),
    ...check('nodes', 'riskGroups', 'risk group', riskGroups),
    ...['links', 'demands'].flatMap((section) => [
      ...check(section, 'from', 'site or node', ends),
      ...check(section, 'to', 'site or node', ends),
      ...sameEnds(section, list(root, section)),
    ]),
    ...check('links', 'carrier', 'carrier', carriers),
    ...check('links', 'riskGroups', 'risk group', riskGroups),
    ...check('jobs', 'sites', 'site', sites),
    ...['quotes', 'requirements'].flatMap((section) => [
      ...check(section, 'from', 'site', sites),
      ...check(section, 'to', 'site', sites),
      ...sameEnds(section, list(root, section)),
    ]),
    ...check('quotes', 'carrier', 'carrier', carriers),
    ...check('quotes', 'riskGroups', 'risk group', riskGroups),
    ...check('candidates', 'site', 'site', sites),
    ...list(root, 'workloads').flatMap((workload, i) =>
      trafficIssues(mapping(workload['traffic']), i, sites, endpoints),
    ),
  ];
}

function trafficIssues(traffic: Loose, i: number, sites: string[], endpoints: string[]): NetworkIssue[] {
  const at = (...keys: string[]) => ['workloads', i, 'traffic', ...keys];
  return [
    ...references(traffic['from'], at('from'), 'site', sites),
    ...references(traffic['to'], at('to'), 'site or endpoint', [...sites, ...endpoints]),
    ...references(traffic['retrieveFrom'], at('retrieveFrom'), 'site', sites),
    ...references(mapping(traffic['kvTransfer'])['to'], at('kvTransfer', 'to'), 'site', sites),
  ];
}

/** Of one name, or of each in a list. */
function references(value: unknown, path: (string | number)[], what: string, known: string[]): NetworkIssue[] {
  if (!Array.isArray(value)) return unknownReference(value, path, what, known);
  return value.flatMap((one, i) => unknownReference(one, [...path, i], what, known));
}

function nodesThatAreSites(nodes: readonly Loose[], sites: readonly string[]): NetworkIssue[] {
  return nodes.flatMap(({ name }, i) =>
    typeof name === 'string' && sites.includes(name)
      ? [{ path: ['nodes', i, 'name'], message: 'must be no name of a site, because links name either' }]
      : [],
  );
}

function sameEnds(section: string, items: readonly Loose[]): NetworkIssue[] {
  return items.flatMap(({ from, to }, i) =>
    typeof from === 'string' && from === to
      ? [{ path: [section, i, 'to'], message: `must be another place than from, which is "${from}" too` }]
      : [],
  );
}
