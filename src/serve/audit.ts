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
/** How long entries are kept. By time alone: by number, whoever makes many could drive out those that tell of him. */
const KEPT_MS = 400 * 86_400_000;
/** So many go at once: each time adds an entry that says so. */
const PRUNED_AT_ONCE = 100;
/** Of the entry that tells what was removed before it. */
const PRUNE = 'audit.prune';

export const auditReport = z
  .object({
    intact: z.boolean(),
    entries: z.int().meta({ description: 'Entries that are there.' }),
    prunedThrough: z.int().min(0).meta({
      description: 'Entries up to this one were removed because of their age, as an entry tells; 0 for none.',
    }),
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
    const anchor = await this.#anchor();
    let before: AuditHead = anchor;
    let told: AuditHead = { sequence: 0, hash: zeros };
    const report = (broken: AuditReport['broken']): AuditReport => {
      const entries = sequence - anchor.sequence;
      return { intact: broken === null, entries, prunedThrough: anchor.sequence, head: hash, broken };
    };
    for (let n = anchor.sequence + 1; n <= sequence; n++) {
      const { entry, why } = await this.#follow(before);
      if (entry === null) return report({ sequence: n, why });
      if (entry.action === PRUNE) told = toldBy(entry);
      before = entry;
    }
    if (before.hash !== hash) return report({ sequence, why: 'is not the one that the head names' });
    // Whoever cuts off the beginning and moves the anchor would have to write an entry that says so.
    if (told.sequence !== anchor.sequence || told.hash !== anchor.hash)
      return report({
        sequence: anchor.sequence + 1,
        why: 'is the first, and no entry tells of the removal of those before',
      });
    return report(null);
  }

  /**
   * Removes the oldest entries once a hundred are older than `keptMs`. The hash of the last one that goes becomes the anchor that
   * the rest is verified from, and stands in an entry of the chain, in the same commit. A part that is broken stays: it is evidence.
   * @returns how many were removed
   */
  async prune(keptMs = KEPT_MS): Promise<number> {
    const { version, ...anchor } = await this.#anchor();
    const through = anchor.sequence + PRUNED_AT_ONCE;
    const oldEnough = auditEntry.safeParse((await this.#documents.get('audit', idOf(through)))?.body);
    if (!oldEnough.success || Date.parse(oldEnough.data.at) >= this.#clock.wallMs() - keptMs) return 0;
    let last: AuditHead = anchor;
    const removals: Write[] = [];
    while (last.sequence < through) {
      const { entry, why, version: found } = await this.#follow(last);
      if (entry === null) throw new Error(`Nothing was removed from the audit log: entry ${last.sequence + 1} ${why}`);
      removals.push({ remove: { collection: 'audit', id: idOf(entry.sequence) }, version: found });
      last = entry;
    }
    const { sequence, hash } = last;
    const event = {
      actor: 'server',
      address: null,
      action: PRUNE,
      subject: `entries ${anchor.sequence + 1} to ${sequence}`,
      detail: { through: sequence, hash },
    };
    const put = { collection: 'audit-anchor', id: 'anchor', body: { sequence, hash } };
    // False: another node was faster.
    return (await this.commit(event, [...removals, { put, version }])) ? removals.length : 0;
  }

  /** The entry after one, if it is whole. */
  async #follow(
    before: AuditHead,
  ): Promise<{ entry: AuditEntry; why: ''; version: number } | { entry: null; why: string; version: 0 }> {
    const document = await this.#documents.get('audit', idOf(before.sequence + 1));
    const found = auditEntry.safeParse(document?.body);
    const why = found.success ? whyBroken(found.data, before) : 'is missing or is no entry';
    if (why !== null) return { entry: null, why, version: 0 };
    return { entry: found.data!, why: '', version: document!.version };
  }

  async #anchor(): Promise<AuditHead & { version: number }> {
    const found = await this.#documents.get('audit-anchor', 'anchor');
    return found ? { ...head.parse(found.body), version: found.version } : { sequence: 0, hash: zeros, version: 0 };
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

function toldBy({ detail }: AuditEntry): AuditHead {
  return { sequence: Number(detail['through']), hash: String(detail['hash']) };
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
