import type { Origin } from '../model/figure.ts';
import type { Network } from '../model/network.ts';
import { lightRoundTripMs } from '../stats/globe.ts';
import { linkLength, placesOf } from './lengths.ts';
import { type Measured, nothingMeasured } from './measured.ts';
import { siteRoutes } from './site-routes.ts';

/** Round trip over one link. */
export interface LinkDelay {
  rttMs: number;
  origin: Origin;
  /** In a few words; the same words for all links whose round trip is had the same way. */
  how: string;
}

export interface LinkDelays {
  /** Of every link of the file. */
  delays: LinkDelay[];
  /** What is assumed, and what was measured otherwise than the file says. */
  notes: string[];
}

/** Round trip of a link of which nothing is known, ms: that of 500 km. Said in the notes where it is used. */
const unknownRttMs = lightRoundTripMs(500);

/**
 * The round trip of every link: measured, where the traffic between the two sites that were measured takes this link and no other;
 * else as entered, else light in fibre over its length, else a guess.
 */
export function linkDelays(network: Network, measured: Measured = nothingMeasured): LinkDelays {
  const known = unmeasuredDelays(network);
  if (measured.rtts.size === 0) return { delays: known.delays, notes: [...known.notes, ...measured.notes] };
  const delays = [...known.delays];
  const routes = siteRoutes(
    network,
    known.delays.map(({ rttMs }) => rttMs),
  );
  const notes: string[] = [];
  for (const { sites, rttMs, n, how } of measured.rtts.values()) {
    const route = routes(...sites);
    if (route === null) continue;
    const before = route.links.reduce((sum, link) => sum + known.delays[link]!.rttMs, 0);
    const [link] = route.links;
    const isOneLink = route.isOnly && route.links.length === 1;
    if (isOneLink) delays[link!] = { rttMs, origin: 'measured', how: 'measured between its sites' };
    const name = isOneLink ? network.links[link!]!.name : `${sites.join(' – ')} over ${route.links.length} links`;
    const basis = isOneLink ? known.delays[link!]!.origin : 'by its links';
    if (differs(rttMs, before))
      notes.push(
        `${name}: ${ms(rttMs)} measured (${n === 1 ? 'one round trip' : how}), ${ms(before)} ${basis}${isOneLink ? '; the measured one counts' : ': traffic takes another way than the file has, or a link is longer'}`,
      );
  }
  const assumedStill = known.notes.filter((_, i) => delays[known.guessed[i]!]!.origin === 'assumed');
  return { delays, notes: [...assumedStill, ...notes, ...measured.notes] };
}

/** How many links have their round trip from where. */
export function delaysInWords(delays: readonly LinkDelay[]): string {
  const counts = new Map<string, number>();
  for (const { how } of delays) counts.set(how, (counts.get(how) ?? 0) + 1);
  const each = [...counts].map(([how, count]) => `${how} (${count})`).join(', ');
  const light = delays.every(({ origin }) => origin === 'measured') ? '' : '; light in fibre only';
  return `round trip of each link by ${each || 'nothing, for there are no links'}${light}`;
}

/** A difference that is worth telling: the fifth part, and more than what jitter makes. */
function differs(measuredMs: number, knownMs: number): boolean {
  return Math.abs(measuredMs - knownMs) > Math.max(1, 0.2 * knownMs);
}

/** Notes name the links that are guessed, one each. */
function unmeasuredDelays({ links, planning, ...network }: Network): LinkDelays & { guessed: number[] } {
  const places = placesOf({ links, planning, ...network });
  const notes: string[] = [];
  const guessed: number[] = [];
  const delays = links.map((link, l): LinkDelay => {
    if (link.rttMs !== undefined) return { rttMs: link.rttMs, origin: 'entered', how: 'rttMs entered' };
    const length = linkLength(link, places, planning.routeFactor);
    if (length) {
      const origin = length.how === 'great circle × route factor' ? 'assumed' : 'computed';
      return { rttMs: lightRoundTripMs(length.lengthKm), origin, how: `length ${length.how}` };
    }
    notes.push(`${link.name}: neither rttMs nor a length is known; counted as if it were 500 km (assumed)`);
    guessed.push(l);
    return { rttMs: unknownRttMs, origin: 'assumed', how: 'assumed' };
  });
  return { delays, notes, guessed };
}

const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;
