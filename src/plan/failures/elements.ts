import type { ElementKind } from '../../model/plan/failures.ts';
import type { Graph } from '../../stats/graph/graph.ts';

/** What can fail at once: a link, a node, everything in one duct, everything of one carrier, everything at one site. */
export interface Element {
  kind: ElementKind;
  name: string;
  /** Numbers of the links and nodes that are gone when it fails. */
  links: readonly number[];
  nodes: readonly number[];
}

/** One list of numbers per row, end to end. */
export interface Lists {
  readonly offset: Int32Array;
  readonly item: Int32Array;
}

/** Elements as flat columns: what each takes away, and which ones take a link or a node away. */
export interface ElementTable {
  readonly count: number;
  readonly links: Lists;
  readonly nodes: Lists;
  readonly ofLink: Lists;
  readonly ofNode: Lists;
}

export function elementTable(graph: Graph, elements: readonly Pick<Element, 'links' | 'nodes'>[]): ElementTable {
  const links = elements.map((one) => [...new Set(one.links)]);
  const nodes = elements.map((one) => [...new Set(one.nodes)]);
  return {
    count: elements.length,
    links: lists(links),
    nodes: lists(nodes),
    ofLink: lists(turned(links, graph.links, 'link')),
    ofNode: lists(turned(nodes, graph.nodes, 'node')),
  };
}

export function linkElements(names: readonly string[]): Element[] {
  return names.map((name, link) => ({ kind: 'link', name, links: [link], nodes: [] }));
}

export function nodeElements(names: readonly string[]): Element[] {
  return names.map((name, node) => ({ kind: 'node', name, links: [], nodes: [node] }));
}

function lists(rows: readonly (readonly number[])[]): Lists {
  const offset = new Int32Array(rows.length + 1);
  for (const [i, row] of rows.entries()) offset[i + 1] = offset[i]! + row.length;
  return { offset, item: Int32Array.from(rows.flat()) };
}

function turned(rows: readonly (readonly number[])[], count: number, what: string): number[][] {
  const out = Array.from({ length: count }, (): number[] => []);
  for (const [i, row] of rows.entries())
    for (const item of row) {
      if (!out[item]) throw new RangeError(`Cannot fail element ${i}: it has ${what} ${item} of ${count}`);
      out[item].push(i);
    }
  return out;
}
