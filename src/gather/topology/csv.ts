import { transportKind } from '../../model/network-links.ts';
import { csvFields } from '../csv.ts';
import { decimal, type Findings, found, maxRows, type Parsed, startFindings } from './parsed.ts';

/** One row; keys that are absent or empty in the file are absent. */
export interface CsvRow {
  line: number;
  text: Partial<Record<string, string>>;
  number: Partial<Record<string, number>>;
  list: Partial<Record<string, string[]>>;
}

export interface CsvTable {
  kind: keyof typeof tables;
  rows: CsvRow[];
}

interface Column {
  as: 'text' | 'number' | 'list';
  required?: true;
  atLeast?: number;
  atMost?: number;
  oneOf?: readonly string[];
}

/** Columns by table. The order of columns in a file is free; `from` and `to` name sites. */
const tables = {
  sites: {
    name: { as: 'text', required: true },
    lat: { as: 'number', atLeast: -90, atMost: 90 },
    lon: { as: 'number', atLeast: -180, atMost: 180 },
    users: { as: 'number', atLeast: 0, atMost: 1e10 },
    role: { as: 'text', oneOf: ['user', 'edge', 'dc', 'cloud'] },
  },
  links: {
    from: { as: 'text', required: true },
    to: { as: 'text', required: true },
    name: { as: 'text' },
    kind: { as: 'text', oneOf: transportKind.options },
    lengthKm: { as: 'number', atLeast: 0, atMost: 40_000 },
    capacityGbps: { as: 'number', atLeast: 0, atMost: 1e7 },
    carrier: { as: 'text' },
    riskGroups: { as: 'list' },
    rttMs: { as: 'number', atLeast: 0, atMost: 10_000 },
    weight: { as: 'number', atLeast: 0, atMost: 1e9 },
  },
  demands: {
    from: { as: 'text', required: true },
    to: { as: 'text', required: true },
    gbps: { as: 'number', required: true, atLeast: 0, atMost: 1e7 },
    backGbps: { as: 'number', atLeast: 0, atMost: 1e7 },
    name: { as: 'text' },
  },
} as const satisfies Record<string, Record<string, Column>>;

/** A line longer than this is none of a table. */
const maxLine = 100_000;

/**
 * A table of sites, links or demands, told apart by its columns: `gbps` is in demands only, `from` and `to` not in sites. Separated by
 * commas, semicolons or tabs; risk groups in one field, separated by `|`, `;` or spaces.
 */
export function parseTopologyCsv(text: string): Parsed<CsvTable> {
  const findings = startFindings();
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const first = lines.findIndex((line) => line.trim() !== '');
  const header = first < 0 ? '' : lines[first]!;
  const separator = ['\t', ';', ','].find((one) => header.includes(one)) ?? ',';
  const names = csvFields(header.slice(0, maxLine), separator).map((name) => name.trim());
  const kind = kindOf(names);
  if (kind === null) {
    findings.mistake(Math.max(1, first + 1), 'header', `${found(header)}; allowed: columns of ${describeTables()}`);
    return findings.result(() => ({ kind: 'links', rows: [] }));
  }
  const columns = columnsOf(kind, names, first + 1, findings);
  const rows: CsvRow[] = [];
  for (let i = first + 1; i < lines.length && !findings.failed(); i++) {
    const line = lines[i]!;
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (line.length > maxLine) findings.mistake(i + 1, 'file', `found a line of ${line.length} characters`);
    else if (rows.length >= maxRows) findings.mistake(i + 1, 'file', `found more than ${maxRows} rows`);
    else rows.push(rowOf(csvFields(line, separator), columns, i + 1, findings));
  }
  return findings.result(() => ({ kind, rows }));
}

function kindOf(names: readonly string[]): CsvTable['kind'] | null {
  const has = (name: string) => names.some((one) => one.toLowerCase() === name);
  if (has('from') && has('to')) return has('gbps') ? 'demands' : 'links';
  return has('name') ? 'sites' : null;
}

function describeTables(): string {
  return Object.entries(tables)
    .map(([kind, columns]) => `${kind} (${Object.keys(columns).join(', ')})`)
    .join(', ');
}

type Named = { name: string; column: Column } | null;

function columnsOf(kind: CsvTable['kind'], names: readonly string[], line: number, findings: Findings): Named[] {
  const known: Record<string, Column> = tables[kind];
  const seen = new Set<string>();
  const columns = names.map((typed): Named => {
    const name = Object.keys(known).find((one) => one.toLowerCase() === typed.toLowerCase());
    if (name === undefined) {
      findings.mistake(line, 'header', `${found(typed)}; allowed in ${kind}: ${Object.keys(known).join(', ')}`);
      return null;
    }
    if (seen.has(name)) findings.mistake(line, 'header', `found ${name} a second time; allowed: once`);
    seen.add(name);
    return { name, column: known[name]! };
  });
  for (const [name, { required }] of Object.entries(known))
    if (required && !seen.has(name)) findings.mistake(line, 'header', `found no column ${name}`);
  return columns;
}

function rowOf(fields: readonly string[], columns: readonly Named[], line: number, findings: Findings): CsvRow {
  const row: CsvRow = { line, text: {}, number: {}, list: {} };
  if (fields.length > columns.length)
    findings.mistake(line, 'row', `found ${fields.length} fields; allowed: ${columns.length}, as in the header`);
  columns.forEach((one, i) => {
    const value = fields[i]?.trim() ?? '';
    if (one === null) return;
    const { name, column } = one;
    if (value === '') {
      if (column.required) findings.mistake(line, name, 'found nothing; it is required');
    } else if (column.as === 'number') row.number[name] = numberOf(value, name, column, line, findings);
    else if (column.as === 'list') row.list[name] = value.split(/[|;\s]+/).filter((part) => part !== '');
    else if (column.oneOf && !column.oneOf.includes(value))
      findings.mistake(line, name, `${found(value)}; allowed: ${column.oneOf.join(', ')}`);
    else row.text[name] = value;
  });
  return row;
}

function numberOf(
  text: string,
  name: string,
  { atLeast = -Infinity, atMost = Infinity }: Column,
  line: number,
  findings: Findings,
) {
  const value = decimal(text);
  if (value !== null && value >= atLeast && value <= atMost) return value;
  const range = atMost < Infinity ? `from ${atLeast} to ${atMost}` : atLeast > -Infinity ? `≥ ${atLeast}` : '';
  findings.mistake(line, name, `${found(text)}; allowed: a number ${range}`.trimEnd());
  return 0;
}
