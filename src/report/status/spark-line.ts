import { num } from '../format.ts';
import { esc } from '../html/escape.ts';
import { linear, px } from '../svg/scale.ts';
import type { LinePoint } from './view.ts';

const [width, height] = [180, 36];
const barHeight = 4;

/** The last hour as a small line; minutes with failures are marked below it, and where nothing was measured there is no line. */
export function sparkLine(
  label: string,
  points: readonly LinePoint[],
  fromMs: number,
  toMs: number,
  stepMs: number,
): string {
  const values = points.flatMap(({ value }) => value ?? []);
  const bad = points.filter((p) => p.bad > 0);
  if (values.length === 0 && bad.length === 0) return '<span class="none">no data</span>';
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = linear([fromMs, toMs], [1, width - 1]);
  // The lower end of the scale is zero: a line that jumps by a tenth must not look like one that doubles.
  const y = linear([0, Math.max(high * 1.15, Number.EPSILON)], [height - barHeight - 3, 2]);
  const path = runs(points, stepMs)
    .map((run) =>
      run.map((p, i) => `${i === 0 ? 'M' : 'L'}${px(x(p.atMs + stepMs / 2))} ${px(y(p.value as number))}`).join(''),
    )
    .join('');
  const marks = bad.map(
    (p) =>
      `<rect class="sbad" x="${px(x(p.atMs))}" y="${height - barHeight}" width="${px(Math.max(2, (width / (toMs - fromMs)) * stepMs - 0.5))}" height="${barHeight}"/>`,
  ); // one mark a minute
  const said = values.length === 0 ? 'no answer' : `${num(low)} to ${num(high)} ms`;
  const failures = bad.reduce((n, p) => n + p.bad, 0);
  const spoken = `${label}, last hour: ${said}${failures > 0 ? `, ${failures} failed` : ''}`;
  const dots = runs(points, stepMs)
    .filter((run) => run.length === 1)
    .map(
      ([p]) =>
        p && `<circle class="sdot" cx="${px(x(p.atMs + stepMs / 2))}" cy="${px(y(p.value as number))}" r="1.6"/>`,
    );
  return `<svg class="sparkline" viewBox="0 0 ${width} ${height}" role="img" aria-label="${esc(spoken)}" data-tip="${esc(spoken)}"><path class="sbase" d="M0 ${height - barHeight - 2.5}H${width}"/><path class="sline" d="${path}"/>${dots.join('')}${marks.join('')}</svg>`;
}

/** Points that follow each other without a gap. */
function runs(points: readonly LinePoint[], stepMs: number): LinePoint[][] {
  const all: LinePoint[][] = [];
  let lastMs = -Infinity;
  for (const point of points) {
    if (point.value === null) continue;
    if (point.atMs - lastMs > stepMs * 1.5) all.push([]);
    all.at(-1)?.push(point);
    lastMs = point.atMs;
  }
  return all;
}
