import type { PlacementPlan } from '../../../model/plan/placement.ts';
import { num, percent } from '../../format.ts';
import { lines } from '../../svg/lines.ts';
import { picture, section, table } from './section.ts';

/** What each further site buys. */
export function placementSection(plan: PlacementPlan): string {
  const { curve, target, currency, answer, now, wantedCoverage } = plan;
  const latency = (width: number) =>
    lines(
      {
        title: 'Round trip by number of sites',
        xUnit: 'sites',
        yUnit: 'ms',
        limit: { y: target.value, label: `target ${num(target.value)} ms` },
        series: [
          { label: 'mean', points: curve.map((c) => ({ x: c.sites, y: c.meanMs })) },
          { label: '95 % of users within', points: curve.map((c) => ({ x: c.sites, y: c.p95Ms })) },
          { label: 'farthest', points: curve.map((c) => ({ x: c.sites, y: c.worstMs })) },
        ],
      },
      width,
    );
  const coverage = (width: number) =>
    lines(
      {
        title: 'Users inside the target by number of sites',
        xUnit: 'sites',
        yUnit: '%',
        limit: { y: wantedCoverage * 100, label: `wanted ${percent(wantedCoverage)}` },
        series: [{ label: 'users inside', points: curve.map((c) => ({ x: c.sites, y: c.bestCoverage * 100 })) }],
      },
      width,
    );
  const rows = curve.map((c) => [
    String(c.sites),
    num(c.meanMs),
    num(c.p95Ms),
    percent(c.bestCoverage),
    Math.round(c.monthly).toLocaleString('en'),
    c.open.join(', '),
  ]);
  const today = now
    ? `Today ${percent(now.coverage)} of users are inside ${num(target.value)} ms`
    : 'No site is open today';
  const then = answer ? `, with ${answer.open.join(', ')} ${percent(answer.coverage)}` : '';
  return section(
    'placement',
    'Where to put inference',
    `${today}${then}.`,
    picture('Round trip by number of sites', latency),
    picture('Users inside the target by number of sites', coverage),
    table(['Sites ()', 'Mean (ms)', 'p95 (ms)', 'Inside target ()', `A month (${currency})`, 'Open'], rows),
  );
}
