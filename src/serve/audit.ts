import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Documents, Write } from '../store/documents.ts';
import type { Clock } from '../wire/io.ts';

/** One thing that somebody did. `hash` covers all of it and the hash before, so that nothing can be changed or left out unseen. */
export const auditEntry = z
  .strictObject({
    sequence: z.int().min(1),
    at: z.string().meta({ description: 'ISO 8601.' }),
    actor: z.string().meta({ description: 'Who: kind and name.' }),
    address: z
      .string()
      .nullable()
      .meta({ description: 'Address that the request came from; null for a local command.' }),
    action: z.string().meta({ description: 'What, e.g. token.create.' }),
    subject: z.string().meta({ description: 'To what.' }),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    previous: z.string().meta({ description: 'Hash of the entry before; zeros at the first.' }),
    hash: z.string().meta({ description: 'SHA-256 of this entry without this field.' }),
  })
  .meta({ description: 'An entry of the audit log.' });
export type AuditEntry = z.infer<typeof auditEntry>;
export type AuditEvent = Pick<AuditEntry, 'actor' | 'address' | 'action' | 'subject' | 'detail'>;

const head = z.object({ sequence: z.int().min(0), hash: z.string() });
export type AuditHead = z.infer<typeof head>;
const zeros = '0'.repeat(64);
const attempts = 50;

export const auditReport = z
  .object({
    intact: z.boolean(),
    entries: z.int(),
    head: z
      .string()
      .meta({ description: 'Hash of the last entry: keep it elsewhere, to notice a log that was rewritten.' }),
    broken: z
      .object({ sequence: z.int(), why: z.string() })
      .nullable()
      .meta({ description: 'The first entry that is not what it was.' }),
  })
  .meta({ description: 'Whether the audit log is whole.' });
export type AuditReport = z.infer<typeof auditReport>;

/**
 * The audit log in `Documents`: append-only, hash-chained, and committed together with the change that it tells of, so that there
 * is neither without the other. Several serve nodes write one chain.
 */
export class Audit {
  readonly #documents: Documents;
  readonly #clock: Clock;
  #last: Promise<unknown> = Promise.resolve();

  constructor(documents: Documents, clock: Clock) {
    this.#documents = documents;
    this.#clock = clock;
  }

  /** Makes `writes` and the entry, all or nothing. @returns false when one of `writes` met another version */
  commit(event: AuditEvent, writes: readonly Write[] = []): Promise<boolean> {
    // One after the other within this process: fewer attempts fail.
    const done = this.#last.then(() => this.#commit(event, writes));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #commit(event: AuditEvent, writes: readonly Write[]): Promise<boolean> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { version, ...before } = await this.#head();
      const entry = chained(event, before, new Date(this.#clock.wallMs()).toISOString());
      const { sequence, hash } = entry;
      const done = await this.#documents.commit([
        ...writes,
        { put: { collection: 'audit', id: idOf(sequence), body: entry }, version: 0 },
        { put: { collection: 'audit-head', id: 'head', body: { sequence, hash } }, version },
      ]);
      if (done) return true;
      // The same head: then it was one of the writes.
      if ((await this.#head()).version === version) return false;
    }
    throw new Error(`Cannot write the audit log: others were faster ${attempts} times`);
  }

  /** Entries with a sequence below `before`, newest first. */
  async page(before: number | undefined, limit: number): Promise<AuditEntry[]> {
    const { sequence } = await this.#head();
    const from = Math.min(before ?? Infinity, sequence + 1) - 1;
    const ids = Array.from({ length: Math.max(0, Math.min(limit, from)) }, (_, i) => idOf(from - i));
    const found = await Promise.all(ids.map((id) => this.#documents.get('audit', id)));
    return found.flatMap((d) => (d ? [auditEntry.parse(d.body)] : []));
  }

  async verify(): Promise<AuditReport> {
    const { sequence, hash } = await this.#head();
    let before: AuditHead = { sequence: 0, hash: zeros };
    for (let n = 1; n <= sequence; n++) {
      const found = auditEntry.safeParse((await this.#documents.get('audit', idOf(n)))?.body);
      const why = found.success ? whyBroken(found.data, before) : 'is missing or is no entry';
      if (why !== null) return { intact: false, entries: sequence, head: hash, broken: { sequence: n, why } };
      before = found.data as AuditEntry;
    }
    const broken = before.hash === hash ? null : { sequence, why: 'is not the one that the head names' };
    return { intact: broken === null, entries: sequence, head: hash, broken };
  }

  async #head(): Promise<AuditHead & { version: number }> {
    const found = await this.#documents.get('audit-head', 'head');
    return found ? { ...head.parse(found.body), version: found.version } : { sequence: 0, hash: zeros, version: 0 };
  }
}

const idOf = (sequence: number): string => String(sequence).padStart(12, '0');

function chained(event: AuditEvent, before: AuditHead, at: string): AuditEntry {
  const { actor, address, action, subject, detail } = event;
  const open = { sequence: before.sequence + 1, at, actor, address, action, subject, detail, previous: before.hash };
  return { ...open, hash: hashOf(open) };
}

function whyBroken(entry: AuditEntry, before: AuditHead): string | null {
  if (entry.sequence !== before.sequence + 1) return `has the number ${entry.sequence}`;
  if (entry.previous !== before.hash) return 'does not follow the entry before';
  return entry.hash === hashOf(entry) ? null : 'was changed';
}

/** Keys in one order, whatever order a store gives them back in. */
function hashOf(entry: Omit<AuditEntry, 'hash'>): string {
  const detail = Object.entries(entry.detail).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { sequence, at, actor, address, action, subject, previous } = entry;
  const text = JSON.stringify([sequence, at, actor, address, action, subject, detail, previous]);
  return createHash('sha256').update(text).digest('hex');
}
