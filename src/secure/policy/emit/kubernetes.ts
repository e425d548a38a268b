import type { Family } from '../../../model/cidr.ts';
import { printable } from '../../../model/outcome.ts';
import { protocols, services } from '../box.ts';
import { type Addresses, families, type Permit, type PolicyMeaning } from '../policy.ts';
import { cidrTexts, everyAddress, type Ranges, rangesOf, sizeOf } from '../ranges.ts';
import { type MemberGroup, memberGroups, type MemberRule } from './members.ts';
import { modelled } from './modelled.ts';
import { headline } from './nftables.ts';
import type { EmitOptions, ServicePart } from './rules.ts';

/**
 * A policy as NetworkPolicies: deny by default for every pod of a namespace, then what is allowed. They select pods by labels and know no
 * addresses of their own; the annotation says which addresses a label stands for, and pods have to carry it. They speak of TCP and UDP:
 * what becomes of ICMP is up to the network plugin.
 */
export function emitKubernetes(
  meaning: PolicyMeaning,
  { source, host }: Omit<EmitOptions, 'deny'>,
  self: Addresses = everyAddress,
): string {
  const { enforce } = meaning;
  const types = [
    ...(enforce.includes('inbound') ? ['Ingress'] : []),
    ...(enforce.includes('outbound') ? ['Egress'] : []),
  ];
  const unsaid = enforce.filter((hook) => hook === 'published' || hook === 'forward');
  const groups = memberGroups(meaning, self);
  const documents = [
    document('inferpath-default-deny', self, null, [`policyTypes: [${types.join(', ')}]`]),
    ...(types.includes('Egress') ? [dnsDocument(self)] : []),
    ...groups.flatMap((group) => groupDocument(group)),
  ];
  return [
    `# ${headline(source, host)}`,
    `# ${modelled}`,
    '# A network plugin has to enforce them; pods with hostNetwork, and a node towards its own pods, are not held by any of it.',
    '# Addresses may be rewritten before a plugin sees them (kubernetes.io leaves it open); ICMP and other protocols are the plugin’s.',
    ...(unsaid.length > 0 ? [`# A NetworkPolicy cannot say: ${unsaid.join(', ')}.`] : []),
    documents.map((lines) => lines.join('\n')).join('\n---\n'),
    '',
  ].join('\n');
}

function groupDocument(group: MemberGroup): string[][] {
  const [ingress, egress] = [rulesText('ingress', 'from', group.ingress), rulesText('egress', 'to', group.egress)];
  if (ingress.length + egress.length === 0) return [];
  const types = [...(ingress.length > 0 ? ['Ingress'] : []), ...(egress.length > 0 ? ['Egress'] : [])];
  const isAll = families.every((family) => sizeOf(group.members[family]) === sizeOf(everyAddress[family]));
  return [
    document(`inferpath-${group.name}`, group.members, isAll || group.name === 'all' ? null : group.name, [
      `policyTypes: [${types.join(', ')}]`,
      ...ingress,
      ...egress,
    ]),
  ];
}

/** Names are looked up before anything else can be reached: the resolvers of the cluster, by their usual labels. */
function dnsDocument(self: Addresses): string[] {
  return document('inferpath-dns', self, null, [
    'policyTypes: [Egress]',
    'egress:',
    '  - to:',
    '      - namespaceSelector:',
    '          matchLabels: { kubernetes.io/metadata.name: kube-system }',
    '        podSelector:',
    '          matchLabels: { k8s-app: kube-dns }',
    '    ports:',
    '      - { protocol: UDP, port: 53 }',
    '      - { protocol: TCP, port: 53 }',
  ]);
}

function document(name: string, pods: Addresses, label: string | null, spec: readonly string[]): string[] {
  return [
    'apiVersion: networking.k8s.io/v1',
    'kind: NetworkPolicy',
    'metadata:',
    `  name: ${quote(name.toLowerCase().replace(/[^a-z0-9.-]/g, '-'))}`,
    '  labels: { app.kubernetes.io/managed-by: inferpath }',
    '  annotations:',
    `    inferpath/pods: ${quote(families.flatMap((family) => cidrs(pods[family], family)).join(' '))}`,
    // Which addresses the resolvers have is not known here: any, at most.
    ...(name === 'inferpath-dns' ? ['    inferpath/peers: "0.0.0.0/0 ::/0"'] : []),
    'spec:',
    label === null
      ? '  podSelector: {}'
      : `  podSelector:\n    matchLabels: { ${quote(`inferpath/${label}`)}: "true" }`,
    ...spec.map((line) => `  ${line}`),
  ];
}

function rulesText(key: 'ingress' | 'egress', peers: 'from' | 'to', rules: readonly MemberRule[]): string[] {
  // Rules of one line with the same peers are one rule with several ports.
  const found = new Map<string, { line: string; cidrs: string[]; ports: string[]; isAll: boolean }>();
  for (const rule of rules) {
    const ports = portsOf(rule.part);
    if (ports === null) continue;
    const of = cidrs(rule.peers, rule.family);
    const id = `${rule.line} ${of.join()}`;
    const one = found.get(id) ?? { line: rule.line, cidrs: of, ports: [], isAll: false };
    found.set(id, one);
    one.ports.push(...ports);
    one.isAll ||= rule.part.kind === 'all';
  }
  const lines = [...found.values()].flatMap(({ line, cidrs, ports, isAll }) => [
    `  # ${printable(line)}`,
    `  - ${peers}:`,
    ...cidrs.map((cidr) => `      - ipBlock: { cidr: ${quote(cidr)} }`),
    ...(isAll ? [] : ['    ports:', ...ports.map((port) => `      - ${port}`)]),
  ]);
  return lines.length === 0 ? [] : [`${key}:`, ...lines];
}

/** Null for what a NetworkPolicy does not speak of. */
function portsOf(part: ServicePart): string[] | null {
  if (part.kind === 'all') return [];
  if (part.kind === 'types' || part.kind === 'codes') return null;
  const name = part.protocol === protocols.tcp ? 'TCP' : part.protocol === protocols.udp ? 'UDP' : null;
  if (name === null) return null;
  if (part.kind === 'protocol') return [`{ protocol: ${name} }`];
  return part.ports.map(([first, last]) =>
    first === last
      ? `{ protocol: ${name}, port: ${first} }`
      : `{ protocol: ${name}, port: ${first}, endPort: ${last} }`,
  );
}

function cidrs(ranges: Ranges, family: Family): string[] {
  return cidrTexts(ranges, family).map((text) => (text.includes('/') ? text : `${text}/${family === 4 ? 32 : 128}`));
}

const quote = (text: string): string => JSON.stringify(text);

/** What is permitted beyond the policy where outgoing connections are judged: see dnsDocument. */
export function dnsPermits(family: Family, self: Addresses): Permit[] {
  const service = rangesOf([...services(protocols.tcp, 53, 53), ...services(protocols.udp, 53, 53)]);
  return [{ line: 'inferpath-dns', box: { src: self[family], dst: everyAddress[family], service } }];
}
