import { createHash } from 'node:crypto';
import { type Family, formatAddress } from '../../../model/cidr.ts';
import { printable } from '../../../model/outcome.ts';
import { protocols } from '../box.ts';
import { type Addresses, families, permitsAt, type PolicyMeaning } from '../policy.ts';
import { cidrsOf, cidrTexts, everyAddress, type Ranges } from '../ranges.ts';
import { modelled } from './modelled.ts';
import { headline } from './nftables.ts';
import { type EmitOptions, type ServicePart, servicePartsOf } from './rules.ts';

/**
 * A policy as a PowerShell script. Windows has no order of rules: what blocks wins over what allows, then the profile decides (MS-FASP
 * §2.2.34); so these are rules that allow, and a profile that blocks. All have one group, which is removed first: run twice is run once.
 */
export function emitWindows(
  meaning: PolicyMeaning,
  { source, host }: Omit<EmitOptions, 'deny'>,
  self: Addresses = everyAddress,
): string {
  const { enforce } = meaning;
  const hooks = (['inbound', 'outbound'] as const).filter((hook) => enforce.includes(hook));
  const unsaid = enforce.filter((hook) => hook === 'published' || hook === 'forward');
  const rules = hooks.flatMap((hook) =>
    families.flatMap((family) =>
      permitsAt(meaning, hook, family, self).flatMap(({ line, box }) =>
        servicePartsOf(box, family).map((part) => {
          const [local, remote] = hook === 'inbound' ? [box.dst, box.src] : [box.src, box.dst];
          const words = [
            `-Direction ${hook === 'inbound' ? 'Inbound' : 'Outbound'}`,
            '-Action Allow',
            ...partWords(part, family, hook === 'inbound' ? '-LocalPort' : '-RemotePort'),
            `-LocalAddress ${list(addressWords(local, family))}`,
            `-RemoteAddress ${list(addressWords(remote, family))}`,
            '-Profile Any',
            '-Enabled True',
          ].join(' ');
          const name = `inferpath-${createHash('sha256').update(`${line} ${words}`).digest('hex').slice(0, 16)}`;
          return `New-NetFirewallRule -Name ${quote(name)} -Group 'inferpath' -DisplayName ${quote(`inferpath: ${line} (IPv${family})`)} ${words} | Out-Null`;
        }),
      ),
    ),
  );
  const defaults = [
    ...(hooks.includes('inbound') ? ['-DefaultInboundAction Block'] : []),
    ...(hooks.includes('outbound') ? ['-DefaultOutboundAction Block'] : []),
  ];
  return [
    `# ${headline(source, host)}`,
    `# ${modelled}`,
    '# Not atomic: between removing the old rules and adding the last new one, new connections are denied that should not be; the ones there are go on.',
    '# Rules of other groups that allow something go on allowing it: inferpath secure policy prove reads them, too.',
    ...(unsaid.length > 0
      ? [`# Windows cannot say: ${unsaid.join(', ')}. What it forwards (containers, WSL) needs rules of its own.`]
      : []),
    '#Requires -RunAsAdministrator',
    "$ErrorActionPreference = 'Stop'",
    "Remove-NetFirewallRule -Group 'inferpath' -ErrorAction SilentlyContinue",
    ...new Set(rules),
    // Last, so that nothing is denied before what is permitted is there.
    ...(defaults.length > 0 ? [`Set-NetFirewallProfile -All -Enabled True ${defaults.join(' ')}`] : []),
    '',
  ].join('\n');
}

/** In single quotes nothing is expanded, and a quote is written twice. PowerShell takes typographic quotes for quotes, too. */
function quote(text: string): string {
  return `'${printable(text, 500).replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}

const list = (words: readonly string[]): string => words.map(quote).join(',');

function addressWords(ranges: Ranges, family: Family): string[] {
  return ranges.map((range) => {
    const cidrs = cidrsOf([range], family);
    const [only] = cidrs;
    // A length of 0 is refused by some versions; a range is not.
    if (cidrs.length === 1 && only!.length > 0) return cidrTexts([range], family)[0]!;
    return `${formatAddress(family, range[0])}-${formatAddress(family, range[1])}`;
  });
}

function partWords(part: ServicePart, family: Family, portWord: string): string[] {
  const icmp = `-Protocol ${family === 4 ? 'ICMPv4' : 'ICMPv6'}`;
  switch (part.kind) {
    case 'all':
      return ['-Protocol Any'];
    case 'protocol':
      return [`-Protocol ${protocolWord(part.protocol)}`];
    case 'ports':
      return [`-Protocol ${protocolWord(part.protocol)}`, `${portWord} ${list(part.ports.map(rangeWord))}`];
    case 'types':
      return [icmp, `-IcmpType ${list(part.types.map(String))}`];
    case 'codes': {
      const codes = part.codes.flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, i) => first + i),
      );
      return [icmp, `-IcmpType ${list(codes.map((code) => `${part.type}:${code}`))}`];
    }
  }
}

const rangeWord = ([first, last]: readonly [number, number]): string =>
  first === last ? String(first) : `${first}-${last}`;

function protocolWord(protocol: number): string {
  if (protocol === protocols.tcp) return 'TCP';
  if (protocol === protocols.udp) return 'UDP';
  if (protocol === protocols.icmp) return 'ICMPv4';
  return protocol === protocols.icmpv6 ? 'ICMPv6' : String(protocol);
}
