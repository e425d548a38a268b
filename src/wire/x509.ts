import { createHash, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bitString, boolean, der, integer, octetString, oid, sequence, set, time, utf8 } from './der.ts';

/** What a certificate says besides its key; one fixed profile of RFC 5280 with ECDSA P-256 keys. */
export interface CertificateProfile {
  /** commonName of the subject. */
  subject: string;
  issuer: string;
  /** Up to 20 octets, at random. */
  serial: Uint8Array;
  notBeforeMs: number;
  notAfterMs: number;
  /** SubjectPublicKeyInfo, DER. */
  publicKey: Uint8Array;
  extensions: readonly Uint8Array[];
}

export const oids = {
  commonName: '550403',
  ecdsaWithSha256: '2a8648ce3d040302',
  serverAuth: '2b06010505070301',
  clientAuth: '2b06010505070302',
  subjectKeyIdentifier: '551d0e',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  authorityKeyIdentifier: '551d23',
  extendedKeyUsage: '551d25',
} as const;

export const ecdsaWithSha256 = sequence(oid(oids.ecdsaWithSha256));

/** A Name of one commonName. */
export const commonName = (text: string): Buffer => sequence(set(sequence(oid(oids.commonName), utf8(text))));

/** The signed certificate (X.509 v3, RFC 5280 §4.1), DER. @param key private P-256 key of the issuer */
export function signCertificate(profile: CertificateProfile, key: KeyObject): Buffer {
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(profile.serial),
    ecdsaWithSha256,
    commonName(profile.issuer),
    sequence(time(profile.notBeforeMs), time(profile.notAfterMs)),
    commonName(profile.subject),
    profile.publicKey,
    der(0xa3, sequence(...profile.extensions)),
  );
  return sequence(toBeSigned, ecdsaWithSha256, bitString(sign('sha256', toBeSigned, key)));
}

/** @param id hexadecimal, one of `oids` */
export function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** The leftmost 160 bits of the SHA-256 of the key (RFC 7093 §2, method 1). */
export function keyIdentifier(publicKey: Uint8Array): Buffer {
  // A P-256 SubjectPublicKeyInfo ends with the uncompressed point, which is what the BIT STRING holds.
  return createHash('sha256').update(publicKey.subarray(-65)).digest().subarray(0, 20);
}

export const keyUsage = {
  /** digitalSignature */
  leaf: extension(oids.keyUsage, true, Buffer.from('03020780', 'hex')),
  /** keyCertSign and cRLSign */
  authority: extension(oids.keyUsage, true, Buffer.from('03020106', 'hex')),
};

export const subjectKey = (publicKey: Uint8Array): Buffer =>
  extension(oids.subjectKeyIdentifier, false, octetString(keyIdentifier(publicKey)));
export const authorityKey = (publicKey: Uint8Array): Buffer =>
  extension(oids.authorityKeyIdentifier, false, sequence(der(0x80, keyIdentifier(publicKey))));

/** dNSName [2], uniformResourceIdentifier [6] or iPAddress [7] of RFC 5280 §4.2.1.6. */
export function generalName(name: string): Buffer {
  const version = isIP(name);
  if (version === 4) return der(0x87, Buffer.from(name.split('.').map(Number)));
  if (version === 6) return der(0x87, ipv6Octets(name));
  return der(name.includes('://') ? 0x86 : 0x82, Buffer.from(name, 'ascii'));
}

function ipv6Octets(host: string): Buffer {
  const [left = '', right] = host.split('%')[0]!.split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const head = groups(left);
  const tail = groups(right);
  const mappedV4 = [...tail, ...head].find((group) => group.includes('.'));
  if (mappedV4)
    return Buffer.concat([
      Buffer.from('00000000000000000000ffff', 'hex'),
      Buffer.from(mappedV4.split('.').map(Number)),
    ]);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const all = right === undefined ? head : [...head, ...zeros, ...tail];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
