/**
 * What a path MTU tells by its number. Links come in few sizes, and a tunnel takes a fixed amount off: so the number is a hint
 * at what is on the way, never a proof.
 */
export interface KnownMtu {
  bytes: number;
  /** What has this MTU, in a few words. */
  what: string;
  /** How often it is met on paths, against the others; only the order of a search depends on it. */
  weight: number;
}

/** From large to small. Overheads are taken off 1500 or, for jumbo frames, off 9000. */
export const knownMtus: readonly KnownMtu[] = [
  { bytes: 65_535, what: 'the largest IP packet: loopback', weight: 4 },
  { bytes: 9216, what: 'jumbo frames, the limit of many switches', weight: 4 },
  { bytes: 9001, what: 'jumbo frames of a cloud network', weight: 4 },
  { bytes: 9000, what: 'jumbo frames', weight: 12 },
  { bytes: 8950, what: 'VXLAN over jumbo frames', weight: 3 },
  { bytes: 8896, what: 'jumbo frames of a cloud network', weight: 2 },
  { bytes: 8500, what: 'jumbo frames through a cloud gateway', weight: 2 },
  { bytes: 4470, what: 'packet over SONET/SDH', weight: 1 },
  { bytes: 4352, what: 'FDDI (RFC 1191)', weight: 1 },
  { bytes: 2002, what: 'RFC 1191 plateau', weight: 1 },
  { bytes: 1500, what: 'Ethernet', weight: 100 },
  { bytes: 1492, what: 'PPPoE', weight: 12 },
  { bytes: 1480, what: 'an IPv4-in-IPv4 or IPv6-in-IPv4 tunnel', weight: 6 },
  { bytes: 1476, what: 'a GRE tunnel', weight: 6 },
  { bytes: 1472, what: 'a GRE tunnel with key, or PPPoE with a tunnel', weight: 2 },
  { bytes: 1468, what: 'a GRE tunnel over PPPoE, or DS-Lite over PPPoE', weight: 2 },
  { bytes: 1460, what: 'an IPv4-in-IPv6 tunnel (DS-Lite), or the default of a cloud network', weight: 6 },
  { bytes: 1454, what: 'PPPoE on some fibre access lines', weight: 1 },
  { bytes: 1450, what: 'VXLAN over IPv4', weight: 14 },
  { bytes: 1446, what: 'IPsec in tunnel mode, AES-GCM', weight: 2 },
  { bytes: 1442, what: 'Geneve over IPv4 (OVN)', weight: 3 },
  { bytes: 1440, what: 'IP-in-IP behind another tunnel, or a WireGuard tunnel over IPv4', weight: 4 },
  { bytes: 1438, what: 'IPsec in tunnel mode, AES-CBC', weight: 2 },
  { bytes: 1436, what: 'a GRE tunnel over IPsec', weight: 2 },
  { bytes: 1430, what: 'VXLAN over IPv6', weight: 3 },
  { bytes: 1428, what: 'a mobile network (GTP)', weight: 2 },
  { bytes: 1422, what: 'Geneve over IPv6', weight: 1 },
  { bytes: 1420, what: 'WireGuard', weight: 14 },
  { bytes: 1412, what: 'WireGuard over PPPoE', weight: 2 },
  { bytes: 1400, what: 'a VPN or mobile network with a round number', weight: 10 },
  { bytes: 1390, what: 'a cloud VPN', weight: 1 },
  { bytes: 1380, what: 'a VPN (OpenVPN) or an overlay over IPsec', weight: 3 },
  { bytes: 1376, what: 'VXLAN or GRE over IPsec', weight: 2 },
  { bytes: 1370, what: 'VXLAN over WireGuard', weight: 3 },
  { bytes: 1360, what: 'a VPN or mobile network', weight: 3 },
  { bytes: 1350, what: 'a VPN, or overlays in each other', weight: 3 },
  { bytes: 1300, what: 'a VPN with a round number', weight: 3 },
  { bytes: 1280, what: 'the smallest MTU of IPv6', weight: 12 },
  { bytes: 1006, what: 'SLIP (RFC 1191)', weight: 1 },
  { bytes: 576, what: 'the smallest packet every IPv4 host takes', weight: 3 },
  { bytes: 508, what: 'RFC 1191 plateau', weight: 1 },
  { bytes: 296, what: 'a low-delay serial line (RFC 1191)', weight: 1 },
  { bytes: 68, what: 'the smallest MTU of IPv4', weight: 1 },
];

/** What a path with this MTU likely crosses; null where the number says nothing. */
export function hintOf(mtuBytes: number): string | null {
  return knownMtus.find(({ bytes }) => bytes === mtuBytes)?.what ?? null;
}

/** Smallest MTU a link may have: RFC 791 §3.2 and RFC 8200 §5. */
export function minimumMtu(family: 4 | 6): number {
  return family === 4 ? 68 : 1280;
}

/** Octets of IP and TCP header without options: an MSS is the MTU less these (RFC 9293 §3.7.1). */
export function tcpHeaderBytes(family: 4 | 6): number {
  return family === 4 ? 40 : 60;
}
