import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import type { Documents } from '../store/documents.ts';
import type { Clock } from '../wire/io.ts';
import type { Audit, AuditEvent } from './audit.ts';
import type { Principal } from './auth/role.ts';
import { digestOf, isSecret, newSecret } from './auth/secret.ts';
import type { Authorities } from './pki/authorities.ts';
import { agentUri, type Issued, issueAgentCertificate, renewAtMs } from './pki/authority.ts';

const minuteMs = 60_000;
export const enrollmentLifeMs = 15 * minuteMs;
/** So long after its end a certificate still renews itself: a server that was away for a weekend must not cost every agent a visit. */
const renewalGraceMs = 7 * 24 * 60 * minuteMs;
/** Certificates of one agent that count at once: the one before, until the agent has stored the new one. */
const serialsKept = 3;

const enrollmentBody = z.object({ agent: z.string(), expiresMs: z.number(), createdBy: z.string() });
const agentBody = z.object({
  enrolledMs: z.number(),
  /** Serial numbers of the certificates that are good; whatever is not in here is refused. */
  serials: z.array(z.string()).max(serialsKept),
  certificateUntilMs: z.number(),
  revokedMs: z.number().nullable(),
});
type AgentBody = z.infer<typeof agentBody>;

export const enrolledAgent = z
  .object({
    name: z.string(),
    state: z.enum(['enrolled', 'expired', 'revoked']),
    enrolledMs: z.number(),
    certificateUntilMs: z.number(),
  })
  .meta({ description: 'An agent that has been enrolled.' });
export type EnrolledAgent = z.infer<typeof enrolledAgent>;

export interface Credentials {
  certificate: string;
  authorities: string;
  renewAfterMs: number;
}
type Doer = Pick<AuditEvent, 'actor' | 'address'>;

/**
 * Agents and their certificates. An allow-list: each agent has the serial numbers of its good certificates, so that revocation is
 * taking them out, and holds from the next request on.
 */
export class Agents {
  readonly #documents: Documents;
  readonly #audit: Audit;
  readonly #clock: Clock;
  readonly #authorities: Authorities;

  constructor(documents: Documents, audit: Audit, clock: Clock, authorities: Authorities) {
    this.#documents = documents;
    this.#audit = audit;
    this.#clock = clock;
    this.#authorities = authorities;
  }

  /** A one-use token for an agent of this name, good for 15 minutes; told together with the pin of the authority. */
  async invite(agent: string, by: Doer): Promise<{ token: string; pin: string; expiresMs: number }> {
    const token = newSecret('enrollment');
    const expiresMs = this.#clock.wallMs() + enrollmentLifeMs;
    const body = { agent, expiresMs, createdBy: by.actor };
    const write = { put: { collection: 'enrollment', id: digestOf(token), body }, version: 0 };
    await this.#audit.commit({ ...by, action: 'agent.invite', subject: agent, detail: { expiresMs } }, [write]);
    return { token, pin: this.#authorities.pin(), expiresMs };
  }

  /** First certificate, for a token. @returns null when the token is unknown, used, expired, or for another agent */
  async enroll(
    { token, name, publicKey }: { token: string; name: string; publicKey: Uint8Array },
    address: string | null,
  ): Promise<Credentials | null> {
    if (!isSecret('enrollment', token)) return null;
    const invitation = await this.#documents.get('enrollment', digestOf(token));
    if (!invitation) return null;
    const { agent, expiresMs } = enrollmentBody.parse(invitation.body);
    const nowMs = this.#clock.wallMs();
    if (agent !== name || nowMs >= expiresMs) return null;
    const issued = this.#issue(name, publicKey);
    const before = await this.#documents.get('agent', name);
    // Whoever enrols anew ends what the name had before: the machine was replaced, or its key is not trusted any more.
    const body: AgentBody = {
      enrolledMs: nowMs,
      serials: [issued.serial],
      certificateUntilMs: issued.notAfterMs,
      revokedMs: null,
    };
    const event = {
      actor: `agent ${name}`,
      address,
      action: 'agent.enroll',
      subject: name,
      detail: { serial: issued.serial },
    };
    const { collection, id, version } = invitation;
    const done = await this.#audit.commit(event, [
      { remove: { collection, id }, version },
      { put: { collection: 'agent', id: name, body }, version: before?.version ?? 0 },
    ]);
    // Of two that use one token at once, one finds it gone.
    return done ? this.#credentials(issued) : null;
  }

  /** The next certificate of an enrolled agent. @returns null when it was revoked meanwhile */
  async renew(
    { name, serial }: { name: string; serial: string },
    publicKey: Uint8Array,
    address: string | null,
  ): Promise<Credentials | null> {
    const found = await this.#documents.get('agent', name);
    if (!found) return null;
    const body = agentBody.parse(found.body);
    if (body.revokedMs !== null || !body.serials.includes(serial)) return null;
    const issued = this.#issue(name, publicKey);
    // The one it came with stays good: a reply that gets lost must not lock the agent out.
    const serials = [issued.serial, serial, ...body.serials.filter((s) => s !== serial)].slice(0, serialsKept);
    const next: AgentBody = { ...body, serials, certificateUntilMs: issued.notAfterMs };
    const event = {
      actor: `agent ${name}`,
      address,
      action: 'agent.renew',
      subject: name,
      detail: { serial: issued.serial },
    };
    const write = { put: { collection: 'agent', id: name, body: next }, version: found.version };
    return (await this.#audit.commit(event, [write])) ? this.#credentials(issued) : null;
  }

  /** @returns false when there is no such agent */
  async revoke(name: string, by: Doer): Promise<boolean> {
    const found = await this.#documents.get('agent', name);
    if (!found) return false;
    const body: AgentBody = { ...agentBody.parse(found.body), serials: [], revokedMs: this.#clock.wallMs() };
    const event = { ...by, action: 'agent.revoke', subject: name, detail: {} };
    const write = { put: { collection: 'agent', id: name, body }, version: found.version };
    return (await this.#audit.commit(event, [write])) || this.revoke(name, by);
  }

  async list(): Promise<EnrolledAgent[]> {
    const nowMs = this.#clock.wallMs();
    return (await this.#documents.list('agent')).map(({ id, body }) => {
      const { enrolledMs, certificateUntilMs, revokedMs } = agentBody.parse(body);
      const state = revokedMs !== null ? 'revoked' : nowMs >= certificateUntilMs ? 'expired' : 'enrolled';
      return { name: id, state, enrolledMs, certificateUntilMs };
    });
  }

  /**
   * Who a client certificate is. TLS has proven that the peer holds its key; everything else is checked here and again at every
   * request: signed by a trusted authority, for clients, in its time, and still on the list.
   */
  async principalOf(certificate: X509Certificate): Promise<Extract<Principal, { kind: 'agent' }> | null> {
    const name = nameOf(certificate);
    if (name === null || !this.#authorities.signed(certificate)) return null;
    const nowMs = this.#clock.wallMs();
    const untilMs = Date.parse(certificate.validTo);
    if (nowMs >= untilMs + renewalGraceMs) return null;
    // From the future: we have signed it while our clock was ahead. Good for its renewal, or nobody who renewed then could come back.
    const isEarly = nowMs < Date.parse(certificate.validFrom);
    const found = await this.#documents.get('agent', name);
    if (!found || !agentBody.parse(found.body).serials.includes(certificate.serialNumber)) return null;
    const serial = certificate.serialNumber;
    return { kind: 'agent', id: name, name, role: 'agent', serial, expired: isEarly || nowMs >= untilMs };
  }

  /** Forgets invitations that nobody used. */
  async sweep(): Promise<void> {
    for (const { collection, id, version, body } of await this.#documents.list('enrollment'))
      if (this.#clock.wallMs() >= enrollmentBody.parse(body).expiresMs)
        await this.#documents.commit([{ remove: { collection, id }, version }]);
  }

  #issue(name: string, publicKey: Uint8Array): Issued {
    return issueAgentCertificate(this.#authorities.signer(), name, publicKey, this.#clock.wallMs());
  }

  #credentials({ certificate, notAfterMs }: Issued): Credentials {
    const nowMs = this.#clock.wallMs();
    const renewAfterMs = Math.round(renewAtMs(nowMs, notAfterMs) - nowMs);
    return { certificate, authorities: this.#authorities.bundle(), renewAfterMs };
  }
}

const clientAuth = '1.3.6.1.5.5.7.3.2';

/** The name in a client certificate of ours; null for any other. */
function nameOf(certificate: X509Certificate): string | null {
  const { subjectAltName = '' } = certificate;
  const name = /^URI:inferpath:\/\/agent\/([a-z0-9][a-z0-9._-]{0,62})$/.exec(subjectAltName)?.[1];
  if (name === undefined || certificate.ca || !certificate.keyUsage?.includes(clientAuth)) return null;
  return `URI:${agentUri(name)}` === subjectAltName ? name : null;
}
