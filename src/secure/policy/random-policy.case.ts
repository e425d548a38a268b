import { type Family } from '../../model/cidr.ts';
import type { Box } from './box.ts';
import { everyService, icmpMessages, protocols, services } from './box.ts';
import type { PolicyHook, PolicyLine, PolicyMeaning } from './policy.ts';
import { everyAddress, type Range, rangesOf, type Ranges } from './ranges.ts';

/** Policies at random, for tests and benches: from few addresses, so that lines overlap, or from many, so that they hardly do. */
export interface RandomPolicy {
  random: () => number;
  lines: number;
  /** `dense`: all within one small network. */
  spread: 'dense' | 'sparse';
  enforce?: readonly PolicyHook[];
  /** How often a side of a line is everything; default 0.1. */
  anyShare?: number;
}

export function randomPolicy({
  random,
  lines,
  spread,
  enforce = ['inbound', 'published'],
  anyShare = 0.1,
}: RandomPolicy): PolicyMeaning {
  const below = (n: number) => Math.floor(random() * n);
  const base = { 4: 0x0a000000n, 6: 0x20010db8n << 96n };
  const bits = { 4: spread === 'dense' ? 10 : 24, 6: spread === 'dense' ? 12 : 80 };
  const network = (family: Family): Range => {
    const free = BigInt(below(spread === 'dense' ? bits[family] : Math.floor(bits[family] / 3)));
    const value = BigInt(Math.floor(random() * 2 ** 48)) & ((1n << BigInt(bits[family])) - 1n);
    const first = base[family] + ((value >> free) << free);
    return [first, first + (1n << free) - 1n];
  };
  const side = (family: Family): Ranges =>
    random() < anyShare ? everyAddress[family] : rangesOf(Array.from({ length: 1 + below(3) }, () => network(family)));
  const port = (protocol: number): Ranges => {
    const first = spread === 'dense' ? 8000 + below(32) : below(65_000);
    return services(protocol, first, random() < 0.5 ? first : first + below(16));
  };
  const message = (family: Family): Ranges =>
    icmpMessages(family, below(family === 4 ? 20 : 150), below(2) === 0 ? undefined : below(16));
  const service = (family: Family): Ranges => {
    const kind = random();
    if (kind < 0.04) return everyService;
    if (kind < 0.1) return icmpMessages(family, family === 4 ? 8 : 128);
    if (kind < 0.12) return rangesOf(Array.from({ length: 1 + below(3) }, () => message(family)).flat());
    if (kind < 0.16) return services(below(2) === 0 ? protocols.tcp : protocols.udp);
    return rangesOf(
      Array.from({ length: 1 + below(3) }, () => port(random() < 0.8 ? protocols.tcp : protocols.udp)).flat(),
    );
  };
  const line = (_: unknown, i: number): PolicyLine => {
    const box = (family: Family): Box => {
      const sides = { src: side(family), dst: side(family) };
      // A line that permits everything would make all others meaningless.
      const isAny = sides.src === everyAddress[family] && sides.dst === everyAddress[family];
      const chosen = service(family);
      return { ...sides, service: isAny && chosen === everyService ? services(protocols.udp, 53) : chosen };
    };
    const both = below(4);
    return {
      name: `line-${i}`,
      place: `policy.allow[${i}]`,
      why: 'drawn at random',
      boxes: { 4: both === 1 ? [] : [box(4)], 6: both === 2 ? [] : [box(6)] },
    };
  };
  return { enforce, lines: Array.from({ length: lines }, line) };
}
