import { canonicalAddress, unmapped } from './endpoint.ts';

/** Own IPv4 addresses in `/proc/net/fib_trie`: leaves that are marked as local hosts. */
export function ownAddresses4(fibTrie: string): string[] {
  const found = new Set<string>();
  let leaf: string | null = null;
  for (const line of fibTrie.split('\n')) {
    leaf = /\|--\s+([\d.]+)\s*$/.exec(line)?.[1] ?? leaf;
    if (leaf !== null && /\/32 host LOCAL\s*$/.test(line) && !leaf.startsWith('127.')) found.add(leaf);
  }
  return [...found].filter((one) => canonicalAddress(one) !== null).sort();
}

/** Own IPv6 addresses in `/proc/net/if_inet6`, without ::1 and those of one link only. */
export function ownAddresses6(ifInet6: string): string[] {
  return ifInet6
    .split('\n')
    .flatMap((line) => /^([0-9a-f]{32}) /.exec(line)?.[1] ?? [])
    .map((hex) => unmapped(Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))))
    .filter((address) => address !== '::1' && !address.startsWith('fe80:'))
    .sort();
}
