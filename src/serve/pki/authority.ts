import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import * as z from 'zod';
import { oid, sequence } from '../../wire/der.ts';
import { authorityKey, extension, generalName, keyUsage, oids, signCertificate, subjectKey } from '../../wire/x509.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** How long the certificate of an agent is good. */
export const agentLifeMs = dayMs;
/**
 * Certificates are good from long before now: for an agent whose clock is a day late, and for what a server signed while its own was
 * ahead. When they begin proves nothing; the key does, and for agents the list of serial numbers.
 */
export const skewMs = 2 * dayMs;
const serverLifeMs = 7 * dayMs;
const authorityLifeMs = 5 * 365 * dayMs;

/** One certificate authority with its key, through its life. Times are ms since the epoch. */
export const authority = z.strictObject({
  certificate: z.string(),
  key: z.string(),
  /** Trusted from its making, so that everybody can learn of it; signs from here on. */
  signsFromMs: z.number(),
  /** Null: for as long as its certificate is good. */
  trustedUntilMs: z.number().nullable(),
});
export type Authority = z.infer<typeof authority>;

/** A new authority (P-256, five years) that signs from `signsFromMs` on. */
export function makeAuthority(nowMs: number, signsFromMs = nowMs): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' });
  // Names of their own, so that a verifier never takes one authority for the other.
  const name = `inferpath authority ${randomBytes(6).toString('hex')}`;
  const signed = signCertificate(
    {
      subject: name,
      issuer: name,
      serial: randomSerial(),
      notBeforeMs: nowMs - skewMs,
      notAfterMs: nowMs + authorityLifeMs,
      publicKey,
      extensions: [
        // cA, pathLenConstraint 0: it signs leaves only.
        extension(oids.basicConstraints, true, sequence(Buffer.from('0101ff020100', 'hex'))),
        keyUsage.authority,
        subjectKey(publicKey),
        authorityKey(publicKey),
      ],
    },
    keys.privateKey,
  );
  return {
    certificate: new X509Certificate(signed).toString(),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    signsFromMs,
    trustedUntilMs: null,
  };
}

/** The one that signs now: the newest whose time has come. */
export function signerOf(authorities: readonly Authority[], nowMs: number): Authority {
  const ready = authorities.filter((a) => a.signsFromMs <= nowMs).toSorted((a, b) => b.signsFromMs - a.signsFromMs);
  const [newest] = ready.length > 0 ? ready : authorities;
  if (!newest) throw new RangeError('No certificate authority');
  return newest;
}

/** Those that are trusted now. */
export function trustedOf(authorities: readonly Authority[], nowMs: number): Authority[] {
  return authorities.filter((a) => a.trustedUntilMs === null || nowMs < a.trustedUntilMs);
}

/**
 * Adds an authority: trusted at once, signing after `overlapMs`, within which every agent renews and learns of it. Those before
 * stay trusted until what they signed last has ended.
 */
export function rotated(authorities: readonly Authority[], nowMs: number, overlapMs: number): Authority[] {
  const signsFromMs = nowMs + overlapMs;
  const lastMs = signsFromMs + Math.max(agentLifeMs, serverLifeMs);
  const kept = trustedOf(authorities, nowMs).map((a) => ({ ...a, trustedUntilMs: a.trustedUntilMs ?? lastMs }));
  return [...kept, makeAuthority(nowMs, signsFromMs)];
}

export interface Issued {
  /** PEM. */
  certificate: string;
  /** Hexadecimal, as X509Certificate tells it. */
  serial: string;
  notAfterMs: number;
}

/** Name of an agent as its certificate tells it (security model: docs/agent-protocol.md). */
export const agentUri = (name: string): string => `inferpath://agent/${name}`;

/** Client certificate of an agent, 24 h. @param publicKey SubjectPublicKeyInfo, DER */
export function issueAgentCertificate(from: Authority, name: string, publicKey: Uint8Array, nowMs: number): Issued {
  const extensions = [
    extension(oids.extendedKeyUsage, false, sequence(oid(oids.clientAuth))),
    extension(oids.subjectAltName, false, sequence(generalName(agentUri(name)))),
  ];
  return issue(from, { subject: name, publicKey, notAfterMs: nowMs + agentLifeMs, extensions }, nowMs);
}

/** Certificate of this server with a fresh key. @param names host names and addresses by which agents reach it */
export function issueServerCertificate(
  from: Authority,
  names: readonly string[],
  nowMs: number,
): Issued & { key: string } {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' });
  const extensions = [
    extension(oids.extendedKeyUsage, false, sequence(oid(oids.serverAuth))),
    extension(oids.subjectAltName, false, sequence(...names.map(generalName))),
  ];
  const issued = issue(
    from,
    { subject: 'inferpath server', publicKey, notAfterMs: nowMs + serverLifeMs, extensions },
    nowMs,
  );
  return { ...issued, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** The moment at which two thirds of a life are over. */
export function renewAtMs(nowMs: number, notAfterMs: number): number {
  return nowMs + ((notAfterMs - nowMs) * 2) / 3;
}

/** SHA-256 of the SubjectPublicKeyInfo of a certificate, as `sha256:<hex>`: what an operator carries to the agent by hand. */
export function pinOf(certificate: string | X509Certificate): string {
  const { publicKey } = typeof certificate === 'string' ? new X509Certificate(certificate) : certificate;
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}

function issue(
  from: Authority,
  what: { subject: string; publicKey: Uint8Array; notAfterMs: number; extensions: readonly Uint8Array[] },
  nowMs: number,
): Issued {
  const parent = new X509Certificate(from.certificate);
  const parentKey = createPublicKey(from.certificate).export({ type: 'spki', format: 'der' });
  const notAfterMs = Math.min(what.notAfterMs, Date.parse(parent.validTo));
  const signed = signCertificate(
    {
      subject: what.subject,
      issuer: parent.subject.replace(/^CN=/, ''),
      serial: randomSerial(),
      notBeforeMs: nowMs - skewMs,
      notAfterMs,
      publicKey: what.publicKey,
      extensions: [
        extension(oids.basicConstraints, true, sequence()),
        keyUsage.leaf,
        ...what.extensions,
        subjectKey(what.publicKey),
        authorityKey(parentKey),
      ],
    },
    createPrivateKey(from.key),
  );
  const certificate = new X509Certificate(signed);
  return { certificate: certificate.toString(), serial: certificate.serialNumber, notAfterMs };
}

/** 127 random bits, never zero and never negative (RFC 5280 §4.1.2.2). Not from `Io`: a secret or an id of security is no business of a seed. */
function randomSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
