import { headerLength4, protocol, word } from '../wire/ip.ts';
import { uniform } from './random.ts';
import { groupAt } from './routes.ts';
import type { Engine } from './state.ts';

/** Which way a packet takes from a node; -1: none. The common case, one next hop, is a look into the table. */
export function directionTo(engine: Engine, node: number, target: number, slot: number): number {
  if (target < 0) return -1;
  const entry = engine.routes.next[node * engine.nodes + target]!;
  return entry >= -1 ? entry : choose(engine, node, groupAt(entry), slot);
}

function choose(engine: Engine, node: number, group: number, slot: number): number {
  const ways = engine.routes.groups[group]!;
  const { balance, flowLabel } = engine.plan.nodes[node]!;
  const share =
    balance === 'per-packet'
      ? uniform(engine.nodeStreams, node * 2)
      : flowHash(engine.bytes, slot * engine.slotBytes, engine.length[slot]!, {
          seed: mix(engine.plan.seed ^ mix(node + 1)),
          ports: balance === 'per-flow',
          flowLabel,
        }) / TWO_POW_32;
  return ways[Math.floor(share * ways.length)]!;
}

const TWO_POW_32 = 4294967296;
const FRAGMENT_BITS = 0x3fff;

export interface HashInput {
  /** Differs by router, so that two in a row do not send the same flows the same way. */
  seed: number;
  /** Whether protocol and ports count, or addresses alone. */
  ports: boolean;
  /** Over IPv6 the flow label takes the place of protocol and ports. */
  flowLabel: boolean;
}

/** 32 bits over what routers call a flow: any fragment by addresses and protocol only, because later ones have no ports. */
export function flowHash(bytes: Uint8Array, at: number, length: number, { seed, ports, flowLabel }: HashInput): number {
  const version4 = bytes[at]! >> 4 === 4;
  const [start, end] = version4 ? [at + 12, at + 20] : [at + 8, at + 40];
  let hash = seed;
  for (let index = start; index < end; index += 4)
    hash = mix(hash ^ ((word(bytes, index) << 16) | word(bytes, index + 2)));
  if (!ports) return hash >>> 0;
  if (flowLabel && !version4) return mix(hash ^ (((bytes[at + 1]! & 0x0f) << 16) | word(bytes, at + 2))) >>> 0;
  const upper = bytes[at + (version4 ? 9 : 6)]!;
  hash = mix(hash ^ upper);
  const header = version4 ? headerLength4(bytes, at) : 40;
  const hasPorts =
    upper === protocol.tcp || upper === protocol.udp || upper === protocol.icmp || upper === protocol.icmp6;
  if (!hasPorts || length < header + 4 || (version4 && (word(bytes, at + 6) & FRAGMENT_BITS) !== 0)) return hash >>> 0;
  // Of ICMP these four bytes are type, code and checksum, which is what real routers hash: they do not look at the protocol.
  return mix(hash ^ ((word(bytes, at + header) << 16) | word(bytes, at + header + 2))) >>> 0;
}

/** Murmur3's finaliser. */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
