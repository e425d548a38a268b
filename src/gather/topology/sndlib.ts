import { decimal, type Findings, found, maxRows, type Parsed, startFindings } from './parsed.ts';

/** One way of buying capacity for a link: so much capacity for so much cost, any number of times. */
export interface SndlibModule {
  capacity: number;
  cost: number;
}

export interface SndlibLink {
  name: string;
  /** Index of the node. */
  from: number;
  to: number;
  preInstalledCapacity: number;
  preInstalledCost: number;
  routingCost: number;
  setupCost: number;
  modules: SndlibModule[];
  line: number;
}

export interface SndlibDemand {
  name: string;
  from: number;
  to: number;
  /** Capacity that one unit of the demand takes on a link. */
  routingUnit: number;
  value: number;
  /** Most links of a path; null is UNLIMITED. */
  maxPathLength: number | null;
}

export interface SndlibNetwork {
  meta: Record<string, string>;
  /** Coordinates as written: longitude and latitude, or points of a drawing; null where there are none. */
  nodes: { name: string; x: number | null; y: number | null }[];
  links: SndlibLink[];
  demands: SndlibDemand[];
  /** Demands for which the file lists the paths they may take. */
  demandsWithPaths: number;
}

/**
 * SNDlib's native network format (http://sndlib.zib.de, Orlowski, Pióro, Tomaszewski, Wessäly 2010). It says nothing about whether
 * links and demands have directions: that is the "model" of a problem, which lies in another file.
 */
export function parseSndlib(text: string): Parsed<SndlibNetwork> {
  const findings = startFindings();
  if (!/^\uFEFF?\s*\?SNDlib native format/i.test(text))
    findings.mistake(
      1,
      'file',
      'found no first line "?SNDlib native format; type: network"; allowed: SNDlib native networks',
    );
  else if (!/type:\s*network/i.test(text.slice(0, 200)))
    findings.mistake(1, 'file', 'found another type than network in the first line; allowed: type: network');
  const network: SndlibNetwork = { meta: {}, nodes: [], links: [], demands: [], demandsWithPaths: 0 };
  if (!findings.failed()) readSections(tokens(text, findings), network, findings);
  return findings.result(() => network);
}

/** Words and brackets, one after the other. */
interface Reader {
  peek(): string | undefined;
  next(): string | undefined;
  /** Line of what comes next, or the last line. */
  line(): number;
}

/** META is the only part in which ends of lines mean something; it is read apart. */
function tokens(text: string, findings: Findings): Reader & { meta: Record<string, string> } {
  const [words, lines]: [string[], number[]] = [[], []];
  const meta: Record<string, string> = {};
  let line = 0;
  let inMeta = false;
  for (const raw of text.split(/\r\n|\n|\r/)) {
    line++;
    if (line === 1) continue;
    const body = raw.replace(/#.*$/, '').trim();
    if (body === '') continue;
    if (inMeta) {
      if (body === ')') inMeta = false;
      else metaLine(body, line, meta, findings);
      continue;
    }
    if (/^META\s*\($/.test(body)) {
      inMeta = true;
      continue;
    }
    for (const [word] of body.matchAll(/[()]|[^\s()]+/g)) {
      words.push(word);
      lines.push(line);
    }
    if (words.length > 8 * maxRows) {
      findings.mistake(line, 'file', 'found more words than any network has');
      break;
    }
  }
  if (inMeta) findings.mistake(line, 'META', 'found no closing bracket');
  let at = 0;
  return { meta, peek: () => words[at], next: () => words[at++], line: () => lines[at] ?? lines.at(-1) ?? line };
}

function metaLine(body: string, line: number, meta: Record<string, string>, findings: Findings): void {
  const equals = body.indexOf('=');
  const key = body.slice(0, equals).trim();
  if (equals === -1 || !/^[\w-]{1,40}$/.test(key) || key === '__proto__')
    findings.mistake(line, 'META', `${found(body)}; allowed: attribute = content`);
  else meta[key] = body.slice(equals + 1).trim();
}

function readSections(reader: ReturnType<typeof tokens>, network: SndlibNetwork, findings: Findings): void {
  network.meta = reader.meta;
  const nodeOf = new Map<string, number>();
  const seen = new Set<string>();
  while (reader.peek() !== undefined && !findings.failed()) {
    const line = reader.line();
    const name = reader.next()!;
    const entry = sections[name];
    if (entry === undefined)
      return findings.mistake(line, 'file', `${found(name)}; allowed: ${Object.keys(sections).join(', ')}`);
    if (seen.has(name)) return findings.mistake(line, name, 'found the section a second time; allowed: once');
    seen.add(name);
    if (!expect('(', name, reader, findings)) return;
    while (reader.peek() !== ')') {
      if (reader.peek() === undefined) return findings.mistake(reader.line(), name, 'found no closing bracket');
      // What stands after a broken entry cannot be told apart from it.
      if (!entry(reader, network, nodeOf, findings)) return;
    }
    reader.next();
  }
  for (const name of ['NODES', 'LINKS', 'DEMANDS'])
    if (!seen.has(name) && !findings.failed()) findings.mistake(reader.line(), name, 'found no such section');
}

type Entry = (reader: Reader, network: SndlibNetwork, nodeOf: Map<string, number>, findings: Findings) => boolean;

const sections: Record<string, Entry | undefined> = {
  NODES: node,
  LINKS: link,
  DEMANDS: demand,
  ADMISSIBLE_PATHS: paths,
};
Object.setPrototypeOf(sections, null);

function node(reader: Reader, network: SndlibNetwork, nodeOf: Map<string, number>, findings: Findings): boolean {
  const line = reader.line();
  const name = word('NODES node_id', reader, findings);
  if (name === null) return false;
  if (nodeOf.has(name)) findings.mistake(line, 'NODES node_id', `${found(name)} a second time; allowed: once`);
  let [x, y]: [number | null, number | null] = [null, null];
  if (reader.peek() === '(') {
    reader.next();
    x = number('NODES longitude', reader, findings, Number.NEGATIVE_INFINITY);
    y = number('NODES latitude', reader, findings, Number.NEGATIVE_INFINITY);
    if (x === null || y === null || !expect(')', 'NODES', reader, findings)) return false;
  }
  nodeOf.set(name, network.nodes.length);
  network.nodes.push({ name, x, y });
  return true;
}

function link(reader: Reader, network: SndlibNetwork, nodeOf: Map<string, number>, findings: Findings): boolean {
  const line = reader.line();
  const name = word('LINKS link_id', reader, findings);
  const ends = name === null ? null : pair('LINKS', reader, nodeOf, findings);
  if (name === null || ends === null) return false;
  const values = ['pre_installed_capacity', 'pre_installed_capacity_cost', 'routing_cost', 'setup_cost'].map((key) =>
    number(`LINKS ${key}`, reader, findings, 0),
  );
  if (values.includes(null) || !expect('(', 'LINKS modules', reader, findings)) return false;
  const modules: SndlibModule[] = [];
  while (reader.peek() !== ')') {
    const capacity = number('LINKS module_capacity', reader, findings, 0);
    const cost = capacity === null ? null : number('LINKS module_cost', reader, findings, 0);
    if (capacity === null || cost === null) return false;
    modules.push({ capacity, cost });
  }
  reader.next();
  const [preInstalledCapacity, preInstalledCost, routingCost, setupCost] = values as number[] as [
    number,
    number,
    number,
    number,
  ];
  network.links.push({ name, ...ends, preInstalledCapacity, preInstalledCost, routingCost, setupCost, modules, line });
  return true;
}

function demand(reader: Reader, network: SndlibNetwork, nodeOf: Map<string, number>, findings: Findings): boolean {
  const name = word('DEMANDS demand_id', reader, findings);
  const ends = name === null ? null : pair('DEMANDS', reader, nodeOf, findings);
  if (name === null || ends === null) return false;
  const routingUnit = number('DEMANDS routing_unit', reader, findings, 0);
  const value = routingUnit === null ? null : number('DEMANDS demand_value', reader, findings, 0);
  if (routingUnit === null || value === null) return false;
  if (reader.peek() === 'UNLIMITED') {
    reader.next();
    network.demands.push({ name, ...ends, routingUnit, value, maxPathLength: null });
    return true;
  }
  const maxPathLength = number('DEMANDS max_path_length', reader, findings, 0);
  if (maxPathLength === null) return false;
  network.demands.push({ name, ...ends, routingUnit, value, maxPathLength });
  return true;
}

/** One demand with its list of paths, `id ( path ( link … ) … )`: counted, because a flow over any path is what this tool computes. */
function paths(reader: Reader, network: SndlibNetwork, _nodeOf: Map<string, number>, findings: Findings): boolean {
  if (word('ADMISSIBLE_PATHS demand_id', reader, findings) === null) return false;
  if (!expect('(', 'ADMISSIBLE_PATHS', reader, findings)) return false;
  for (let depth = 1; depth > 0;) {
    const next = reader.next();
    if (next === undefined || depth > 2) {
      findings.mistake(
        reader.line(),
        'ADMISSIBLE_PATHS',
        next === undefined ? 'found no closing bracket' : 'found too many brackets',
      );
      return false;
    }
    if (next === '(') depth++;
    else if (next === ')') depth--;
  }
  network.demandsWithPaths++;
  return true;
}

function expect(bracket: '(' | ')', key: string, reader: Reader, findings: Findings): boolean {
  const line = reader.line();
  const next = reader.next();
  if (next === bracket) return true;
  findings.mistake(line, key, `${found(next)}; allowed: "${bracket}"`);
  return false;
}

function word(key: string, reader: Reader, findings: Findings): string | null {
  const line = reader.line();
  const next = reader.next();
  if (next !== undefined && next !== '(' && next !== ')') return next;
  findings.mistake(line, key, `${found(next)}; allowed: a name`);
  return null;
}

function number(key: string, reader: Reader, findings: Findings, atLeast: number): number | null {
  const line = reader.line();
  const text = reader.next();
  const value = decimal(text);
  if (value !== null && value >= atLeast) return value;
  findings.mistake(line, key, `${found(text)}; allowed: a number${atLeast === 0 ? ' ≥ 0' : ''}`);
  return null;
}

/** `( source target )` as indices of nodes; a name that no node has is told and read as the first node, so that reading goes on. */
function pair(
  key: string,
  reader: Reader,
  nodeOf: Map<string, number>,
  findings: Findings,
): { from: number; to: number } | null {
  if (!expect('(', key, reader, findings)) return null;
  const ends = ['source', 'target'].map((end) => {
    const line = reader.line();
    const name = word(`${key} ${end}`, reader, findings);
    if (name === null) return null;
    const index = nodeOf.get(name);
    if (index === undefined)
      findings.mistake(line, `${key} ${end}`, `${found(name)}; allowed: a node of the section NODES`);
    return index ?? 0;
  });
  const [from, to] = ends;
  if (from == null || to == null || !expect(')', key, reader, findings)) return null;
  return { from, to };
}
