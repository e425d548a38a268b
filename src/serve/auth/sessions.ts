import * as z from 'zod';
import type { Document, Documents, Write } from '../../store/documents.ts';
import type { Clock } from '../../wire/io.ts';
import type { Audit, AuditEvent } from '../audit.ts';
import { type Principal, role, type Role } from './role.ts';
import { digestOf, isSecret, newSecret } from './secret.ts';
import type { Tokens } from './tokens.ts';

const hourMs = 3_600_000;
/** A session ends when it was not used for so long, and in any case after `longestMs`. */
const idleMs = 8 * hourMs;
export const longestMs = 7 * 24 * hourMs;
const linkLifeMs = 15 * 60_000;
const usedStepMs = 60_000;

const sessionBody = z.object({
  name: z.string(),
  role,
  /** Token that it was opened with, and ends with; null for a one-time link. */
  token: z.string().nullable(),
  createdMs: z.number(),
  usedMs: z.number(),
});
type SessionBody = z.infer<typeof sessionBody>;
const linkBody = z.object({ name: z.string(), role, expiresMs: z.number() });

/** Sessions of browsers, kept here and not in the cookie: what the cookie holds is a random word whose hash is the key. */
export class Sessions {
  readonly #documents: Documents;
  readonly #audit: Audit;
  readonly #clock: Clock;
  readonly #tokens: Tokens;

  constructor(documents: Documents, audit: Audit, clock: Clock, tokens: Tokens) {
    this.#documents = documents;
    this.#audit = audit;
    this.#clock = clock;
    this.#tokens = tokens;
  }

  /** A word that opens one session, within 15 minutes, once. */
  async link(wish: { name: string; role: Role }, by: Pick<AuditEvent, 'actor' | 'address'>): Promise<string> {
    const secret = newSecret('link');
    const body = { ...wish, expiresMs: this.#clock.wallMs() + linkLifeMs };
    const write = { put: { collection: 'link', id: digestOf(secret), body }, version: 0 };
    await this.#audit.commit({ ...by, action: 'session.link', subject: wish.name, detail: { role: wish.role } }, [
      write,
    ]);
    return secret;
  }

  /** Opens a session by a link or a token. @returns what the cookie is to hold; null when the secret opens nothing */
  async open(secret: string, address: string | null): Promise<{ cookie: string; role: Role } | null> {
    if (isSecret('link', secret)) return this.#openByLink(secret, address);
    const principal = await this.#tokens.principalOf(secret);
    const token = await this.#tokens.validId(secret);
    // A scraper has no use for pages.
    if (!principal || token === null || principal.role === 'metrics') return null;
    return this.#open({ name: principal.name, role: principal.role, token }, [], address);
  }

  async #openByLink(secret: string, address: string | null): Promise<{ cookie: string; role: Role } | null> {
    const found = await this.#documents.get('link', digestOf(secret));
    if (!found) return null;
    const { name, role, expiresMs } = linkBody.parse(found.body);
    const spent = removal(found);
    if (this.#clock.wallMs() < expiresMs) return this.#open({ name, role, token: null }, [spent], address);
    await this.#documents.commit([spent]);
    return null;
  }

  async #open(
    who: Pick<SessionBody, 'name' | 'role' | 'token'>,
    writes: readonly Write[],
    address: string | null,
  ): Promise<{ cookie: string; role: Role } | null> {
    const cookie = newSecret('session');
    const nowMs = this.#clock.wallMs();
    const body: SessionBody = { ...who, createdMs: nowMs, usedMs: nowMs };
    const event = { actor: who.name, address, action: 'session.open', subject: who.name, detail: { role: who.role } };
    const put = { put: { collection: 'session', id: digestOf(cookie), body }, version: 0 };
    // Of two that use one link at once, one finds it gone.
    return (await this.#audit.commit(event, [...writes, put])) ? { cookie, role: who.role } : null;
  }

  async principalOf(cookie: string): Promise<Extract<Principal, { kind: 'session' }> | null> {
    if (!isSecret('session', cookie)) return null;
    const document = await this.#documents.get('session', digestOf(cookie));
    if (!document) return null;
    const body = sessionBody.parse(document.body);
    if (await this.#isOver(body)) {
      await this.#documents.commit([removal(document)]);
      return null;
    }
    await this.#touch(document, body);
    return { kind: 'session', id: document.id.slice(0, 16), name: body.name, role: body.role };
  }

  async close(cookie: string): Promise<void> {
    const document = isSecret('session', cookie) ? await this.#documents.get('session', digestOf(cookie)) : undefined;
    if (document) await this.#documents.commit([removal(document)]);
  }

  /** Forgets what is over. */
  async sweep(): Promise<void> {
    for (const document of await this.#documents.list('session'))
      if (await this.#isOver(sessionBody.parse(document.body))) await this.#documents.commit([removal(document)]);
    for (const document of await this.#documents.list('link'))
      if (this.#clock.wallMs() >= linkBody.parse(document.body).expiresMs)
        await this.#documents.commit([removal(document)]);
  }

  async #isOver({ createdMs, usedMs, token }: SessionBody): Promise<boolean> {
    const nowMs = this.#clock.wallMs();
    if (nowMs - usedMs >= idleMs || nowMs - createdMs >= longestMs) return true;
    return token !== null && !(await this.#tokens.isValid(token));
  }

  async #touch(document: Document, body: SessionBody): Promise<void> {
    const nowMs = this.#clock.wallMs();
    if (nowMs - body.usedMs < usedStepMs) return;
    const { collection, id, version } = document;
    await this.#documents.commit([{ put: { collection, id, body: { ...body, usedMs: nowMs } }, version }]);
  }
}

function removal({ collection, id, version }: Document): Write {
  return { remove: { collection, id }, version };
}
