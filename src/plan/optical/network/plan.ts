import type { OpticalNetworkReport } from '../../../model/plan/optical-network.ts';
import { shortestPaths, pathTo } from '../../../stats/graph/dijkstra.ts';
import { makeGraph } from '../../../stats/graph/graph.ts';
import { latencyOf } from '../fibre.ts';
import { closingModes, type ModeVerdict, type TransceiverMode } from '../modes.ts';
import { assignSlots, type SlotDemand } from '../spectrum-assignment.ts';
import type { Settings } from '../system.ts';
import { bestLaunch, type Launch, noLibrary, type OwnFibre, routePath, simulation } from './line.ts';

/** Own fibre and what it has to carry; plain, so that it does not depend on where it comes from. */
export interface OpticalNetworkInput {
  fibres: (Omit<OwnFibre, 'launchDbm'> & { lengthHow: string; reservedGhz: number })[];
  /** Larger direction of each pair of places, Gbit/s. */
  demands: { from: string; to: string; gbps: number }[];
  modes: readonly TransceiverMode[];
  settings: Settings;
  random: () => number;
}

const SLOT_GHZ = 12.5;
const LATENCY_MS_PER_KM = latencyOf({ lengthM: 1000 }) * 1e3;

/** What a choice of modes saves first. */
type Thrift = 'transceivers' | 'slots';

type Report = Omit<OpticalNetworkReport, 'schema' | 'figures' | 'of' | 'ended'>;
type Wavelengths = OpticalNetworkReport['lightpaths'][number]['wavelengths'][number];

/** How far it is, and the plan of what is known by then: of the links lit so far, and of the demands that have their light. */
export interface OpticalStanding {
  doing: string;
  report(): Report;
}

/** GSNR and modes of each fibre, and for each demand a route over fibres, a mode, wavelengths and their slots. */
export function* planOpticalNetwork(input: OpticalNetworkInput): Generator<OpticalStanding, OpticalStanding> {
  const { settings, modes, fibres, demands } = input;
  const verdicts = verdictsBy(settings, modes);
  const lit: Lit[] = [];
  const links: Report['links'] = [];
  for (const fibre of fibres) {
    const one = { ...fibre, ...bestLaunch({ ...fibre, launchDbm: 0 }, settings) };
    lit.push(one);
    links.push(linkReport(one, verdicts([one], one.from)));
    const report = () => placed([], lit, links, input);
    yield { doing: `link ${lit.length} of ${fibres.length}`, report };
  }
  const light = function* (thrift: Thrift, best?: Report): Generator<OpticalStanding, Report> {
    const lightpaths: Report['lightpaths'] = [];
    for (const demand of demands) {
      lightpaths.push(lightpathOf(demand, lit, verdicts, thrift));
      const report = () => best ?? placed(lightpaths, lit, links, input);
      yield { doing: `light for demand ${lightpaths.length} of ${demands.length}`, report };
    }
    return placed(lightpaths, lit, links, input);
  };
  // Transceivers cost money and free slots do not: only where the band is too small for that, slots are what is saved.
  let best = yield* light('transceivers');
  if (!best.spectrum.fits) best = yield* light('slots', best);
  return { doing: 'done', report: () => best };
}

/** The plan of these lightpaths: their wavelengths get their slots. */
function placed(
  lightpaths: Report['lightpaths'],
  lit: readonly Lit[],
  links: Report['links'],
  { settings, random }: OpticalNetworkInput,
): Report {
  const { spectrum, usedBy } = placeWavelengths(lightpaths, lit, settings, random);
  return { lightpaths, spectrum, links: links.map((link) => ({ ...link, usedSlots: usedBy.get(link.name) ?? 0 })) };
}

type Lit = OpticalNetworkInput['fibres'][number] & Launch;
type Verdicts = (fibres: readonly Lit[], from: string) => ModeVerdict[];

/** Modes on a route; each route is computed once. */
function verdictsBy(settings: Settings, modes: readonly TransceiverMode[]): Verdicts {
  const known = new Map<string, ModeVerdict[]>();
  return (fibres, from) => {
    if (fibres.some(({ why }) => why !== '')) return [];
    const key = JSON.stringify([from, fibres.map(({ name }) => name)]);
    let found = known.get(key);
    if (!found) {
      const path = routePath(fibres, from, settings);
      found = closingModes({ path, library: noLibrary, settings, simulation }, modes);
      known.set(key, found);
    }
    return found;
  };
}

function linkReport(fibre: Lit, verdicts: readonly ModeVerdict[]): Report['links'][number] {
  const lengthKm = fibre.spansKm.reduce((sum, km) => sum + km, 0);
  const byRate = new Map<number, ModeVerdict>();
  for (const one of verdicts) {
    const known = byRate.get(one.mode.gbps);
    if (one.closes && (!known || one.marginDb > known.marginDb)) byRate.set(one.mode.gbps, one);
  }
  const closing = verdicts.filter((one) => one.closes);
  return {
    name: fibre.name,
    from: fibre.from,
    to: fibre.to,
    lengthKm,
    lengthHow: fibre.lengthHow,
    spansKm: [...fibre.spansKm],
    latencyMs: lengthKm * LATENCY_MS_PER_KM,
    launchDbm: fibre.launchDbm,
    gsnrDb01nm: fibre.why === '' ? fibre.worstGsnrDb01nm : null,
    channels: fibre.channels,
    why: fibre.why,
    closes: [...byRate.values()].sort((a, b) => b.mode.gbps - a.mode.gbps).map(closingOf),
    maxTbps: closing.reduce((most, { mode, channels }) => Math.max(most, (mode.gbps * channels) / 1e3), 0),
    usedSlots: 0,
  };
}

function closingOf({ mode, marginDb }: ModeVerdict): Report['links'][number]['closes'][number] {
  return {
    mode: mode.name,
    gbps: mode.gbps,
    slotWidthGhz: mode.slotHz / 1e9,
    marginDb,
    how: mode.how,
    source: mode.source,
  };
}

function lightpathOf(
  demand: OpticalNetworkInput['demands'][number],
  lit: readonly Lit[],
  verdicts: Verdicts,
  thrift: Thrift,
): Report['lightpaths'][number] {
  const route = shortestRoute(demand.from, demand.to, lit);
  const base = { ...demand, links: route.map(({ name }) => name), regeneratedAt: [], wavelengths: [] };
  const lengthKm = route.reduce((sum, { spansKm }) => sum + spansKm.reduce((a, b) => a + b, 0), 0);
  if (route.length === 0)
    return { ...base, lengthKm: 0, latencyMs: null, why: 'no own fibre leads from one to the other' };
  const reach = { lengthKm, latencyMs: lengthKm * LATENCY_MS_PER_KM };
  const cut = cutRoute(route, demand, (fibres, from) => bestMode(verdicts(fibres, from), demand.gbps, thrift));
  if (typeof cut === 'string') return { ...base, ...reach, why: cut };
  const regeneratedAt = cut.slice(1).map(({ from }) => from);
  return { ...base, ...reach, regeneratedAt, wavelengths: cut.map(({ wavelengths }) => wavelengths), why: '' };
}

/** The shortest way over fibres, as links in order; none where no way leads. */
function shortestRoute(from: string, to: string, lit: readonly Lit[]): Lit[] {
  const places = [...new Set(lit.flatMap((fibre) => [fibre.from, fibre.to]))];
  const [source, target] = [places.indexOf(from), places.indexOf(to)];
  if (source < 0 || target < 0) return [];
  const graph = makeGraph({
    nodes: places.length,
    from: lit.map((fibre) => places.indexOf(fibre.from)),
    to: lit.map((fibre) => places.indexOf(fibre.to)),
    length: lit.map(({ spansKm }) => spansKm.reduce((sum, km) => sum + km, 0)),
  });
  return (pathTo(graph, shortestPaths(graph, source), target) ?? []).map((link) => lit[link]!);
}

interface Piece {
  from: string;
  wavelengths: Wavelengths;
}

/**
 * The route in as few pieces as the light allows: each goes as far as some mode closes, and there the light is received and sent again. Words instead where
 * not even one link closes.
 */
function cutRoute(
  route: readonly Lit[],
  { from, gbps }: { from: string; gbps: number },
  best: (fibres: readonly Lit[], from: string) => ModeVerdict | undefined,
): Piece[] | string {
  const pieces: Piece[] = [];
  let place = from;
  for (let at = 0; at < route.length;) {
    let end = route.length;
    let found = best(route.slice(at, end), place);
    while (!found && end > at + 1) found = best(route.slice(at, --end), place);
    if (!found) return route[at]!.why || `no mode closes on ${route[at]!.name}`;
    const links = route.slice(at, end);
    pieces.push({ from: place, wavelengths: wavelengthsOf(found, links, gbps) });
    for (const link of links) place = link.from === place ? link.to : link.from;
    at = end;
  }
  return pieces;
}

/** The mode that carries a demand with the fewest transceivers or slots, then with the fewest of the other, then with most margin. */
function bestMode(verdicts: readonly ModeVerdict[], gbps: number, thrift: Thrift): ModeVerdict | undefined {
  const count = ({ mode }: ModeVerdict) => Math.ceil(gbps / mode.gbps);
  const width = (one: ModeVerdict) => count(one) * slotsOf(one.mode);
  const [first, second] = thrift === 'slots' ? [width, count] : [count, width];
  return verdicts
    .filter((one) => one.closes && one.mode.how !== 'assumed')
    .toSorted((a, b) => first(a) - first(b) || second(a) - second(b) || b.marginDb - a.marginDb)[0];
}

function slotsOf({ slotHz }: TransceiverMode): number {
  return Math.ceil(slotHz / 1e9 / SLOT_GHZ - 1e-9);
}

function wavelengthsOf(one: ModeVerdict, links: readonly Lit[], gbps: number): Wavelengths {
  const count = Math.max(1, Math.ceil(gbps / one.mode.gbps));
  const slots = count * slotsOf(one.mode);
  return { ...closingOf(one), links: links.map(({ name }) => name), count, firstSlot: 0, slots };
}

/** Slots for all wavelengths together, beside what is in use already; writes them into the lightpaths. */
function placeWavelengths(
  lightpaths: Report['lightpaths'],
  lit: readonly Lit[],
  settings: Settings,
  random: () => number,
) {
  const number = new Map(lit.map(({ name }, i) => [name, i]));
  const wanted = lightpaths.flatMap(({ wavelengths }) => wavelengths);
  const demands = wanted.map((one): SlotDemand => ({
    links: one.links.map((name) => number.get(name)!),
    slots: one.slots,
  }));
  const reserved = lit.flatMap(({ reservedGhz }, i): SlotDemand[] =>
    reservedGhz > 0 ? [{ links: [i], slots: Math.ceil(reservedGhz / SLOT_GHZ) }] : [],
  );
  const plan = assignSlots([...demands, ...reserved], random);
  const usedBy = new Map<string, number>();
  for (const [i, one] of wanted.entries()) {
    one.firstSlot = plan.start[i]!;
    for (const name of one.links) usedBy.set(name, (usedBy.get(name) ?? 0) + one.slots);
  }
  const { minHz, maxHz } = settings.spectra[0]!;
  const totalSlots = Math.floor((maxHz - minHz) / (SLOT_GHZ * 1e9));
  const { used, lowerBound } = plan;
  return { usedBy, spectrum: { totalSlots, usedSlots: used, lowerBoundSlots: lowerBound, fits: used <= totalSlots } };
}
