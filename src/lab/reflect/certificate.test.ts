import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { selfSignedCertificate } from './certificate.ts';

test('selfSignedCertificate() is a valid v3 certificate for the given hosts', () => {
  const now = Date.UTC(2026, 10, 23, 12);
  const { cert, key, fingerprint } = selfSignedCertificate(
    ['localhost', '127.0.0.1', '::1', 'fe80::1:2', '2001:db8:1:2:3:4:5:6'],
    now,
  );
  const parsed = new X509Certificate(cert);
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(parsed.fingerprint256).toBe(fingerprint);
  expect(parsed.subjectAltName).toBe(
    'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FE80:0:0:0:0:0:1:2, IP Address:2001:DB8:1:2:3:4:5:6',
  );
  expect(parsed.checkIP('::1')).toBe('::1');
  expect(parsed.checkHost('example.com')).toBeUndefined();
  expect(new Date(parsed.validFrom).getTime()).toBe(now - 3_600_000);
  expect(new Date(parsed.validTo).getTime()).toBe(now + 30 * 86_400_000);
  expect(parsed.subject).toBe('CN=inferpath reflect');
});

test('selfSignedCertificate() makes a new key each time', () => {
  expect(selfSignedCertificate(['a'], 0).key).not.toBe(selfSignedCertificate(['a'], 0).key);
});
