import { csvFields } from './csv.ts';
import { type Importer, type ImportContext, type LineReader, marks, type Sink } from './importer.ts';
import { asArray, asNumber, asObject, asText, documentReader, type JsonObject } from './json.ts';
import { type EchoProbe, probeRun, type ProbeRun } from './probe-run.ts';
import { readStamp } from './stamp.ts';

/** IP_STATUS of the Windows IP helper and System.Net.NetworkInformation.IPStatus: a number, or its name. */
const STATUS: Readonly<Record<string, string>> = {
  '0': 'Success',
  '11002': 'DestinationNetworkUnreachable',
  '11003': 'DestinationHostUnreachable',
  '11004': 'DestinationProtocolUnreachable',
  '11005': 'DestinationPortUnreachable',
  '11010': 'TimedOut',
  '11013': 'TtlExpired',
  '11018': 'BadDestination',
};

/**
 * PowerShell's Test-Connection as `ConvertTo-Json` or `Export-Csv` write it: Windows PowerShell 5.1 (Win32_PingStatus, with
 * ResponseTime and StatusCode) and PowerShell 7 (PingStatus, with Latency and Status). Neither has a time of its own; a
 * column Time, Timestamp or Date that the user added is read.
 */
export const testConnectionImporter: Importer = {
  format: 'test-connection',
  about: 'Test-Connection of PowerShell 5.1 and 7, as CSV or JSON',
  detect: (head) =>
    marks(head, [
      [/"Latency"\s*:[\s\S]*"Status"\s*:/, 0.9, 'the keys "Latency" and "Status"'],
      [
        /"ResponseTime"\s*:[\s\S]*"StatusCode"|"StatusCode"\s*:[\s\S]*"ResponseTime"/,
        0.9,
        'the keys "ResponseTime" and "StatusCode"',
      ],
      [/^#TYPE .*(?:Win32_PingStatus|TestConnectionCommand)/m, 1, 'the line "#TYPE …PingStatus"'],
      [
        /^(?:.*[",;])?(?:ResponseTime"?[,;].*StatusCode|Latency"?[,;].*Status)/m,
        0.9,
        'the columns of a time and a status',
      ],
      [/"IPV4Address"/, 0.4, 'the word "IPV4Address", but no time'],
    ]),
  open: (context, sink) => {
    const rows = rowReader(context, sink);
    let reader: LineReader | null = null;
    return {
      line: (text, number) => {
        if (text.trim() === '' && !reader) return;
        reader ??= /^\s*[[{]/.test(text) ? jsonReader(rows, sink) : csvReader(rows, sink);
        reader.line(text, number);
      },
      end: () => {
        reader?.end();
        rows.end();
      },
    };
  },
};

interface Rows {
  add(row: JsonObject): boolean;
  end(): void;
}

function jsonReader(rows: Rows, sink: Sink): LineReader {
  return documentReader(sink, (document, line) => {
    const list = Array.isArray(document) ? asArray(document) : [document];
    const unread = list.filter((one) => !rows.add(asObject(one) ?? {})).length;
    if (unread > 0) sink.warning(line, `${unread} of ${list.length} objects are not of Test-Connection`);
  });
}

function csvReader(rows: Rows, sink: Sink): LineReader {
  let headings: string[] | null = null;
  let separator = ',';
  return {
    line: (text, number) => {
      if (text.trim() === '' || text.startsWith('#TYPE')) return;
      if (!headings) {
        separator = text.includes(';') && !text.includes(',') ? ';' : ',';
        const fields = csvFields(text, separator);
        if (fields.includes('Status') || fields.includes('StatusCode')) headings = fields;
        else sink.unread(number, text);
        return;
      }
      const fields = csvFields(text, separator);
      const row = Object.fromEntries(headings.map((heading, i) => [heading, fields[i] ?? '']));
      if (!rows.add(row)) sink.unread(number, text);
    },
    end: () => undefined,
  };
}

function rowReader(context: ImportContext, sink: Sink): Rows {
  const runs = new Map<string, { run: ProbeRun; sequence: number }>();
  const clock = { zoneMinutes: context.zoneMinutes, dayMs: context.clock.ms };
  return {
    add: (row) => {
      const to = asText(row['Destination']) ?? asText(row['Address']) ?? asText(row['Target']);
      const outcome = outcomeOf(row);
      if (to === null || !outcome) return false;
      const address = addressOf(row) ?? to;
      const head = {
        to: context.to ?? to,
        address,
        method: 'icmp' as const,
        tool: 'Test-Connection',
        firstSequence: 1,
      };
      const named = context.from === undefined ? (asText(row['Source']) ?? asText(row['PSComputerName'])) : null;
      const known = runs.get(to) ?? {
        run: probeRun(head, named === null ? context : { ...context, from: named }, sink),
        sequence: 0,
      };
      if (runs.size < 65_536) runs.set(to, known);
      known.sequence++;
      const rttMs = outcome.kind === 'answered' ? asNumber(row['Latency'] ?? row['ResponseTime']) : null;
      const time = asText(row['Time']) ?? asText(row['Timestamp']) ?? asText(row['Date']) ?? asText(row['DateTime']);
      const atMs = time === null ? null : readStamp(time, clock);
      known.run.add({ sequence: known.sequence, address, outcome, rttMs, atMs });
      return true;
    },
    end: () => {
      for (const { run } of runs.values()) run.close();
    },
  };
}

/** Null for a row that is not about an echo. */
function outcomeOf(row: JsonObject): EchoProbe['outcome'] | null {
  const said = row['Status'] ?? row['StatusCode'];
  const latency = asNumber(row['Latency'] ?? row['ResponseTime']);
  const code = typeof said === 'number' || typeof said === 'string' ? String(said) : '';
  // 5.1 leaves StatusCode empty for a name that does not resolve.
  if (code === '') return 'StatusCode' in row || 'Status' in row ? { kind: 'lost' } : null;
  const status = STATUS[code] ?? code;
  if (status === 'Success') return latency === null ? null : { kind: 'answered' };
  if (status === 'TimedOut') return { kind: 'lost' };
  return {
    kind: 'unreachable',
    by: addressOf(row) ?? 'unnamed',
    message: status.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase(),
  };
}

function addressOf(row: JsonObject): string | null {
  const listed = asObject(row['IPV4Address']) ?? asObject(row['Address']);
  return (
    asText(row['DisplayAddress']) ??
    asText(row['ProtocolAddress']) ??
    asText(listed?.['IPAddressToString']) ??
    asText(row['IPV4Address'])
  );
}
