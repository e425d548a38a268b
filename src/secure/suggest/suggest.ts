import { type Family, formatAddress } from '../../model/cidr.ts';
import { icmpTypes } from '../../model/network-policy.ts';
import type { Flow } from '../../model/secure/snapshot.ts';
import { hasPacket, icmpProtocol, type Packet, partsOfService, protocols } from '../policy/box.ts';
import { needed, type PolicyMeaning } from '../policy/policy.ts';
import { cidrTexts, type Range, rangesOf, subtract } from '../policy/ranges.ts';
import { packetOf } from '../flows/packet.ts';
import { type Block, coverAddresses } from './cover.ts';

export interface SuggestOptions {
  /** Addresses that a line may add without their having been seen. */
  slack: number;
  /** Leave out what was seen once. */
  dropOneOff: boolean;
  /** The policy in force: nothing outside it is suggested. Null: there is none. */
  current: PolicyMeaning | null;
}

/** One permission that the flows need: every source to every destination with every service. */
export interface SuggestedLine {
  family: Family;
  from: string[];
  to: string[];
  /** Numbers of services, see service() in ../policy/box.ts. */
  services: bigint[];
  flows: number;
  seen: number;
  firstMs: number | null;
  lastMs: number | null;
  /** Sources in it that were never seen, as CIDRs. */
  slack: string[];
}

export interface Suggestion {
  lines: SuggestedLine[];
  /** The flows that it permits. */
  included: Flow[];
  /** Seen once: they may be a monthly job or an attack, and a person has to say which. */
  oneOff: Flow[];
  leftOut: { flow: Flow; why: string }[];
  /** False when a line had too many sources to weigh all with all. */
  isLeast: boolean;
}

/** What calls one service of one address. */
interface Called {
  family: Family;
  to: bigint;
  service: bigint;
  sources: Set<bigint>;
  flows: Flow[];
}

/**
 * The least privilege that lets everything go on that was seen: per service of each destination the fewest CIDRs of sources, then lines
 * with the same sources joined, first over services, then over destinations. Joining is exact: it adds no packet. Only a cover with
 * slack does, and it is listed.
 */
export function suggest(flows: readonly Flow[], { slack, dropOneOff, current }: SuggestOptions): Suggestion {
  const result: Suggestion = { lines: [], included: [], oneOff: flows.filter(isOneOff), leftOut: [], isLeast: true };
  const called = new Map<string, Called>();
  for (const flow of flows) {
    const packet = packetOf(flow);
    const why = whyNot(flow, packet, dropOneOff, current);
    if (!packet || why !== null) {
      result.leftOut.push({ flow, why: why ?? 'its protocol has no number here' });
      continue;
    }
    result.included.push(flow);
    const { family, dst: to, service } = packet;
    const key = `${family} ${to} ${service}`;
    const one = called.get(key) ?? { family, to, service, sources: new Set(), flows: [] };
    called.set(key, one);
    one.sources.add(packet.src);
    one.flows.push(flow);
  }
  const lines = [...called.values()].map((one) => {
    const { line, isLeast } = lineOf(one, slack, current);
    result.isLeast &&= isLeast;
    return line;
  });
  result.lines = joined(joined(lines, 'services'), 'to').map(sortLine).sort(byFirst);
  return result;
}

const isOneOff = ({ seen, denied }: Flow): boolean => seen - denied === 1;

function whyNot(flow: Flow, packet: Packet | null, dropOneOff: boolean, current: PolicyMeaning | null): string | null {
  if (!packet) return 'its protocol has no number here';
  if (flow.denied === flow.seen) return 'a firewall kept it out';
  if (dropOneOff && isOneOff(flow)) return 'it was seen once';
  if (needed('inbound', packet.family).some((box) => hasPacket(box, packet)))
    return 'every policy permits it by itself';
  const { protocol, low } = partsOfService(packet.service);
  const isIcmp = protocol === icmpProtocol(packet.family);
  if (isIcmp && icmpTypeName(packet.family, low >> 8) === null) return 'its ICMP message has no name in a policy';
  if (!isIcmp && protocol !== protocols.tcp && protocol !== protocols.udp)
    return 'a policy has lines for TCP, UDP and ICMP';
  if (current && !current.lines.some(({ boxes }) => boxes[packet.family].some((box) => hasPacket(box, packet))))
    return 'the policy in force does not permit it';
  return null;
}

function lineOf({ family, to, service, sources, flows }: Called, slack: number, current: PolicyMeaning | null) {
  const bits = family === 4 ? 32 : 128;
  const open = current && sourcesTo(current, family, to, service);
  const inside = ({ first, size }: Block): boolean =>
    open === null || subtract([[first, first + size - 1n]], open).length === 0;
  const { blocks, isLeast } = coverAddresses([...sources], bits, { slack, allowed: inside });
  const held = rangesOf(blocks.map(({ first, size }): Range => [first, first + size - 1n]));
  const seenSources = rangesOf([...sources].map((one): Range => [one, one]));
  const times = (pick: (...all: number[]) => number, key: 'firstMs' | 'lastMs') => {
    const known = flows.flatMap((flow) => flow[key] ?? []);
    return known.length === 0 ? null : known.reduce((a, b) => pick(a, b));
  };
  const line: SuggestedLine = {
    family,
    from: cidrTexts(held, family),
    to: [formatAddress(family, to)],
    services: [service],
    flows: flows.length,
    seen: flows.reduce((sum, flow) => sum + flow.seen - flow.denied, 0),
    firstMs: times(Math.min, 'firstMs'),
    lastMs: times(Math.max, 'lastMs'),
    slack: cidrTexts(subtract(held, seenSources), family),
  };
  return { line, isLeast };
}

/** Who may reach a service of an address today. */
function sourcesTo({ lines }: PolicyMeaning, family: Family, to: bigint, service: bigint) {
  const boxes = lines.flatMap((line) => line.boxes[family]);
  return rangesOf(
    boxes
      .filter((box) => hasPacket({ ...box, src: [[0n, 0n]] }, { family, src: 0n, dst: to, service }))
      .flatMap(({ src }) => src),
  );
}

/** Lines that differ in one side alone are one line. */
function joined(lines: readonly SuggestedLine[], side: 'services' | 'to'): SuggestedLine[] {
  const other = side === 'services' ? 'to' : 'services';
  const byRest = new Map<string, SuggestedLine>();
  for (const line of lines) {
    const key = `${line.family} ${line.from.join()} ${[...line[other]].map(String).sort().join()}`;
    const same = byRest.get(key);
    byRest.set(key, same ? both(same, line) : line);
  }
  return [...byRest.values()];
}

function both(a: SuggestedLine, b: SuggestedLine): SuggestedLine {
  const least = (x: number | null, y: number | null, pick: (x: number, y: number) => number) =>
    x === null ? y : y === null ? x : pick(x, y);
  return {
    family: a.family,
    from: a.from,
    to: [...new Set([...a.to, ...b.to])],
    services: [...new Set([...a.services, ...b.services])],
    flows: a.flows + b.flows,
    seen: a.seen + b.seen,
    firstMs: least(a.firstMs, b.firstMs, Math.min),
    lastMs: least(a.lastMs, b.lastMs, Math.max),
    // What one destination has not seen, the other may have: slack is of each.
    slack: [...new Set([...a.slack, ...b.slack])],
  };
}

const sortLine = (line: SuggestedLine): SuggestedLine => ({
  ...line,
  to: [...line.to].sort(),
  services: [...line.services].sort((a, b) => (a < b ? -1 : 1)),
});

const byFirst = (a: SuggestedLine, b: SuggestedLine): number =>
  b.seen - a.seen || (String(a.to) < String(b.to) ? -1 : 1);

export type IcmpTypeName = keyof typeof icmpTypes;

/** What a policy calls a message of ICMP or ICMPv6; null where it has no name for it. */
export function icmpTypeName(family: Family, type: number): IcmpTypeName | null {
  const names = Object.keys(icmpTypes) as IcmpTypeName[];
  return names.find((name) => icmpTypes[name][family] === type) ?? null;
}
