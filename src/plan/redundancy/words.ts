import type { RiskFacts } from '../../model/plan/redundancy.ts';

// How the numbers of redundancy are said, in findings and reports alike.
const kindWords: Record<RiskFacts['kind'], string> = {
  link: 'link',
  node: 'node',
  group: 'risk group',
  carrier: 'carrier',
  site: 'site',
};

export function riskName({ kind, name, lengthKm }: RiskFacts): string {
  const km = kind === 'group' && lengthKm > 0 ? ` (${kmText(lengthKm)})` : '';
  return `${kindWords[kind]} ${name}${km}`;
}

export const kmText = (km: number): string => (km >= 10 ? `${Math.round(km)} km` : `${Number(km.toFixed(1))} km`);

/** Time a year in the unit that fits. */
export function minutesText(minutes: number): string {
  if (minutes === 0) return '0 min';
  if (minutes >= 600) return `${(minutes / 60).toPrecision(3)} h`;
  if (minutes >= 0.995) return `${minutes.toPrecision(3)} min`;
  return minutes * 60 >= 0.1 ? `${(minutes * 60).toPrecision(2)} s` : 'under 0.1 s';
}

/** As many digits as it takes to tell it from 100 %. */
export function percentText(share: number): string {
  if (share >= 1) return '100 %';
  const nines = Math.min(12, Math.max(0, Math.floor(1e-9 - Math.log10(1 - share))));
  return `${(100 * share).toFixed(Math.max(1, nines))} %`;
}

/** A target as its author wrote it. */
export function targetText(share: number): string {
  return `${Number((100 * share).toFixed(10))} %`;
}

/** How long something is down a year; that nobody knows is not that it never is. */
export function downText({ downMinutesPerYear }: RiskFacts): string {
  return downMinutesPerYear > 0 ? `down ${minutesText(downMinutesPerYear)} a year` : 'how often, nobody has entered';
}
