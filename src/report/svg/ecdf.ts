import type { Series } from '../facts.ts';
import { quantile } from '../../stats/quantile.ts';
import { duration, percent } from '../format.ts';
import { niceMax, svg, text, tip, xAxis, yAxis } from './frame.ts';
import { linear, px, thin } from './scale.ts';

/** What has to be met: at least `percentile` of the samples at or below `max`. */
export interface Target {
  max: number;
  percentile: number;
}

/**
 * Empirical distribution of up to three series against a target line: the curve has to pass above and left of the crossing
 * of the two dashed lines. The axis ends near p99.5, or earlier where a few far outliers would flatten the rest; how many lie beyond is said.
 */
export function ecdf(series: readonly Series[], target: Target, title: string, width: number): string {
  const box = { width, height: 216, left: 48, right: 10, top: 24, bottom: 26 };
  const sorted = series.map((s) => ({ label: s.label, values: s.values.toSorted((a, b) => a - b) }));
  const far = 3 * Math.max(target.max, ...sorted.map((s) => quantile(s.values, 0.9)));
  const most = Math.max(target.max * 1.12, Math.min(far, Math.max(...sorted.map((s) => quantile(s.values, 0.995)))));
  const { end, values } = niceMax(most, width > 420 ? 5 : 4);
  const x = linear([0, end], [box.left, width - box.right]);
  const y = linear([0, 1], [box.height - box.bottom, box.top]);
  const lines = sorted.map((s, i) => curve(s.values, x, y, end, `s${i}`) + dot(s, target, x, y, end, i));
  const beyond = sorted.reduce((n, s) => n + s.values.filter((v) => v > end).length, 0);
  const outside =
    beyond > 0
      ? text(width - box.right, box.height - box.bottom - 8, `${beyond} beyond →`, 'class="tick" text-anchor="end"')
      : '';
  const wanted = `target p${target.percentile} ≤ ${target.max} ms`;
  const right = x(target.max) > width * 0.6;
  const goal =
    `<line class="target" x1="${px(x(target.max))}" x2="${px(x(target.max))}" y1="${box.top}" y2="${box.height - box.bottom}"/>` +
    `<line class="target thin" x1="${box.left}" x2="${width - box.right}" y1="${px(y(target.percentile / 100))}" y2="${px(y(target.percentile / 100))}"/>` +
    text(x(target.max) + (right ? 4 : -4), 14, wanted, `class="target-label" text-anchor="${right ? 'end' : 'start'}"`);
  const spoken = sorted.map(
    (s) =>
      `${s.label}: p50 ${duration(quantile(s.values, 0.5))}, p99 ${duration(quantile(s.values, 0.99))}, n = ${s.values.length}`,
  );
  const grid = yAxis(box, y, [0, 0.25, 0.5, 0.75, 1], (v) => percent(v));
  return svg(
    width,
    box.height,
    `${title}, share of samples at or below; ${wanted}. ${spoken.join('. ')}`,
    grid + xAxis(box, x, values, 'ms') + goal + lines.join('') + outside,
  );
}

function curve(
  sorted: readonly number[],
  x: (v: number) => number,
  y: (v: number) => number,
  end: number,
  style: string,
): string {
  const n = sorted.length;
  const inside = sorted.map((v, i) => ({ v, share: (i + 1) / n })).filter((p) => p.v <= end);
  const points = thin(inside, 160);
  const first = points[0];
  if (!first) return '';
  const steps = points.map((p) => `H${px(x(p.v))}V${px(y(p.share))}`).join('');
  return `<path class="line ${style}" d="M${px(x(first.v))},${px(y(0))}${steps}${inside.length < n ? `H${px(x(end))}` : ''}"/>`;
}

/** Where the curve reaches the percentile of the target: the one point that decides. */
function dot(
  s: Series,
  target: Target,
  x: (v: number) => number,
  y: (v: number) => number,
  end: number,
  i: number,
): string {
  const value = quantile(s.values, target.percentile / 100);
  const what = `${s.label}: p${target.percentile} ${duration(value)}, target ${target.max} ms, n = ${s.values.length}`;
  return `<circle class="dot s${i}" cx="${px(x(Math.min(value, end)))}" cy="${px(y(target.percentile / 100))}" r="4.5" ${tip(what)}/>`;
}
