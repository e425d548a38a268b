import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { oid, sequence } from '../../wire/der.ts';
import { extension, generalName, keyUsage, oids, signCertificate } from '../../wire/x509.ts';

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  cert: string;
  key: string;
  /** SHA-256 of the DER form, colon-separated. */
  fingerprint: string;
}

/** A self-signed certificate for server and client authentication with a fresh P-256 key, valid for `days` from one hour ago. */
export function selfSignedCertificate(hosts: readonly string[], nowMs: number, days = 30): KeyedCertificate {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' });
  const signed = signCertificate(
    {
      subject: 'inferpath reflect',
      issuer: 'inferpath reflect',
      serial: Buffer.concat([Buffer.from([0x01]), publicKey.subarray(-8)]),
      notBeforeMs: nowMs - 3_600_000,
      notAfterMs: nowMs + days * 86_400_000,
      publicKey,
      extensions: [
        extension(oids.subjectAltName, false, sequence(...hosts.map(generalName))),
        extension(oids.basicConstraints, true, sequence()),
        keyUsage.leaf,
        extension(oids.extendedKeyUsage, false, sequence(oid(oids.serverAuth), oid(oids.clientAuth))),
      ],
    },
    keys.privateKey,
  );
  const certificate = new X509Certificate(signed);
  return {
    cert: certificate.toString(),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: certificate.fingerprint256,
  };
}
