import { type Family, parseAddress, parseCidr } from '../../../model/cidr.ts';
import {
  type Box,
  everyService,
  everything,
  icmpMessages,
  icmpProtocol,
  intersectBoxes,
  isEmpty,
  protocols,
  service,
  services,
} from '../box.ts';
import { icmpCodeNames, icmpNames } from '../emit/nft-names.ts';
import { everyAddress, intersect, type Range, rangesOf, type Ranges, subtract } from '../ranges.ts';
import type { Universe } from './universe.ts';
import type { NftOp, NftRuleset, NftValue } from './nft-rules.ts';

/** What a condition comes to among the packets that are asked about: a part of them, and whether that is open for some. */
export interface Meaning {
  box: Box;
  doubt?: string;
  /** Services that the doubt is about; absent: all. */
  doubtAt?: Ranges;
}

interface Condition {
  what: string;
  op: NftOp;
  values: readonly NftValue[];
}

/** Where a chain stands decides what it sees of a packet whose destination is rewritten on its way. */
export interface Place {
  universe: Universe;
  /** Before or after the destination is rewritten. */
  isRewritten: boolean;
  /** The sets of the table that the chain is in. */
  sets: NftRuleset['sets'];
  tableKey: string;
}

export function meaningOfMatch(condition: Condition, place: Place): Meaning {
  const all = everything(place.universe.family);
  const values = withoutSets(condition.values, place);
  if (values === null) return { box: all, doubt: `${condition.what}: a set that changes or was not found` };
  const found = dimensionOf(condition.what, place) ?? factOf(condition.what, place.universe);
  if (found === undefined) return { box: all, doubt: `${condition.what} is not looked at` };
  if (typeof found === 'string') return { box: all, doubt: found };
  if ('never' in found) return { box: { ...all, service: [] } };
  if ('fact' in found) return ofFact(found.fact, condition, values, all);
  return ofDimension(found, condition, values, all);
}

function withoutSets(values: readonly NftValue[], { sets, tableKey }: Place): NftValue[] | null {
  const out: NftValue[] = [];
  for (const value of values) {
    if (typeof value !== 'string' || !value.startsWith('@')) {
      out.push(value);
      continue;
    }
    const elements = sets.get(`${tableKey} ${value.slice(1)}`);
    if (!elements) return null;
    out.push(...elements);
  }
  return out;
}

/** A part of a packet that is a side of the box. */
interface Dimension {
  side: 'src' | 'dst' | 'service';
  /** All values that it can have here, as the side counts them. */
  domain: Ranges;
  /** One value of the rule as ranges of the side; null: cannot be read. */
  read: (value: NftValue) => Ranges | null;
  /** Where the condition cannot be told; without `at`, wherever it could hold. */
  blind?: { at?: Ranges; why: string };
}

/** `never` for what does not exist in this family, a text for a doubt, undefined for what is no side of the box. */
function dimensionOf(what: string, { universe, isRewritten }: Place): Dimension | string | { never: true } | undefined {
  const { family, hook } = universe;
  const [ip, other] = family === 4 ? ['ip', 'ip6'] : ['ip6', 'ip'];
  const words = what.replace(/^ct original (ip|ip6) /, 'ct original ').replace('l3proto', 'ip');
  if (
    what.startsWith(`${other} `) ||
    what.startsWith(`ct original ${other} `) ||
    (family === 6 && what.startsWith('icmp '))
  )
    return { never: true };
  if (family === 4 && what.startsWith('icmpv6 ')) return { never: true };
  const isBehindDnat = hook === 'published' && isRewritten;
  const address = (side: 'src' | 'dst'): Dimension => ({
    side,
    domain: everyAddress[family],
    read: (v) => readAddress(v, family),
  });
  if (words === `${ip} saddr` || words === 'ct original saddr') return address('src');
  if (words === 'ct original daddr') return address('dst');
  if (words === `${ip} daddr`)
    return isBehindDnat
      ? 'the destination has been rewritten here; only ct original says what was asked for'
      : address('dst');
  const ports = /^(tcp|udp) dport$/.exec(words);
  if (ports) {
    if (isBehindDnat) return 'the port has been rewritten here; only ct original says what was asked for';
    const protocol = protocols[ports[1] as 'tcp' | 'udp'];
    return { side: 'service', domain: services(protocol), read: (v) => readNumbers(v, protocol, 65_535) };
  }
  if (words === 'ct original proto-dst' || (words === 'th dport' && !isBehindDnat)) return anyPorts();
  if (words === `${ip} protocol` || words === 'meta l4proto')
    return { side: 'service', domain: everyService, read: readProtocol };
  if (words === 'ip6 nexthdr')
    return {
      side: 'service',
      domain: everyService,
      read: readProtocol,
      blind: { why: 'ip6 nexthdr sees the first header alone: with extension headers it is another one' },
    };
  const icmp = /^icmp(v6)? (type|code)$/.exec(words);
  if (icmp) return icmpDimension(family, icmp[2] as 'type' | 'code');
  return undefined;
}

/** Ports of whatever protocol has some. */
function anyPorts(): Dimension {
  const known = rangesOf([...services(protocols.tcp), ...services(protocols.udp)]);
  const read = (value: NftValue) => {
    const found = [protocols.tcp, protocols.udp].map((protocol) => readNumbers(value, protocol, 65_535));
    return found.every((ranges) => ranges !== null) ? rangesOf(found.flat()) : null;
  };
  return {
    side: 'service',
    domain: known,
    read,
    blind: { at: subtract(everyService, known), why: 'ports of other protocols than TCP and UDP are not looked at' },
  };
}

function icmpDimension(family: Family, part: 'type' | 'code'): Dimension {
  const protocol = icmpProtocol(family);
  const names = new Map([...icmpNames[family]].map(([number, name]) => [name, number]));
  // nft has two names for it.
  if (family === 6) names.set('mld-listener-reduction', 132);
  const number = (text: string) =>
    (part === 'type' ? names : icmpCodeNames[family]).get(text) ?? wholeNumber(text, 255);
  const read = (value: NftValue): Ranges | null => {
    const [first, last] = endsOf(value).map(number);
    if (first === undefined || last === undefined || first > last) return null;
    if (part === 'type') return services(protocol, first * 256, last * 256 + 255);
    return rangesOf(
      Array.from({ length: 256 }, (_, type) => services(protocol, type * 256 + first, type * 256 + last)).flat(),
    );
  };
  return { side: 'service', domain: services(protocol), read };
}

function ofDimension(
  { side, domain, read, blind }: Dimension,
  { what, op }: Condition,
  values: NftValue[],
  all: Box,
): Meaning {
  const parts = values.map(read);
  if (!parts.every((part) => part !== null)) return { box: all, doubt: `${what}: a value that was not understood` };
  const named = rangesOf(parts.flat());
  const matching = intersect(domain, compared(named, op, domain));
  if (!blind) return { box: { ...all, [side]: matching } };
  // What sees less than the packet can only hold where the packet is so, or, turned round, anywhere.
  if (!blind.at) return { box: { ...all, [side]: op === '==' ? matching : domain }, doubt: blind.why };
  return { box: { ...all, [side]: rangesOf([...matching, ...blind.at]) }, doubt: blind.why, doubtAt: blind.at };
}

function compared(named: Ranges, op: NftOp, domain: Ranges): Ranges {
  if (op === '==') return named;
  if (op === '!=') return subtract(domain, named);
  const [low, high] = [named[0]?.[0] ?? 0n, named.at(-1)?.[1] ?? 0n];
  const [from, to] = [domain[0]?.[0] ?? 0n, domain.at(-1)?.[1] ?? 0n];
  const range: Range =
    op === '<' ? [from, low - 1n] : op === '<=' ? [from, high] : op === '>' ? [high + 1n, to] : [low, to];
  return range[0] <= range[1] ? [range] : [];
}

/** Something that is true or false of all packets that are asked about, or of some services; `open`: of these it cannot be told. */
type Fact = (value: string) => boolean | { holds: Ranges; open: Ranges } | undefined;

function factOf(what: string, universe: Universe): { fact: Fact } | undefined {
  const { family, hook, state } = universe;
  switch (what) {
    case 'meta nfproto':
      return { fact: (value) => value === `ipv${family}` };
    case 'meta protocol':
    case 'ether type':
      return { fact: (value) => value === (family === 4 ? 'ip' : 'ip6') };
    case 'ct state':
      return { fact: (value) => stateHolds(value, universe) };
    case 'ct status':
      return { fact: (value) => (value === 'dnat' ? hook === 'published' : undefined) };
    case 'ct direction':
      return { fact: (value) => (state === 'new' ? value === 'original' : undefined) };
    case 'iifname':
    case 'iif':
    case 'oifname':
    case 'oif':
      // Packets of a host to itself are not asked about.
      return { fact: (value) => (value === 'lo' ? false : undefined) };
    default:
      return undefined;
  }
}

/**
 * What conntrack calls ICMP that belongs to nothing it knows (nf_conntrack_proto_icmp.c and …icmpv6.c; test/lab/policy-kernel.test.ts asks
 * the kernel for every type): new are questions alone, neighbour discovery and multicast listeners are not followed, and the rest, errors and
 * answers, is invalid. Multicast router discovery (RFC 4286) is invalid to older kernels and untracked to newer ones.
 */
const icmpStates = {
  4: { new: [8, 13, 15, 17], untracked: [], differs: [] },
  6: { new: [128, 139], untracked: [130, 131, 132, 133, 134, 135, 136, 143], differs: [151, 152] },
} as const;

function stateHolds(value: string, { state, family }: Universe): ReturnType<Fact> {
  if (state !== 'new') return value === state;
  const types = icmpStates[family];
  const messages = (of: readonly number[]) => rangesOf(of.flatMap((type) => icmpMessages(family, type)));
  const icmp = services(icmpProtocol(family));
  const [fresh, untracked, open] = [messages(types.new), messages(types.untracked), messages(types.differs)];
  if (value === 'new') return { holds: rangesOf([...subtract(everyService, icmp), ...fresh]), open: [] };
  if (value === 'untracked') return { holds: untracked, open };
  if (value === 'invalid') return { holds: subtract(icmp, rangesOf([...fresh, ...untracked, ...open])), open };
  return false;
}

function ofFact(fact: Fact, { what, op }: Condition, values: NftValue[], all: Box): Meaning {
  if (op !== '==' && op !== '!=') return { box: all, doubt: `${what} ${op} is not looked at` };
  const answers = values.map((value) => (typeof value === 'string' ? fact(value) : undefined));
  if (!answers.every((answer) => answer !== undefined))
    return { box: all, doubt: `${what} ${values.map(String).join(', ')} is not looked at` };
  const parts = answers.map((answer) =>
    typeof answer === 'boolean' ? { holds: answer ? everyService : [], open: [] } : answer,
  );
  const holds = rangesOf(parts.flatMap((part) => part.holds));
  const open = rangesOf(parts.flatMap((part) => part.open));
  const box = {
    ...all,
    service: op === '==' ? rangesOf([...holds, ...open]) : subtract(everyService, subtract(holds, open)),
  };
  return open.length === 0
    ? { box }
    : { box, doubt: `${what} ${values.map(String).join(', ')}: kernels differ on some ICMP messages`, doubtAt: open };
}

const endsOf = (value: NftValue): readonly [string, string] => (typeof value === 'string' ? [value, value] : value);

function readAddress(value: NftValue, family: Family): Ranges | null {
  if (typeof value === 'string') {
    const cidr = parseCidr(value);
    return cidr?.family === family ? [[cidr.first, cidr.last]] : null;
  }
  const [first, last] = value.map(parseAddress);
  if (first?.family !== family || last?.family !== family || first.value > last.value) return null;
  return [[first.value, last.value]];
}

function readNumbers(value: NftValue, protocol: number, most: number): Ranges | null {
  const [first, last] = endsOf(value).map((text) => wholeNumber(text, most) ?? portNames.get(text));
  if (first === undefined || last === undefined || first > last) return null;
  return [[service(protocol, first), service(protocol, last)]];
}

/** Names that nft writes for ports unless it is told -n. */
const portNames: ReadonlyMap<string, number> = new Map([
  ['ssh', 22],
  ['domain', 53],
  ['http', 80],
  ['ntp', 123],
  ['https', 443],
]);

const protocolNumbers: ReadonlyMap<string, number> = new Map([
  ['icmp', protocols.icmp],
  ['igmp', 2],
  ['tcp', protocols.tcp],
  ['udp', protocols.udp],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['icmpv6', protocols.icmpv6],
  ['ipv6-icmp', protocols.icmpv6],
  ['ospf', 89],
  ['vrrp', 112],
  ['sctp', 132],
  ['udplite', 136],
]);

function readProtocol(value: NftValue): Ranges | null {
  const [first, last] = endsOf(value).map((text) => protocolNumbers.get(text) ?? wholeNumber(text, 255));
  if (first === undefined || last === undefined || first > last) return null;
  return [[service(first, 0), service(last, 65_535)]];
}

export function wholeNumber(text: string, most: number): number | undefined {
  return /^\d{1,9}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

/**
 * What all conditions of a rule come to together: what surely meets them, and what may. Neither is there when no packet that is asked
 * about can meet them.
 */
export function together(meanings: readonly Meaning[], family: Family): Meaning[] {
  let box = everything(family);
  for (const meaning of meanings) box = intersectBoxes(box, meaning.box);
  const doubts = meanings.filter(({ doubt }) => doubt !== undefined);
  const open = rangesOf(doubts.flatMap(({ doubtAt }) => doubtAt ?? everyService));
  const doubt = [...new Set(doubts.map((one) => one.doubt))].join('; ');
  const sure: Meaning = { box: { ...box, service: subtract(box.service, open) } };
  const unsure: Meaning = { box: { ...box, service: intersect(box.service, open) }, doubt };
  return [sure, unsure].filter((one) => !isEmpty(one.box));
}
