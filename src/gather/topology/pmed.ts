import { decimal, type Findings, found, maxRows, type Parsed, startFindings } from './parsed.ts';

/** A p-median case as OR-Library has it (Beasley 1985): every node is a client and a possible site, `medians` are to open. */
export interface Pmed {
  nodes: number;
  medians: number;
  /** Ends of each edge, as indices from 0 (the file counts from 1), and its length. */
  from: Int32Array;
  to: Int32Array;
  length: Float64Array;
}

/** The distances of all pairs take 8 bytes each: 200 MB. */
const maxNodes = 5000;

/**
 * Reads `nodes edges medians`, then one line `from to length` per edge; edges have no direction. A pair that comes twice has the
 * length of the last of its lines: so the optima that are published with the cases came about.
 */
export function parsePmed(text: string): Parsed<Pmed> {
  const findings = startFindings();
  const lines = text.split('\n');
  const first = Math.max(
    0,
    lines.findIndex((line) => line.trim() !== ''),
  );
  const [nodes, edges, medians] = header(fieldsOf(lines[first]!), first + 1, findings);
  if (findings.failed()) return findings.result(() => null as never);
  const rows: Rows = { from: [], to: [], length: [] };
  for (let at = first + 1; at < lines.length; at++) {
    const fields = fieldsOf(lines[at]!);
    if (fields.length === 0) continue;
    if (rows.length.length === edges) {
      findings.mistake(at + 1, 'edge', `found one more than the ${edges} edges of line ${first + 1}`);
      break;
    }
    readEdge(fields, at + 1, nodes, rows, findings);
  }
  const count = rows.length.length;
  if (count < edges && !findings.failed())
    findings.mistake(
      lines.length,
      'file',
      `found ${count} edges at its end; allowed: the ${edges} of line ${first + 1}`,
    );
  return findings.result(() => lastOfEachPair(nodes, medians, rows, findings));
}

interface Rows {
  from: number[];
  to: number[];
  length: number[];
}

const fieldsOf = (line: string): string[] => line.slice(0, 400).split(/\s+/).filter(Boolean);

function header(fields: string[], line: number, findings: Findings): [nodes: number, edges: number, medians: number] {
  const whole = (at: number, key: string, least: number, most: number): number => {
    const value = decimal(fields[at]);
    if (value !== null && Number.isInteger(value) && value >= least && value <= most) return value;
    findings.mistake(line, key, `${found(fields[at])}; allowed: a whole number from ${least} to ${most}`);
    return least;
  };
  const nodes = whole(0, 'nodes', 1, maxNodes);
  const edges = whole(1, 'edges', 0, maxRows);
  const medians = whole(2, 'medians', 1, nodes);
  if (fields.length > 3)
    findings.mistake(line, 'header', `${found(fields[3])} after the third; allowed: nodes edges medians`);
  return [nodes, edges, medians];
}

function readEdge(fields: string[], line: number, nodes: number, rows: Rows, findings: Findings): void {
  const end = (at: number, key: string): number => {
    const value = decimal(fields[at]);
    if (value !== null && Number.isInteger(value) && value >= 1 && value <= nodes) return value - 1;
    findings.mistake(line, key, `${found(fields[at])}; allowed: a node from 1 to ${nodes}`);
    return 0;
  };
  rows.from.push(end(0, 'from'));
  rows.to.push(end(1, 'to'));
  const length = decimal(fields[2]);
  if (length === null || length < 0) findings.mistake(line, 'length', `${found(fields[2])}; allowed: a number ≥ 0`);
  if (fields.length > 3) findings.mistake(line, 'edge', `${found(fields[3])} after the third; allowed: from to length`);
  rows.length.push(length ?? 0);
}

function lastOfEachPair(nodes: number, medians: number, { from, to, length }: Rows, findings: Findings): Pmed {
  const lastOf = new Map<number, number>();
  for (let e = 0; e < from.length; e++) lastOf.set(Math.min(from[e]!, to[e]!) * nodes + Math.max(from[e]!, to[e]!), e);
  const kept = [...lastOf.values()].sort((a, b) => a - b);
  const repeated = from.length - kept.length;
  if (repeated > 0) findings.note(1, `${repeated} edges come again further down; the last of each counts`);
  return {
    nodes,
    medians,
    from: Int32Array.from(kept, (e) => from[e]!),
    to: Int32Array.from(kept, (e) => to[e]!),
    length: Float64Array.from(kept, (e) => length[e]!),
  };
}
