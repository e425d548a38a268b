import { partAbout, type Segment } from '../facts.ts';
import { briefMs, percent } from '../format.ts';
import { niceMax, svg, text, tip, xAxis } from './frame.ts';
import { linear, px } from './scale.ts';

export interface Bar {
  label: string;
  segments: readonly Segment[];
}

/** Stacked horizontal bars on one common scale in ms, one row per bar, with its total at the end. */
export function stackedBars(bars: readonly Bar[], width: number): string {
  const totals = bars.map((b) => b.segments.reduce((sum, s) => sum + s.ms, 0));
  const rowHeight = 46;
  const box = { width, height: bars.length * rowHeight + 26, left: 0, right: 8, top: 0, bottom: 24 };
  const { end, values } = niceMax(Math.max(...totals), width > 500 ? 8 : 4);
  const x = linear([0, end], [box.left, width - box.right]);
  const rows = bars.map((bar, i) => {
    const top = i * rowHeight;
    let fromMs = 0;
    const rects = bar.segments.map((s) => {
      const left = x(fromMs);
      fromMs += s.ms;
      const what = `${bar.label}: ${s.part} ${briefMs(s.ms)} ms, ${percent(s.ms / (totals[i] ?? 1))} (${partAbout[s.part]})`;
      return `<rect class="p-${s.part} cut" x="${px(left)}" y="${top + 18}" width="${px(Math.max(0.5, x(fromMs) - left))}" height="20" ${tip(what)}/>`;
    });
    const title =
      text(0, top + 13, bar.label, 'class="label"') +
      text(width - box.right, top + 13, `${briefMs(totals[i] ?? 0)} ms`, 'class="label" text-anchor="end"');
    return title + rects.join('');
  });
  const spoken = bars.map(
    (b, i) =>
      `${b.label} ${briefMs(totals[i] ?? 0)} ms: ${b.segments.map((s) => `${s.part} ${briefMs(s.ms)} ms`).join(', ')}`,
  );
  return svg(
    width,
    box.height,
    `Where the time went. ${spoken.join('. ')}`,
    rows.join('') + xAxis(box, x, values, 'ms'),
  );
}
