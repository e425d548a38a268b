import { sealHeader4 } from '../wire/ip.ts';
import type { MplsEntry } from './icmp-extension.ts';
import { feature, type Engine } from './state.ts';

/**
 * Label switching (RFC 3031) at the routers inside a label-switched path. The router before them pushes, the last of them pops
 * (penultimate hop popping), so a packet is labelled exactly where `labelTtl` of its slot is not 0, on arrival at such a router.
 */
const PIPE_TTL = 255;

/** Takes one from the label's TTL; @returns false when the packet expires here. */
export function switchLabel(engine: Engine, router: number, slot: number): boolean {
  const ttl = arrivingTtl(engine, router, slot);
  engine.labelTtl[slot] = ttl <= 1 ? ttl : ttl - 1;
  return ttl > 1;
}

/** The label's TTL on arrival: on the first such router what the one before has pushed. */
function arrivingTtl(engine: Engine, router: number, slot: number): number {
  const ttl = engine.labelTtl[slot]!;
  if (ttl !== 0) return ttl;
  return engine.plan.nodes[router]!.mpls!.ttl === 'pipe' ? PIPE_TTL : ipTtl(engine, slot);
}

function ipTtl(engine: Engine, slot: number): number {
  const at = slot * engine.slotBytes;
  return engine.bytes[at + (engine.bytes[at]! >> 4 === 4 ? 8 : 7)]!;
}

/** Pops the stack when the next node switches no labels: in the uniform model the TTL goes back into the packet (RFC 3443). */
export function popLabel(engine: Engine, router: number, slot: number, direction: number): void {
  if (engine.features[engine.toNode[direction]!]! & feature.labels) return;
  const labelTtl = engine.labelTtl[slot]!;
  engine.labelTtl[slot] = 0;
  if (engine.plan.nodes[router]!.mpls!.ttl === 'pipe' || labelTtl >= ipTtl(engine, slot)) return;
  const at = slot * engine.slotBytes;
  if (engine.bytes[at]! >> 4 === 4) {
    engine.bytes[at + 8] = labelTtl;
    sealHeader4(engine.bytes, at);
  } else engine.bytes[at + 7] = labelTtl;
}

/** The stack that an error about this packet quotes: the top label expired, those below kept the TTL of the push. */
export function quotedStack(engine: Engine, router: number, slot: number): MplsEntry[] {
  const { labels } = engine.plan.nodes[router]!.mpls!;
  return labels.map((label, depth) => ({
    label,
    trafficClass: 0,
    ttl: depth === 0 ? engine.labelTtl[slot]! : ipTtl(engine, slot),
  }));
}
