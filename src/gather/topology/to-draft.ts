import type { CsvTable } from './csv.ts';
import { type Draft, draftDemands, type DraftLink, type DraftSite, formerName, nameMaker } from './draft.ts';
import type { TopologyMap } from './graphml.ts';
import type { RepetitaDemand, RepetitaGraph } from './repetita.ts';
import type { SndlibNetwork } from './sndlib.ts';

/** Gbit/s per unit of a file. */
export const unitGbps = { kbps: 1e-6, mbps: 1e-3, gbps: 1 } as const;
export type RateUnit = keyof typeof unitGbps;

const assumedRole = 'every site has the role dc (assumed)';

interface PlacedNode {
  name: string;
  lat: number | null;
  lon: number | null;
}

function sitesOf(nodes: readonly PlacedNode[], notes: string[]): DraftSite[] {
  const make = nameMaker();
  const unplaced = nodes.filter(({ lat }) => lat === null).length;
  if (unplaced > 0) notes.push(`${unplaced} of ${nodes.length} sites have no location`);
  notes.push(assumedRole);
  return nodes.map(({ name: former, lat, lon }) => {
    const name = make(former);
    const note = formerName(former, name);
    return { name, role: 'dc', note, ...(lat !== null && lon !== null ? { lat, lon } : {}) };
  });
}

/** Coordinates, unless they are points of a drawing or 0, 0, which stands for unknown. */
function placed(nodes: readonly { name: string; x: number | null; y: number | null }[], notes: string[]): PlacedNode[] {
  const isDrawing = nodes.some(({ x, y }) => Math.abs(x ?? 0) > 180 || Math.abs(y ?? 0) > 90);
  if (isDrawing) notes.push('coordinates are points of a drawing, not of the globe, and are left out');
  return nodes.map(({ name, x, y }) =>
    isDrawing || x === null || y === null || (x === 0 && y === 0)
      ? { name, lat: null, lon: null }
      : { name, lat: y, lon: x },
  );
}

export function draftOfSndlib(file: SndlibNetwork, asked: RateUnit | undefined): Draft {
  const notes: string[] = [];
  const unit = asked ?? (/mbit/i.test(file.meta['unit'] ?? '') ? 'mbps' : undefined);
  if (unit === undefined)
    notes.push('the file names no unit of capacities and demands: taken as Mbit/s (assumed; --unit)');
  const scale = unitGbps[unit ?? 'mbps'];
  const sites = sitesOf(placed(file.nodes, notes), notes);
  const make = nameMaker();
  const smallest = (modules: SndlibNetwork['links'][number]['modules']) =>
    Math.min(...modules.map(({ capacity }) => capacity).filter((capacity) => capacity > 0));
  const links = file.links.map((link): DraftLink => {
    const name = make(link.name);
    const isInstalled = link.preInstalledCapacity > 0;
    const capacity = isInstalled ? link.preInstalledCapacity : smallest(link.modules);
    const notes = [
      formerName(link.name, name),
      isInstalled ? undefined : 'nothing installed: capacity of its smallest module',
    ];
    return {
      name,
      from: sites[link.from]!.name,
      to: sites[link.to]!.name,
      capacityGbps: Number.isFinite(capacity) ? capacity * scale : undefined,
      note: notes.filter((note) => note !== undefined).join('; ') || undefined,
    };
  });
  if (file.links.some(({ modules }) => modules.length > 0))
    notes.push('costs of capacity modules are left out: network files hold quotes');
  const rows = file.demands.map(({ from, to, value, routingUnit }) => ({
    from: sites[from]!.name,
    to: sites[to]!.name,
    gbps: value * routingUnit * scale,
  }));
  return withoutLoops({ sites, links, demands: draftDemands(rows, notes), carriers: [], riskGroups: [], notes });
}

export function draftOfRepetita(
  graph: RepetitaGraph,
  demands: readonly RepetitaDemand[],
  asked: RateUnit | undefined,
): Draft {
  const notes: string[] = [];
  if (asked === undefined)
    notes.push('the format names no unit: capacities and demands are taken as kbit/s (assumed; --unit)');
  const scale = unitGbps[asked ?? 'kbps'];
  const sites = sitesOf(placed(graph.nodes, notes), notes);
  const make = nameMaker();
  const waiting = new Map<string, RepetitaGraph['edges'][number][]>();
  const links: DraftLink[] = [];
  let unequal = 0;
  for (const edge of graph.edges) {
    const back = waiting.get(`${edge.to} ${edge.from}`)?.shift();
    if (!back) {
      waiting.set(`${edge.from} ${edge.to}`, [...(waiting.get(`${edge.from} ${edge.to}`) ?? []), edge]);
      continue;
    }
    if (back.capacity !== edge.capacity || back.weight !== edge.weight) unequal++;
    const [from, to] = [sites[back.from]!.name, sites[back.to]!.name];
    const name = make(`${from}--${to}`);
    const capacity = Math.min(back.capacity, edge.capacity) * scale;
    const weight = back.weight > 0 ? back.weight : undefined;
    links.push({
      name,
      from,
      to,
      capacityGbps: capacity > 0 ? capacity : undefined,
      weight,
      note: `${back.name}, ${edge.name}`,
    });
  }
  const alone = [...waiting.values()].flat();
  if (alone.length > 0)
    notes.push(
      `${alone.length} edges have no edge the other way and are left out, as links of a network file go both ways`,
    );
  if (unequal > 0)
    notes.push(
      `${unequal} links differ in capacity or weight by direction: the smaller capacity and the weight of the first direction are here`,
    );
  notes.push('delays are left out: the format names no unit for them');
  const rows = demands.map(({ from, to, volume }) => ({
    from: sites[from]!.name,
    to: sites[to]!.name,
    gbps: volume * scale,
  }));
  return withoutLoops({ sites, links, demands: draftDemands(rows, notes), carriers: [], riskGroups: [], notes });
}

export function draftOfMap(map: TopologyMap): Draft {
  const notes: string[] = [];
  const nodes = map.nodes.map(({ name, place }) => ({ name, lat: place?.lat ?? null, lon: place?.lon ?? null }));
  const sites = sitesOf(nodes, notes);
  const make = nameMaker();
  const links = map.links.map(({ from, to, speedGbps }): DraftLink => {
    const [a, b] = [sites[from]!.name, sites[to]!.name];
    return {
      name: make(`${a}--${b}`),
      from: a,
      to: b,
      capacityGbps: speedGbps !== null && speedGbps > 0 ? speedGbps : undefined,
    };
  });
  const unknown = links.filter(({ capacityGbps }) => capacityGbps === undefined).length;
  if (unknown > 0) notes.push(`${unknown} of ${links.length} links have no speed in the file`);
  return withoutLoops({ sites, links, demands: [], carriers: [], riskGroups: [], notes });
}

/** Tables of sites, links and demands; sites that only links or demands name are added. */
export function draftOfCsv(tables: readonly CsvTable[]): Draft {
  const notes: string[] = [];
  const make = nameMaker();
  const [nameOf, sites] = [new Map<string, string>(), [] as DraftSite[]];
  const rowsOf = (kind: CsvTable['kind']) => tables.filter((table) => table.kind === kind).flatMap(({ rows }) => rows);
  const siteOf = (former: string, rest: Partial<DraftSite> = {}) => {
    const known = nameOf.get(former);
    if (known !== undefined) return known;
    const name = make(former);
    nameOf.set(former, name);
    sites.push({ name, role: 'dc', note: formerName(former, name), ...rest });
    return name;
  };
  let withoutRole = 0;
  for (const { text, number } of rowsOf('sites')) {
    if (text['role'] === undefined) withoutRole++;
    const isPlaced = number['lat'] !== undefined && number['lon'] !== undefined;
    siteOf(text['name']!, {
      role: text['role'] ?? 'dc',
      ...(isPlaced ? { lat: number['lat'], lon: number['lon'] } : {}),
      users: number['users'],
    });
  }
  const listed = sites.length;
  const [carriers, groups] = [shared(), shared()];
  const makeLink = nameMaker();
  const links = rowsOf('links').map(({ text, number, list }): DraftLink => {
    const [from, to] = [siteOf(text['from']!), siteOf(text['to']!)];
    const positive = (key: string) => ((number[key] ?? 0) > 0 ? number[key] : undefined);
    return {
      name: makeLink(text['name'] ?? `${from}--${to}`),
      from,
      to,
      kind: text['kind'],
      lengthKm: number['lengthKm'],
      capacityGbps: positive('capacityGbps'),
      carrier: text['carrier'] === undefined ? undefined : carriers.name(text['carrier']),
      riskGroups: list['riskGroups']?.map(groups.name),
      rttMs: number['rttMs'],
      weight: positive('weight'),
    };
  });
  const demandRows = rowsOf('demands').flatMap(({ text, number }) => {
    const [from, to] = [siteOf(text['from']!), siteOf(text['to']!)];
    const gbps = number['gbps'] ?? 0;
    return [
      { from, to, gbps },
      { from: to, to: from, gbps: number['backGbps'] ?? gbps },
    ];
  });
  if (sites.length > listed)
    notes.push(`${sites.length - listed} sites are named by links or demands only: no location, role dc (assumed)`);
  if (withoutRole > 0) notes.push(`${withoutRole} sites have no role: dc (assumed)`);
  return withoutLoops({
    sites,
    links,
    demands: draftDemands(demandRows, notes),
    carriers: carriers.all(),
    riskGroups: groups.all(),
    notes,
  });
}

/** Names used again and again: the same text is the same name. */
function shared() {
  const make = nameMaker();
  const names = new Map<string, string>();
  return {
    name: (text: string) => {
      const name = names.get(text) ?? make(text);
      names.set(text, name);
      return name;
    },
    all: () => [...names.values()],
  };
}

function withoutLoops(draft: Draft): Draft {
  const links = draft.links.filter(({ from, to }) => from !== to);
  const loops = draft.links.length - links.length;
  return loops === 0
    ? draft
    : { ...draft, links, notes: [...draft.notes, `${loops} links from a place to itself are left out`] };
}
