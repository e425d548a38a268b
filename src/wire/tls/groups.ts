/** How a group agrees on a secret; `draft` are code points of before the standard, which deserve no credit. */
export type GroupKind = 'classical' | 'hybrid' | 'pure' | 'draft';

type Curve = 'x25519' | 'x448' | 'P-256' | 'P-384' | 'P-521';
type Kem = 'ML-KEM-512' | 'ML-KEM-768' | 'ML-KEM-1024';

/** A named group of TLS (IANA "TLS Supported Groups"). */
export interface NamedGroup {
  id: number;
  name: string;
  kind: GroupKind;
  /**
   * What its shares and its secret are made of, in the order in which they are joined; absent where we make no share. The names
   * of the hybrids do not tell the order: X25519MLKEM768 has ML-KEM first, the ones with NIST curves have the curve first
   * (draft-ietf-tls-ecdhe-mlkem §4).
   */
  parts?: readonly (Curve | Kem)[];
}

/** Octets of a part in the share of the client, in that of the server, and in the secret. */
export const partSizes: Readonly<Record<Curve | Kem, { client: number; server: number; secret: number }>> = {
  x25519: { client: 32, server: 32, secret: 32 },
  x448: { client: 56, server: 56, secret: 56 },
  'P-256': { client: 65, server: 65, secret: 32 },
  'P-384': { client: 97, server: 97, secret: 48 },
  'P-521': { client: 133, server: 133, secret: 66 },
  // FIPS 203, table 3: encapsulation key and ciphertext.
  'ML-KEM-512': { client: 800, server: 768, secret: 32 },
  'ML-KEM-768': { client: 1184, server: 1088, secret: 32 },
  'ML-KEM-1024': { client: 1568, server: 1568, secret: 32 },
};

/** The groups that we ask for, strongest claim first: the order in which a scan offers them. */
export const groups: readonly NamedGroup[] = [
  { id: 0x11_ec, name: 'X25519MLKEM768', kind: 'hybrid', parts: ['ML-KEM-768', 'x25519'] },
  { id: 0x11_eb, name: 'SecP256r1MLKEM768', kind: 'hybrid', parts: ['P-256', 'ML-KEM-768'] },
  { id: 0x11_ed, name: 'SecP384r1MLKEM1024', kind: 'hybrid', parts: ['P-384', 'ML-KEM-1024'] },
  { id: 0x11_ee, name: 'curveSM2MLKEM768', kind: 'hybrid' },
  { id: 0x02_02, name: 'MLKEM1024', kind: 'pure', parts: ['ML-KEM-1024'] },
  { id: 0x02_01, name: 'MLKEM768', kind: 'pure', parts: ['ML-KEM-768'] },
  { id: 0x02_00, name: 'MLKEM512', kind: 'pure', parts: ['ML-KEM-512'] },
  { id: 0x63_99, name: 'X25519Kyber768Draft00', kind: 'draft' },
  { id: 0x63_9a, name: 'SecP256r1Kyber768Draft00', kind: 'draft' },
  { id: 0x00_1d, name: 'x25519', kind: 'classical', parts: ['x25519'] },
  { id: 0x00_17, name: 'secp256r1', kind: 'classical', parts: ['P-256'] },
  { id: 0x00_18, name: 'secp384r1', kind: 'classical', parts: ['P-384'] },
  { id: 0x00_19, name: 'secp521r1', kind: 'classical', parts: ['P-521'] },
  { id: 0x00_1e, name: 'x448', kind: 'classical', parts: ['x448'] },
  { id: 0x01_00, name: 'ffdhe2048', kind: 'classical' },
  { id: 0x01_01, name: 'ffdhe3072', kind: 'classical' },
  { id: 0x01_02, name: 'ffdhe4096', kind: 'classical' },
];

const byId = new Map(groups.map((group) => [group.id, group]));

export const groupOf = (id: number): NamedGroup | undefined => byId.get(id);

/** Its registered name, else its code point as `0x1234`. */
export const groupName = (id: number): string => byId.get(id)?.name ?? codePoint(id);

export const codePoint = (id: number): string => `0x${id.toString(16).padStart(4, '0')}`;
