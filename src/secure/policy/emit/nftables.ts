import { type Family, formatAddress } from '../../../model/cidr.ts';
import { printable } from '../../../model/outcome.ts';
import { type Box, protocols } from '../box.ts';
import { type Addresses, families, neededLineName, permitsAt, type PolicyHook, type PolicyMeaning } from '../policy.ts';
import { cidrsOf, cidrTexts, everyAddress, type Ranges, sizeOf } from '../ranges.ts';
import { type EmitOptions, type ServicePart, servicePartsOf } from './rules.ts';
import { icmpNames } from './nft-names.ts';

/**
 * A policy as a file for `nft -f`: one table of its own, which one transaction replaces as a whole; loading it twice is loading it
 * once, and a mistake in it leaves what was there.
 */
export function emitNftables(
  meaning: PolicyMeaning,
  { deny, source, host }: EmitOptions,
  self: Addresses = everyAddress,
): string {
  const { enforce } = meaning;
  const has = (hook: PolicyHook) => enforce.includes(hook);
  const final = deny === 'reject' ? ['reject with icmpx admin-prohibited'] : [];
  const lines = (hook: PolicyHook) => linesAt(meaning, hook, self);
  const own = (hook: PolicyHook, device: 'iifname' | 'oifname') => [
    ...preamble(meaning, hook, self),
    `${device} "lo" accept`,
    ...lines(hook),
    ...final,
  ];
  const chains: [string, string, string[]][] = [];
  if (has('inbound')) chains.push(['inbound', hookLine('input', 'drop'), own('inbound', 'iifname')]);
  if (has('outbound')) chains.push(['outbound', hookLine('output', 'drop'), own('outbound', 'oifname')]);
  if (has('published'))
    chains.push([
      'published',
      '',
      ['ct state established,related accept', ...lines('published'), ...(final.length > 0 ? final : ['drop'])],
    ]);
  if (has('published') || has('forward'))
    chains.push([
      'forward',
      hookLine('forward', has('forward') ? 'drop' : 'accept'),
      [
        ...(has('published')
          ? ['ct status dnat jump published comment "ports of containers, by the port that was asked for"']
          : []),
        ...(has('forward') ? [...preamble(meaning, 'forward', self), ...lines('forward'), ...final] : []),
      ],
    ]);
  return [
    '#!/usr/sbin/nft -f',
    `# ${headline(source, host)}`,
    `# Judged: ${enforce.join(', ')}; IPv4 and IPv6. What no line permits is denied. Check with nft -c -f, load with nft -f.`,
    'table inet inferpath',
    'delete table inet inferpath',
    'table inet inferpath {',
    chains.map(([name, hook, rules]) => chainText(name, hook, rules)).join('\n\n'),
    '}',
    '',
  ].join('\n');
}

/** The first line of every text that is emitted. */
export function headline(source: string, host: string | undefined): string {
  const whom = host === undefined ? '' : `, what concerns ${host}`;
  return `Made by inferpath of the policy in ${printable(source)}${whom}. Do not edit; edit the policy.`;
}

const hookLine = (hook: string, policy: string): string =>
  `type filter hook ${hook} priority filter; policy ${policy};`;

function chainText(name: string, hook: string, rules: readonly string[]): string {
  return [`  chain ${name} {`, ...[...(hook ? [hook] : []), ...rules].map((line) => `    ${line}`), '  }'].join('\n');
}

/**
 * Answers; then what the network needs, before what belongs to no connection is dropped: an error may come late. ICMP is left to the
 * lines: but for a few questions, conntrack calls invalid all of it that answers nothing, whatever a line permits.
 */
function preamble(meaning: PolicyMeaning, hook: PolicyHook, self: Addresses): string[] {
  return [
    'ct state established,related accept',
    ...rulesOf({ ...meaning, lines: [] }, hook, self, neededLineName),
    'meta l4proto != { icmp, ipv6-icmp } ct state invalid drop',
  ];
}

function linesAt(meaning: PolicyMeaning, hook: PolicyHook, self: Addresses): string[] {
  return meaning.lines.flatMap((line) => {
    const rules = rulesOf({ ...meaning, lines: [line] }, hook, self, line.name);
    return rules.length === 0 ? [] : [`# ${line.name}: ${printable(line.why, 500)}`, ...rules];
  });
}

/** The rules of one line for both families. */
function rulesOf(meaning: PolicyMeaning, hook: PolicyHook, self: Addresses, name: string): string[] {
  return families.flatMap((family) =>
    permitsAt(meaning, hook, family, self)
      .filter(({ line }) => line === name)
      .flatMap(({ box }) =>
        servicePartsOf(box, family).flatMap((part) =>
          serviceWords(part, family, hook).map(
            (words) => `${[...addressWords(box, family, hook), ...words].join(' ')} accept comment "${name}"`,
          ),
        ),
      ),
  );
}

function addressWords({ src, dst }: Box, family: Family, hook: PolicyHook): string[] {
  const protocol = family === 4 ? 'ip' : 'ip6';
  // Of a published port the destination is the container by now; the policy speaks of what the client asked for.
  const destination = hook === 'published' ? `ct original ${protocol} daddr` : `${protocol} daddr`;
  const words = [
    ...(isAll(src, family) ? [] : [`${protocol} saddr ${oneOrSet(src, (range) => rangeText(range, family))}`]),
    ...(isAll(dst, family) ? [] : [`${destination} ${oneOrSet(dst, (range) => rangeText(range, family))}`]),
  ];
  // "ip protocol" and "ip6 nexthdr" are no help here: the former is IPv4 alone, the latter misses extension headers.
  return words.length > 0 && hook !== 'published' ? words : [`meta nfproto ipv${family}`, ...words];
}

const isAll = (ranges: Ranges, family: Family): boolean => sizeOf(ranges) === sizeOf(everyAddress[family]);

function oneOrSet<T>(items: readonly T[], text: (item: T) => string): string {
  return items.length === 1 ? text(items[0]!) : `{ ${items.map(text).join(', ')} }`;
}

function rangeText([first, last]: Ranges[number], family: Family): string {
  const cidrs = cidrsOf([[first, last]], family);
  if (cidrs.length === 1) return cidrTexts([[first, last]], family)[0]!;
  return `${formatAddress(family, first)}-${formatAddress(family, last)}`;
}

/** The words of each rule that the part needs: of published ports one for each range, because nft 1.0.6 confuses sets of them. */
function serviceWords(part: ServicePart, family: Family, hook: PolicyHook): string[][] {
  if (part.kind === 'all') return [[]];
  if (part.kind === 'protocol') return [[`meta l4proto ${protocolName(part.protocol)}`]];
  if (part.kind === 'ports') {
    const name = protocolName(part.protocol);
    if (hook !== 'published') return [[`${name} dport ${oneOrSet(part.ports, numberRange)}`]];
    return part.ports.map((range) => [`meta l4proto ${name}`, `ct original proto-dst ${numberRange(range)}`]);
  }
  const icmp = family === 4 ? 'icmp' : 'icmpv6';
  const name = (type: number) => icmpNames[family].get(type) ?? String(type);
  if (part.kind === 'types') return [[`${icmp} type ${oneOrSet(part.types, name)}`]];
  return [[`${icmp} type ${name(part.type)} ${icmp} code ${oneOrSet(part.codes, numberRange)}`]];
}

function numberRange([first, last]: readonly [number, number]): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function protocolName(protocol: number): string {
  if (protocol === protocols.tcp) return 'tcp';
  if (protocol === protocols.udp) return 'udp';
  if (protocol === protocols.icmp) return 'icmp';
  return protocol === protocols.icmpv6 ? 'ipv6-icmp' : String(protocol);
}
