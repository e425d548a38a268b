import type { Figure } from '../../model/figure.ts';
import type { Verdict } from '../../model/finding.ts';
import type { Requirement } from '../../model/network-offers.ts';
import type { TransportConstraint, TransportToday } from '../../model/plan/transport.ts';
import { assumed, computed, entered, sourced } from '../figures.ts';
import { type Need, needAt, unitsAt } from './cost.ts';
import type { KindFacts } from './kinds.ts';

/** An offer as far as it is known; without a quote only its kind is. */
export interface Offer {
  facts: KindFacts;
  /** Key of the quote in the network file; null: none was entered. */
  key: string | null;
  carrier: string | null;
  capacityGbps: number | null;
  maxUnits: number | null;
  rttMs: number | null;
  lengthKm: number | null;
  availability: number | null;
  encryption: readonly string[] | null;
  riskGroups: readonly string[];
  onRamp: string | null;
}

/** What the two sites need, with what is known of the way between them. */
export interface Wish {
  from: string;
  to: string;
  /** False where only a quote names the pair. */
  required: boolean;
  need: Need;
  /** Month up to which it has to last. */
  months: number;
  maxRttMs: Figure | null;
  availability: number | null;
  encryption: Requirement['encryption'];
  diverse: boolean;
  ownOptics: boolean | null;
  greatCircleKm: number | null;
  routeFactor: number;
  intoCloud: boolean;
  /** What joins the two already, and what was measured of it. */
  today: TransportToday | null;
  /** The link that is bought from the same carrier as the same kind; null: none is. */
  sameAsToday: (offer: Pick<Offer, 'facts' | 'carrier'>) => string | null;
}

/** Another way between the same two sites: an existing link, or another offer. */
export interface Other {
  name: string;
  carrier: string | null;
  riskGroups: readonly string[];
  availability: Figure | null;
}

/** Round trip of a kilometre of fibre at a group index of 1.468, ms. */
const RTT_MS_PER_KM = 2 * 4.8967e-3;

/** Failures that affect service per 1,000 km of buried cable and year, and hours to repair one. */
const CABLE_FAILURES_PER_1000_KM = 2.13;
const REPAIR_HOURS = 12;
const HOURS_A_YEAR = 8766;

const say = (about: TransportConstraint['about'], verdict: Verdict, claim: string): TransportConstraint => ({
  about,
  verdict,
  claim,
});

/**
 * Promised, else of the light over the length entered, else what was measured between the two sites, else light over the great circle
 * times the route factor: what is there today says more than a guess at a route.
 */
export function rttOf(offer: Offer, wish: Wish): Figure | null {
  if (offer.rttMs !== null) return entered('round trip', offer.rttMs, 'ms', `${offer.key}.rttMs, promised`);
  const formula = 'length × 2 × 4.8967 µs/km (group index 1.468)';
  if (offer.lengthKm !== null) {
    const length = entered('length', offer.lengthKm, 'km', `${offer.key}.lengthKm`);
    return computed('round trip of the light', offer.lengthKm * RTT_MS_PER_KM, 'ms', formula, [length]);
  }
  const measured = wish.today?.rttMs?.origin === 'measured' ? wish.today.rttMs : null;
  if (measured) return { ...measured, name: 'round trip of today' };
  if (wish.greatCircleKm === null) return null;
  const lengthKm = wish.greatCircleKm * wish.routeFactor;
  const length = assumed('length', lengthKm, 'km', 'great circle × planning.routeFactor');
  return computed('round trip of the light, estimated', lengthKm * RTT_MS_PER_KM, 'ms', formula, [length]);
}

function latency(offer: Offer, wish: Wish, rtt: Figure | null): TransportConstraint {
  const limit = wish.maxRttMs;
  if (!limit) return say('latency', 'pass', 'no limit on the round trip');
  const within = `${ms(limit.value)} allowed`;
  const least = offer.lengthKm ?? wish.greatCircleKm;
  if (offer.rttMs === null && least !== null && least * RTT_MS_PER_KM > limit.value)
    return say(
      'latency',
      'fail',
      `light alone takes ${ms(least * RTT_MS_PER_KM)} there and back over ${Math.round(least)} km; ${within}`,
    );
  if (offer.rttMs !== null)
    return say(
      'latency',
      offer.rttMs <= limit.value ? 'pass' : 'fail',
      `${ms(offer.rttMs)} are promised${experience(offer, wish, offer.rttMs)}; ${within}`,
    );
  if (offer.facts.latency === 'unbounded')
    return say(
      'latency',
      'fail',
      `nobody promises a round trip beyond the edge of the provider${todayInWords(wish)}; ${within}`,
    );
  if (offer.facts.latency === 'provider')
    return say(
      'latency',
      'unknown',
      `the provider chooses the way and no round trip is promised${todayInWords(wish)}; ${within}: ask for one in the contract`,
    );
  if (offer.lengthKm === null || !rtt)
    return say(
      'latency',
      'unknown',
      `the length of the route is not known${rtt ? (rtt.origin === 'measured' ? todayInWords(wish) : `, estimated ${ms(rtt.value)}`) : ''}; ${within}: ask for the length`,
    );
  return say('latency', 'pass', `light over ${offer.lengthKm} km takes ${ms(rtt.value)} there and back; ${within}`);
}

/** What was measured over what is there today; another route may differ, so it decides nothing. */
function todayInWords({ today }: Wish): string {
  const rtt = today?.rttMs;
  return rtt?.origin === 'measured' ? `, ${ms(rtt.value)} measured today` : '';
}

/** A carrier that does not keep its word on the link that is there. */
function experience(offer: Offer, wish: Wish, promisedMs: number): string {
  const [link, rtt] = [wish.sameAsToday(offer), wish.today?.rttMs];
  // With two links it is not known which of them was measured.
  if (link === null || wish.today?.links.length !== 1 || rtt?.origin !== 'measured' || rtt.value <= promisedMs * 1.1)
    return '';
  return `, but ${ms(rtt.value)} were measured over ${link}, the same from the same carrier`;
}

function bandwidth({ capacityGbps, maxUnits }: Offer, { need, months }: Wish): TransportConstraint {
  if (capacityGbps === null)
    return say('bandwidth', 'unknown', `${gb(need.gbps)} needed; no quote says what can be had`);
  const units = unitsAt(capacityGbps, need, months);
  const end = `${gb(needAt(need, months))} in ${months / 12} years`;
  if (maxUnits === null || units <= maxUnits)
    return say('bandwidth', 'pass', `${units} × ${gb(capacityGbps)} carry ${end}`);
  let month = 0;
  while (month < months && unitsAt(capacityGbps, need, month) <= maxUnits) month++;
  const when = month === 0 ? 'today already' : `from month ${month} on`;
  return say(
    'bandwidth',
    'fail',
    `${maxUnits} × ${gb(capacityGbps)} can be had, too little ${when}: ${units} are needed for ${end}`,
  );
}

/** Promised, else of the glass by its length where it is yours, else what is usual for the kind and not promised here. */
export function availabilityOf(offer: Offer): Figure | null {
  if (offer.availability !== null)
    return entered('availability', offer.availability, '', `${offer.key}.availability, promised`);
  if (offer.facts.ownOptics && offer.lengthKm !== null) {
    const inputs = [
      entered('length', offer.lengthKm, 'km', `${offer.key}.lengthKm`),
      sourced(
        'failures per 1,000 km and year',
        CABLE_FAILURES_PER_1000_KM,
        '',
        'AFL 2001, buried cable, citing Bellcore',
      ),
      assumed('time to repair', REPAIR_HOURS, 'h', 'usual in planning'),
    ];
    const down = (offer.lengthKm / 1000) * CABLE_FAILURES_PER_1000_KM * (REPAIR_HOURS / HOURS_A_YEAR);
    return computed(
      'availability of the glass',
      1 - Math.min(1, down),
      '',
      '1 − km ÷ 1,000 × failures × repair ÷ 8,766 h',
      inputs,
    );
  }
  const usual = offer.facts.availability;
  return usual && sourced('usual availability', usual.value, '', `${usual.source}; not promised in this quote`);
}

function availability(wish: Wish, own: Figure | null, partner: Other | null): TransportConstraint {
  const wanted = wish.availability;
  if (wanted === null) return say('availability', 'pass', 'no availability asked');
  const needed = `${nines(wanted)} asked`;
  if (!own) return say('availability', 'unknown', `none is promised; ${needed}: ask for it in the contract`);
  const words = `${nines(own.value)} ${own.origin === 'entered' ? 'promised' : own.origin === 'sourced' ? 'usual for the kind, not promised' : 'by length, failures and repair'}`;
  const alone = own.value >= wanted;
  // What is only usual is evidence against an offer and none for it.
  if (alone) return say('availability', own.origin === 'sourced' ? 'unknown' : 'pass', `${words}; ${needed}`);
  if (!partner) return say('availability', 'fail', `${words}; ${needed}, and no second way is there to make up for it`);
  if (!partner.availability)
    return say(
      'availability',
      'unknown',
      `${words}; ${needed}: together with ${partner.name}, whose availability is not known`,
    );
  const both = 1 - (1 - own.value) * (1 - partner.availability.value);
  const text = `${words}; ${nines(both)} together with ${partner.name}, which shares no risk group; ${needed}`;
  if (both < wanted) return say('availability', 'fail', text);
  const promised = own.origin !== 'sourced' && partner.availability.origin !== 'sourced';
  return say('availability', promised ? 'pass' : 'unknown', text);
}

function encryption({ facts, encryption }: Offer, wish: Wish): TransportConstraint {
  if (wish.encryption === 'none') return say('encryption', 'pass', 'none asked below TLS');
  const able = encryption ?? facts.encryption;
  const how = encryption ? 'by the quote' : 'by its kind';
  const have = able.length === 0 ? 'none' : able.join(', ');
  const does = wish.encryption === 'any' ? able.length > 0 : able.includes(wish.encryption);
  return say(
    'encryption',
    does ? 'pass' : 'fail',
    `${have} ${how}; ${wish.encryption === 'any' ? 'any' : wish.encryption} asked`,
  );
}

function diversity(wish: Wish, partner: Other | null, others: number): TransportConstraint {
  if (!wish.diverse) return say('diversity', 'pass', 'one way is enough');
  if (partner) return say('diversity', 'pass', `shares no risk group and no carrier with ${partner.name}`);
  const why =
    others === 0
      ? 'there is no other way between the two sites'
      : `it shares a risk group or the carrier with each of the ${others} other ways`;
  return say('diversity', 'fail', `a second, independent way is asked; ${why}`);
}

function operability({ facts }: Offer, { ownOptics }: Wish): TransportConstraint {
  if (!facts.ownOptics) return say('operability', 'pass', 'the provider runs the optics');
  if (ownOptics === false)
    return say('operability', 'fail', 'needs somebody who runs optical equipment, and nobody here does');
  return say(
    'operability',
    'pass',
    ownOptics
      ? 'your people run the optics'
      : 'needs people who run optical equipment (requirements.ownOptics says whether there are)',
  );
}

function fit({ facts, onRamp }: Offer, { intoCloud }: Wish): TransportConstraint {
  if (facts.kind !== 'cloudOnRamp' || onRamp !== null || intoCloud) return say('fit', 'pass', facts.about);
  return say('fit', 'fail', 'neither site is in a cloud');
}

/** All that the two sites ask of an offer. `others` are the other ways there are; one of them may stand in. */
export function judge(offer: Offer, wish: Wish, others: readonly Other[]): TransportConstraint[] {
  const own = availabilityOf(offer);
  const independent = others.filter((o) => isIndependent(offer, o));
  // The best of those that are independent; one of unknown availability comes last.
  const partner =
    independent.toSorted((a, b) => (b.availability?.value ?? 0) - (a.availability?.value ?? 0))[0] ?? null;
  return [
    fit(offer, wish),
    latency(offer, wish, rttOf(offer, wish)),
    bandwidth(offer, wish),
    availability(wish, own, wish.diverse ? partner : null),
    encryption(offer, wish),
    diversity(wish, partner, others.length),
    operability(offer, wish),
  ];
}

function isIndependent(offer: Offer, other: Other): boolean {
  const sameCarrier = offer.carrier !== null && offer.carrier === other.carrier;
  return !sameCarrier && !other.riskGroups.some((group) => offer.riskGroups.includes(group));
}

const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;
const gb = (value: number): string => `${Number(value.toPrecision(3))} Gbit/s`;
const nines = (share: number): string => `${Number((share * 100).toFixed(5))} %`;
