import { printable } from '../model/outcome.ts';
import type { TraceGraph, TraceNode } from '../model/trace.ts';
import type { HopReport, TraceReport } from '../model/trace-report.ts';
import { num, percent, plural } from './format.ts';

/** A trace as boxes and arrows: what the languages for drawings share. Texts are printable, and escaped by none of them yet. */
export interface Drawing {
  title: string;
  boxes: { id: string; lines: string[]; kind: 'here' | 'router' | 'silent' | 'target' }[];
  arrows: { from: string; to: string; text: string; isSeen: boolean }[];
}

/** Nodes of discovery with what the rounds measured there; hops that never answered are drawn, with broken arrows. */
export function drawTrace(report: TraceReport): Drawing {
  const graph = report.graph;
  const title = `trace to ${printable(report.target)}`;
  const here = { id: 'here', lines: ['this host'], kind: 'here' as const };
  if (!graph) return { title, boxes: [here], arrows: [] };
  return {
    title,
    boxes: [here, ...graph.nodes.map((node) => boxOf(node, report))],
    arrows: arrowsOf(graph),
  };
}

function boxOf(node: TraceNode, report: TraceReport): Drawing['boxes'][number] {
  const id = `n${node.id}`;
  if (node.address === null) return { id, lines: [`hop ${node.ttl}: silent`], kind: 'silent' };
  const hop = hopOf(node, report);
  const name = node.name === null ? [] : [printable(node.name, 80)];
  const asn = node.asn === null ? [] : [`AS${node.asn.number} ${printable(node.asn.name, 40)}`.trimEnd()];
  const mpls = node.mpls.length === 0 ? [] : [`MPLS ${node.mpls.map((m) => m.label).join(', ')}`];
  const medianMs = hop?.rtts?.medianMs ?? node.rtts?.medianMs;
  const numbers = [
    ...(medianMs === undefined ? [] : [`${num(medianMs)} ms`]),
    ...(hop?.loss.kind === 'real' ? [`loss ${percent(hop.loss.share ?? 0)}`] : []),
    ...(hop?.loss.kind === 'rate-limited' || hop?.loss.kind === 'answers-rarely' ? ['answers rarely'] : []),
  ];
  return {
    id,
    lines: [node.address, ...name, ...asn, ...mpls, ...(numbers.length > 0 ? [numbers.join(', ')] : [])],
    kind: node.address === report.address ? 'target' : 'router',
  };
}

function hopOf(node: TraceNode, { paths }: TraceReport): HopReport | undefined {
  const has = (hop: HopReport) => hop.ttl === node.ttl && hop.addresses.some((a) => a.address === node.address);
  return paths.flatMap((path) => path.hops).find(has);
}

/** What flows were seen to take, and broken arrows to and from hops that hid. */
function arrowsOf(graph: TraceGraph): Drawing['arrows'] {
  const arrows = new Map<string, Drawing['arrows'][number]>();
  const balanced = graph.paths.length > 1;
  const draw = (from: string, to: string, flows: number, isSeen: boolean) => {
    const key = `${from} ${to}`;
    if (!arrows.has(key))
      arrows.set(key, { from, to, text: balanced && flows > 0 ? plural(flows, 'flow') : '', isSeen });
  };
  for (const edge of graph.edges) draw(`n${edge.from}`, `n${edge.to}`, edge.flows.length, true);
  const silent = new Set(graph.nodes.filter((n) => n.address === null).map((n) => n.id));
  for (const { nodes } of graph.paths) {
    const [first] = nodes;
    const together = graph.paths.filter((p) => p.nodes[0] === first).flatMap((p) => p.flows);
    if (first !== undefined) draw('here', `n${first}`, new Set(together).size, !silent.has(first));
    for (const [i, to] of nodes.entries()) {
      const from = nodes[i - 1];
      if (from !== undefined && (silent.has(from) || silent.has(to))) draw(`n${from}`, `n${to}`, 0, false);
    }
  }
  return [...arrows.values()];
}
