import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { groupOf, groupName, type NamedGroup, partSizes } from './groups.ts';
import { TlsError } from './octets.ts';

/** Our half of a key agreement. */
export interface KeyShare {
  group: number;
  /** What the ClientHello carries. */
  share: Uint8Array;
  /** The secret that both sides then know. @throws TlsError for a share of the server that is none */
  agree(peer: Uint8Array): Uint8Array;
}

type Part = NonNullable<NamedGroup['parts']>[number];
type Half = Omit<KeyShare, 'group'>;

/** Whether a share of this group can be made; others can still be asked for, with a HelloRetryRequest as the answer. */
export const canShare = (group: number): boolean => groupOf(group)?.parts !== undefined;

/** A fresh key for a group. @throws RangeError for one of which `canShare` is false */
export function makeKeyShare(group: number): KeyShare {
  const parts = groupOf(group)?.parts;
  if (!parts) throw new RangeError(`Cannot make a share of ${groupName(group)}`);
  const halves = parts.map((part) => ({ part, half: halfOf(part) }));
  return {
    group,
    share: Buffer.concat(halves.map(({ half }) => half.share)),
    agree: (peer) => {
      const expected = parts.reduce((sum, part) => sum + partSizes[part].server, 0);
      if (peer.length !== expected)
        throw new TlsError(`a share of ${peer.length} octets for ${groupName(group)}; allowed: ${expected}`);
      let at = 0;
      return Buffer.concat(
        halves.map(({ part, half }) => {
          const end = at + partSizes[part].server;
          const secret = half.agree(peer.subarray(at, end));
          at = end;
          return secret;
        }),
      );
    },
  };
}

function halfOf(part: Part): Half {
  switch (part) {
    case 'x25519':
    case 'x448':
      return montgomery(part);
    case 'P-256':
      return weierstrass('prime256v1');
    case 'P-384':
      return weierstrass('secp384r1');
    case 'P-521':
      return weierstrass('secp521r1');
    case 'ML-KEM-512':
      return kem(ml_kem512);
    case 'ML-KEM-768':
      return kem(ml_kem768);
    case 'ML-KEM-1024':
      return kem(ml_kem1024);
  }
}

/** RFC 7748; Node refuses a peer whose secret would be zero. */
function montgomery(name: 'x25519' | 'x448'): Half {
  const { privateKey, publicKey } = name === 'x25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('x448');
  const crv = name === 'x25519' ? 'X25519' : 'X448';
  const raw = (key: KeyObject) => Buffer.from(key.export({ format: 'jwk' })['x'] ?? '', 'base64url');
  return {
    share: raw(publicKey),
    agree: orTlsError(name, (peer) => {
      const jwk = { kty: 'OKP', crv, x: Buffer.from(peer).toString('base64url') };
      return diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) });
    }),
  };
}

function weierstrass(name: 'prime256v1' | 'secp384r1' | 'secp521r1'): Half {
  const own = createECDH(name);
  return { share: own.generateKeys(), agree: orTlsError(name, (peer) => own.computeSecret(peer)) };
}

function kem(of: typeof ml_kem768): Half {
  const { publicKey, secretKey } = of.keygen();
  return { share: publicKey, agree: orTlsError('ML-KEM', (ciphertext) => of.decapsulate(ciphertext, secretKey)) };
}

const orTlsError =
  (what: string, agree: Half['agree']): Half['agree'] =>
  (peer) => {
    try {
      return agree(peer);
    } catch {
      throw new TlsError(`a share that is no ${what} key`);
    }
  };
