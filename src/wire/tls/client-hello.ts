import { extensionType, handshakeType, version } from './code-points.ts';
import { u16, u24, u8, vector16, vector8 } from './octets.ts';

/** What a ClientHello offers. Lists are in order of preference. */
export interface Offer {
  /** For SNI; null for an address (RFC 6066 §3 allows no literals). */
  serverName: string | null;
  /** Protocol versions, highest first. */
  versions: readonly number[];
  suites: readonly number[];
  groups: readonly number[];
  /** Groups that a share is sent for; may be empty, and then a TLS 1.3 server has to name one (RFC 8446 §4.2.8). */
  shares: readonly number[];
  schemes: readonly number[];
  /** Names for ALPN; without any the extension is left out. */
  alpn: readonly string[];
  /** Values that mean nothing in every list (RFC 8701), and the share of a group that nobody knows, before all others. */
  unknownFirst?: boolean;
}

/** What differs between the first and the second ClientHello of one handshake. */
export interface HelloState {
  random: Uint8Array;
  sessionId: Uint8Array;
  shares: readonly { group: number; share: Uint8Array }[];
  /** To be given back as it came (RFC 8446 §4.2.2). */
  cookie?: Uint8Array | null;
}

/** RFC 8701 §2: one of the values that peers have to ignore. */
export const greaseValue = 0x3a_3a;
/** A code point of the private range of groups (RFC 8446 §4.2.7) with a share of 32 octets. */
const unknownGroup = 0xfe_2a;

/** The ClientHello as a handshake message (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2). */
export function clientHello(offer: Offer, state: HelloState): Buffer {
  const highest = Math.max(...offer.versions);
  const suites = offer.unknownFirst ? [greaseValue, ...offer.suites] : offer.suites;
  const body = Buffer.concat([
    u16(Math.min(highest, version.tls12)),
    state.random,
    vector8(state.sessionId),
    vector16(...suites.map(u16)),
    Buffer.from([1, 0]),
    vector16(...extensions(offer, state, highest)),
  ]);
  return Buffer.concat([u8(handshakeType.clientHello), u24(body.length), body]);
}

function extensions(offer: Offer, state: HelloState, highest: number): Buffer[] {
  const is13 = highest >= version.tls13;
  const hasOlder = offer.versions.some((one) => one < version.tls13);
  const hasSchemes = highest >= version.tls12;
  const grouped = offer.unknownFirst ? [greaseValue, unknownGroup, ...offer.groups] : offer.groups;
  return [
    ...(offer.unknownFirst ? [extension(greaseValue)] : []),
    ...(offer.serverName === null ? [] : [extension(extensionType.serverName, hostName(offer.serverName))]),
    extension(extensionType.supportedGroups, vector16(...grouped.map(u16))),
    ...(hasSchemes ? [extension(extensionType.signatureAlgorithms, vector16(...offer.schemes.map(u16)))] : []),
    ...(offer.alpn.length > 0 ? [extension(extensionType.alpn, alpnList(offer.alpn))] : []),
    ...(hasOlder ? beforeTls13() : []),
    ...(is13 ? onlyTls13(offer, state) : []),
  ];
}

const beforeTls13 = (): Buffer[] => [
  extension(extensionType.ecPointFormats, vector8(u8(0))),
  extension(extensionType.extendedMasterSecret),
  extension(extensionType.renegotiationInfo, vector8()),
];

function onlyTls13(offer: Offer, state: HelloState): Buffer[] {
  const versions = offer.unknownFirst ? [greaseValue, ...offer.versions] : offer.versions;
  const unknown = offer.unknownFirst ? [u16(unknownGroup), vector16(Buffer.alloc(32, 0x2a))] : [];
  const shares = state.shares.flatMap(({ group, share }) => [u16(group), vector16(share)]);
  return [
    extension(extensionType.supportedVersions, vector8(...versions.map(u16))),
    extension(extensionType.pskKeyExchangeModes, vector8(u8(1))),
    extension(extensionType.keyShare, vector16(...unknown, ...shares)),
    ...(state.cookie ? [extension(extensionType.cookie, vector16(state.cookie))] : []),
  ];
}

const extension = (type: number, ...content: readonly Uint8Array[]): Buffer =>
  Buffer.concat([u16(type), vector16(...content)]);
const hostName = (name: string): Buffer => vector16(u8(0), vector16(Buffer.from(name, 'ascii')));
const alpnList = (names: readonly string[]): Buffer =>
  vector16(...names.map((name) => vector8(Buffer.from(name, 'ascii'))));
