import { csvFields } from './csv.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { asNumber } from './json.ts';
import { emitMtr, emptyRow, mtrColumns, type MtrRow } from './mtr.ts';

/** Columns that every version writes in this order; the rest follows the heading. */
const [VERSION, TIME, HOST, HOP, ADDRESS] = [0, 1, 3, 4, 5] as const;
const FIRST_FIGURE = 6;
/** Headings before version 0.93 wrote them without `%`, or no heading at all. */
const DEFAULT_COLUMNS = ['Loss%', 'Snt', ' ', 'Last', 'Avg', 'Best', 'Wrst', 'StDev'];

/** `mtr --csv`: comma-separated with a heading since 0.87, semicolons before. */
export const mtrCsvImporter: Importer = {
  format: 'mtr-csv',
  about: 'mtr --csv',
  detect: (head) =>
    marks(head, [
      [/^Mtr_Version,Start_Time,Status,Host,Hop,Ip/m, 1, 'the heading "Mtr_Version,Start_Time,…"'],
      [/^MTR\.[\w.]+[,;]\d{9,10}[,;]/m, 1, 'rows that begin with "MTR." and a time'],
    ]),
  open: readCsv,
};

function readCsv(context: ImportContext, sink: Sink): LineReader {
  let headings = DEFAULT_COLUMNS;
  let report: { tool: string; to: string; atMs: number | null; rows: MtrRow[] } | null = null;

  const close = () => {
    if (report) emitMtr({ ...report, from: null }, context, sink);
    report = null;
  };

  const row = (fields: readonly string[]): boolean => {
    const ttl = asNumber(fields[HOP]);
    const seconds = asNumber(fields[TIME]);
    if (ttl === null || !Number.isInteger(ttl) || ttl < 1 || ttl > 255 || seconds === null) return false;
    const read = emptyRow(ttl, fields[ADDRESS] ?? '');
    for (const [i, heading] of headings.entries()) {
      const value = asNumber(fields[FIRST_FIGURE + i]);
      const key = mtrColumns[heading];
      if (key !== undefined && value !== null) Object.assign(read, { [key]: value });
    }
    const [to, atMs] = [fields[HOST] ?? 'unnamed', seconds * 1000];
    if (report?.to !== to || report.atMs !== atMs || (report.rows.at(-1)?.ttl ?? 0) >= ttl) close();
    const version = (fields[VERSION] ?? '').replace(/^MTR\./, '');
    report ??= { tool: `mtr ${version} --csv`, to, atMs, rows: [] };
    report.rows.push(read);
    return true;
  };

  return {
    line: (text, number) => {
      if (text.trim() === '') return;
      const fields = csvFields(text, text.startsWith('MTR.') && !text.includes(',') ? ';' : ',');
      if (fields[VERSION] === 'Mtr_Version') headings = fields.slice(FIRST_FIGURE);
      else if (!text.startsWith('MTR.') || !row(fields)) sink.unread(number, text);
    },
    end: close,
  };
}
