import { createHash, randomBytes } from 'node:crypto';

/** What a secret is for, as its prefix tells it: secret scanners and humans see what leaked. */
export const secretPrefix = { token: 'ifp_', session: 'ifps_', link: 'ifpl_', enrollment: 'ifpe_' } as const;

/** 256 random bits. From the kernel and not from `Io`: no seed may ever decide over a secret. */
export function newSecret(kind: keyof typeof secretPrefix): string {
  return secretPrefix[kind] + randomBytes(32).toString('base64url');
}

/** What is kept of a secret, and the id it is looked up by: a lookup by hash has no comparison whose time could tell anything. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Whether a text has the form of such a secret. */
export function isSecret(kind: keyof typeof secretPrefix, text: string): boolean {
  const prefix = secretPrefix[kind];
  return text.length === prefix.length + 43 && text.startsWith(prefix) && /^[\w-]+$/.test(text);
}
