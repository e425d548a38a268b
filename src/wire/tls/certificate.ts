import { createHash } from 'node:crypto';
import { type DerElement, DerError, readAll, readOne } from '../der.ts';

const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
} as const;

/** How far a signature or a key withstands a quantum computer. */
export type Resistance = 'post-quantum' | 'classical' | 'unknown';

interface Algorithm {
  name: string;
  resistance: Resistance;
}

const classical = (name: string): Algorithm => ({ name, resistance: 'classical' });
const postQuantum = (name: string): Algorithm => ({ name, resistance: 'post-quantum' });

/** Keys and signatures by object identifier; parameter sets of FIPS 204 and 205 from the registry of NIST (2.16.840.1.101.3.4.3). */
const algorithms = new Map<string, Algorithm>([
  ['1.2.840.113549.1.1.1', classical('RSA')],
  ['1.2.840.113549.1.1.5', classical('RSA with SHA-1')],
  ['1.2.840.113549.1.1.10', classical('RSA-PSS')],
  ['1.2.840.113549.1.1.11', classical('RSA with SHA-256')],
  ['1.2.840.113549.1.1.12', classical('RSA with SHA-384')],
  ['1.2.840.113549.1.1.13', classical('RSA with SHA-512')],
  ['1.2.840.10045.2.1', classical('EC')],
  ['1.2.840.10045.4.1', classical('ECDSA with SHA-1')],
  ['1.2.840.10045.4.3.2', classical('ECDSA with SHA-256')],
  ['1.2.840.10045.4.3.3', classical('ECDSA with SHA-384')],
  ['1.2.840.10045.4.3.4', classical('ECDSA with SHA-512')],
  ['1.3.101.112', classical('Ed25519')],
  ['1.3.101.113', classical('Ed448')],
  ['2.16.840.1.101.3.4.3.17', postQuantum('ML-DSA-44')],
  ['2.16.840.1.101.3.4.3.18', postQuantum('ML-DSA-65')],
  ['2.16.840.1.101.3.4.3.19', postQuantum('ML-DSA-87')],
  ...[
    'SHA2-128s',
    'SHA2-128f',
    'SHA2-192s',
    'SHA2-192f',
    'SHA2-256s',
    'SHA2-256f',
    'SHAKE-128s',
    'SHAKE-128f',
    'SHAKE-192s',
    'SHAKE-192f',
    'SHAKE-256s',
    'SHAKE-256f',
  ].map((set, i): [string, Algorithm] => [`2.16.840.1.101.3.4.3.${20 + i}`, postQuantum(`SLH-DSA-${set}`)]),
]);

const curves = new Map([
  ['1.2.840.10045.3.1.7', { name: 'P-256', bits: 256 }],
  ['1.3.132.0.34', { name: 'P-384', bits: 384 }],
  ['1.3.132.0.35', { name: 'P-521', bits: 521 }],
]);

export interface CertificateFacts {
  subject: string;
  issuer: string;
  isSelfIssued: boolean;
  /** Up to `maxNames` dNSNames of subjectAltName, and how many there are. */
  names: string[];
  nameCount: number;
  notBeforeMs: number;
  notAfterMs: number;
  key: Algorithm & { bits: number | null };
  signature: Algorithm;
  isAuthority: boolean;
  bytes: number;
  keyBytes: number;
  signatureBytes: number;
  sha256: string;
  /** SHA-256 of the SubjectPublicKeyInfo: stays when a certificate is renewed with its key (RFC 7469 §2.4). */
  keySha256: string;
}

const maxNames = 20;

/**
 * What a certificate says (X.509 v3, RFC 5280 §4.1). An own reader, because the OpenSSL of a Node that is still supported does
 * not know the keys that are looked for. It checks no signature and no chain.
 * @throws DerError
 */
export function readCertificate(octets: Uint8Array): CertificateFacts {
  const [toBeSigned, signatureAlgorithm, signature] = parts(octets, 3);
  const fields = fieldsOf(toBeSigned!);
  const [notBefore, notAfter] = inside(fields.validity, tag.sequence, 2);
  const san = extensionOf(fields.extensions, '2.5.29.17');
  const names = san ? readAll(readOne(san).content, 10_000).filter((one) => one.tag === tag.dnsName) : [];
  const [subject, issuer] = [nameText(fields.subject), nameText(fields.issuer)];
  return {
    subject,
    issuer,
    isSelfIssued: Buffer.compare(fields.subject.whole, fields.issuer.whole) === 0,
    names: names.slice(0, maxNames).map(({ content }) => Buffer.from(content).toString('latin1')),
    nameCount: names.length,
    notBeforeMs: timeOf(notBefore!),
    notAfterMs: timeOf(notAfter!),
    key: keyOf(fields.publicKey),
    signature: algorithmOf(signatureAlgorithm!),
    isAuthority: isAuthority(fields.extensions),
    bytes: octets.length,
    keyBytes: fields.publicKey.whole.length,
    signatureBytes: Math.max(0, signature!.content.length - 1),
    sha256: createHash('sha256').update(octets).digest('hex'),
    keySha256: createHash('sha256').update(fields.publicKey.whole).digest('hex'),
  };
}

/** SubjectPublicKeyInfo of a certificate: as a whole, and the key itself. @throws DerError */
export function readSubjectKey(octets: Uint8Array): { whole: Uint8Array; key: Uint8Array } {
  const { publicKey } = fieldsOf(parts(octets, 3)[0]!);
  const [, bits] = inside(publicKey, tag.sequence, 2);
  return { whole: publicKey.whole, key: bitsOf(bits!) };
}

interface Fields {
  issuer: DerElement;
  validity: DerElement;
  subject: DerElement;
  publicKey: DerElement;
  extensions: DerElement | undefined;
}

function fieldsOf(toBeSigned: DerElement): Fields {
  if (toBeSigned.tag !== tag.sequence) throw new DerError('the part that is signed is no SEQUENCE');
  const all = readAll(toBeSigned.content, 12);
  const [, , issuer, validity, subject, publicKey, ...more] = all[0]?.tag === tag.version ? all.slice(1) : all;
  if (!issuer || !validity || !subject || !publicKey) throw new DerError('a certificate without all its fields');
  return { issuer, validity, subject, publicKey, extensions: more.find((one) => one.tag === tag.extensions) };
}

const parts = (octets: Uint8Array, least: number): DerElement[] => inside(readOne(octets), tag.sequence, least);

function inside(element: DerElement, expected: number, least: number, most = 64): DerElement[] {
  if (element.tag !== expected) throw new DerError(`tag ${element.tag}; expected ${expected}`);
  const all = readAll(element.content, most);
  if (all.length < least) throw new DerError(`${all.length} elements; expected ${least}`);
  return all;
}

/** `2.5.4.3` from its content octets (X.690 §8.19). */
function oidText(element: DerElement | undefined): string {
  if (element?.tag !== tag.oid || element.content.length === 0 || element.content.length > 32)
    throw new DerError('no object identifier');
  const arcs: number[] = [];
  let value = 0;
  for (const octet of element.content) {
    value = value * 128 + (octet & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 128) throw new DerError('an arc too large');
    if (octet >= 0x80) continue;
    arcs.push(value);
    value = 0;
  }
  const [first = 0, ...rest] = arcs;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - 40 * root, ...rest].join('.');
}

function algorithmOf(identifier: DerElement): Algorithm {
  const id = oidText(inside(identifier, tag.sequence, 1)[0]);
  return algorithms.get(id) ?? { name: id, resistance: 'unknown' };
}

function keyOf(publicKey: DerElement): CertificateFacts['key'] {
  const [identifier, bits] = inside(publicKey, tag.sequence, 2);
  const algorithm = algorithmOf(identifier!);
  if (algorithm.name === 'EC') {
    const parameter = inside(identifier!, tag.sequence, 1)[1];
    const curve = parameter?.tag === tag.oid ? curves.get(oidText(parameter)) : undefined;
    return { ...algorithm, name: curve ? `EC ${curve.name}` : 'EC', bits: curve?.bits ?? null };
  }
  if (!algorithm.name.startsWith('RSA')) return { ...algorithm, bits: null };
  const modulus = inside(readOne(bitsOf(bits!)), tag.sequence, 2)[0]!.content;
  const leadingZero = modulus[0] === 0 ? 1 : 0;
  const top = modulus[leadingZero] ?? 0;
  const lengthBits = (modulus.length - leadingZero) * 8 - (top === 0 ? 8 : Math.clz32(top) - 24);
  return { ...algorithm, bits: Math.max(0, lengthBits) };
}

function bitsOf({ tag: found, content }: DerElement): Uint8Array {
  if (found !== tag.bitString || content[0] !== 0) throw new DerError('no BIT STRING of whole octets');
  return content.subarray(1);
}

/** UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 allows it. */
function timeOf({ tag: found, content }: DerElement): number {
  const text = Buffer.from(content).toString('latin1');
  const digits = found === tag.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const is = found === tag.utcTime || found === tag.generalizedTime;
  const [, ...parts] = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(digits) ?? [];
  if (!is || parts.length !== 6) throw new DerError('a time that RFC 5280 does not allow');
  const [year, month, day, hour, minute, second] = parts.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

const attributeNames = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
]);

/** `CN=…, O=…`; attributes that are not known by their identifier. Hostile text: whoever prints it makes it printable. */
function nameText(name: DerElement): string {
  const attributes = inside(name, tag.sequence, 0).flatMap((one) => inside(one, tag.set, 1));
  return attributes
    .map((one) => {
      const [type, value] = inside(one, tag.sequence, 2);
      const id = oidText(type);
      const encoding = value!.tag === tag.utf8 ? 'utf8' : 'latin1';
      return `${attributeNames.get(id) ?? id}=${Buffer.from(value!.content.subarray(0, 256)).toString(encoding)}`;
    })
    .join(', ');
}

function extensionOf(extensions: DerElement | undefined, id: string): Uint8Array | undefined {
  if (!extensions) return undefined;
  for (const one of inside(readOne(extensions.content), tag.sequence, 0)) {
    const [type, ...rest] = inside(one, tag.sequence, 2);
    if (oidText(type) === id) return rest.at(-1)!.content;
  }
  return undefined;
}

/** basicConstraints with cA true (RFC 5280 §4.2.1.9). */
function isAuthority(extensions: DerElement | undefined): boolean {
  const found = extensionOf(extensions, '2.5.29.19');
  const [first] = found ? inside(readOne(found), tag.sequence, 0) : [];
  return first?.tag === tag.boolean && first.content[0] === 0xff;
}
