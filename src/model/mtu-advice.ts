import type { MtuDirection, MtuHop, TcpSizes } from './mtu.ts';
import { hintOf, tcpHeaderBytes } from './mtu-hints.ts';
import type { ObservationOf } from './observation.ts';
import { printable } from './outcome.ts';

type Mtu = ObservationOf<'mtu'>;

/** Where the limit lies, in words: `between hop 2 (10.0.0.2) and hop 3 (10.0.0.3)`. */
export function placeOf({ afterTtl, afterAddress, beforeTtl, beforeAddress }: MtuHop): string {
  const after = afterTtl === 0 ? 'this host' : `hop ${afterTtl}${inBrackets(afterAddress)}`;
  return `between ${after} and hop ${beforeTtl}${inBrackets(beforeAddress)}`;
}

function inBrackets(address: string | null): string {
  return address === null ? '' : ` (${printable(address, 60)})`;
}

/** What a measured path MTU means for traffic, and what to change, most important first. */
export function adviceOf(mtu: Mtu): string[] {
  const { forward, tcp, family } = mtu;
  const known = forward.confirmedBytes;
  if (known === null) return unknownAdvice(mtu);
  return [
    ...meaning(forward, tcp, family),
    ...(forward.verdict === 'black-hole' ? blackHoleRemedies(mtu, known) : []),
    ...(forward.verdict === 'icmp-confirmed' && tcp?.fits === false ? [clampAdvice(family, known)] : []),
    ...wayBack(mtu),
    ...hints(forward, family),
  ];
}

/** What MSS the path wants, and the command that sets it where SYNs pass. */
export function clampAdvice(family: 4 | 6, mtuBytes: number): string {
  const mss = mtuBytes - tcpHeaderBytes(family);
  const table = family === 4 ? 'ip' : 'ip6';
  return (
    `clamp the MSS of TCP to ${mss} where the SYNs pass, for instance ` +
    `\`nft add rule ${table} filter forward tcp flags syn tcp option maxseg size set ${mss}\``
  );
}

/** Who has to let which ICMP message through. */
export function icmpAdvice(family: 4 | 6, hop: MtuHop | null): string {
  const message = family === 4 ? 'ICMP type 3 code 4 (fragmentation needed)' : 'ICMPv6 type 2 (packet too big)';
  return `let ${message} be sent and pass${hop ? ` ${placeOf(hop)}` : ' on the way'}, back to the senders`;
}

function meaning(forward: MtuDirection, tcp: TcpSizes | null, family: 4 | 6): string[] {
  const mss = (forward.confirmedBytes ?? 0) - tcpHeaderBytes(family);
  if (!tcp) return [`a TCP segment fits with an MSS of up to ${mss}; what TCP uses is not known`];
  const source = {
    peer: `the MSS in the answer to our SYN is ${tcp.mssBytes}: of the peer's own interface, or clamped on the way`,
    kernel: `the kernel of this host reckons with ${tcp.kernelMtuBytes}`,
    interface: 'that is all that the interface of this host takes',
  }[tcp.limitedBy];
  const sends = `TCP to port ${tcp.port} sends packets of up to ${tcp.packetBytes} octets (${source})`;
  if (tcp.fits === true) return [`${sends}: they fit`];
  if (tcp.fits === null) return [`${sends}: whether they fit is not known`];
  return forward.verdict === 'icmp-confirmed'
    ? [
        `${sends}: too large for the path; every new connection learns that by ICMP, at the price of a round trip and a lost packet`,
      ]
    : [`${sends}: too large for the path; uploads of more than one segment hang until TCP gives up`];
}

function blackHoleRemedies({ family, forward, interfaceName, address, tcp }: Mtu, mtuBytes: number): string[] {
  const device = interfaceName ?? 'eth0';
  return [
    icmpAdvice(family, forward.hop),
    ...(tcp?.fits === true ? [] : [clampAdvice(family, mtuBytes)]),
    `until then lower the MTU here, for this target by \`ip route add ${address} via GATEWAY dev ${device} mtu ${mtuBytes}\`, ` +
      `or for all by \`ip link set ${device} mtu ${mtuBytes}\`; senders can also probe by themselves: \`sysctl net.ipv4.tcp_mtu_probing=1\` (RFC 4821)`,
  ];
}

/** What the far end may send us: as much as the MSS says that we announced, unless something on the way lowers it. */
function wayBack({ reverse, tcp, family }: Mtu): string[] {
  if (reverse?.verdict !== 'limited' || reverse.confirmedBytes === null) return [];
  const announced = tcp === null ? null : tcp.advertisedMssBytes + tcpHeaderBytes(family);
  if (announced === null || announced <= reverse.confirmedBytes) return [];
  return [
    `this host announces an MSS of ${tcp?.advertisedMssBytes}, so answers may come in packets of ${announced} octets, and the way back carries ` +
      `${reverse.confirmedBytes}: ${clampAdvice(family, reverse.confirmedBytes)}`,
  ];
}

function hints({ confirmedBytes, verdict }: MtuDirection, family: 4 | 6): string[] {
  const limited = verdict === 'black-hole' || verdict === 'icmp-confirmed';
  const hint = confirmedBytes !== null && limited ? hintOf(confirmedBytes) : null;
  return [
    ...(hint ? [`${confirmedBytes} is typical of ${hint} (a hint, no proof)`] : []),
    ...(family === 6 && confirmedBytes !== null && confirmedBytes < 1280
      ? ['IPv6 requires every link to carry 1280 octets (RFC 8200 §5): some link on the way breaks that']
      : []),
  ];
}

function unknownAdvice({ method, outcome }: Mtu): string[] {
  if (outcome.kind !== 'lost') return [];
  if (method === 'icmp') return ['echo may be filtered: try --method udp'];
  if (method === 'udp')
    return ['the target or a firewall sends no "port unreachable": try --method icmp, or another --udp-port'];
  return [];
}
