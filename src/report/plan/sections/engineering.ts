import type { EngineeringReport } from '../../../model/plan/engineering.ts';
import { percent } from '../../format.ts';
import { lines } from '../../svg/lines.ts';
import { picture, section, table } from './section.ts';

const mostRows = 25;

/** How full the links are, and how that goes on under growth. */
export function engineeringSection(report: EngineeringReport): string {
  const { years, limit, shortestPath, maxUtilisation, links } = report;
  const series = (label: string, of: (year: EngineeringReport['years'][number]) => number | null) => ({
    label,
    points: years.flatMap((year) => {
      const share = of(year);
      return share === null
        ? []
        : [{ x: year.year, y: share * 100, about: `${label}, year ${year.year}: ${percent(share)}` }];
    }),
  });
  const chart = (width: number) =>
    lines(
      {
        title: 'Utilisation of the fullest link',
        xUnit: 'years',
        yUnit: '%',
        limit: { y: limit * 100, label: `limit ${percent(limit)}` },
        series: [
          series('routing as given', (y) => y.maxUtilisation),
          series('best routing', (y) => y.best),
          series('after the worst failure', (y) => y.worstAfterFailure),
        ].filter(({ points }) => points.length > 0),
      },
      width,
    );
  const rows = links
    .toSorted((a, b) => b.utilisation - a.utilisation)
    .slice(0, mostRows)
    .map((l) => [
      `${l.link}: ${l.from} → ${l.to}`,
      percent(l.utilisation),
      percent(l.best),
      l.worst === null ? '–' : `${percent(l.worst.utilisation)} (${l.worst.after})`,
      l.overLimitInYears === null
        ? 'not in these years'
        : l.overLimitInYears === 0
          ? 'now'
          : `in ${l.overLimitInYears.toFixed(1)} years`,
    ]);
  return section(
    'engineering',
    'Capacity',
    `Fullest link ${percent(shortestPath.maxUtilisation)} as routed today, ${percent(maxUtilisation)} with the best routing.`,
    years.length > 1 ? picture('Fullest link, year by year without upgrades', chart) : '',
    table(['Link', 'As routed ()', 'Best routing ()', 'After its worst failure', 'Over the limit'], rows),
  );
}
