import { csvFields } from '../csv.ts';
import { found } from '../topology/parsed.ts';
import type { ConnectionReader } from './connection.ts';
import { snapshotRows } from './snapshot-rows.ts';
import { windowsRow } from './windows-row.ts';

const heading = /(?:^|[",;\t])LocalAddress(?:$|[",;\t])/im;

/** The same by Export-Csv or ConvertTo-Csv: a `#TYPE` line of 5.1 before the heading, and the separator of the culture. */
export const windowsCsvReader: ConnectionReader = {
  format: 'windows-csv',
  about: 'Get-NetTCPConnection or Get-NetUDPEndpoint, Export-Csv',
  detect: (head) =>
    heading.test(head) && !/^\s*[[{]/.test(head) && /LocalPort/i.test(head)
      ? { confidence: 0.95, why: 'CSV with LocalAddress and LocalPort' }
      : { confidence: 0, why: '' },
  open: ({ source, atMs }, sink) => {
    const rows = snapshotRows(source, atMs, sink);
    let names: string[] | null = null;
    let separator = ',';
    return {
      line: (text, line) => {
        if (text.trim() === '' || text.startsWith('#TYPE')) return;
        if (text.length > 10_000) {
          sink.mistake(line, 'file', `found a line of ${text.length} characters`);
          return;
        }
        if (heading.test(text)) {
          separator = ['\t', ';', ','].find((one) => text.includes(one)) ?? ',';
          names = csvFields(text, separator).map((name) => name.trim().toLowerCase());
          return;
        }
        if (!names) {
          sink.mistake(line, 'header', `${found(text)}; allowed: a heading with LocalAddress and LocalPort first`);
          return;
        }
        const values = csvFields(text, separator);
        const fields = new Map(names.map((name, i) => [name, values[i] ?? '']));
        const result = windowsRow(fields, line);
        if (result.ok) rows.add(result.row);
        else sink.mistake(line, result.key, `${found(result.found)}; allowed: ${result.allowed}`);
      },
      end: () => rows.end(),
    };
  },
};
