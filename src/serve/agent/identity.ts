import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { certificateReply } from '../../model/agent-protocol.ts';
import { type DurableFiles, writeWhole } from '../../wire/durable-files.ts';
import { makeCsr } from '../pki/csr.ts';
import type { Exchange, HttpAnswer } from './http-exchange.ts';
import { words } from './http-link.ts';

const schema = z.object({
  version: z.literal(1),
  name: z.string(),
  server: z.url({ protocol: /^https$/ }),
  key: z.string(),
  certificate: z.string(),
  authorities: z.string(),
  /** Wall clock, ms. */
  renewAtMs: z.number(),
});

/**
 * Who an agent is: name, server, key, certificate and whom it trusts, in one file of mode 0600, so that a crash can never leave a
 * certificate beside the key of another.
 */
export type Identity = z.infer<typeof schema>;

export const identityPath = (directory: string): string => join(directory, 'identity.json');

/** @returns null when there is none @throws when there is one that cannot be read: it is never replaced silently */
export async function readIdentity(files: DurableFiles, directory: string): Promise<Identity | null> {
  const path = identityPath(directory);
  let text: string;
  try {
    text = (await files.read(path, 1 << 20)).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Error(`Cannot use ${path}: it is no identity of an agent; remove it and enrol again`);
  }
}

export async function writeIdentity(files: DurableFiles, directory: string, identity: Identity): Promise<void> {
  await files.makeDirectory(dirname(identityPath(directory)));
  await writeWhole(files, identityPath(directory), Buffer.from(`${JSON.stringify(identity, null, 1)}\n`));
}

/** An answer that is no certificate: what the server said, and its status where it said anything. */
export class EnrollmentError extends Error {
  override readonly name = 'EnrollmentError';
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The first certificate, for a one-use token. The key is made here and never leaves. */
export function enroll(
  exchange: Exchange,
  { name, server, token, wallMs }: { name: string; server: string; token: string; wallMs: () => number },
  signal: AbortSignal,
): Promise<Identity> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = { token, name, csr: makeCsr(name, keys) };
  return certified(exchange, '/agent/v1/enroll', body, { name, server, key: keys.privateKey, wallMs }, signal);
}

/** The next certificate, with a new key, over the connection that the present one opens. */
export function renew(
  exchange: Exchange,
  { name, server }: Identity,
  wallMs: () => number,
  signal: AbortSignal,
): Promise<Identity> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = { csr: makeCsr(name, keys) };
  return certified(exchange, '/agent/v1/certificate', body, { name, server, key: keys.privateKey, wallMs }, signal);
}

async function certified(
  exchange: Exchange,
  path: string,
  body: object,
  { name, server, key, wallMs }: { name: string; server: string; key: KeyObject; wallMs: () => number },
  signal: AbortSignal,
): Promise<Identity> {
  const request = { method: 'POST' as const, path, body: Buffer.from(JSON.stringify(body)), maxAnswerBytes: 1 << 20 };
  const answer = await exchange(request, signal);
  if (answer.status !== 200 && answer.status !== 201) throw new EnrollmentError(words(answer), answer.status);
  const { certificate, authorities, renewAfterMs } = replyOf(answer);
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(pem)))
    throw new EnrollmentError('the server sent a certificate for another key', answer.status);
  return { version: 1, name, server, key: pem, certificate, authorities, renewAtMs: wallMs() + renewAfterMs };
}

function replyOf(answer: HttpAnswer): z.infer<typeof certificateReply> {
  try {
    const reply = certificateReply.parse(JSON.parse(answer.body.toString('utf8')));
    return { ...reply, certificate: new X509Certificate(reply.certificate).toString() };
  } catch {
    throw new EnrollmentError('the server sent no certificate', answer.status);
  }
}
