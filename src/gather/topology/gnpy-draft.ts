import { type Draft, type DraftLink, formerName, nameMaker } from './draft.ts';
import type { GnpyTopology } from './gnpy/topology.ts';

type Element = GnpyTopology['elements'][number];

/**
 * Sites of ROADMs (or of transceivers, where there are no ROADMs) and the lines between them: each chain of fibres, amplifiers and
 * splices is a link with its spans. The two directions of a line are one link, as long as the first one.
 */
export function draftOfGnpy({ elements, connections }: GnpyTopology): Draft {
  const byUid = new Map(elements.map((element) => [element.uid, element]));
  const next = new Map<string, string[]>();
  for (const { from_node, to_node } of connections) next.set(from_node, [...(next.get(from_node) ?? []), to_node]);
  const kind = elements.some(({ type }) => type === 'Roadm') ? 'Roadm' : 'Transceiver';
  const make = nameMaker();
  const sites = elements
    .filter(({ type }) => type === kind)
    .map(({ uid }) => {
      const name = make(uid.replace(/^(roadm|trx)[ _-]+/i, ''));
      return { uid, name, role: 'dc', note: formerName(uid, name) };
    });
  const nameOf = new Map(sites.map(({ uid, name }) => [uid, name]));
  const makeLink = nameMaker();
  const links: DraftLink[] = [];
  const waiting = new Map<string, number>();
  const notes = [
    `sites are the ${kind === 'Roadm' ? 'ROADMs' : 'transceivers'} of the file, role dc (assumed), without location`,
    'links have no capacity: which modes close is what plan optical says',
    'amplifiers are left out: plan optical --gnpy reads them from the file itself',
  ];
  for (const { uid } of sites)
    for (const first of next.get(uid) ?? []) {
      const line = follow(first, byUid, next);
      const to = line ? nameOf.get(line.end) : undefined;
      if (!line || to === undefined || line.spansKm.length === 0) continue;
      const from = nameOf.get(uid)!;
      const back = waiting.get(`${to} ${from}`) ?? 0;
      if (back > 0) {
        waiting.set(`${to} ${from}`, back - 1);
        continue;
      }
      waiting.set(`${from} ${to}`, (waiting.get(`${from} ${to}`) ?? 0) + 1);
      links.push({
        name: makeLink(`${from}--${to}`),
        from,
        to,
        kind: 'darkFibre',
        lengthKm: line.spansKm.reduce((sum, km) => sum + km, 0),
        spansKm: line.spansKm,
      });
    }
  return { sites: sites.map(({ uid: _, ...site }) => site), links, demands: [], carriers: [], riskGroups: [], notes };
}

/** Along a line to the ROADM or transceiver at its end; null where it forks, ends or runs in a circle. */
function follow(
  first: string,
  byUid: ReadonlyMap<string, Element>,
  next: ReadonlyMap<string, readonly string[]>,
): { end: string; spansKm: number[] } | null {
  const spansKm: number[] = [];
  let at = first;
  let steps = 0;
  while (steps++ < byUid.size) {
    const element = byUid.get(at);
    if (!element) return null;
    if (element.type === 'Roadm' || element.type === 'Transceiver') return { end: at, spansKm };
    if (element.type === 'Fiber' || element.type === 'RamanFiber') {
      const { length, length_units: unit } = element.params;
      spansKm.push(unit === 'm' ? length / 1000 : length);
    }
    const [only, ...others] = next.get(at) ?? [];
    if (only === undefined || others.length > 0) return null;
    at = only;
  }
  return null;
}
