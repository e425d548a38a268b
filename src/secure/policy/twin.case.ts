import { type Family, parseAddress } from '../../model/cidr.ts';
import { type Packet, partsOfService, protocols } from './box.ts';

/**
 * A second reader of what the emitters write, which shares nothing with the first: it walks the lines for one packet and takes the
 * first that fits, as the kernel does. It knows only the words that the emitters use, and throws at any other.
 */

/** The verdict on a packet that begins a connection, in the chain that an emitted file of nftables has for inbound. */
export function nftVerdict(text: string, packet: Packet): 'accept' | 'drop' {
  const body = /chain inbound \{\n([^}]*(?:\{[^}]*\}[^}]*)*?)\n {2}\}/.exec(text)![1]!;
  let policy = '';
  for (const line of body.split('\n').map((one) => one.trim())) {
    const hook = /^type filter hook input priority filter; policy (\w+);$/.exec(line);
    if (hook) policy = hook[1]!;
    else if (
      line.startsWith('#') ||
      /^(ct state established,related accept|meta l4proto != \{ icmp, ipv6-icmp \} ct state invalid drop|iifname "lo" accept)$/.test(
        line,
      )
    )
      continue;
    else if (line.startsWith('reject with ')) return 'drop';
    else if (nftLineFits(line, packet)) return / accept( comment|$)/.test(line) ? 'accept' : 'drop';
  }
  return policy === 'drop' ? 'drop' : 'accept';
}

function nftLineFits(line: string, packet: Packet): boolean {
  const { protocol, low } = partsOfService(packet.service);
  const conditions = line.replace(/ ?(accept|drop)( comment "[^"]*")?$/, '');
  const one =
    /(meta nfproto|meta l4proto|ip6? saddr|ip6? daddr|tcp dport|udp dport|icmp type|icmp code|icmpv6 type|icmpv6 code) (\{[^}]*\}|\S+) ?/g;
  if (conditions.replaceAll(one, '') !== '') throw new Error(`The twin does not know ${conditions}`);
  let fits = true;
  for (const found of conditions.matchAll(one)) {
    const [, what = '', value = ''] = found;
    const items = value
      .replace(/^\{|\}$/g, '')
      .split(',')
      .map((one) => one.trim());
    const family: Family = what.startsWith('ip6 ') ? 6 : 4;
    if (what === 'meta nfproto') fits &&= items.includes(`ipv${packet.family}`);
    else if (what === 'meta l4proto') fits &&= items.some((one) => protocolOf(one) === protocol);
    else if (what.endsWith('addr'))
      fits &&=
        packet.family === family &&
        items.some((one) => inNetwork(one, family, what.endsWith('saddr') ? packet.src : packet.dst));
    else if (what.endsWith('dport'))
      fits &&= protocolOf(what.slice(0, 3)) === protocol && items.some((one) => inSpan(one, '-', low));
    else {
      fits &&= protocol === (what.startsWith('icmpv6') ? protocols.icmpv6 : protocols.icmp);
      const part = what.endsWith('type') ? low >> 8 : low & 255;
      fits &&= items.some((one) => {
        const named = what.endsWith('type') ? icmpWords[`${what.split(' ')[0]} ${one}`] : undefined;
        if (named === undefined && !/^[\d-]+$/.test(one)) throw new Error(`The twin does not know ${one}`);
        return named === undefined ? inSpan(one, '-', part) : named === part;
      });
    }
  }
  return fits;
}

/** The same of the script for iptables. */
export function iptablesVerdict(script: string, packet: Packet): 'accept' | 'drop' {
  const restore = packet.family === 4 ? 'iptables-restore' : 'ip6tables-restore';
  const from = script.indexOf(`\n${restore} `);
  const lines = script.slice(from, script.indexOf('\nCOMMIT', from)).split('\n');
  for (const line of lines.filter((one) => one.startsWith('-A INFERPATH-IN '))) {
    const words = line.slice('-A INFERPATH-IN '.length);
    if (/--ctstate|^-i lo /.test(words)) continue;
    if (iptablesLineFits(words, packet)) return words.endsWith('-j ACCEPT') ? 'accept' : 'drop';
  }
  return 'accept';
}

function iptablesLineFits(words: string, packet: Packet): boolean {
  const { protocol, low } = partsOfService(packet.service);
  const pairs = [...words.matchAll(/(--?[\w-]+) (\S+)/g)].map(
    ([, option = '', value = '']) => [option, value] as const,
  );
  return pairs.every(([option, value]) => {
    switch (option) {
      case '-s':
        return inNetwork(value, packet.family, packet.src);
      case '-d':
        return inNetwork(value, packet.family, packet.dst);
      case '-p':
        return protocolOf(value) === protocol;
      case '--dport':
      case '--dports':
        return value.split(',').some((one) => inSpan(one, ':', low));
      case '--icmp-type':
      case '--icmpv6-type': {
        const [type, code] = value.split('/').map(Number);
        return type === low >> 8 && (code === undefined || code === (low & 255));
      }
      case '-m':
      case '-j':
      case '--comment':
      case '--reject-with':
        return true;
      default:
        throw new Error(`The twin does not know ${option}`);
    }
  });
}

const icmpWords: Readonly<Record<string, number>> = {
  'icmp echo-reply': 0,
  'icmp destination-unreachable': 3,
  'icmp source-quench': 4,
  'icmp redirect': 5,
  'icmp echo-request': 8,
  'icmp router-advertisement': 9,
  'icmp router-solicitation': 10,
  'icmp time-exceeded': 11,
  'icmp parameter-problem': 12,
  'icmp timestamp-request': 13,
  'icmp timestamp-reply': 14,
  'icmp info-request': 15,
  'icmp info-reply': 16,
  'icmp address-mask-request': 17,
  'icmp address-mask-reply': 18,
  'icmpv6 destination-unreachable': 1,
  'icmpv6 packet-too-big': 2,
  'icmpv6 time-exceeded': 3,
  'icmpv6 parameter-problem': 4,
  'icmpv6 echo-request': 128,
  'icmpv6 echo-reply': 129,
  'icmpv6 mld-listener-query': 130,
  'icmpv6 mld-listener-report': 131,
  'icmpv6 mld-listener-done': 132,
  'icmpv6 nd-router-solicit': 133,
  'icmpv6 nd-router-advert': 134,
  'icmpv6 nd-neighbor-solicit': 135,
  'icmpv6 nd-neighbor-advert': 136,
  'icmpv6 nd-redirect': 137,
  'icmpv6 router-renumbering': 138,
  'icmpv6 ind-neighbor-solicit': 141,
  'icmpv6 ind-neighbor-advert': 142,
  'icmpv6 mld2-listener-report': 143,
};

function protocolOf(word: string): number {
  return { tcp: 6, udp: 17, icmp: 1, 'ipv6-icmp': 58 }[word] ?? Number(word);
}

function inSpan(text: string, between: string, value: number): boolean {
  const [first = 0, last = first] = text.split(between).map(Number);
  return first <= value && value <= last;
}

/** By bits of text and not by numbers, so that a slip in the arithmetic of the first reader would show. */
function inNetwork(text: string, family: Family, value: bigint): boolean {
  const bits = (address: bigint) => address.toString(2).padStart(family === 4 ? 32 : 128, '0');
  const of = (address: string) => bits(parseAddress(address)!.value);
  if (text.includes('-')) {
    const [first = '', last = ''] = text.split('-').map(of);
    return first <= bits(value) && bits(value) <= last;
  }
  const [address = '', length] = text.split('/');
  const shared = length === undefined ? undefined : Number(length);
  return of(address).slice(0, shared) === bits(value).slice(0, shared);
}
