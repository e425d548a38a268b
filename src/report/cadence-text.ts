import type { InferenceRequest, StallCause } from '../model/inference.ts';
import { printable } from '../model/outcome.ts';
import { type Palette, wrap } from './ansi.ts';
import { longest } from './facts.ts';
import { briefMs } from './format.ts';

const heights = '▁▂▃▄▅▆▇█';
const letter: Record<StallCause, string> = { network: 'N', server: 'S', client: 'C', undetermined: '?' };

/** One character for a gap: eight heights on a scale that ends at `topMs`. */
export function gapHeight(gapMs: number, topMs: number): string {
  const level = topMs > 0 ? Math.floor((gapMs / topMs) * heights.length) : 0;
  return heights[Math.min(heights.length - 1, Math.max(0, level))] ?? '▁';
}

/**
 * The token cadence of one request: one character per gap, its height the gap, a stall as the letter of its cause
 * (N network, S server, C client, ? undetermined), wrapped to `width`; the scale and the stalls in words below.
 */
export function cadenceStrip(request: InferenceRequest, width: number, paint: Palette): string[] {
  if (request.gaps.length === 0) return [];
  const stalls = new Map(request.stalls.map((s) => [s.afterToken, s]));
  // Stalls have letters, so the heights are kept for the gaps that are none: they would all look flat beside a stall.
  const calm = request.gaps.filter((_, i) => !stalls.has(i + 1));
  const topMs = longest(calm.length > 0 ? calm : request.gaps);
  const marks = request.gaps.map((ms, i) => {
    const stall = stalls.get(i + 1);
    return stall ? paint.bold(paint.part[stall.cause](letter[stall.cause])) : gapHeight(ms, topMs * 1.0001);
  });
  const lines: string[] = [];
  for (let i = 0; i < marks.length; i += width) lines.push(marks.slice(i, i + width).join(''));
  return [...lines, ...wrap(words(request, topMs), width).map(paint.dim)];
}

function words(request: InferenceRequest, topMs: number): string {
  const scale = `${request.gaps.length} token gaps, █ = ${briefMs(topMs)} ms`;
  if (request.stalls.length === 0) return `${scale}, no stall`;
  const limit = request.stallThresholdMs === null ? '' : ` above ${briefMs(request.stallThresholdMs)} ms`;
  const shown = request.stalls
    .slice(0, 4)
    .map(
      (s) =>
        `${letter[s.cause]} after token ${s.afterToken}: ${briefMs(s.durationMs)} ms, ${s.cause}${s.evidence.length > 0 ? ` (${printable(s.evidence.join(', '))})` : ''}`,
    );
  const more = request.stalls.length > 4 ? `; ${request.stalls.length - 4} more` : '';
  return `${scale}; stalls${limit}: ${shown.join('; ')}${more}`;
}
