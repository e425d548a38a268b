import { cells, type Palette, wrap } from './ansi.ts';
import { type Part, parts, type Segment } from './facts.ts';
import { briefMs } from './format.ts';

// Without colour each part needs a look of its own; with colour full blocks are calmer, and only the open question stays hatched.
const plainGlyph: Record<Part, string> = {
  dns: '▖',
  tcp: '▚',
  tls: '▞',
  upload: '▟',
  network: '█',
  undetermined: '░',
  server: '▒',
  client: '▪',
};

export function glyph(part: Part, colors: boolean): string {
  return colors ? (part === 'undetermined' ? '▒' : '█') : plainGlyph[part];
}

/**
 * How many of `width` cells each part gets: by largest remainder, so that they add up; whatever makes at least a hundredth
 * gets a cell of its own.
 */
export function shareCells(amounts: readonly number[], width: number): number[] {
  const total = amounts.reduce((a, b) => a + b, 0);
  if (total <= 0) return amounts.map(() => 0);
  const exact = amounts.map((a) => (a / total) * width);
  const got = exact.map((x, i) => ((amounts[i] ?? 0) >= total / 100 ? Math.max(1, Math.floor(x)) : Math.floor(x)));
  const left = width - got.reduce((a, b) => a + b, 0);
  const by = exact.map((x, i) => ({ i, missing: x - (got[i] ?? 0) })).toSorted((a, b) => b.missing - a.missing);
  for (const { i } of by.slice(0, Math.max(0, left))) got[i] = (got[i] ?? 0) + 1;
  // Cells that small parts got beyond their share come out of the largest part, where they show least.
  for (let over = -left; over > 0; over--) {
    const most = got.indexOf(Math.max(...got));
    got[most] = (got[most] ?? 0) - 1;
  }
  return got;
}

/** One stacked bar of `width` cells. */
export function stackedBar(segments: readonly Segment[], width: number, paint: Palette, colors: boolean): string {
  const share = shareCells(
    segments.map((s) => s.ms),
    width,
  );
  return segments.map((s, i) => paint.part[s.part](glyph(s.part, colors).repeat(share[i] ?? 0))).join('');
}

/** Items joined by two spaces into lines of at most `width` cells; an item wider than that is wrapped. */
export function flow(items: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const item of items) {
    const joined = line === '' ? item : `${line}  ${item}`;
    if (cells(joined) > width && line !== '') {
      lines.push(line);
      line = item;
    } else line = joined;
  }
  if (line !== '') lines.push(line);
  return lines.flatMap((l) => (cells(l) > width ? wrap(l, width) : [l]));
}

/** The legend under bars of several requests: glyph, part, and its milliseconds in each of them. */
export function barLegend(
  bars: readonly (readonly Segment[])[],
  width: number,
  paint: Palette,
  colors: boolean,
): string[] {
  const used = parts.filter((p) => bars.some((b) => b.some((s) => s.part === p)));
  const ms = (bar: readonly Segment[], p: Part) =>
    briefMs(bar.reduce((sum, s) => (s.part === p ? sum + s.ms : sum), 0));
  return flow(
    used.map(
      (p) =>
        `${paint.part[p](colors && p !== 'undetermined' ? '■' : glyph(p, colors))} ${p} ${bars.map((b) => ms(b, p)).join(' / ')} ms`,
    ),
    width,
  );
}
