import { svg, text, tip } from './frame.ts';
import { px } from './scale.ts';

export interface HeatCell {
  /** 0 calm to 1 worst; null where there is nothing to say. */
  level: number | null;
  about: string;
  /** A short word inside, where it fits. */
  word?: string;
}

/** A matrix of coloured cells: rows fail, columns suffer. Colour runs from calm to failing; the words say it as well. */
export function heat(
  title: string,
  rows: readonly string[],
  columns: readonly string[],
  cell: (row: number, column: number) => HeatCell,
  width: number,
): string {
  const longest = (words: readonly string[]) => Math.max(0, ...words.map((w) => w.length));
  const left = Math.min(width * 0.34, longest(rows) * 7.2 + 14);
  const top = Math.min(120, longest(columns) * 4.9 + 16);
  const cellWidth = Math.min(72, (width - left - 24) / Math.max(1, columns.length));
  const cellHeight = 20;
  const height = top + rows.length * cellHeight + 6;
  const heads = columns.map((word, i) => {
    const [x, y] = [left + (i + 0.45) * cellWidth, top - 6];
    return `<text class="tick" x="${px(x)}" y="${px(y)}" transform="rotate(-40 ${px(x)} ${px(y)})">${text(0, 0, word).replace(/^<text[^>]*>|<\/text>$/g, '')}</text>`;
  });
  const body = rows.flatMap((row, r) => [
    text(left - 6, top + r * cellHeight + 14, clip(row, left / 6.8), 'class="tick" text-anchor="end"'),
    ...columns.map((_, c) => {
      const { level, about, word } = cell(r, c);
      const [x, y] = [left + c * cellWidth, top + r * cellHeight];
      const fill = level === null ? 'class="cell none"' : `class="cell" style="--level:${Math.round(level * 100)}%"`;
      const inside =
        word !== undefined && word.length * 6.2 < cellWidth
          ? text(
              x + cellWidth / 2,
              y + 14,
              word,
              `class="cell-word${(level ?? 0) > 0.55 ? ' strong' : ''}" text-anchor="middle"`,
            )
          : '';
      return `<rect ${fill} x="${px(x + 1)}" y="${px(y + 1)}" width="${px(cellWidth - 2)}" height="${cellHeight - 2}" rx="3" ${tip(about)}/>${inside}`;
    }),
  ]);
  return svg(width, height, title, heads.join('') + body.join(''));
}

function clip(word: string, letters: number): string {
  return word.length <= letters ? word : `${word.slice(0, Math.max(1, Math.floor(letters) - 1))}…`;
}
