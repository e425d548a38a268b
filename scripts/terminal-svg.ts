import { cells as cellsOf } from '../src/report/ansi.ts';

/** How a stretch of terminal text looks. */
interface Look {
  bold: boolean;
  dim: boolean;
  color: string | null;
}
interface Run {
  text: string;
  column: number;
  look: Look;
}

const cell = { width: 8.4, height: 19, size: 14 };
// Blocks stop short of the lines above and below, so that bars on neighbouring lines stay apart.
const inset = 2.5;
const margin = { x: 20, top: 50, bottom: 20 };
const screen = { background: '#141a21', bar: '#1e262f', text: '#dde4ec', title: '#94a1b0' };
// The sixteen named colours, tuned to be readable on the background.
const named = ['#6b7785', '#ff8f85', '#6ad39c', '#f0c659', '#74b9f5', '#dc9be0', '#6fd3dd', '#dde4ec'];

/**
 * Turns terminal text with SGR colour sequences into a picture of a terminal window. Every run of text is pinned to its
 * column and stretched to its width in cells, so that columns align whatever monospace font the viewer has; block elements
 * are drawn as rectangles, so that bars have no seams.
 */
export function ansiToSvg(text: string, options: { title: string }): string {
  const lines = parse(text);
  const columns = Math.max(40, ...lines.map((runs) => Math.max(0, ...runs.map((r) => r.column + cellsOf(r.text)))));
  const width = Math.ceil(columns * cell.width + 2 * margin.x);
  const height = Math.ceil(lines.length * cell.height + margin.top + margin.bottom);
  const body = lines.flatMap((runs, row) => runs.flatMap((run) => draw(run, margin.top + row * cell.height)));
  const dots = ['#ff6058', '#ffbd2e', '#28c840'].map(
    (fill, i) => `<circle cx="${22 + i * 20}" cy="19" r="6" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${esc(options.title)}">
<rect width="${width}" height="${height}" rx="10" fill="${screen.background}"/>
<path d="M0 10a10 10 0 0 1 10-10H${width - 10}a10 10 0 0 1 10 10V38H0Z" fill="${screen.bar}"/>
${dots.join('')}<text x="${width / 2}" y="24" text-anchor="middle" font-family="system-ui,sans-serif" font-size="13" fill="${screen.title}">${esc(options.title)}</text>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace" font-size="${cell.size}" fill="${screen.text}" xml:space="preserve">
${body.join('\n')}
</g></svg>
`;
}

const sequence = new RegExp(`${String.fromCharCode(27)}(?:\\[([0-9;?]*)([@-~])|\\][^\\u0007]*(?:\\u0007|$)|.)`, 'gu');

/** Splits into lines of runs; sequences other than colour are dropped. */
function parse(text: string): Run[][] {
  let look: Look = { bold: false, dim: false, color: null };
  return text
    .replace(/\r/g, '')
    .replace(/\n+$/, '')
    .split('\n')
    .map((line) => {
      const runs: Run[] = [];
      let column = 0;
      let from = 0;
      const push = (part: string) => {
        if (part === '') return;
        runs.push({ text: part, column, look });
        column += cellsOf(part);
      };
      for (const match of line.matchAll(sequence)) {
        push(line.slice(from, match.index));
        from = match.index + match[0].length;
        if (match[2] === 'm') look = applySgr(look, match[1] ?? '');
      }
      push(line.slice(from));
      return runs;
    });
}

/** Select Graphic Rendition (ECMA-48 §8.3.117) as far as our renderers use it. */
function applySgr(before: Look, parameters: string): Look {
  const codes = parameters.split(';').map(Number);
  let look = before;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 0) look = { bold: false, dim: false, color: null };
    else if (code === 1) look = { ...look, bold: true };
    else if (code === 2) look = { ...look, dim: true };
    else if (code === 22) look = { ...look, bold: false, dim: false };
    else if (code === 39) look = { ...look, color: null };
    else if (code >= 30 && code <= 37) look = { ...look, color: named[code - 30] ?? null };
    else if (code >= 90 && code <= 97) look = { ...look, color: named[code - 90] ?? null };
    else if (code === 38 && codes[i + 1] === 5) {
      look = { ...look, color: indexed(codes[i + 2] ?? 0) };
      i += 2;
    } else if (code === 38 && codes[i + 1] === 2) {
      look = { ...look, color: hex([codes[i + 2] ?? 0, codes[i + 3] ?? 0, codes[i + 4] ?? 0]) };
      i += 4;
    }
  }
  return look;
}

/** A colour of the 256-colour palette: 16 named, a 6×6×6 cube, 24 greys. */
function indexed(n: number): string {
  if (n < 16) return named[n % 8] ?? screen.text;
  if (n >= 232) return hex([0, 1, 2].map(() => 8 + (n - 232) * 10));
  const step = (v: number) => (v === 0 ? 0 : 55 + v * 40);
  const cube = n - 16;
  return hex([step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)]);
}

function hex(rgb: readonly number[]): string {
  return `#${rgb
    .map((v) =>
      Math.min(255, Math.max(0, Math.round(v) || 0))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

function draw(run: Run, top: number): string[] {
  const style = [
    run.look.color ? `fill="${run.look.color}"` : '',
    run.look.bold ? 'font-weight="700"' : '',
    run.look.dim ? 'opacity="0.66"' : '',
  ]
    .filter(Boolean)
    .join(' ');
  const out: string[] = [];
  let column = run.column;
  for (const { text, block } of pieces(run.text)) {
    const x = margin.x + column * cell.width;
    const width = cellsOf(text);
    column += width;
    if (block) out.push(...blocks(text, x, top, style));
    else if (text.trim() !== '') {
      const lead = text.length - text.trimStart().length;
      const word = text.trim();
      out.push(
        `<text x="${round(x + lead * cell.width)}" y="${round(top + 14)}" textLength="${round(cellsOf(word) * cell.width)}" lengthAdjust="spacingAndGlyphs"${style && ` ${style}`}>${esc(word)}</text>`,
      );
    }
  }
  return out;
}

const isBlock = /[\u2580-\u259f]/;

/** Cuts a run where block elements begin and end, and at wide gaps, where a stretched text would drift. */
function pieces(text: string): { text: string; block: boolean }[] {
  const parts = text.match(/[\u2580-\u259f]+|(?: {2,})|(?:(?! {2,})[^\u2580-\u259f])+/g) ?? [];
  return parts.map((part) => ({ text: part, block: isBlock.test(part) }));
}

/** Block elements (Unicode U+2580–U+259F) as rectangles; equal neighbours become one. */
function blocks(text: string, x: number, top: number, style: string): string[] {
  const out: string[] = [];
  const glyphs = Array.from(text);
  for (let i = 0; i < glyphs.length;) {
    const glyph = glyphs[i] ?? '';
    let n = 1;
    while (glyphs[i + n] === glyph && sidesTouch(glyph)) n++;
    for (const [left, up, width, height, opacity] of shapes(glyph)) {
      const size = `x="${round(x + (i + left * n) * cell.width)}" y="${round(top + inset + up * (cell.height - 2 * inset))}" width="${round(width * n * cell.width)}" height="${round(height * (cell.height - 2 * inset))}"`;
      out.push(
        `<rect shape-rendering="crispEdges" ${size}${opacity < 1 ? ` fill-opacity="${opacity}"` : ''}${style && ` ${style}`}/>`,
      );
    }
    i += n;
  }
  return out;
}

function sidesTouch(glyph: string): boolean {
  return '█░▒▓'.includes(glyph);
}

type Shape = readonly [left: number, up: number, width: number, height: number, opacity: number];

/** Parts of a cell that a block element fills, in shares of the cell. */
function shapes(glyph: string): Shape[] {
  const code = glyph.codePointAt(0) ?? 0;
  if (code >= 0x2581 && code <= 0x2588) {
    const height = (code - 0x2580) / 8;
    return [[0, 1 - height, 1, height, 1]];
  }
  if (code >= 0x2589 && code <= 0x258f) return [[0, 0, (0x2590 - code) / 8, 1, 1]];
  if (code >= 0x2591 && code <= 0x2593) return [[0, 0, 1, 1, [0.4, 0.65, 0.85][code - 0x2591] ?? 1]];
  if (code === 0x2580) return [[0, 0, 1, 0.5, 1]];
  if (code === 0x2590) return [[0.5, 0, 0.5, 1, 1]];
  return quadrants(code);
}

// Which quarters U+2596–U+259F fill: upper left, upper right, lower left, lower right.
const quarters = ['0010', '0001', '1000', '1011', '1001', '1110', '1101', '0100', '0110', '0111'];

function quadrants(code: number): Shape[] {
  const filled = quarters[code - 0x2596] ?? '1111';
  return Array.from(filled).flatMap((on, i): Shape[] =>
    on === '1' ? [[(i % 2) / 2, Math.floor(i / 2) / 2, 0.5, 0.5, 1]] : [],
  );
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function esc(text: string): string {
  // XML 1.0 allows no control character but tab and newline, not even as an entity.
  // oxlint-disable-next-line no-control-regex -- these are removed
  const clean = text.replace(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/g, '');
  return clean.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
