import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  cert: string;
  key: string;
  /** SHA-256 of the DER form, colon-separated. */
  fingerprint: string;
}

/**
 * A self-signed certificate for server and client authentication (X.509 v3, RFC 5280) with a fresh P-256 key, valid for `days` from one hour ago. Written
 * as DER by hand: it is one fixed shape of twenty lines, and needs neither a library nor an openssl binary.
 */
export function selfSignedCertificate(hosts: readonly string[], nowMs: number, days = 30): KeyedCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(oid('550403'), utf8('inferpath reflect'))));
  const validity = sequence(utcTime(nowMs - 3_600_000), utcTime(nowMs + days * 86_400_000));
  const ecdsaSha256 = sequence(oid('2a8648ce3d040302'));
  const serial = Buffer.concat([Buffer.from([0x01]), publicKey.export({ type: 'spki', format: 'der' }).subarray(-8)]);
  const extensions = sequence(
    extension('551d11', false, sequence(...hosts.map(generalName))),
    extension('551d13', true, sequence()),
    extension('551d0f', true, Buffer.from('03020780', 'hex')),
    extension('551d25', false, sequence(oid('2b06010505070301'), oid('2b06010505070302'))),
  );
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, privateKey)]));
  const certificate = new X509Certificate(sequence(toBeSigned, ecdsaSha256, signature));
  return {
    cert: certificate.toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: certificate.fingerprint256,
  };
}

/** One DER element: tag, length (X.690 §8.1.3), content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]) => der(0x31, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const utf8 = (text: string) => der(0x0c, Buffer.from(text));

/** UTCTime, RFC 5280 §4.1.2.5.1: right for the years up to 2049. */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(oid(id), ...(critical ? [Buffer.from('0101ff', 'hex')] : []), der(0x04, value));
}

/** dNSName [2] or iPAddress [7] of RFC 5280 §4.2.1.6. */
function generalName(host: string): Buffer {
  const version = isIP(host);
  if (version === 0) return der(0x82, Buffer.from(host, 'ascii'));
  return der(0x87, version === 4 ? Buffer.from(host.split('.').map(Number)) : ipv6Bytes(host));
}

function ipv6Bytes(host: string): Buffer {
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
