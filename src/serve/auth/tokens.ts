import * as z from 'zod';
import type { Document, Documents } from '../../store/documents.ts';
import type { Clock } from '../../wire/io.ts';
import type { Audit, AuditEvent } from '../audit.ts';
import { type Principal, role, type Role } from './role.ts';
import { digestOf, isSecret, newSecret } from './secret.ts';

/** `lastUsedMs` is brought up to date at most this often. */
const usedStepMs = 60_000;

/** What is kept of an API token; the id of the document is the SHA-256 of the token itself. */
const tokenBody = z.object({
  name: z.string(),
  role,
  createdMs: z.number(),
  createdBy: z.string(),
  expiresMs: z.number(),
  lastUsedMs: z.number().nullable(),
  revokedMs: z.number().nullable(),
});
type TokenBody = z.infer<typeof tokenBody>;

export const tokenInfo = z
  .object({
    id: z.string().meta({ description: 'Names the token, opens nothing.' }),
    ...tokenBody.shape,
    state: z.enum(['valid', 'expired', 'revoked']),
  })
  .meta({ description: 'An API token, without its secret.' });
export type TokenInfo = z.infer<typeof tokenInfo>;

type Doer = Pick<AuditEvent, 'actor' | 'address'>;

/** API tokens: 256 random bits, of which the SHA-256 is kept, with one role, an end, and a revocation that holds at once. */
export class Tokens {
  readonly #documents: Documents;
  readonly #audit: Audit;
  readonly #clock: Clock;
  /** Hash of the token of this process; see `control`. */
  #control: string | null = null;

  constructor(documents: Documents, audit: Audit, clock: Clock) {
    this.#documents = documents;
    this.#audit = audit;
    this.#clock = clock;
  }

  /** A token of an admin that lives as long as this process, and is kept nowhere: for commands of the user who runs the server. */
  control(): string {
    const token = newSecret('token');
    this.#control = digestOf(token);
    return token;
  }

  /** @returns the token: it is told this once and never again */
  async create(
    wish: { name: string; role: Role; lifeMs: number },
    by: Doer,
  ): Promise<{ token: string; info: TokenInfo }> {
    const token = newSecret('token');
    const nowMs = this.#clock.wallMs();
    const body: TokenBody = {
      name: wish.name,
      role: wish.role,
      createdMs: nowMs,
      createdBy: by.actor,
      expiresMs: nowMs + wish.lifeMs,
      lastUsedMs: null,
      revokedMs: null,
    };
    const id = digestOf(token);
    const event = {
      ...by,
      action: 'token.create',
      subject: wish.name,
      detail: { id: shortId(id), role: wish.role, expiresMs: body.expiresMs },
    };
    await this.#audit.commit(event, [{ put: { collection: 'token', id, body }, version: 0 }]);
    return { token, info: this.#info(id, body) };
  }

  async list(): Promise<TokenInfo[]> {
    const all = await this.#documents.list('token');
    return all.map((d) => this.#info(d.id, tokenBody.parse(d.body))).sort((a, b) => a.createdMs - b.createdMs);
  }

  /** @param id as `list` tells it @returns false when there is none */
  async revoke(id: string, by: Doer): Promise<boolean> {
    const found = (await this.#documents.list('token')).find((d) => shortId(d.id) === id);
    if (!found) return false;
    const body = tokenBody.parse(found.body);
    if (body.revokedMs !== null) return true;
    const write = { put: { ...found, body: { ...body, revokedMs: this.#clock.wallMs() } }, version: found.version };
    const event = { ...by, action: 'token.revoke', subject: body.name, detail: { id } };
    // Somebody else changed it meanwhile (its last use, mostly): look again.
    return (await this.#audit.commit(event, [write])) || this.revoke(id, by);
  }

  /** Who a token is; null when it is unknown, expired or revoked. Asked at every request, so that a revocation holds at once. */
  async principalOf(token: string): Promise<Extract<Principal, { kind: 'token' }> | null> {
    if (!isSecret('token', token)) return null;
    if (digestOf(token) === this.#control) return { kind: 'token', id: 'control', name: 'local user', role: 'admin' };
    const found = await this.#valid(digestOf(token));
    if (!found) return null;
    await this.#touch(found.document, found.body);
    return { kind: 'token', id: shortId(found.document.id), name: found.body.name, role: found.body.role };
  }

  /** The full id of a token that is valid now, for sessions that live and end with it. */
  async validId(token: string): Promise<string | null> {
    if (!isSecret('token', token)) return null;
    return (await this.#valid(digestOf(token)))?.document.id ?? null;
  }

  async isValid(fullId: string): Promise<boolean> {
    return (await this.#valid(fullId)) !== null;
  }

  async #valid(id: string): Promise<{ document: Document; body: TokenBody } | null> {
    const document = await this.#documents.get('token', id);
    if (!document) return null;
    const body = tokenBody.parse(document.body);
    return body.revokedMs === null && this.#clock.wallMs() < body.expiresMs ? { document, body } : null;
  }

  async #touch(document: Document, body: TokenBody): Promise<void> {
    const nowMs = this.#clock.wallMs();
    if (body.lastUsedMs !== null && nowMs - body.lastUsedMs < usedStepMs) return;
    const { collection, id, version } = document;
    // Lost against another change: then that one is newer than this.
    await this.#documents.commit([{ put: { collection, id, body: { ...body, lastUsedMs: nowMs } }, version }]);
  }

  #info(id: string, body: TokenBody): TokenInfo {
    const isOver = this.#clock.wallMs() >= body.expiresMs;
    return { id: shortId(id), ...body, state: body.revokedMs !== null ? 'revoked' : isOver ? 'expired' : 'valid' };
  }
}

/** 64 bits of the hash: enough to name one, useless to find the token. */
const shortId = (digest: string): string => digest.slice(0, 16);
