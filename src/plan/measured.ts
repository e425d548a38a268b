import type { Network } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import { greatCircleKm, lightRoundTripMs } from '../stats/globe.ts';
import { quantile } from '../stats/quantile.ts';
import { placesOf } from './lengths.ts';
import { type MeasuredRate, measuredRates } from './measured-rates.ts';

/** Round trips that were measured between two sites. */
export interface MeasuredRtt {
  sites: [string, string];
  /** Median of all answers, ms. */
  rttMs: number;
  /** How many. */
  n: number;
  /** Kinds of probes behind it. */
  how: string;
}

/** What observations say of the ways between the sites of a network file. */
export interface Measured {
  rtts: ReadonlyMap<string, MeasuredRtt>;
  rates: ReadonlyMap<string, MeasuredRate>;
  /** What was measured and cannot be, and so is not used. */
  notes: readonly string[];
}

export const nothingMeasured: Measured = { rtts: new Map(), rates: new Map(), notes: [] };

/** Key of two sites, whichever is named first. */
export function pairKey(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/**
 * What observations say of the round trips and the throughput between sites: vantages and agents stand at a site, and so do
 * endpoints. Probes that were not answered say nothing here; those from or to a place of unknown site are left out, and so are
 * round trips that nothing can make: what answered stands somewhere else.
 */
export function measuredOf(network: Network, observations: readonly Observation[]): Measured {
  if (observations.length === 0) return nothingMeasured;
  const siteOf = sitesByName(network);
  const rtts = measuredRtts(siteOf, observations);
  const notes: string[] = [];
  for (const [key, { sites, rttMs }] of rtts) {
    const leastMs = leastRoundTripMs(network, sites);
    if (rttMs >= leastMs) continue;
    rtts.delete(key);
    notes.push(
      `${sites.join(' – ')}: ${ms(rttMs)} were measured, but light in a vacuum takes ${ms(leastMs)} over the great circle: what answered stands elsewhere, and the plan does not use it`,
    );
  }
  return { rtts, rates: measuredRates(siteOf, observations), notes };
}

function measuredRtts(
  siteOf: ReadonlyMap<string, string>,
  observations: readonly Observation[],
): Map<string, MeasuredRtt> {
  const found = new Map<string, { sites: [string, string]; values: number[]; kinds: Set<string> }>();
  for (const observation of observations) {
    const [a, b, rttMs] = [siteOf.get(observation.from), siteOf.get(observation.to), roundTripOf(observation)];
    if (a === undefined || b === undefined || a === b || rttMs === null) continue;
    const key = pairKey(a, b);
    const pair = found.get(key) ?? { sites: [a, b], values: [], kinds: new Set() };
    pair.values.push(rttMs);
    pair.kinds.add(observation.kind);
    found.set(key, pair);
  }
  return new Map(
    [...found].map(([key, { sites, values, kinds }]) => [
      key,
      {
        sites,
        rttMs: quantile(
          values.toSorted((a, b) => a - b),
          0.5,
        ),
        n: values.length,
        how: `median of ${values.length} measured round trips (${[...kinds].join(', ')})`,
      },
    ]),
  );
}

/** Locations of sites are often those of their cities. */
const placeErrorKm = 100;
const fibreIndex = 1.468;

/** What physics allows: light in a vacuum over the great circle. */
function leastRoundTripMs(network: Network, [from, to]: readonly [string, string]): number {
  const places = placesOf(network);
  const [a, b] = [places.get(from), places.get(to)];
  if (!a || !b) return 0;
  return lightRoundTripMs(Math.max(0, greatCircleKm(a, b) - placeErrorKm)) / fibreIndex;
}

const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;

function sitesByName({ sites, endpoints, vantage, watch }: Network): Map<string, string> {
  const standing = [...endpoints, ...(watch?.agents ?? []), ...(vantage ? [vantage] : [])];
  const known = standing.flatMap(({ name, site }): [string, string][] => (site === undefined ? [] : [[name, site]]));
  return new Map([...sites.map(({ name }): [string, string] => [name, name]), ...known]);
}

function roundTripOf(observation: Observation): number | null {
  switch (observation.kind) {
    case 'tcp':
    case 'ping':
    case 'tls':
      return observation.rttMs;
    case 'round-trips':
      return observation.figures.medianMs ?? observation.figures.meanMs;
    default:
      return null;
  }
}
