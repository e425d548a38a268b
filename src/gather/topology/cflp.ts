import { decimal, type Findings, found, type Parsed, startFindings } from './parsed.ts';

/** A capacitated warehouse case as OR-Library has it (Beasley 1988). */
export interface Cflp {
  sites: number;
  clients: number;
  capacity: Float64Array;
  siteCost: Float64Array;
  demand: Float64Array;
  /** Cost of all of a client's demand at each site, client after client. */
  cost: Float64Array;
}

const maxCells = 10_000_000;

/**
 * Reads `sites clients`, then of each site `capacity fixed-cost`, then of each client its demand and its costs at all sites; numbers
 * may break over lines anywhere. The word "capacity" of cases a to c is replaced by `capacity`.
 */
export function parseCflp(text: string, capacity?: number): Parsed<Cflp> {
  const findings = startFindings();
  const next = wordsOf(text);
  const number = (key: string, least: number, isWhole = false): number => {
    const { word, line } = next();
    if (word === 'capacity' && capacity !== undefined) return capacity;
    const value = decimal(word);
    if (value !== null && value >= least && (!isWhole || Number.isInteger(value))) return value;
    if (!findings.failed())
      findings.mistake(line, key, `${found(word)}; allowed: a ${isWhole ? 'whole ' : ''}number ≥ ${least}`);
    return least;
  };
  const [sites, clients] = [number('sites', 1, true), number('clients', 1, true)];
  if (sites * clients > maxCells)
    findings.mistake(1, 'sites', `found ${sites} × ${clients}; allowed: ${maxCells} costs`);
  if (findings.failed()) return findings.result(() => null as never);
  const value: Cflp = {
    sites,
    clients,
    capacity: new Float64Array(sites),
    siteCost: new Float64Array(sites),
    demand: new Float64Array(clients),
    cost: new Float64Array(sites * clients),
  };
  for (let s = 0; s < sites && !findings.failed(); s++) {
    value.capacity[s] = number('capacity', 0);
    value.siteCost[s] = number('fixed cost', 0);
  }
  for (let c = 0; c < clients && !findings.failed(); c++) {
    value.demand[c] = number('demand', Number.MIN_VALUE);
    for (let s = 0; s < sites; s++) value.cost[c * sites + s] = number('cost', 0);
  }
  expectEnd(next(), findings);
  return findings.result(() => value);
}

function expectEnd({ word, line }: { word: string | undefined; line: number }, findings: Findings): void {
  if (word !== undefined && !findings.failed())
    findings.mistake(line, 'file', `${found(word)} after the last cost; allowed: the end`);
}

/** One word after the other with its line; undefined at the end. */
function wordsOf(text: string): () => { word: string | undefined; line: number } {
  const word = /\S+/g;
  let [line, counted] = [1, 0];
  return () => {
    const match = word.exec(text);
    if (!match) {
      word.lastIndex = text.length;
      return { word: undefined, line };
    }
    for (; counted < match.index; counted++) if (text.charCodeAt(counted) === 10) line++;
    return { word: match[0], line };
  };
}
