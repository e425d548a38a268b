import { num } from '../format.ts';
import { niceMax, svg, text, tip, xAxis, yAxis } from './frame.ts';
import { linear, px } from './scale.ts';

export interface LineSeries {
  label: string;
  points: readonly { x: number; y: number; about?: string }[];
}

export interface LineChart {
  title: string;
  series: readonly LineSeries[];
  xUnit: string;
  yUnit: string;
  /** Default: from 0. */
  yFrom?: number;
  /** Default: from 0. */
  xFrom?: number;
  /** A limit to draw across. */
  limit?: { y: number; label: string };
  /** Marks at every point; default for up to 40 points. */
  marks?: boolean;
}

/** Up to six series of numbers against numbers, e.g. latency by number of sites, GSNR by frequency. */
export function lines(chart: LineChart, width: number): string {
  const { series, limit, xFrom = 0, yFrom = 0 } = chart;
  const points = series.flatMap((s) => s.points);
  if (points.length === 0) return '';
  const box = { width, height: 236, left: 52, right: 14, top: 26, bottom: 28 };
  const top = niceMax(Math.max(...points.map((p) => p.y), limit?.y ?? 0) - yFrom, 4);
  const far = niceMax(Math.max(...points.map((p) => p.x)) - xFrom, width > 420 ? 6 : 4);
  const [ys, xs] = [top.values.map((v) => v + yFrom), far.values.map((v) => v + xFrom)];
  const x = linear([xFrom, xFrom + far.end], [box.left, width - box.right]);
  const y = linear([yFrom, yFrom + top.end], [box.height - box.bottom, box.top]);
  const marks = chart.marks ?? points.length <= 40 * series.length;
  const curves = series.map((s, i) => {
    const path = s.points.map((p, k) => `${k === 0 ? 'M' : 'L'}${px(x(p.x))},${px(y(p.y))}`).join('');
    const dots = marks
      ? s.points.map(
          (p) =>
            `<circle class="dot s${i}" cx="${px(x(p.x))}" cy="${px(y(p.y))}" r="3.5" ${tip(p.about ?? `${s.label}: ${num(p.y)} ${chart.yUnit} at ${num(p.x)} ${chart.xUnit}`)}/>`,
        )
      : [];
    return `<path class="line s${i}" d="${path}"/>${dots.join('')}`;
  });
  const line = limit
    ? `<line class="target" x1="${box.left}" x2="${width - box.right}" y1="${px(y(limit.y))}" y2="${px(y(limit.y))}"/>` +
      text(width - box.right, y(limit.y) - 5, limit.label, 'class="target-label" text-anchor="end"')
    : '';
  const legend = series.length > 1 ? series.map((s, i) => legendEntry(s.label, i, box.left, series)).join('') : '';
  const spoken = series.map((s) => `${s.label}: ${num(s.points[0]?.y ?? 0)} to ${num(s.points.at(-1)?.y ?? 0)}`);
  return svg(
    width,
    box.height,
    `${chart.title}, ${chart.yUnit} by ${chart.xUnit}. ${spoken.join('; ')}`,
    yAxis(box, y, ys, (v) => (v === ys.at(-1) ? `${num(v)} ${chart.yUnit}` : num(v))) +
      xAxis(box, x, xs, chart.xUnit) +
      curves.join('') +
      line +
      legend,
  );
}

function legendEntry(label: string, i: number, left: number, all: readonly LineSeries[]): string {
  const before = all.slice(0, i).reduce((sum, s) => sum + s.label.length * 6.4 + 34, 0);
  return `<line class="line s${i}" x1="${px(left + before)}" x2="${px(left + before + 16)}" y1="9" y2="9"/>${text(left + before + 21, 13, label, 'class="tick"')}`;
}
