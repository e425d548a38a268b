import { type Loose, list, mapping, names, type NetworkIssue, repeatedNames, unknownReference } from './check.ts';
import { type Cidr, contains, formatCidr, parseCidr } from './cidr.ts';
import { isPublic, neverAsked } from './special-addresses.ts';
import { named } from './patterns.ts';

/** Shortest prefixes of public ranges: nobody owns more by accident, and a typing error is no permission. */
const shortestPublic = { 4: 16, 6: 32 } as const;

/** What is wrong in the section `security` that no single value shows. */
export function securityIssues(root: Loose): NetworkIssue[] {
  const section = mapping(root['security']);
  const [hops, classes] = [list(section, 'hops'), list(section, 'dataClasses')];
  const endpoints = names(list(root, 'endpoints'));
  const links = names(list(root, 'links'));
  return [
    ...inSection(repeatedNames('dataClasses', classes)),
    ...inSection(repeatedNames('hops', hops)),
    ...rangeIssues(list(section, 'ranges')),
    ...classes.flatMap((one, i) =>
      placesOf(one['on']).flatMap((place, k) =>
        unknownReference(place, ['security', 'dataClasses', i, 'on', k], 'endpoint or hop', [
          ...endpoints,
          ...names(hops),
        ]),
      ),
    ),
    ...hops.flatMap((hop, i) => hopIssues(hop, i, links, endpoints)),
    ...quantumIssues(mapping(section['quantumComputer'])),
  ];
}

function inSection(issues: readonly NetworkIssue[]): NetworkIssue[] {
  return issues.map(({ path, message }) => ({ path: ['security', ...path], message }));
}

function placesOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function rangeIssues(ranges: readonly Loose[]): NetworkIssue[] {
  const seen: Cidr[] = [];
  return ranges.flatMap(({ cidr, public: meant }, i) => {
    const parsed = typeof cidr === 'string' ? parseCidr(cidr) : null;
    if (parsed === null) return typeof cidr === 'string' ? [rangeIssue(i, `must be ${named.cidr.words}`)] : [];
    const other = seen.find((one) => contains(one, parsed) || contains(parsed, one));
    seen.push(parsed);
    const why = whyRefused(parsed, meant === true);
    if (why !== null) return [rangeIssue(i, why)];
    return other ? [rangeIssue(i, `must be a range that does not overlap ${formatCidr(other)} above`)] : [];
  });
}

function whyRefused(range: Cidr & { isAligned: boolean }, isMeant: boolean): string | null {
  if (!range.isAligned) return `must be a network without host bits: ${formatCidr(range)}`;
  const never = neverAsked(range);
  if (never !== null) return `must be a range that may be asked; it holds ${never}`;
  if (!isPublic(range)) return null;
  const shortest = shortestPublic[range.family];
  if (range.length < shortest) return `must be private, or /${shortest} or longer: it can be reached from the Internet`;
  return isMeant ? null : 'must be private, or have public: true, because it can be reached from the Internet';
}

function rangeIssue(i: number, message: string): NetworkIssue {
  return { path: ['security', 'ranges', i, 'cidr'], message };
}

function hopIssues(hop: Loose, i: number, links: string[], endpoints: string[]): NetworkIssue[] {
  const at = (...keys: (string | number)[]) => ['security', 'hops', i, ...keys];
  const places = ['link', 'endpoint', 'between'].filter((key) => hop[key] !== undefined);
  const layers = list(hop, 'layers');
  const isMixed = layers.length > 1 && layers.some(({ kind }) => kind === 'none');
  return [
    ...unknownReference(hop['link'], at('link'), 'link', links),
    ...unknownReference(hop['endpoint'], at('endpoint'), 'endpoint', endpoints),
    ...(places.length === 1
      ? []
      : [{ path: at(), message: 'must be a hop with exactly one of the keys link, endpoint and between' }]),
    ...(isMixed ? [{ path: at('layers'), message: 'must be "none" alone, or layers without it' }] : []),
  ];
}

function quantumIssues({ earliest, latest }: Loose): NetworkIssue[] {
  return typeof earliest === 'number' && typeof latest === 'number' && latest < earliest
    ? [{ path: ['security', 'quantumComputer', 'latest'], message: `must be no year before earliest, ${earliest}` }]
    : [];
}
