import type { ImportedFile, ImportTarget, ImportWarning } from '../model/import.ts';
import { printable } from '../model/outcome.ts';
import { clip, hang, pad, padLeft, palette, type TextOptions, wrap } from './ansi.ts';
import { moment, num, percent, plural } from './format.ts';

/** Targets of one file that are shown; the rest is counted. */
const MAX_ROWS = 20;
const MAX_WARNINGS = 12;
const HEADINGS = ['observations', 'sent', 'loss', 'min', 'median', 'p99', 'max'] as const;
/** Cells of each column, with the space before it. */
const WIDTHS = [14, 7, 8, 8, 8, 8, 8] as const;

/** `inferpath import` for a terminal: each file with its format and span, then a row for each target. Round trips in ms. */
export function renderImportText(
  files: readonly ImportedFile[],
  warnings: readonly ImportWarning[],
  options: TextOptions,
): string {
  const columns = Math.max(40, options.columns);
  const paint = palette(options.colors);
  const blocks = files.map((file) => [
    ...hang('', printable(file.file, 200), columns).map(paint.bold),
    ...wrap(facts(file), columns).map(paint.dim),
    ...(file.targets.length > 0 ? table(file.targets, columns) : []),
  ]);
  const notes = warnings
    .slice(0, MAX_WARNINGS)
    .flatMap((one) => hang(`${paint.verdict.unknown('NOTE')} `, `${place(one)}: ${printable(one.message)}`, columns));
  if (warnings.length > MAX_WARNINGS) notes.push(`     and ${warnings.length - MAX_WARNINGS} more: see --json`);
  return `${[...blocks, notes]
    .filter((block) => block.length > 0)
    .map((block) => block.map((line) => line.trimEnd()).join('\n'))
    .join('\n\n')}\n`;
}

function facts(file: ImportedFile): string {
  const span = file.first === null || file.last === null ? [] : [spanOf(file.first, file.last)];
  const unread = file.unreadLines > 0 ? [`${file.unreadLines} not understood`] : [];
  return [file.format, plural(file.lines, 'line'), ...unread, plural(file.observations, 'observation'), ...span].join(
    ' · ',
  );
}

function spanOf(first: string, last: string): string {
  const seconds = (Date.parse(last) - Date.parse(first)) / 1000;
  return seconds > 0 ? `${moment(first)}, ${num(seconds)} s` : moment(first);
}

function place({ file, line }: ImportWarning): string {
  return line === null ? printable(file, 60) : `${printable(file, 60)}:${line}`;
}

/** On a narrow terminal the columns that can be had from the others go first. */
function table(targets: readonly ImportTarget[], columns: number): string[] {
  const shown = targets.slice(0, MAX_ROWS).map((target) => ({ name: nameOf(target), cells: cellsOf(target) }));
  const widths = HEADINGS.map((_, i) =>
    Math.max(WIDTHS[i] ?? 0, ...shown.map(({ cells }) => (cells[i] ?? '').length + 2)),
  );
  const widthOf = (kept: readonly number[]) => kept.reduce((sum, i) => sum + (widths[i] ?? 0), 2);
  const kept = HEADINGS.map((_, i) => i);
  const longest = Math.min(44, Math.max(...shown.map(({ name }) => name.length)));
  for (const drop of [0, 3, 5, 1]) if (longest + widthOf(kept) > columns) kept.splice(kept.indexOf(drop), 1);
  const nameWidth = Math.max(10, columns - widthOf(kept));
  const row = (name: string, cells: readonly string[]) =>
    `  ${pad(clip(name, nameWidth), nameWidth)}${kept.map((i) => padLeft(cells[i] ?? '', widths[i] ?? 0)).join('')}`;
  const lines = [row('target', HEADINGS), ...shown.map(({ name, cells }) => row(name, cells))];
  return targets.length > MAX_ROWS ? [...lines, `  and ${targets.length - MAX_ROWS} more targets: see --json`] : lines;
}

function nameOf({ to, kinds, path, upMbitPerS, downMbitPerS }: ImportTarget): string {
  const rates = [
    upMbitPerS === null ? [] : `up ${num(upMbitPerS)}`,
    downMbitPerS === null ? [] : `down ${num(downMbitPerS)}`,
  ];
  const words = kinds.map((kind) => {
    if (kind === 'trace' && path) return `trace of ${plural(path.hops, 'hop')}`;
    return kind === 'transfer' && rates.flat().length > 0 ? `${rates.flat().join(', ')} Mbit/s` : kind;
  });
  return `${printable(to, 60)} (${words.join(', ')}${path && !path.reached ? ', not reached' : ''})`;
}

function cellsOf(target: ImportTarget): string[] {
  const { sent, received } = target;
  const loss = sent === null || received === null || sent === 0 ? '–' : percent(Math.max(0, 1 - received / sent));
  const ms = [target.minMs, target.medianMs, target.p99Ms, target.maxMs].map((value) =>
    value === null ? '–' : num(value),
  );
  return [String(target.observations), sent === null ? '–' : String(sent), loss, ...ms];
}
