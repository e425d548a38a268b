import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { bitString, DerError, der, integer, readAll, readOne, sequence } from '../../wire/der.ts';
import { commonName, ecdsaWithSha256 } from '../../wire/x509.ts';

/** What is wrong with a certificate request, in words. */
export class CsrError extends Error {
  override readonly name = 'CsrError';
}

// SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480): all of it but the point itself.
const p256Head = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
const p256Octets = p256Head.length + 64;

/** A PKCS #10 request (RFC 2986) for a P-256 key, PEM. @param name commonName; the issuer decides by the token, not by this */
export function makeCsr(name: string, keys: { publicKey: KeyObject; privateKey: KeyObject }): string {
  const info = sequence(
    integer(Buffer.from([0])),
    commonName(name),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa0),
  );
  const request = sequence(info, ecdsaWithSha256, bitString(sign('sha256', info, keys.privateKey)));
  const lines = request.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

/**
 * The public key of a request whose signature proves that the sender has the private one. Names and attributes in it are not
 * looked at: what a certificate says is decided by who asks, never by what is asked.
 * @returns SubjectPublicKeyInfo, DER
 * @throws CsrError
 */
export function publicKeyOfCsr(pem: string): Buffer {
  const base64 =
    /^\s*-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]{1,16384})-----END (?:NEW )?CERTIFICATE REQUEST-----\s*$/.exec(
      pem,
    )?.[1];
  if (base64 === undefined) throw new CsrError('expected one PEM block CERTIFICATE REQUEST');
  try {
    return readRequest(Buffer.from(base64, 'base64'));
  } catch (error) {
    if (error instanceof DerError) throw new CsrError(`no PKCS #10 request: ${error.message}`);
    throw error;
  }
}

function readRequest(octets: Uint8Array): Buffer {
  const request = readOne(octets);
  const [info, algorithm, signature, ...more] = readAll(request.content, 4);
  if (request.tag !== 0x30 || !info || !algorithm || !signature || more.length > 0)
    throw new CsrError('expected a sequence of request, algorithm and signature');
  const [version, name, key] = readAll(info.content, 4);
  if (
    info.tag !== 0x30 ||
    version?.tag !== 0x02 ||
    version.content.length !== 1 ||
    version.content[0] !== 0 ||
    !name ||
    !key
  )
    throw new CsrError('expected a request of version 1');
  if (!ecdsaWithSha256.equals(algorithm.whole)) throw new CsrError('expected a signature by ECDSA with SHA-256');
  if (key.whole.length !== p256Octets || !p256Head.equals(key.whole.subarray(0, p256Head.length)))
    throw new CsrError('expected an uncompressed P-256 key');
  if (signature.tag !== 0x03 || signature.content[0] !== 0) throw new CsrError('expected a signature of whole octets');
  const spki = Buffer.from(key.whole);
  if (!isSignedBy(spki, info.whole, signature.content.subarray(1)))
    throw new CsrError('the signature is not that of the key');
  return spki;
}

function isSignedBy(spki: Buffer, signed: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify('sha256', signed, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
  } catch {
    // A point that is not on the curve.
    return false;
  }
}
