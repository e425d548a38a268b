import type { Network } from '../model/network.ts';
import type { Observation } from '../model/observation.ts';
import { quantile } from '../stats/quantile.ts';

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

/** Key of two sites, whichever is named first. */
export function pairKey(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/**
 * What observations say of the round trip between sites: vantages and agents stand at a site, and so do endpoints. Probes that
 * were not answered say nothing here; those from or to a place of unknown site are left out.
 */
export function measuredRtts(network: Network, observations: readonly Observation[]): Map<string, MeasuredRtt> {
  const siteOf = sitesByName(network);
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
