import type { Family } from '../../../model/cidr.ts';
import { printable } from '../../../model/outcome.ts';
import { type Box, protocols } from '../box.ts';
import { type Addresses, neededLineName, permitsAt, type PolicyHook, type PolicyMeaning } from '../policy.ts';
import { cidrTexts, everyAddress, type Ranges, sizeOf } from '../ranges.ts';
import { headline } from './nftables.ts';
import { type EmitOptions, type ServicePart, servicePartsOf } from './rules.ts';

/** Chains of ours; no other is ever touched, but for the one rule that leads into each. */
export const iptablesChains = {
  inbound: 'INFERPATH-IN',
  outbound: 'INFERPATH-OUT',
  forward: 'INFERPATH-FORWARD',
  published: 'INFERPATH-PUBLISHED',
} as const;

/** Tools of the two families: a policy for one of them leaves the other wide open. */
const tools: Readonly<Record<Family, string>> = { 4: 'iptables', 6: 'ip6tables' };

/** Makes a chain the first that judges, once: how the script of `emitIptables` does it, and how the reader knows it again. */
export const firstFunction = [
  'first() { # TOOL CHAIN OWN',
  '  [ "$("$1" -w -S "$2" 1 2>/dev/null)" = "-A $2 -j $3" ] || "$1" -w -I "$2" 1 -j "$3"',
  '}',
];

/** Docker judges DOCKER-USER before its own rules, and puts it first again whenever it starts. */
export const dockerLine = (tool: string): string =>
  `if "${tool}" -w -n -L DOCKER-USER >/dev/null 2>&1; then first ${tool} DOCKER-USER ${iptablesChains.forward}; fi`;

/**
 * A policy as a shell script around `iptables-restore` and `ip6tables-restore`: each family in one transaction, own chains only;
 * running it twice is running it once.
 */
export function emitIptables(
  meaning: PolicyMeaning,
  { deny, source, host }: EmitOptions,
  self: Addresses = everyAddress,
): string {
  const { enforce } = meaning;
  const forwards = enforce.includes('forward') || enforce.includes('published');
  const firsts = (tool: string) => [
    ...(enforce.includes('inbound') ? [`first ${tool} INPUT ${iptablesChains.inbound}`] : []),
    ...(enforce.includes('outbound') ? [`first ${tool} OUTPUT ${iptablesChains.outbound}`] : []),
    ...(forwards ? [`first ${tool} FORWARD ${iptablesChains.forward}`, dockerLine(tool)] : []),
  ];
  return [
    '#!/bin/sh',
    `# ${headline(source, host)}`,
    `# Judged: ${enforce.join(', ')}; IPv4 and IPv6. What no line permits is denied. Run as root; each family is loaded at once or not at all.`,
    'set -eu',
    ...firstFunction,
    ...([4, 6] as const).flatMap((family) => [
      `${tools[family]}-restore --wait --noflush <<'RULES'`,
      ...tableOf(meaning, family, deny, self),
      'RULES',
    ]),
    ...([4, 6] as const).flatMap((family) => firsts(tools[family])),
    '',
  ].join('\n');
}

function tableOf(meaning: PolicyMeaning, family: Family, deny: EmitOptions['deny'], self: Addresses): string[] {
  const chains = (Object.keys(iptablesChains) as PolicyHook[]).filter(
    (hook) => meaning.enforce.includes(hook) || (hook === 'forward' && meaning.enforce.includes('published')),
  );
  const rejectWith = family === 4 ? 'icmp-admin-prohibited' : 'icmp6-adm-prohibited';
  const final = deny === 'reject' ? `REJECT --reject-with ${rejectWith}` : 'DROP';
  return [
    '*filter',
    ...chains.map((hook) => `:${iptablesChains[hook]} - [0:0]`),
    ...chains.flatMap((hook) => chainRules(meaning, hook, family, final, self)),
    'COMMIT',
  ];
}

const answers = '-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT';

function chainRules(
  meaning: PolicyMeaning,
  hook: PolicyHook,
  family: Family,
  final: string,
  self: Addresses,
): string[] {
  const chain = iptablesChains[hook];
  const rule = (words: string) => `-A ${chain} ${words}`;
  const published = meaning.enforce.includes('published') && hook === 'forward';
  const jump = published ? [rule(`-m conntrack --ctstate DNAT -j ${iptablesChains.published}`)] : [];
  if (hook === 'forward' && !meaning.enforce.includes('forward')) return jump;
  const device = { inbound: ['-i lo -j ACCEPT'], outbound: ['-o lo -j ACCEPT'], forward: [], published: [] }[hook];
  // See the preamble of emit/nftables.ts.
  const icmp = family === 4 ? 'icmp' : 'ipv6-icmp';
  const invalid = hook === 'published' ? [] : [`! -p ${icmp} -m conntrack --ctstate INVALID -j DROP`];
  return [
    ...jump,
    rule(answers),
    ...rulesOf({ ...meaning, lines: [] }, hook, family, self, neededLineName).map(rule),
    ...[...invalid, ...device].map(rule),
    ...meaning.lines.flatMap((line) => {
      const rules = rulesOf({ ...meaning, lines: [line] }, hook, family, self, line.name).map(rule);
      return rules.length === 0 ? [] : [`# ${line.name}: ${printable(line.why, 500)}`, ...rules];
    }),
    rule(`-j ${final}`),
  ];
}

/** The rules of one line: iptables takes one network at a time, so a line is the product of its sides. */
function rulesOf(meaning: PolicyMeaning, hook: PolicyHook, family: Family, self: Addresses, name: string): string[] {
  return permitsAt(meaning, hook, family, self)
    .filter(({ line }) => line === name)
    .flatMap(({ box }) => productOf(box, hook, family))
    .map((words) => `${words}-m comment --comment ${name} -j ACCEPT`);
}

function productOf(box: Box, hook: PolicyHook, family: Family): string[] {
  const sources = networks(box.src, family).map((cidr) => (cidr === null ? '' : `-s ${cidr} `));
  const isPublished = hook === 'published';
  // Of a published port the destination is the container by now; the policy speaks of what the client asked for.
  const destinations = networks(box.dst, family).map((cidr) =>
    cidr === null ? '' : isPublished ? `-m conntrack --ctorigdst ${cidr} ` : `-d ${cidr} `,
  );
  const parts = servicePartsOf(box, family).flatMap((part) => serviceWords(part, family, isPublished));
  return sources.flatMap((src) => destinations.flatMap((dst) => parts.map((part) => `${src}${part}${dst}`)));
}

/** Null for all. */
function networks(ranges: Ranges, family: Family): (string | null)[] {
  return sizeOf(ranges) === sizeOf(everyAddress[family]) ? [null] : cidrTexts(ranges, family);
}

/** A list of ports has 15 places, and a range takes two of them. */
const multiportPlaces = 15;

function serviceWords(part: ServicePart, family: Family, isPublished: boolean): string[] {
  const icmp = family === 4 ? '-p icmp -m icmp --icmp-type' : '-p ipv6-icmp -m icmp6 --icmpv6-type';
  switch (part.kind) {
    case 'all':
      return [''];
    case 'protocol':
      return [`-p ${protocolName(part.protocol)} `];
    case 'types':
      return part.types.map((type) => `${icmp} ${type} `);
    case 'codes':
      return part.codes.flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, i) => `${icmp} ${part.type}/${first + i} `),
      );
    case 'ports': {
      const name = protocolName(part.protocol);
      const ports = part.ports.map(([first, last]) => (first === last ? String(first) : `${first}:${last}`));
      if (isPublished) return ports.map((port) => `-p ${name} -m conntrack --ctorigdstport ${port} `);
      if (ports.length === 1) return [`-p ${name} -m ${name} --dport ${ports[0]} `];
      return batches(ports).map((batch) => `-p ${name} -m multiport --dports ${batch.join(',')} `);
    }
  }
}

function batches(ports: readonly string[]): string[][] {
  const out: string[][] = [];
  let places = multiportPlaces;
  for (const port of ports) {
    const needs = port.includes(':') ? 2 : 1;
    if (places + needs > multiportPlaces) {
      out.push([]);
      places = 0;
    }
    out.at(-1)!.push(port);
    places += needs;
  }
  return out;
}

function protocolName(protocol: number): string {
  if (protocol === protocols.tcp) return 'tcp';
  if (protocol === protocols.udp) return 'udp';
  if (protocol === protocols.icmp) return 'icmp';
  return protocol === protocols.icmpv6 ? 'ipv6-icmp' : String(protocol);
}
