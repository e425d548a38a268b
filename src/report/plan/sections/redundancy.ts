import type { PairFacts, RedundancyReport, ServiceFacts } from '../../../model/plan/redundancy.ts';
import { num } from '../../format.ts';
import { section, table } from './section.ts';

const mostRows = 40;

/** How available every service is, and what alone cuts it off. */
export function redundancySection({ services }: RedundancyReport): string {
  const short = services.filter(({ meetsTarget }) => meetsTarget === false).length;
  const single = services.filter(({ singlePoints }) => singlePoints.length > 0).length;
  const rows = services
    .toSorted((a, b) => b.downMinutesPerYear.high - a.downMinutesPerYear.high)
    .slice(0, mostRows)
    .map((s) => [
      `${s.from} → ${s.to}`,
      `${(s.availability.low * 100).toFixed(s.unavailability.high < 1e-5 ? 6 : s.unavailability.high < 1e-3 ? 4 : 2)} %`,
      num(s.downMinutesPerYear.high),
      s.target === null ? '–' : s.meetsTarget === null ? 'unknown' : s.meetsTarget ? 'met' : 'missed',
      disjoint(s),
      s.singlePoints.map(({ name }) => name).join(', ') || 'none',
    ]);
  return section(
    'redundancy',
    'Redundancy',
    `${services.length} services, ${short} short of their target, ${single} with a single point of failure. Availability is exact for the failures entered or assumed.`,
    table(['Service', 'Available ()', 'Down a year (min)', 'Target', 'Two ways apart', 'Cut off alone by'], rows),
  );
}

/** The strongest way in which two paths keep apart. */
function disjoint({ pairs }: ServiceFacts): string {
  const found = (apart: PairFacts['apart']) => pairs.find((pair) => pair.apart === apart)?.status === 'found';
  if (found('all')) return 'in everything';
  const kinds = (['group', 'carrier', 'node', 'link'] as const).filter(found);
  return kinds.length > 0 ? `by ${kinds.join(', ')}` : 'no';
}
