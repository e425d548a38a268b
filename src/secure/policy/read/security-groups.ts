import { type Family } from '../../../model/cidr.ts';
import { printable } from '../../../model/outcome.ts';
import { everyService, icmpMessages, protocols, services } from '../box.ts';
import type { Firewall } from '../program.ts';
import { everyAddress, type Ranges } from '../ranges.ts';
import { addressRanges, type ListedRule, unorderedFirewall, wordOf } from './accept-list.ts';
import { RulesetError } from './nft-rules.ts';

/** A permission as both notations have it. */
interface Permission {
  protocol: string;
  from: number | null;
  to: number | null;
  cidrs: string[];
  /** Peers that are no addresses: other groups, prefix lists. */
  others: string[];
  text: string;
  line?: number;
}

interface Group {
  name: string;
  /** Null: whom the group protects is not written anywhere. */
  members: string[] | null;
  ingress: Permission[];
  egress: Permission[];
}

/** Reads what `emitAwsSecurityGroups` writes and `aws ec2 describe-security-groups` prints. @throws RulesetError */
export function readAwsSecurityGroups(text: string): Firewall {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RulesetError('found no JSON; allowed: what aws ec2 describe-security-groups prints');
  }
  const groups = list(object(value)['SecurityGroups']);
  if (groups.length === 0) throw new RulesetError('SecurityGroups: found nothing; allowed: at least one group');
  return firewallOf(
    groups.map((one): Group => {
      const group = object(one);
      return {
        name: wordOf(group['GroupName'] ?? group['GroupId'] ?? 'group'),
        members: Array.isArray(group['Members']) ? group['Members'].map(String) : null,
        ingress: list(group['IpPermissions']).map(permissionOf),
        egress: list(group['IpPermissionsEgress']).map(permissionOf),
      };
    }),
  );
}

function permissionOf(value: unknown): Permission {
  const one = object(value);
  const port = (key: string) => (typeof one[key] === 'number' ? one[key] : null);
  const cidrs = [
    ...list(one['IpRanges']).map((range) => String(object(range)['CidrIp'])),
    ...list(one['Ipv6Ranges']).map((range) => String(object(range)['CidrIpv6'])),
  ];
  const others = [...list(one['UserIdGroupPairs']), ...list(one['PrefixListIds'])].map((peer) =>
    wordOf(Object.values(object(peer))[0] ?? 'another group'),
  );
  return {
    protocol: String(one['IpProtocol']),
    from: port('FromPort'),
    to: port('ToPort'),
    cidrs,
    others,
    text: JSON.stringify(value),
  };
}

const object = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/**
 * Reads Terraform's `aws_security_group` with rules inside, as `emitTerraform` writes it: plain values, no expressions. Anything else in a
 * resource of that kind is an error, because it can change what the rules mean.
 *
 * @throws RulesetError with the line
 */
export function readTerraform(text: string): Firewall {
  const groups: Group[] = [];
  let members: string[] | null = null;
  let group: Group | null = null;
  let rule: { word: 'ingress' | 'egress'; fields: Map<string, string[]>; line: number } | null = null;
  let skipped = 0;
  for (const [i, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const at = i + 1;
    const line = raw.trim();
    const comment = /^(?:#|\/\/)\s*members:\s*(.*)$/.exec(line)?.[1];
    if (comment !== undefined)
      members = comment
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '');
    if (line === '' || line.startsWith('#') || line.startsWith('//')) continue;
    if (skipped > 0) {
      skipped += depthOf(line);
      continue;
    }
    if (rule && group) {
      if (line === '}') {
        group[rule.word].push(blockPermission(rule.fields, rule.line));
        rule = null;
      } else {
        const match = /^([a-z0-9_]+)\s*=\s*(.+)$/.exec(line);
        if (!match) throw new RulesetError(`found ${JSON.stringify(printable(line, 60))}; allowed: name = value`, at);
        if (rule.fields.has(match[1]!)) throw new RulesetError(`found ${match[1]} a second time`, at);
        rule.fields.set(match[1]!, wordsOf(match[2]!, at));
      }
    } else if (group) {
      const block = /^(ingress|egress)\s*\{$/.exec(line)?.[1] as 'ingress' | 'egress' | undefined;
      if (line === '}') {
        groups.push(group);
        [group, members] = [null, null];
      } else if (block) rule = { word: block, fields: new Map(), line: at };
      else if (/^(?:lifecycle|tags|timeouts)\b.*\{$/.test(line)) skipped = depthOf(line);
      else if (!/^(?:name|name_prefix|description|vpc_id|revoke_rules_on_delete)\s*=/.test(line))
        throw new RulesetError(
          `found ${JSON.stringify(printable(line, 60))}; allowed in a group: ingress { … }, egress { … }, name, description, vpc_id`,
          at,
        );
    } else {
      const name = /^resource\s+"aws_security_group"\s+"([^"]+)"\s*\{$/.exec(line)?.[1];
      if (name !== undefined) group = { name, members, ingress: [], egress: [] };
      else if (/"aws_(?:vpc_)?security_group_(?:ingress_|egress_)?rule"/.test(line))
        throw new RulesetError(
          'rules in resources of their own are not read; allowed: ingress and egress inside aws_security_group',
          at,
        );
      else skipped = Math.max(0, depthOf(line));
    }
  }
  if (group || rule || skipped > 0) throw new RulesetError('ends within a block');
  if (groups.length === 0) throw new RulesetError('found no resource "aws_security_group"');
  return firewallOf(groups);
}

function depthOf(line: string): number {
  const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, '').replace(/(?:#|\/\/).*$/, '');
  return (bare.match(/\{/g)?.length ?? 0) - (bare.match(/\}/g)?.length ?? 0);
}

/** A number, a quoted text, or a list of quoted texts. */
function wordsOf(value: string, line: number): string[] {
  const text = value.trim();
  if (/^-?\d+$/.test(text) || text === 'true' || text === 'false') return [text];
  const inner = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const found = [...inner.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]!);
  const rest = inner.replace(/"(?:[^"\\]|\\.)*"/g, '').replace(/[\s,]/g, '');
  if (rest !== '' || found.some((one) => /(?<!\$)\$\{|(?<!%)%\{/.test(one)))
    throw new RulesetError(`found ${JSON.stringify(printable(text, 60))}; allowed: values without expressions`, line);
  return found;
}

const blockFields = [
  'description',
  'protocol',
  'from_port',
  'to_port',
  'cidr_blocks',
  'ipv6_cidr_blocks',
  'security_groups',
  'prefix_list_ids',
  'self',
];

function blockPermission(fields: Map<string, string[]>, line: number): Permission {
  const unknown = [...fields.keys()].find((key) => !blockFields.includes(key));
  if (unknown !== undefined) throw new RulesetError(`found ${unknown}; allowed: ${blockFields.join(', ')}`, line);
  const number = (key: string) => (/^-?\d+$/.test(fields.get(key)?.[0] ?? '') ? Number(fields.get(key)![0]) : null);
  return {
    protocol: fields.get('protocol')?.[0] ?? '',
    from: number('from_port'),
    to: number('to_port'),
    cidrs: [...(fields.get('cidr_blocks') ?? []), ...(fields.get('ipv6_cidr_blocks') ?? [])],
    others: [
      ...(fields.get('security_groups') ?? []),
      ...(fields.get('prefix_list_ids') ?? []),
      ...(fields.get('self')?.[0] === 'true' ? ['self'] : []),
    ],
    text: [...fields].map(([key, words]) => `${key}=${words.join(',')}`).join(' '),
    line,
  };
}

/** The union of all groups on whoever is a member; whom a group without members protects is open, and so its rules are in doubt. */
function firewallOf(groups: readonly Group[]): Firewall {
  const rules = groups.flatMap((group) =>
    (['inbound', 'outbound'] as const).flatMap((hook) =>
      (hook === 'inbound' ? group.ingress : group.egress).flatMap((permission) => rulesOf(permission, group, hook)),
    ),
  );
  return unorderedFirewall('security groups', rules, { inbound: 'drop', outbound: 'drop' });
}

function rulesOf(permission: Permission, { name, members }: Group, hook: 'inbound' | 'outbound'): ListedRule[] {
  const { cidrs, others, text, line } = permission;
  const wrong = [...addressRanges(cidrs, 4).wrong, ...addressRanges(members ?? [], 4).wrong];
  if (wrong.length > 0)
    throw new RulesetError(
      `group ${printable(name, 60)}: found ${JSON.stringify(printable(wrong[0]!, 60))}; allowed: CIDRs`,
      line,
    );
  const service = (family: Family) => servicesOf(permission, family);
  const mine = (family: Family): Ranges => (members ? addressRanges(members, family).ranges : everyAddress[family]);
  const box = (peers: (family: Family) => Ranges) => (family: Family) => {
    const [near, far] = [mine(family), peers(family)];
    const what = service(family);
    const [src, dst] = hook === 'inbound' ? [far, near] : [near, far];
    return src.length === 0 || dst.length === 0 || what.length === 0 ? null : { src, dst, service: what };
  };
  const ref = {
    chain: `security group ${printable(name, 60)}`,
    text: printable(text, 300),
    ...(line === undefined ? {} : { line }),
  };
  const doubt = members ? [] : [`whom ${name} protects`];
  return [
    {
      hook,
      action: 'accept',
      ref,
      box: box((family) => addressRanges(cidrs, family).ranges),
      ...(doubt.length > 0 ? { unsure: printable(doubt.join(), 100) } : {}),
    },
    ...(others.length > 0
      ? [
          {
            hook,
            action: 'accept' as const,
            ref,
            box: box((family) => everyAddress[family]),
            unsure: printable(`members of ${others.join(', ')}`, 200),
          },
        ]
      : []),
  ];
}

/** Of ICMP the ports are type and code, -1 is all; other protocols have none. */
function servicesOf({ protocol, from, to, text }: Permission, family: Family): Ranges {
  const wrong = (): never => {
    throw new RulesetError(`found ${JSON.stringify(printable(text, 120))}; allowed: a protocol, ports from 0 to 65535`);
  };
  const word = protocol.toLowerCase();
  if (word === '-1' || word === 'all') return everyService;
  const names: Record<string, number> = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58 };
  const number = names[word] ?? (/^\d{1,3}$/.test(word) && Number(word) <= 255 ? Number(word) : wrong());
  if (number === protocols.icmp || number === protocols.icmpv6) {
    // Its CIDRs may be of both families; messages of ICMPv6 in IPv4 are none.
    if (from === null || from === -1) return services(number);
    if (from < 0 || from > 255 || (to ?? -1) > 255) return wrong();
    return number === (family === 4 ? protocols.icmp : protocols.icmpv6)
      ? icmpMessages(family, from, to === null || to === -1 ? undefined : to)
      : [];
  }
  if (number !== protocols.tcp && number !== protocols.udp) return services(number);
  if (from === null || to === null) return services(number);
  if (from < 0 || to > 65_535 || from > to) return wrong();
  return services(number, from, to);
}
