import type { Family } from '../../../model/cidr.ts';

/** Messages as nft calls them (`nft describe icmp type`, `nft describe icmpv6 type`). */
export const icmpNames: Readonly<Record<Family, ReadonlyMap<number, string>>> = {
  4: new Map([
    [0, 'echo-reply'],
    [3, 'destination-unreachable'],
    [4, 'source-quench'],
    [5, 'redirect'],
    [8, 'echo-request'],
    [9, 'router-advertisement'],
    [10, 'router-solicitation'],
    [11, 'time-exceeded'],
    [12, 'parameter-problem'],
    [13, 'timestamp-request'],
    [14, 'timestamp-reply'],
    [15, 'info-request'],
    [16, 'info-reply'],
    [17, 'address-mask-request'],
    [18, 'address-mask-reply'],
  ]),
  6: new Map([
    [1, 'destination-unreachable'],
    [2, 'packet-too-big'],
    [3, 'time-exceeded'],
    [4, 'parameter-problem'],
    [128, 'echo-request'],
    [129, 'echo-reply'],
    [130, 'mld-listener-query'],
    [131, 'mld-listener-report'],
    [132, 'mld-listener-done'],
    [133, 'nd-router-solicit'],
    [134, 'nd-router-advert'],
    [135, 'nd-neighbor-solicit'],
    [136, 'nd-neighbor-advert'],
    [137, 'nd-redirect'],
    [138, 'router-renumbering'],
    [141, 'ind-neighbor-solicit'],
    [142, 'ind-neighbor-advert'],
    [143, 'mld2-listener-report'],
  ]),
};

/** Their codes (`nft describe icmp code`, `nft describe icmpv6 code`), which it names whatever the type is. */
export const icmpCodeNames: Readonly<Record<Family, ReadonlyMap<string, number>>> = {
  4: new Map([
    ['net-unreachable', 0],
    ['host-unreachable', 1],
    ['prot-unreachable', 2],
    ['port-unreachable', 3],
    ['frag-needed', 4],
    ['net-prohibited', 9],
    ['host-prohibited', 10],
    ['admin-prohibited', 13],
  ]),
  6: new Map([
    ['no-route', 0],
    ['admin-prohibited', 1],
    ['addr-unreachable', 3],
    ['port-unreachable', 4],
    ['policy-fail', 5],
    ['reject-route', 6],
  ]),
};
