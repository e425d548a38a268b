import { printable } from '../model/outcome.ts';

/** Rows under a header, columns as wide as needed, two spaces between. */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const all = [header, ...rows.map((row) => row.map((cell) => printable(String(cell), 80)))];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}

/** `2026-08-01 12:34 UTC`, or what null means. */
export function when(ms: number | null, never = '–'): string {
  if (ms === null) return never;
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
