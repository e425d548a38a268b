import { constants, createPublicKey, verify } from 'node:crypto';
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { readSubjectKey } from './certificate.ts';

type Check = (certificate: Uint8Array, content: Uint8Array, signature: Uint8Array) => boolean;

const byOpenSsl =
  (digest: string | null, padding?: number): Check =>
  (certificate, content, signature) => {
    const key = createPublicKey({ key: Buffer.from(readSubjectKey(certificate).whole), format: 'der', type: 'spki' });
    // The salt of RSA-PSS is as long as the digest (RFC 8446 §4.2.3).
    const how = padding === undefined ? {} : { padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    return verify(digest, content, { key, ...how }, signature);
  };

const byNoble =
  (of: typeof ml_dsa65): Check =>
  (certificate, content, signature) =>
    of.verify(signature, content, readSubjectKey(certificate).key);

const pss = constants.RSA_PKCS1_PSS_PADDING;

/** What may sign a handshake of TLS 1.3 (RFC 8446 §4.2.3); PKCS #1 v1.5 and SHA-1 may not. */
const checks = new Map<number, Check>([
  [0x04_03, byOpenSsl('sha256')],
  [0x05_03, byOpenSsl('sha384')],
  [0x06_03, byOpenSsl('sha512')],
  [0x08_04, byOpenSsl('sha256', pss)],
  [0x08_05, byOpenSsl('sha384', pss)],
  [0x08_06, byOpenSsl('sha512', pss)],
  [0x08_09, byOpenSsl('sha256', pss)],
  [0x08_0a, byOpenSsl('sha384', pss)],
  [0x08_0b, byOpenSsl('sha512', pss)],
  [0x08_07, byOpenSsl(null)],
  [0x08_08, byOpenSsl(null)],
  [0x09_04, byNoble(ml_dsa44)],
  [0x09_05, byNoble(ml_dsa65)],
  [0x09_06, byNoble(ml_dsa87)],
]);

const context = Buffer.concat([Buffer.alloc(64, 0x20), Buffer.from('TLS 1.3, server CertificateVerify\0', 'ascii')]);

/**
 * Whether the server holds the key of its certificate: its signature over the transcript (RFC 8446 §4.4.3). Null where this
 * cannot be told: a scheme that is not known here, or a key that cannot be read.
 */
export function isSignedBy(
  certificate: Uint8Array,
  scheme: number,
  transcriptHash: Uint8Array,
  signature: Uint8Array,
): boolean | null {
  const check = checks.get(scheme);
  if (!check) return null;
  try {
    return check(certificate, Buffer.concat([context, transcriptHash]), signature);
  } catch {
    return null;
  }
}
