import type { Site } from '../../model/network.ts';
import { HOURS } from './flow.ts';

/** Local time against UTC: as entered, else by the longitude, 15° an hour. */
export function utcOffsetHours({ utcOffsetHours, location }: Site): number {
  return utcOffsetHours ?? (location ? Math.round(location.lon / 15) : 0);
}

/** Weights of the local hours as weights of the hours UTC, the largest 1; a half hour of offset lies between two hours. */
export function weightsByHourUtc(byLocalHour: readonly number[], offsetHours: number): number[] {
  const most = Math.max(...byLocalHour);
  if (most === 0) return Array.from({ length: HOURS }, () => 0);
  const at = (hour: number) => byLocalHour[((hour % HOURS) + HOURS) % HOURS]! / most;
  const below = Math.floor(offsetHours);
  const above = offsetHours - below;
  return Array.from({ length: HOURS }, (_, utc) => at(utc + below) * (1 - above) + at(utc + below + 1) * above);
}
