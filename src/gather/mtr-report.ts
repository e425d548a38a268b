import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { emitMtr, emptyRow, mtrColumns, type MtrRow } from './mtr.ts';
import { readStamp } from './stamp.ts';

const START = /^Start: (.+)$/;
const HOST = /^HOST: (\S+)\s+(\S.*)$/;
const ROW = /^\s{0,2}(\d{1,3})\.(?:\|--|\s)\s*(.*)$/;
/** A further address of the hop above. */
const OTHER = /^\s+(?:\|\s+)?`?\|?-?-?\s*([\w.:-]+)\s*$/;
const LABEL = /^\s+\[MPLS: /;
/** Rows of all hops of one report: TTLs end at 255. */
const MAX_ROWS = 255;

/** `mtr --report` and `--report-wide`, with whatever columns `-o` chose. */
export const mtrReportImporter: Importer = {
  format: 'mtr-report',
  about: 'mtr --report, --report-wide',
  detect: (head) =>
    marks(head, [
      [/^HOST: \S+.*(?:Loss%|Snt|Avg)/m, 1, 'the line "HOST: … Loss% Snt …"'],
      [/^ {0,2}\d+\.\|-- /m, 0.8, 'rows that begin with "1.|--"'],
    ]),
  open: readReport,
};

function readReport(context: ImportContext, sink: Sink): LineReader {
  let atMs: number | null = null;
  let from: string | null = null;
  let columns: (keyof MtrRow | null)[] = [];
  let rows: MtrRow[] = [];

  const close = () => {
    // A report names its target only by its last hop.
    const last = rows.at(-1);
    const to = context.to ?? last?.host ?? 'unnamed';
    if (rows.length > 0 && last?.host === null && context.to === undefined)
      sink.warning(null, 'the last hop did not answer, and a report names its target nowhere else: say it with --to');
    emitMtr({ tool: 'mtr --report', from, to: last?.host ?? to, atMs, rows }, context, sink);
    rows = [];
  };

  const row = (ttl: number, text: string): MtrRow | null => {
    const words = text.trim().split(/\s+/);
    const values = words.slice(-columns.length).map((word) => Number(word.replace('%', '')));
    const names = words.slice(0, -columns.length);
    const host = names.at(-1)?.replace(/^\((.*)\)$/, '$1');
    if (columns.length === 0 || host === undefined || values.some((value) => !Number.isFinite(value))) return null;
    const read = emptyRow(ttl, host);
    for (const [i, key] of columns.entries()) if (key !== null) Object.assign(read, { [key]: values[i] });
    return read;
  };

  return {
    line: (text, number) => {
      if (text.trim() === '' || LABEL.test(text)) return;
      const start = START.exec(text);
      const host = HOST.exec(text);
      const numbered = ROW.exec(text);
      if (start) {
        close();
        atMs = readStamp(start[1] ?? '', { zoneMinutes: context.zoneMinutes, dayMs: context.clock.ms });
      } else if (host) {
        if (rows.length > 0) close();
        from = host[1] ?? null;
        columns = (host[2] ?? '')
          .trim()
          .split(/\s+/)
          .map((heading) => mtrColumns[heading] ?? null);
      } else if (numbered && rows.length < MAX_ROWS) {
        const read = row(Number(numbered[1]), numbered[2] ?? '');
        if (read) rows.push(read);
        else sink.unread(number, text);
      } else {
        const other = OTHER.exec(text)?.[1];
        const last = rows.at(-1);
        if (other !== undefined && last && (last.others ?? []).length < MAX_ROWS)
          last.others = [...(last.others ?? []), other];
        else sink.unread(number, text);
      }
    },
    end: close,
  };
}
