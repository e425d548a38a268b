import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { describe, expect, test } from 'vitest';
import { groups, groupOf, partSizes } from './groups.ts';
import { canShare, makeKeyShare } from './key-share.ts';
import { TlsError } from './octets.ts';

type Part = keyof typeof partSizes;

/** The other side of one part, made without the code under test: its share, and the secret. */
function serverHalf(part: Part, client: Uint8Array): { share: Uint8Array; secret: Uint8Array } {
  const curve = { 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' }[part as string];
  if (curve) {
    const own = createECDH(curve);
    return { share: own.generateKeys(), secret: own.computeSecret(client) };
  }
  const kem = { 'ML-KEM-512': ml_kem512, 'ML-KEM-768': ml_kem768, 'ML-KEM-1024': ml_kem1024 }[part as string];
  if (kem) {
    const { cipherText, sharedSecret } = kem.encapsulate(client);
    return { share: cipherText, secret: sharedSecret };
  }
  const { privateKey, publicKey } = part === 'x448' ? generateKeyPairSync('x448') : generateKeyPairSync('x25519');
  const jwk = { kty: 'OKP', crv: part === 'x448' ? 'X448' : 'X25519', x: Buffer.from(client).toString('base64url') };
  return {
    share: Buffer.from(publicKey.export({ format: 'jwk' })['x']!, 'base64url'),
    secret: diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }),
  };
}

describe.each(groups.filter(({ id }) => canShare(id)))('makeKeyShare() of $name', ({ id, name, parts = [] }) => {
  test('agrees with a server that was written for this test', () => {
    const own = makeKeyShare(id);
    let at = 0;
    const halves = parts.map((part) => {
      const client = own.share.subarray(at, (at += partSizes[part].client));
      return serverHalf(part, client);
    });
    expect(at).toBe(own.share.length);
    const secret = own.agree(Buffer.concat(halves.map(({ share }) => share)));
    expect(secret).toEqual(Buffer.concat(halves.map(({ secret }) => secret)));
  });

  test('refuses shares of another length, and points that are none', () => {
    const own = makeKeyShare(id);
    const bytes = parts.reduce((sum, part) => sum + partSizes[part].server, 0);
    for (const wrong of [0, 1, bytes - 1, bytes + 1])
      expect(() => own.agree(Buffer.alloc(wrong)), name).toThrow(TlsError);
    // A ciphertext of ML-KEM may be anything; a curve point or a zero secret may not.
    if (parts.some((part) => !part.startsWith('ML-KEM')))
      expect(() => own.agree(Buffer.alloc(bytes))).toThrow(TlsError);
  });
});

test('the hybrids have the sizes of draft-ietf-tls-ecdhe-mlkem §4 and the order of their secrets', () => {
  const sizes = [0x11_ec, 0x11_eb, 0x11_ed].map((id) => makeKeyShare(id).share.length);
  expect(sizes).toEqual([1216, 1249, 1665]);
  expect(groupOf(0x11_ec)?.parts).toEqual(['ML-KEM-768', 'x25519']);
  expect(groupOf(0x11_ed)?.parts).toEqual(['P-384', 'ML-KEM-1024']);
});

test('there are 17 groups, each with one code point', () => {
  expect(new Set(groups.map(({ id }) => id)).size).toBe(17);
  expect(() => makeKeyShare(0x01_00)).toThrow('Cannot make a share of ffdhe2048');
});
