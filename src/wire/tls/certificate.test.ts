import { createHash } from 'node:crypto';
import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { selfSignedCertificate } from '../../../test/fixtures/certificate.ts';
import { DerError } from '../der.ts';
import { readCertificate, readSubjectKey } from './certificate.ts';

const nowMs = Date.UTC(2049, 11, 20);
const { cert } = selfSignedCertificate(['a.test', 'b.test', '127.0.0.1'], nowMs);
const node = new X509Certificate(cert);

test('readCertificate() agrees with the reader of Node', () => {
  const facts = readCertificate(node.raw);
  expect(facts).toMatchObject({
    subject: 'CN=inferpath reflect',
    issuer: 'CN=inferpath reflect',
    isSelfIssued: true,
    isAuthority: false,
    names: ['a.test', 'b.test'],
    key: { name: 'EC P-256', bits: 256, resistance: 'classical' },
    signature: { name: 'ECDSA with SHA-256', resistance: 'classical' },
    bytes: node.raw.length,
  });
  // One is a UTCTime, the other a GeneralizedTime: 2049 and 2050.
  expect([facts.notBeforeMs, facts.notAfterMs]).toEqual([Date.parse(node.validFrom), Date.parse(node.validTo)]);
  expect(facts.sha256.toUpperCase()).toBe(node.fingerprint256.replaceAll(':', ''));
  const spki = node.publicKey.export({ type: 'spki', format: 'der' });
  expect(Buffer.from(readSubjectKey(node.raw).whole)).toEqual(spki);
  expect(readCertificate(node.raw).keySha256).toBe(createHash('sha256').update(spki).digest('hex'));
});

test('readCertificate() throws nothing but DerError, whatever was changed, cut or added', () => {
  const change = fc.record({ at: fc.nat({ max: node.raw.length - 1 }), to: fc.nat({ max: 255 }) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), fc.nat({ max: node.raw.length }), (changes, length) => {
      const octets = Buffer.from(node.raw);
      for (const { at, to } of changes) octets[at] = to;
      for (const one of [octets, octets.subarray(0, length)])
        try {
          readCertificate(one);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
    }),
    { numRuns: 2000 },
  );
});
