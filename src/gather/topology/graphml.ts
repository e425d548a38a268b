import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { printable } from '../../model/outcome.ts';
import { decimal, type Findings, found, maxRows, type Parsed, startFindings } from './parsed.ts';

/** A node of a map; where it stands is null where the map does not say. */
export interface MapNode {
  id: string;
  /** The label, with the id where several nodes have the same. */
  name: string;
  place: { lat: number; lon: number } | null;
}

export interface MapLink {
  /** `A – B`, with `#2` for the second between the same two. */
  name: string;
  from: number;
  to: number;
  /** Null where the map does not say. */
  speedGbps: number | null;
}

export interface TopologyMap {
  name: string | null;
  nodes: MapNode[];
  /** Parallel links and self-loops stay what they are. */
  links: MapLink[];
}

/**
 * Reads GraphML as the Internet Topology Zoo writes it: node data `label`, `Latitude`, `Longitude`, edge data `LinkSpeedRaw` (bit/s). Other
 * data is passed over. In a directed graph A → B and B → A are one link: what is buried fails both ways.
 */
export function parseGraphml(text: string): Parsed<TopologyMap> {
  const findings = startFindings();
  const raw = readXml(text, findings);
  if (!findings.failed() && !raw.hasGraph) findings.mistake(1, 'graph', 'is missing: no <graph> inside <graphml>');
  const ends = findings.failed() ? [] : resolveEnds(raw, findings);
  return findings.result(() => mapOf(raw, ends));
}

interface RawNode {
  line: number;
  id: string;
  data: Map<string, Datum>;
}

interface RawEdge {
  line: number;
  source: string;
  target: string;
  directed: boolean;
  data: Map<string, Datum>;
}

interface Datum {
  line: number;
  text: string;
}

interface Raw {
  hasGraph: boolean;
  directed: boolean;
  data: Map<string, Datum>;
  nodes: RawNode[];
  edges: RawEdge[];
}

/** What of XML's events matters, with its mistakes; stops at the first that is not well-formed. */
function readXml(text: string, findings: Findings): Raw {
  const raw: Raw = { hasGraph: false, directed: false, data: new Map(), nodes: [], edges: [] };
  const parser = new SaxesParser();
  const reader = elements(raw, findings, () => parser.line);
  parser.on('opentag', reader.open);
  parser.on('closetag', reader.close);
  parser.on('text', reader.text);
  parser.on('cdata', reader.text);
  parser.on('error', (error) => {
    // Its message begins with line and column, which stand in the mistake already.
    const why = error.message.replace(/^\d+:\d+:\s*/, '');
    throw new NotXml(parser.line, printable(why, 200));
  });
  try {
    parser.write(text).close();
  } catch (error) {
    if (!(error instanceof NotXml)) throw error;
    findings.mistake(error.line, 'XML', error.message);
  }
  return raw;
}

class NotXml extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Handlers of one document: a stack of names, and the node or edge that data belongs to. */
function elements(raw: Raw, findings: Findings, line: () => number) {
  const keys = new Map<string, string>();
  const path: string[] = [];
  let owner: Map<string, Datum> | null = null;
  let datum: { name: string; line: number; text: string } | null = null;
  const attribute = (tag: SaxesTagPlain, name: string): string => {
    const value = tag.attributes[name];
    if (value === undefined) findings.mistake(line(), `${tag.name} ${name}`, 'is missing');
    return value ?? '';
  };
  const opened: Record<string, (tag: SaxesTagPlain) => void> = {
    key: (tag) => {
      const id = attribute(tag, 'id');
      const name = tag.attributes['attr.name'];
      if (keys.has(id)) findings.mistake(line(), 'key id', `${found(id)} twice`);
      // The same name may belong to graph, node and edge; each key has its own id.
      keys.set(id, name ?? id);
    },
    graph: (tag) => {
      if (raw.hasGraph) findings.mistake(line(), 'graph', 'found a second one; allowed: one, and none inside a node');
      raw.hasGraph = true;
      raw.directed = tag.attributes['edgedefault'] === 'directed';
      owner = raw.data;
    },
    node: (tag) => {
      const node = { line: line(), id: attribute(tag, 'id'), data: new Map<string, Datum>() };
      if (raw.nodes.length < maxRows) raw.nodes.push(node);
      else findings.mistake(line(), 'node', `found more than ${maxRows}`);
      owner = node.data;
    },
    edge: (tag) => {
      const { attributes } = tag;
      const directed = attributes['directed'] === undefined ? raw.directed : attributes['directed'] === 'true';
      const ends = { source: attribute(tag, 'source'), target: attribute(tag, 'target') };
      const edge = { line: line(), ...ends, directed, data: new Map<string, Datum>() };
      if (raw.edges.length < maxRows) raw.edges.push(edge);
      else findings.mistake(line(), 'edge', `found more than ${maxRows}`);
      owner = edge.data;
    },
    data: (tag) => {
      const id = attribute(tag, 'key');
      if (id !== '' && !keys.has(id)) findings.mistake(line(), 'data key', `${found(id)}; no <key> has this id`);
      datum = { name: keys.get(id) ?? id, line: line(), text: '' };
    },
    hyperedge: () => findings.mistake(line(), 'hyperedge', 'joins more than two nodes; allowed: edges'),
  };
  return {
    open: (tag: SaxesTagPlain) => {
      if (path.length === 0 && tag.name !== 'graphml')
        findings.mistake(line(), 'root', `${found(tag.name)}; allowed: graphml`);
      path.push(tag.name);
      if (path.length > maxDepth) throw new NotXml(line(), `is nested more than ${maxDepth} deep`);
      if (Object.hasOwn(opened, tag.name)) opened[tag.name]!(tag);
    },
    close: (tag: SaxesTagPlain) => {
      path.pop();
      if (tag.name === 'data' && datum) {
        owner?.set(datum.name, datum);
        datum = null;
      } else if (tag.name === 'node' || tag.name === 'edge') owner = raw.data;
    },
    text: (text: string) => {
      if (datum && datum.text.length < maxDatum) datum.text += text.slice(0, maxDatum);
    },
  };
}

const maxDepth = 32;
const maxDatum = 2000;

/** Numbers of the nodes that each link joins; of two opposite directed edges, the second belongs to the first. */
function resolveEnds({ nodes, edges }: Raw, findings: Findings): { from: number; to: number; edge: RawEdge }[] {
  const numbers = new Map<string, number>();
  for (const [number, { id, line }] of nodes.entries()) {
    if (numbers.has(id)) findings.mistake(line, 'node id', `${found(id)} twice`);
    numbers.set(id, number);
  }
  const waiting = new Map<string, number>();
  const links: { from: number; to: number; edge: RawEdge }[] = [];
  for (const edge of edges) {
    const from = end(edge, 'source');
    const to = end(edge, 'target');
    if (edge.directed && from !== to) {
      const opposite = waiting.get(`${to} ${from}`) ?? 0;
      if (opposite > 0) {
        waiting.set(`${to} ${from}`, opposite - 1);
        continue;
      }
      waiting.set(`${from} ${to}`, (waiting.get(`${from} ${to}`) ?? 0) + 1);
    }
    links.push({ from, to, edge });
  }
  return links;

  function end(edge: RawEdge, which: 'source' | 'target'): number {
    const number = numbers.get(edge[which]);
    if (number === undefined)
      findings.mistake(edge.line, `edge ${which}`, `${found(edge[which])}; no <node> has this id`);
    return number ?? 0;
  }
}

function mapOf(raw: Raw, ends: readonly { from: number; to: number; edge: RawEdge }[]): TopologyMap {
  const nodes = named(raw.nodes);
  const seen = new Map<string, number>();
  const links = ends.map(({ from, to, edge }): MapLink => {
    const between = from < to ? `${from} ${to}` : `${to} ${from}`;
    const nth = (seen.get(between) ?? 0) + 1;
    seen.set(between, nth);
    const name = `${nodes[from]!.name} – ${nodes[to]!.name}${nth > 1 ? ` #${nth}` : ''}`;
    const bps = decimal(edge.data.get('LinkSpeedRaw')?.text.trim());
    return { name, from, to, speedGbps: bps !== null && bps > 0 ? bps / 1e9 : null };
  });
  const name = raw.data.get('Network')?.text.trim() ?? raw.data.get('label')?.text.trim();
  return { name: name ? printable(name, 100) : null, nodes, links };
}

function named(nodes: readonly RawNode[]): MapNode[] {
  const labels = nodes.map(({ id, data }) => {
    const label = data.get('label')?.text.trim() ?? '';
    // The Zoo writes "None" where a map shows a node without a name.
    return label === '' || label === 'None' ? `node ${printable(id, 40)}` : printable(label, 80);
  });
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return nodes.map(({ id, data }, i) => {
    const label = labels[i]!;
    const name = counts.get(label) === 1 ? label : `${label} (${printable(id, 40)})`;
    return { id: printable(id, 80), name, place: placeOf(data) };
  });
}

/** Where both coordinates are on the globe. The maps leave them out for what is no single place, and a few hold nonsense. */
function placeOf(data: RawNode['data']): MapNode['place'] {
  const lat = decimal(data.get('Latitude')?.text.trim());
  const lon = decimal(data.get('Longitude')?.text.trim());
  return lat === null || lon === null || Math.abs(lat) > 90 || Math.abs(lon) > 180 ? null : { lat, lon };
}
