import { num } from '../format.ts';
import { esc } from '../html/escape.ts';
import { px, ticks } from './scale.ts';

/** Where the plot stands inside a picture of `width` × `height`. */
export interface Box {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** An inline SVG with an accessible name; `body` is trusted markup. */
export function svg(width: number, height: number, label: string, body: string): string {
  return `<svg viewBox="0 0 ${width} ${px(height)}" width="${width}" height="${px(height)}" role="img" aria-label="${esc(label)}">${body}</svg>`;
}

export function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${px(x)}" y="${px(y)}"${attributes && ` ${attributes}`}>${esc(content)}</text>`;
}

/** A shape with a tooltip that the page's script shows on hover. */
export function tip(content: string): string {
  return `data-tip="${esc(content)}"`;
}

/** Horizontal grid lines with labels at the left. */
export function yAxis(
  box: Box,
  y: (v: number) => number,
  values: readonly number[],
  format: (v: number) => string,
): string {
  return values
    .map(
      (v) =>
        `<line class="grid" x1="${box.left}" x2="${box.width - box.right}" y1="${px(y(v))}" y2="${px(y(v))}"/>` +
        text(box.left - 6, y(v) + 4, format(v), 'class="tick" text-anchor="end"'),
    )
    .join('');
}

/** Tick labels below the plot, with a title at the right end. */
export function xAxis(box: Box, x: (v: number) => number, values: readonly number[], unit: string): string {
  const y = box.height - box.bottom;
  const labels = values.map((v, i) => {
    const last = i === values.length - 1;
    return text(
      x(v),
      y + 16,
      last ? `${num(v)} ${unit}` : num(v),
      `class="tick" text-anchor="${last ? 'end' : i === 0 ? 'start' : 'middle'}"`,
    );
  });
  const marks = values.map((v) => `<line class="axis" x1="${px(x(v))}" x2="${px(x(v))}" y1="${y}" y2="${y + 4}"/>`);
  return `<line class="axis" x1="${box.left}" x2="${box.width - box.right}" y1="${y}" y2="${y}"/>${marks.join('')}${labels.join('')}`;
}

/** Labels for a vertical axis in ms: the unit stands at the top only. */
export function msTick(values: readonly number[]): (v: number) => string {
  return (v) => (v === values.at(-1) ? `${num(v)} ms` : num(v));
}

/** The end of an axis: the last tick at or above the largest value. */
export function niceMax(max: number, about: number): { end: number; values: number[] } {
  const values = ticks(max, about);
  return { end: values.at(-1) ?? 1, values };
}
