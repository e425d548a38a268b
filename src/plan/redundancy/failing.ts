import type { Figure, Origin } from '../../model/figure.ts';

/** A year of 365.25 days. */
export const hoursPerYear = 8766;
export const minutesPerYear = 60 * hoursPerYear;

/** Cable cuts that affect service, where nothing is entered. */
export const cableFailures: Figure = {
  name: 'failures of buried cable',
  value: 2.13,
  unit: '1/(1,000 km·year)',
  origin: 'sourced',
  how: 'AFL Telecommunications 2001, citing Bellcore: buried cable 2.130 service-affecting failures per 1,000 km and year (OPGW 0.085, ADSS 0.081)',
};

/** Time until a cut is repaired, where nothing is entered. */
export const cableRepair: Figure = {
  name: 'repair of a cable',
  value: 12,
  unit: 'h',
  origin: 'assumed',
  how: 'a usual planning value; buried cable is seldom repaired below 6 h',
};

/** How often something is down, and what that is from. */
export interface Failing {
  /** Share of time. */
  down: number;
  /** Mean time to repair where the share is worked out from it; null where it was entered as a whole. */
  repairHours: number | null;
  origin: Origin;
  how: string;
}

/** What the network file may say of anything that fails. */
export interface FailingKeys {
  failuresPerYear?: number | undefined;
  repairHours?: number | undefined;
  availability?: number | undefined;
}

/** Never alone: where the file says nothing, and nothing is published that would fit. */
export const neverFails: Failing = {
  down: 0,
  repairHours: null,
  origin: 'assumed',
  how: 'never fails by itself: the network file says nothing',
};

/**
 * Share of time that something is down: failures a year times the time each takes, over the year. Failures are counted by the calendar,
 * as carriers count them, so that this is the share itself and not the odds.
 */
export function downShare(failuresPerYear: number, repairHours: number): number {
  return Math.min(1, (failuresPerYear * repairHours) / hoursPerYear);
}

/** By what is entered for the thing itself; null where that says nothing about how often. */
export function enteredFailing(
  { failuresPerYear, repairHours, availability }: FailingKeys,
  repairElse: number,
): Failing | null {
  if (availability !== undefined)
    return { down: 1 - availability, repairHours: null, origin: 'entered', how: 'availability of the network file' };
  if (failuresPerYear === undefined) return null;
  const hours = repairHours ?? repairElse;
  return {
    down: downShare(failuresPerYear, hours),
    repairHours: hours,
    origin: 'entered',
    how: `${failuresPerYear} failures a year × ${hours} h / ${hoursPerYear} h`,
  };
}

/** By the length of a cable. */
export function cableFailing(
  lengthKm: number,
  per1000KmYear: number,
  repairHours: number,
  isEntered: boolean,
): Failing {
  return {
    down: downShare((lengthKm / 1000) * per1000KmYear, repairHours),
    repairHours,
    origin: isEntered ? 'entered' : 'sourced',
    how: `${Number(lengthKm.toFixed(1))} km × ${per1000KmYear} failures per 1,000 km and year × ${repairHours} h / ${hoursPerYear} h`,
  };
}

/** What is left of a link's downtime beyond that of the risks it shares: it is up when both are. */
export function beyond(whole: number, shared: readonly number[]): number {
  const sharedUp = shared.reduce((up, down) => up * (1 - down), 1);
  return sharedUp === 0 ? 0 : Math.max(0, (whole - (1 - sharedUp)) / sharedUp);
}
