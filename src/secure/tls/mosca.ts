import type { HarvestExposure, TlsVerdict } from '../../model/secure/tls.ts';

export interface Secrecy {
  dataClass: string;
  secrecyYears: number;
  migrationYears: number;
  /** Earliest and latest. */
  crqcYears: readonly [number, number];
}

/**
 * Harvest now, decrypt later, by Mosca's inequality: what is recorded today can be read for x + y − z years while it should be
 * secret (x: how long it has to be, y: how long the migration takes, z: until a quantum computer). All numbers are the user's; z is
 * a range, and so is the answer.
 */
export function harvestExposure(verdict: TlsVerdict, secrecy: Secrecy): HarvestExposure {
  const { dataClass, secrecyYears, migrationYears, crqcYears } = secrecy;
  const [earliest, latest] = crqcYears;
  const over = (z: number) => Math.max(0, secrecyYears + migrationYears - z);
  const range: [number, number] = [over(latest), over(earliest)];
  const isProtected = verdict.kind === 'pq-default' || verdict.kind === 'pq-by-retry';
  const isUnknown = verdict.kind === 'unknown';
  const status = isUnknown
    ? 'unknown'
    : isProtected
      ? 'protected'
      : range[0] > 0
        ? 'exposed'
        : range[1] > 0
          ? 'depends'
          : 'safe';
  return {
    dataClass,
    secrecyYears,
    migrationYears,
    crqcYears: [earliest, latest],
    exposedYears: isUnknown ? null : isProtected ? [0, 0] : range,
    formula: isProtected
      ? 'nothing to decrypt later in what clients with post-quantum groups send from now on; others, and what was recorded before, are not covered'
      : `max(0, ${secrecyYears} + ${migrationYears} − z), z from ${earliest} to ${latest}`,
    status,
  };
}
