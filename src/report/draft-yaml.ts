import type { Draft, DraftLink, DraftSite } from '../gather/topology/draft.ts';
import { printable } from '../model/outcome.ts';

/** A draft as the text of a network file; what was guessed stands on top, what a thing was called before stands behind it. */
export function renderDraftYaml(draft: Draft, about: string): string {
  const section = (name: string, lines: readonly string[]) => (lines.length > 0 ? [`${name}:`, ...lines] : []);
  const named = (name: string) => `  - ${flow([['name', scalar(name)]])}`;
  return `${[
    `# Made by inferpath import topology from ${comment(about)}.`,
    ...draft.notes.map((note) => `# - ${comment(note)}`),
    '# Still to be said: endpoints, workloads and users; inferpath plan works without endpoints.',
    'version: 1',
    ...section('sites', draft.sites.map(site)),
    ...section('carriers', draft.carriers.map(named)),
    ...section('riskGroups', draft.riskGroups.map(named)),
    ...section('links', draft.links.map(link)),
    ...section(
      'demands',
      draft.demands.map(({ name, from, to, gbps, backGbps }) => {
        // A demand of one direction only is written in that direction.
        const [a, b, there, back] = gbps > 0 ? [from, to, gbps, backGbps] : [to, from, backGbps, gbps];
        return `  - ${flow([
          ['name', scalar(name)],
          ['from', scalar(a)],
          ['to', scalar(b)],
          ['gbps', number(there)],
          ['backGbps', number(back)],
        ])}`;
      }),
    ),
  ].join('\n')}\n`;
}

type Entry = [key: string, value: string | undefined];

function site({ name, role, lat, lon, users, note }: DraftSite): string {
  const location: Entry[] =
    lat === undefined || lon === undefined
      ? []
      : [
          [
            'location',
            flow([
              ['lat', number(lat)],
              ['lon', number(lon)],
            ]),
          ],
        ];
  return behind(
    `  - ${flow([['name', scalar(name)], ['role', role], ...location, ['users', users === undefined ? undefined : number(users)]])}`,
    note,
  );
}

function link({ note, ...one }: DraftLink): string {
  const optional = (value: number | undefined) => (value === undefined ? undefined : number(value));
  const list = (values: readonly string[] | undefined) =>
    values && values.length > 0 ? `[${values.join(', ')}]` : undefined;
  const spans = list(one.spansKm?.map(number));
  return behind(
    `  - ${flow([
      ['name', scalar(one.name)],
      ['from', scalar(one.from)],
      ['to', scalar(one.to)],
      ['kind', one.kind],
      ['lengthKm', optional(one.lengthKm)],
      ['capacityGbps', optional(one.capacityGbps)],
      ['carrier', one.carrier === undefined ? undefined : scalar(one.carrier)],
      ['riskGroups', list(one.riskGroups?.map(scalar))],
      ['rttMs', optional(one.rttMs)],
      ['weight', optional(one.weight)],
      ['fibre', spans === undefined ? undefined : flow([['spansKm', spans]])],
    ])}`,
    note,
  );
}

function flow(entries: readonly Entry[]): string {
  return `{ ${entries.flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${value}`])).join(', ')} }`;
}

function behind(line: string, note: string | undefined): string {
  return note === undefined ? line : `${line} # ${comment(note)}`;
}

/** A name as YAML reads it back as text: `on`, `1e3` and `null` would be something else. */
function scalar(name: string): string {
  return /^[a-z][a-z0-9-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/.test(name)
    ? name
    : JSON.stringify(name);
}

/** Nine digits are more than any file has, and hide what binary fractions add. */
function number(value: number): string {
  return String(Number(value.toPrecision(9)));
}

function comment(text: string): string {
  return printable(text, 300);
}
