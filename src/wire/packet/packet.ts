import type { Frame } from '../pcap/frame.ts';

/**
 * The one packet that `decodePacket` fills again and again: numbers only, no objects are made per packet. It is the innermost IP packet
 * of the frame, and offsets count from the beginning of `bytes`.
 */
export interface Packet {
  /** The frame's. */
  bytes: Buffer;
  /** 0: no IP that can be read. */
  version: 0 | 4 | 6;
  /** Where the addresses are: 4 or 16 octets each. */
  sourceAt: number;
  destinationAt: number;
  /** What comes after IP and its extension headers (IANA protocol numbers). */
  protocol: number;
  /** Identification of IPv4, or of the fragment header of IPv6; -1 where there is none. */
  ipId: number;
  /** Time to live, or hop limit. */
  hopLimit: number;
  ecn: number;
  dscp: number;
  /** 0: whole (atomic fragments, RFC 6946, are); 1: the first one, with the transport header; 2: one further behind. */
  fragment: 0 | 1 | 2;
  /** Octets of the original before this fragment, and whether more follow behind it. */
  fragmentOffset: number;
  moreFragments: boolean;
  /** Of fragments: where their part of the datagram begins, and the protocol it has by the header in front. */
  fragmentAt: number;
  fragmentProtocol: number;
  /** 0 where there are none. */
  sourcePort: number;
  destinationPort: number;
  transportAt: number;
  /** Where the IP packet ends by its length, but never beyond the end that the frame had on the wire. */
  packetEnd: number;
  /** First octet of it that was not captured. */
  capturedEnd: number;
  /** Where that begins which TCP or UDP carry. */
  payloadAt: number;
  /** Octets carried by what the lengths of IP say, or the frame's where they say 0 (TSO, BIG TCP). -1: cannot be known. */
  payloadBytes: number;
  /** The same, but never beyond the end that the frame had on the wire. */
  framedBytes: number;
  /** How many of them were captured. */
  capturedBytes: number;
  /** TCP (RFC 9293); all unsigned, `window` as it stands there. `flags` are nine: FIN is the lowest, then NS, after CWR and ECE. */
  sequence: number;
  acknowledgement: number;
  flags: number;
  window: number;
  hasTimestamps: boolean;
  tsVal: number;
  tsEcr: number;
  /** -1 where absent. */
  mss: number;
  windowScale: number;
  sackPermitted: boolean;
  /** How many pairs of `sack` hold. */
  sackBlocks: number;
  sack: Uint32Array;
  /** Hash over the networks that it was seen in (VLANs, VNI, keys of GRE, sessions of PPPoE and ERSPAN); 0: none. */
  tunnel: number;
  /** Innermost VLAN id, -1. */
  vlan: number;
  /** What stood around it: bits of `encapsulation`. */
  outerEncapsulations: number;
  /** Quoted inside an ICMP error: somebody's packet of earlier, not one that passed here. */
  inError: boolean;
}

/** Bits of `Packet.outerEncapsulations`. */
export const encapsulation = {
  vlan: 1,
  llc: 2,
  pppoe: 4,
  ppp: 8,
  mpls: 16,
  gre: 32,
  erspan: 64,
  vxlan: 128,
  geneve: 256,
  gtp: 512,
  ipip: 1024,
  teredo: 2048,
  ethernet: 4096,
  l2tp: 8192,
  authentication: 16_384,
} as const;

/** TCP flags (RFC 9293 section 3.1, RFC 3540 for the ninth). */
export const tcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128, ns: 256 } as const;

/** Pairs of SACK that fit into the options. */
const maxSackBlocks = 4;

export function newPacket(): Packet {
  return {
    bytes: Buffer.alloc(0),
    version: 0,
    sourceAt: 0,
    destinationAt: 0,
    protocol: 0,
    ipId: -1,
    hopLimit: 0,
    ecn: 0,
    dscp: 0,
    fragment: 0,
    fragmentOffset: 0,
    moreFragments: false,
    fragmentAt: 0,
    fragmentProtocol: 0,
    sourcePort: 0,
    destinationPort: 0,
    transportAt: 0,
    packetEnd: 0,
    capturedEnd: 0,
    payloadAt: 0,
    payloadBytes: -1,
    framedBytes: -1,
    capturedBytes: 0,
    sequence: 0,
    acknowledgement: 0,
    flags: 0,
    window: 0,
    hasTimestamps: false,
    tsVal: 0,
    tsEcr: 0,
    mss: -1,
    windowScale: -1,
    sackPermitted: false,
    sackBlocks: 0,
    sack: new Uint32Array(2 * maxSackBlocks),
    tunnel: 0,
    vlan: -1,
    outerEncapsulations: 0,
    inError: false,
  };
}

/** Forgets the packet of before; the frame's octets are the new ones. */
export function resetPacket(packet: Packet, frame: Frame): void {
  packet.bytes = frame.bytes;
  packet.version = 0;
  packet.tunnel = 0;
  packet.vlan = -1;
  packet.outerEncapsulations = 0;
  packet.inError = false;
}
