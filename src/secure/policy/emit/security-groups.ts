import type { Family } from '../../../model/cidr.ts';
import { printable } from '../../../model/outcome.ts';
import { protocols } from '../box.ts';
import { type Addresses, families, type PolicyMeaning } from '../policy.ts';
import { cidrTexts, everyAddress, type Ranges, sizeOf } from '../ranges.ts';
import { type MemberGroup, memberGroups, type MemberRule } from './members.ts';
import { modelled } from './modelled.ts';
import { headline } from './nftables.ts';
import type { EmitOptions, ServicePart } from './rules.ts';

/** Rules that one group of AWS holds without asking for more, and the longest list of groups on one interface. */
const quota = { rules: 60, groups: 5 };

/** A permission as AWS has it: one protocol, one range of ports (or a type and a code), CIDRs of both families. */
interface Permission {
  protocol: string;
  from: number;
  to: number;
  v4: string[];
  v6: string[];
  line: string;
}

interface SecurityGroup {
  name: string;
  members: string[];
  ingress: Permission[];
  egress: Permission[];
}

/**
 * A policy as security groups of AWS, in the shape of `aws ec2 describe-security-groups`. Groups only allow, are united and remember
 * connections. A group does not say whom it protects: `Members` does, and is no field of AWS.
 */
export function emitAwsSecurityGroups(
  meaning: PolicyMeaning,
  { source, host }: Omit<EmitOptions, 'deny'>,
  self: Addresses = everyAddress,
): string {
  const groups = securityGroups(meaning, self);
  const ranges = (cidrs: string[], key: 'CidrIp' | 'CidrIpv6', line: string) =>
    cidrs.map((cidr) => ({ [key]: cidr, Description: line }));
  const permission = ({ protocol, from, to, v4, v6, line }: Permission) => ({
    IpProtocol: protocol,
    ...(protocol === '-1' || isNumber(protocol) ? {} : { FromPort: from, ToPort: to }),
    IpRanges: ranges(v4, 'CidrIp', line),
    Ipv6Ranges: ranges(v6, 'CidrIpv6', line),
  });
  const document = {
    Comment: [headline(source, host), modelled, ...notesOf(meaning, groups)],
    SecurityGroups: groups.map(({ name, members, ingress, egress }) => ({
      GroupName: `inferpath-${name}`,
      Description: `inferpath: ${name}`,
      Members: members,
      IpPermissions: ingress.map(permission),
      IpPermissionsEgress: egress.map(permission),
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The same for Terraform: resources `aws_security_group` with their rules inside, so that what is not listed is taken away. */
export function emitTerraform(
  meaning: PolicyMeaning,
  { source, host }: Omit<EmitOptions, 'deny'>,
  self: Addresses = everyAddress,
): string {
  const groups = securityGroups(meaning, self);
  const block = (word: string, { protocol, from, to, v4, v6, line }: Permission): string[] => [
    `  ${word} {`,
    `    description      = ${hcl(line)}`,
    `    protocol         = ${hcl(protocol)}`,
    `    from_port        = ${protocol === '-1' || isNumber(protocol) ? 0 : from}`,
    `    to_port          = ${protocol === '-1' || isNumber(protocol) ? 0 : to}`,
    ...(v4.length > 0 ? [`    cidr_blocks      = [${v4.map(hcl).join(', ')}]`] : []),
    ...(v6.length > 0 ? [`    ipv6_cidr_blocks = [${v6.map(hcl).join(', ')}]`] : []),
    '  }',
  ];
  return [
    `# ${headline(source, host)}`,
    ...[modelled, ...notesOf(meaning, groups)].map((note) => `# ${note}`),
    'variable "inferpath_vpc_id" {',
    '  type = string',
    '}',
    ...groups.flatMap(({ name, members, ingress, egress }) => [
      '',
      `# members: ${members.join(', ')}`,
      `resource "aws_security_group" ${hcl(`inferpath_${name.replace(/[^a-z0-9_]/g, '_')}`)} {`,
      `  name        = ${hcl(`inferpath-${name}`)}`,
      `  description = ${hcl(`inferpath: ${name}`)}`,
      '  vpc_id      = var.inferpath_vpc_id',
      ...ingress.flatMap((one) => ['', ...block('ingress', one)]),
      ...egress.flatMap((one) => ['', ...block('egress', one)]),
      '}',
    ]),
    '',
  ].join('\n');
}

function notesOf({ enforce }: PolicyMeaning, groups: readonly SecurityGroup[]): string[] {
  const most = Math.max(...groups.map(({ ingress, egress }) => Math.max(rulesIn(ingress), rulesIn(egress))));
  return [
    'Each group belongs on the interfaces of the addresses that stand beside it as members; published ports of containers are judged by inbound rules.',
    ...(enforce.includes('forward')
      ? ['A security group judges nothing that a machine forwards: "forward" is not said here.']
      : []),
    ...(most > quota.rules
      ? [`A group has ${most} rules in one direction; AWS holds ${quota.rules} unless asked for more.`]
      : []),
    ...(groups.length > quota.groups
      ? [`There are ${groups.length} groups; an interface holds ${quota.groups} unless asked for more.`]
      : []),
  ];
}

const rulesIn = (permissions: readonly Permission[]): number =>
  permissions.reduce((sum, { v4, v6 }) => sum + v4.length + v6.length, 0);

function securityGroups(meaning: PolicyMeaning, self: Addresses): SecurityGroup[] {
  const open: Permission = {
    protocol: '-1',
    from: -1,
    to: -1,
    v4: ['0.0.0.0/0'],
    v6: ['::/0'],
    line: 'not judged by the policy',
  };
  return memberGroups(meaning, self).map((group, i) => ({
    name: printable(group.name),
    members: membersOf(group),
    ingress: meaning.enforce.includes('inbound') ? permissionsOf(group.ingress) : i === 0 ? [open] : [],
    // A group without rules for outgoing connections lets none out; where they are not judged, the group of all says so.
    egress: meaning.enforce.includes('outbound') ? permissionsOf(group.egress) : i === 0 ? [open] : [],
  }));
}

function membersOf({ members }: MemberGroup): string[] {
  return families.flatMap((family) => cidrs(members[family], family));
}

/** Rules that differ in their peers alone are one permission. */
function permissionsOf(rules: readonly MemberRule[]): Permission[] {
  const found = new Map<string, Permission>();
  for (const { line, family, peers, part } of rules)
    for (const [protocol, from, to] of portsOf(part, family)) {
      const key = `${line} ${protocol} ${from} ${to}`;
      const one = found.get(key) ?? { protocol, from, to, v4: [], v6: [], line };
      found.set(key, one);
      one[family === 4 ? 'v4' : 'v6'].push(...cidrs(peers, family));
    }
  return [...found.values()];
}

function portsOf(part: ServicePart, family: Family): [protocol: string, from: number, to: number][] {
  const icmp = family === 4 ? 'icmp' : 'icmpv6';
  switch (part.kind) {
    case 'all':
      return [['-1', -1, -1]];
    case 'protocol':
      return [[...wholeProtocol(part.protocol)]];
    case 'ports':
      return part.ports.map(([first, last]) => [part.protocol === protocols.tcp ? 'tcp' : 'udp', first, last]);
    case 'types':
      return part.types.map((type) => [icmp, type, -1]);
    case 'codes':
      return part.codes.flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, i): [string, number, number] => [icmp, part.type, first + i]),
      );
  }
}

function wholeProtocol(protocol: number): [string, number, number] {
  if (protocol === protocols.tcp) return ['tcp', 0, 65_535];
  if (protocol === protocols.udp) return ['udp', 0, 65_535];
  if (protocol === protocols.icmp) return ['icmp', -1, -1];
  return protocol === protocols.icmpv6 ? ['icmpv6', -1, -1] : [String(protocol), -1, -1];
}

const isNumber = (protocol: string): boolean => /^\d+$/.test(protocol);

/** Every CIDR with its length, as AWS wants it. */
function cidrs(ranges: Ranges, family: Family): string[] {
  if (sizeOf(ranges) === sizeOf(everyAddress[family])) return [family === 4 ? '0.0.0.0/0' : '::/0'];
  return cidrTexts(ranges, family).map((text) => (text.includes('/') ? text : `${text}/${family === 4 ? 32 : 128}`));
}

/** A quoted text of HCL: `${` and `%{` begin templates there. */
const hcl = (text: string): string =>
  JSON.stringify(printable(text, 250)).replace(/\$\{/g, '$$$${').replace(/%\{/g, '%%{');
