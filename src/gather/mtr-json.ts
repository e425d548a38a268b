import { type Importer, marks } from './importer.ts';
import { asArray, asNumber, asObject, asText, documentReader, type JsonObject } from './json.ts';
import { emitMtr, emptyRow, mtrColumns, type MtrRow } from './mtr.ts';

/** `mtr --json`. Numbers were texts before 0.93; both are read. */
export const mtrJsonImporter: Importer = {
  format: 'mtr-json',
  about: 'mtr --json',
  detect: (head) =>
    marks(head, [
      [/"report"\s*:\s*\{\s*"mtr"\s*:/, 1, 'the key "report" with "mtr" in it'],
      [/"hubs"\s*:/, 0.6, 'the key "hubs"'],
    ]),
  open: (context, sink) =>
    documentReader(sink, (document, line) => {
      const report = asObject(asObject(document)?.['report']);
      const mtr = asObject(report?.['mtr']);
      const rows = asArray(report?.['hubs']).flatMap((hub) => rowOf(asObject(hub)) ?? []);
      if (!mtr || rows.length === 0) {
        sink.warning(line, 'the document has no hops: "report.hubs" is missing or empty');
        return;
      }
      const to = asText(mtr['dst']) ?? 'unnamed';
      emitMtr({ tool: 'mtr --json', from: asText(mtr['src']), to, atMs: null, rows }, context, sink);
    }),
};

function rowOf(hub: JsonObject | null): MtrRow | null {
  const ttl = asNumber(hub?.['count']);
  const host = asText(hub?.['host']);
  if (!hub || ttl === null || host === null || !Number.isInteger(ttl)) return null;
  const row = emptyRow(ttl, host);
  for (const [heading, key] of Object.entries(mtrColumns)) {
    const value = asNumber(hub[heading]);
    if (value !== null) Object.assign(row, { [key]: value });
  }
  return row;
}
