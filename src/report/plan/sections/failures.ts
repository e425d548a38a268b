import type { DemandsReport, FailuresReport, TrafficCase } from '../../../model/plan/failures.ts';
import { num, percent } from '../../format.ts';
import { heat, type HeatCell } from '../../svg/heat.ts';
import { picture, section } from './section.ts';

const mostRows = 30;

const columns = ['cut off, Gbit/s', 'lost, Gbit/s', 'too late', 'too full', 'fullest link'] as const;

/** What each failure does, the worst first. */
export function failuresSection({ demands, ended, doneShare }: FailuresReport): string {
  if (!demands) return '';
  const { singles, doubles } = demands;
  const part = ended === 'complete' ? '' : ` ${percent(doneShare)} of the cases were worked out (${ended}).`;
  const about =
    `${singles.harmless} of ${singles.cases} single failures do no harm` +
    (doubles ? `, ${doubles.harmless} of ${doubles.cases} double ones` : '') +
    `.${part}`;
  return section(
    'failures',
    'Failures',
    about,
    picture('Worst single failures', (width) => casesHeat(singles.worst, demands, width)),
    doubles
      ? picture('Two failures at once that do more than each alone', (width) =>
          casesHeat(doubles.worstTogether, demands, width),
        )
      : '',
  );
}

function casesHeat(cases: readonly TrafficCase[], demands: DemandsReport, width: number): string {
  const shown = cases.slice(0, mostRows);
  const names = shown.map(({ elements }) => elements.map(({ name }) => name).join(' + '));
  const kinds = shown.map(({ elements }) => elements.map(({ kind, name }) => `${kind} ${name}`).join(' and '));
  return heat(
    'Failures in rows, what they do in columns',
    names,
    columns,
    (row, column) => cell(shown[row]!, column, kinds[row]!, demands),
    width,
  );
}

function cell(one: TrafficCase, column: number, name: string, { totalGbps, maxUtilisation }: DemandsReport): HeatCell {
  const volume = (gbps: number, what: string): HeatCell => ({
    level: gbps === 0 ? 0 : 0.3 + 0.7 * Math.min(1, (4 * gbps) / Math.max(totalGbps, 1e-9)),
    about: `${name}: ${num(gbps)} Gbit/s ${what}`,
    word: num(gbps),
  });
  const count = (n: number, what: string): HeatCell => ({
    level: n === 0 ? 0 : Math.min(1, 0.3 + n * 0.1),
    about: `${name}: ${n} ${what}`,
    word: String(n),
  });
  switch (column) {
    case 0:
      return volume(one.strandedGbps, 'from or to what failed itself');
    case 1:
      return volume(one.lostGbps, 'without a path');
    case 2:
      return count(one.lateCount, 'demands beyond the round trip of their class');
    case 3:
      return count(one.overfull, 'links over the limit that are not without it');
    default: {
      if (!one.fullest) return { level: null, about: `${name}: no link carries more than before` };
      const { link, utilisation } = one.fullest;
      const level = Math.min(1, Math.max(0, utilisation / maxUtilisation - 0.5));
      return { level, about: `${name}: ${link} is ${percent(utilisation)} full`, word: percent(utilisation) };
    }
  }
}
