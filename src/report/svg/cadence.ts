import type { InferenceRequest, StallCause } from '../../model/inference.ts';
import { longest } from '../facts.ts';
import { briefMs } from '../format.ts';
import { msTick, niceMax, svg, text, tip, yAxis } from './frame.ts';
import { linear, px } from './scale.ts';

/** The letter that marks a stall wherever colour may be missing. */
export const causeLetter: Record<StallCause, string> = { network: 'N', server: 'S', client: 'C', undetermined: '?' };

/** One bar per token gap of one request; stalls carry the colour and the letter of their cause, over the allowed gap as a line. */
export function cadence(request: InferenceRequest, width: number): string {
  const box = { width, height: 180, left: 54, right: 10, top: 26, bottom: 26 };
  const gaps = strongest(request.gaps, Math.floor((width - 64) / 2));
  const allowedMs = request.stallThresholdMs;
  const { end, values } = niceMax(Math.max(longest(request.gaps), (allowedMs ?? 0) * 1.1), 4);
  const y = linear([0, end], [box.height - box.bottom, box.top]);
  const x = linear([0, gaps.length], [box.left, width - box.right]);
  const barWidth = Math.max(1, x(1) - x(0) - (x(1) - x(0) > 4 ? 1 : 0));
  const byToken = new Map(request.stalls.map((s) => [s.afterToken, s]));
  const bars = gaps.map(({ afterToken, ms }, i) => {
    const stall = byToken.get(afterToken);
    const what = `after token ${afterToken}: ${briefMs(ms)} ms${stall ? `, stall by ${stall.cause}: ${stall.evidence.join(', ')}` : ''}`;
    const rect = `<rect class="${stall ? `p-${stall.cause}` : 'calm'}" x="${px(x(i))}" y="${px(y(ms))}" width="${px(barWidth)}" height="${px(y(0) - y(ms))}" ${tip(what)}/>`;
    return stall
      ? rect + text(x(i) + barWidth / 2, y(ms) - 4, causeLetter[stall.cause], 'class="letter" text-anchor="middle"')
      : rect;
  });
  const limit =
    allowedMs === null
      ? ''
      : `<line class="target" x1="${box.left}" x2="${width - box.right}" y1="${px(y(allowedMs))}" y2="${px(y(allowedMs))}"/>` +
        text(
          width - box.right,
          12,
          `dashed: a gap above ${briefMs(allowedMs)} ms is a stall`,
          'class="target-label" text-anchor="end"',
        );
  const axis =
    `<line class="axis" x1="${box.left}" x2="${width - box.right}" y1="${px(y(0))}" y2="${px(y(0))}"/>` +
    text(box.left, box.height - 8, 'first token', 'class="tick"') +
    text(
      width - box.right,
      box.height - 8,
      `${request.gaps.length} gaps, last token`,
      'class="tick" text-anchor="end"',
    );
  const spoken = request.stalls
    .map((s) => `${briefMs(s.durationMs)} ms after token ${s.afterToken} by ${s.cause}`)
    .join('; ');
  const label = `Token gaps of request ${request.id}: ${request.gaps.length} gaps, stalls: ${spoken || 'none'}`;
  return svg(width, box.height, label, yAxis(box, y, values, msTick(values)) + axis + bars.join('') + limit);
}

/** At most `most` gaps: of each group the longest, so that thinning never hides a stall. */
function strongest(gaps: readonly number[], most: number): { afterToken: number; ms: number }[] {
  const all = gaps.map((ms, i) => ({ afterToken: i + 1, ms }));
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) =>
    all
      .slice(Math.floor((i * all.length) / most), Math.floor(((i + 1) * all.length) / most))
      .reduce((a, b) => (b.ms > a.ms ? b : a)),
  );
}
