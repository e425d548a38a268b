import { decimal, type Findings, found, maxRows, type Parsed, startFindings } from './parsed.ts';

/** One direction of a link: REPETITA writes a duplex link as two edges. */
export interface RepetitaEdge {
  name: string;
  from: number;
  to: number;
  /** IGP metric. */
  weight: number;
  /** In the unit of the demands, which the format does not name (the public data sets use kbit/s). */
  capacity: number;
  /** In a unit that the format does not name. */
  delay: number;
  line: number;
}

export interface RepetitaGraph {
  /** x and y as written: longitude and latitude in most files, the other way round in some, zero where unknown. */
  nodes: { name: string; x: number; y: number }[];
  edges: RepetitaEdge[];
}

export interface RepetitaDemand {
  name: string;
  from: number;
  to: number;
  volume: number;
}

/**
 * The `.graph` file of REPETITA (Gay, Schaus, Vissicchio, arXiv:1710.08665): `NODES n`, a line of column names, n lines
 * `label x y`; then `EDGES m`, column names, m lines `label src dest weight bw delay`, where src and dest count nodes from 0.
 */
export function parseRepetitaGraph(text: string): Parsed<RepetitaGraph> {
  const findings = startFindings();
  const sections = readSections(text, ['NODES', 'EDGES'], findings);
  const nodes = rows(sections.get('NODES'), 'NODES', ['label', 'x', 'y'], findings).map((row) => ({
    name: row.fields[0]!,
    x: numberIn(row, 1, 'NODES x', findings, Number.NEGATIVE_INFINITY),
    y: numberIn(row, 2, 'NODES y', findings, Number.NEGATIVE_INFINITY),
  }));
  const edgeRows = rows(sections.get('EDGES'), 'EDGES', ['label', 'src', 'dest', 'weight', 'bw', 'delay'], findings);
  const edges = edgeRows.map((row) => ({
    name: row.fields[0]!,
    from: nodeIn(row, 1, 'EDGES src', nodes.length, findings),
    to: nodeIn(row, 2, 'EDGES dest', nodes.length, findings),
    weight: numberIn(row, 3, 'EDGES weight', findings, 0),
    capacity: numberIn(row, 4, 'EDGES bw', findings, 0),
    delay: numberIn(row, 5, 'EDGES delay', findings, 0),
    line: row.line,
  }));
  return findings.result(() => ({ nodes, edges }));
}

/** The `.demands` file: `DEMANDS n`, a line of column names, n lines `label src dest bw`. */
export function parseRepetitaDemands(text: string, nodeCount: number): Parsed<RepetitaDemand[]> {
  const findings = startFindings();
  const sections = readSections(text, ['DEMANDS'], findings);
  const demands = rows(sections.get('DEMANDS'), 'DEMANDS', ['label', 'src', 'dest', 'bw'], findings).map((row) => ({
    name: row.fields[0]!,
    from: nodeIn(row, 1, 'DEMANDS src', nodeCount, findings),
    to: nodeIn(row, 2, 'DEMANDS dest', nodeCount, findings),
    volume: numberIn(row, 3, 'DEMANDS bw', findings, 0),
  }));
  return findings.result(() => demands);
}

interface Row {
  line: number;
  fields: string[];
}

interface Section {
  line: number;
  /** As the heading says it; null where the heading says no count. */
  announced: number | null;
  rows: Row[];
}

function readSections(text: string, names: readonly string[], findings: Findings): Map<string, Section> {
  const sections = new Map<string, Section>();
  let current: Section | null = null;
  let line = 0;
  for (const raw of text.split(/\r\n|\n|\r/)) {
    line++;
    const fields = raw.trim().split(/\s+/);
    const [head = ''] = fields;
    if (head === '') continue;
    if (names.includes(head) && fields.length <= 2) current = startSection(head, fields[1], line, sections, findings);
    else if (current === null) {
      findings.mistake(line, 'file', `${found(raw.trim())}; allowed: the heading ${names[0]} with a count`);
      break;
    } else if (isColumnNames(fields) && current.rows.length === 0) continue;
    else if (current.rows.length < maxRows) current.rows.push({ line, fields });
    else {
      findings.mistake(line, 'file', `found more than ${maxRows} rows`);
      break;
    }
  }
  for (const name of names)
    if (!sections.has(name))
      findings.mistake(Math.max(1, line), name, `found no such section; allowed: ${name} and a count`);
  return sections;
}

function startSection(
  name: string,
  count: string | undefined,
  line: number,
  sections: Map<string, Section>,
  findings: Findings,
): Section {
  if (sections.has(name)) findings.mistake(line, name, 'found the section a second time; allowed: once');
  const announced = count === undefined ? null : decimal(count);
  if (announced === null || announced < 0 || !Number.isInteger(announced))
    findings.mistake(line, name, `${found(count)}; allowed: the number of rows`);
  const section = { line, announced, rows: [] };
  sections.set(name, section);
  return section;
}

/** The line of column names has no number in it; a row always ends with one. */
function isColumnNames(fields: readonly string[]): boolean {
  return fields[0] === 'label' && decimal(fields.at(-1)) === null;
}

/** The rows of a section that have all fields. A file that was cut off has fewer than it announces. */
function rows(section: Section | undefined, name: string, columns: readonly string[], findings: Findings): Row[] {
  if (section === undefined) return [];
  const { announced, rows, line } = section;
  if (announced !== null && rows.length < announced)
    findings.mistake(line, name, `found ${rows.length} rows where the heading says ${announced}: is the file cut off?`);
  else if (announced !== null && rows.length > announced)
    findings.note(line, `${name} says ${announced} rows and has ${rows.length}: all were read`);
  return rows.filter(({ line, fields }) => {
    if (fields.length >= columns.length) return true;
    findings.mistake(line, name, `found ${fields.length} fields; allowed: ${columns.join(' ')}`);
    return false;
  });
}

function numberIn({ line, fields }: Row, at: number, key: string, findings: Findings, atLeast: number): number {
  const value = decimal(fields[at]);
  if (value !== null && value >= atLeast) return value;
  const allowed = atLeast === 0 ? 'a number ≥ 0' : 'a number';
  findings.mistake(line, key, `${found(fields[at])}; allowed: ${allowed}`);
  return 0;
}

function nodeIn({ line, fields }: Row, at: number, key: string, nodeCount: number, findings: Findings): number {
  const value = decimal(fields[at]);
  if (value !== null && Number.isInteger(value) && value >= 0 && value < nodeCount) return value;
  findings.mistake(line, key, `${found(fields[at])}; allowed: a node from 0 to ${nodeCount - 1}`);
  return 0;
}
