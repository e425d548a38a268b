import { builtInTargets, classDefaults } from '../../model/defaults.ts';
import type { Figure } from '../../model/figure.ts';
import type { Link, Network } from '../../model/network.ts';
import type { Quote, Requirement } from '../../model/network-offers.ts';
import type { PlanDemand } from '../../model/plan/demand.ts';
import type { PlanTransport, TransportChoice } from '../../model/plan/transport.ts';
import type { WorkloadClass } from '../../model/workload.ts';
import { greatCircleKm } from '../../stats/globe.ts';
import { assumed, computed, entered, sourced } from '../figures.ts';
import { linkLength, placesOf } from '../lengths.ts';
import { type Measured, nothingMeasured } from '../measured.ts';
import { choose, needAtEnd, type Priced } from './choose.ts';
import { availabilityOf, type Offer, type Other, type Wish } from './constraints.ts';
import { horizonMonths } from './cost.ts';
import { transportChanges, transportFindings } from './findings.ts';
import { factsOf, kindFacts } from './kinds.ts';
import { connectionsOf } from './today.ts';

/** What to buy between the pairs of sites that have requirements or quotes. */
export function planTransport(
  network: Network,
  demand: PlanDemand,
  measured: Measured = nothingMeasured,
): PlanTransport {
  const { planning } = network;
  const connection = connectionsOf(network, measured);
  const choices = wishesOf(network, demand, connection).map(([wish, need]) => choiceOf(network, wish, need));
  return {
    schema: 'inferpath/plan-transport@1',
    currency: planning.currency,
    years: planning.years,
    choices,
    notes: [...notesOf(network, choices), ...measured.notes],
    findings: choices.flatMap(transportFindings),
    changes: choices.flatMap((choice) => transportChanges(network, choice)),
  };
}

function choiceOf(network: Network, wish: Wish, need: Figure): TransportChoice {
  const between = linksBetween(network, wish);
  const existing = between.map((link) => existingWay(network, link));
  const result = choose(wish, offersOf(network, wish), existing, network.planning.years);
  const { from, to, required, maxRttMs, availability, encryption, diverse } = wish;
  return {
    from,
    to,
    required,
    needGbps: need,
    needAtEndGbps: needAtEnd(wish),
    maxRttMs,
    today: wish.today,
    availability,
    encryption,
    diverse,
    ...result,
  };
}

/** Requirements of the file, and pairs that have quotes and no requirement: those need what the demand is. */
function wishesOf(network: Network, demand: PlanDemand, connection: Connections): [Wish, Figure][] {
  const { requirements, quotes } = network;
  const pairs: Requirement[] = [...requirements];
  for (const { from, to } of quotes)
    if (!pairs.some((p) => isBetween(p, { from, to }))) pairs.push({ from, to, encryption: 'none', diverse: false });
  return pairs.map((requirement) => wishOf(network, requirement, demand, connection));
}

type Connections = ReturnType<typeof connectionsOf>;

function wishOf(
  network: Network,
  requirement: Requirement,
  demand: PlanDemand,
  connection: Connections,
): [Wish, Figure] {
  const { planning, sites } = network;
  const { from, to, minGbps } = requirement;
  const need = needOf(requirement, demand);
  const place = (name: string) => sites.find((s) => s.name === name)?.location;
  const [a, b] = [place(from), place(to)];
  const wish: Wish = {
    from,
    to,
    required: network.requirements.includes(requirement),
    need: {
      gbps: need.value,
      growthPerYear: planning.growthPerYear,
      // A capacity that was entered is a capacity; a demand leaves room in its link.
      share: minGbps === undefined ? planning.maxUtilisation : 1,
    },
    months: horizonMonths(planning.years),
    maxRttMs: maxRtt(network, requirement, demand),
    availability: requirement.availability ?? null,
    encryption: requirement.encryption,
    diverse: requirement.diverse,
    ownOptics: requirement.ownOptics ?? null,
    greatCircleKm: a && b ? greatCircleKm(a, b) : null,
    routeFactor: planning.routeFactor,
    today: connection(from, to),
    sameAsToday: sameKinds(network, from, to),
    intoCloud: [from, to].some((name) => sites.find((s) => s.name === name)?.role === 'cloud'),
  };
  return [wish, need];
}

function needOf({ from, to, minGbps }: Requirement, { pairs }: PlanDemand): Figure {
  if (minGbps !== undefined) return entered('capacity', minGbps, 'Gbit/s', `requirements ${from} – ${to}: minGbps`);
  const both = pairs.filter((pair) => isBetween(pair, { from, to }));
  const most = Math.max(0, ...both.map((pair) => pair.gbps.p99));
  const how = 'the larger direction at p99 of its busiest hour, from plan demand';
  return computed('demand', most, 'Gbit/s', both.length === 0 ? 'no traffic between the two: one unit' : how, []);
}

/** The limit entered, else of the class entered, else of the strictest class whose traffic goes there. */
function maxRtt(network: Network, requirement: Requirement, { flows }: PlanDemand): Figure | null {
  const { from, to, maxRttMs } = requirement;
  if (maxRttMs !== undefined)
    return entered('longest round trip', maxRttMs, 'ms', `requirements ${from} – ${to}: maxRttMs`);
  if (requirement.class) return rttOfClass(network, requirement.class);
  const classes = flows.flatMap((flow) => (flow.class && isBetween(flow, { from, to }) ? [flow.class] : []));
  const limits = [...new Set(classes)].map((one) => rttOfClass(network, one));
  return limits.toSorted((a, b) => a.value - b.value)[0] ?? null;
}

function rttOfClass({ targets }: Network, name: WorkloadClass): Figure {
  const own = targets[name]?.networkRttMs?.max;
  if (own !== undefined) return entered('longest round trip', own, 'ms', `targets.${name}.networkRttMs`);
  const { own: isOurs, source } = classDefaults[name].targets.networkRttMs;
  const make = isOurs ? assumed : sourced;
  return make('longest round trip', builtInTargets(name).networkRttMs.max, 'ms', `class ${name}: ${source}`);
}

/** Every quote between the two, and every kind without one. */
function offersOf({ quotes }: Network, wish: Wish): Priced[] {
  const own = quotes.filter((quote) => isBetween(quote, wish)).map(quoted);
  const missing = kindFacts.filter((facts) => !own.some((o) => o.facts === facts));
  return [...own, ...missing.map(unquoted)];
}

function quoted(quote: Quote): Priced {
  return {
    facts: factsOf(quote.kind),
    key: `quotes.${quote.name}`,
    quote: quote.name,
    carrier: quote.carrier ?? null,
    capacityGbps: quote.capacityGbps,
    maxUnits: quote.maxUnits ?? null,
    rttMs: quote.rttMs ?? null,
    lengthKm: quote.lengthKm ?? null,
    availability: quote.availability ?? null,
    encryption: quote.encryption ?? null,
    riskGroups: quote.riskGroups,
    onRamp: quote.onRamp ?? null,
    prices: {
      capacityGbps: quote.capacityGbps,
      maxUnits: quote.maxUnits,
      monthly: quote.monthly,
      setup: quote.setup,
      baseMonthly: quote.baseMonthly,
      baseSetup: quote.baseSetup,
      termMonths: quote.termMonths,
    },
  };
}

function unquoted(facts: Offer['facts']): Priced {
  return {
    facts,
    key: null,
    quote: null,
    carrier: null,
    capacityGbps: null,
    maxUnits: null,
    rttMs: null,
    lengthKm: null,
    availability: null,
    encryption: null,
    riskGroups: [],
    onRamp: null,
    prices: null,
  };
}

function existingWay(network: Network, link: Link): Other {
  const { name, carrier = null, riskGroups } = link;
  const length = linkLength(link, placesOf(network), network.planning.routeFactor);
  const glass =
    length && availabilityOf({ ...unquoted(factsOf('darkFibre')), key: `links.${name}`, lengthKm: length.lengthKm });
  const availability =
    link.availability === undefined
      ? glass
      : entered('availability', link.availability, '', `links.${name}.availability`);
  return { name: `link ${name}`, carrier, riskGroups, availability };
}

export const linksBetween = ({ links }: Network, pair: Ends): Link[] => links.filter((link) => isBetween(link, pair));

/** Carrier and kind of the links that are there. */
function sameKinds(network: Network, from: string, to: string): Wish['sameAsToday'] {
  const links = linksBetween(network, { from, to });
  return ({ facts, carrier }) =>
    links.find((link) => link.kind === facts.kind && carrier !== null && link.carrier === carrier)?.name ?? null;
}

interface Ends {
  from: string;
  to: string;
}

const isBetween = (a: Ends, b: Ends): boolean =>
  (a.from === b.from && a.to === b.to) || (a.from === b.to && a.to === b.from);

function notesOf({ planning, quotes }: Network, choices: readonly TransportChoice[]): string[] {
  if (choices.length === 0) return ['no requirements and no quotes: nothing to choose'];
  const growth = Math.round(planning.growthPerYear * 100);
  return [
    `needs grow by ${growth} % a year over ${planning.years} years; prices stay as quoted`,
    'an offer that names no risk groups and no route is taken to share none; ask for the route before signing',
    ...(quotes.length === 0 ? ['no quotes: nothing is priced, and nothing is assumed to be free'] : []),
  ];
}
