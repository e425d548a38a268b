import { setMaxListeners } from 'node:events';
import type { OutboxEntry } from '../../model/delivery.ts';
import type { Receiver } from '../../model/watch.ts';
import type { Documents } from '../../store/documents.ts';
import type { Io } from '../../wire/io.ts';
import { createDialer, type Dialer } from './dialer.ts';
import { Disabled } from './disabled.ts';
import { putEntry, readOutbox, type StoredEntry } from './outbox.ts';
import { claimed, queueOf, settled } from './queue.ts';
import type { Sent } from './receiver.ts';
import { receiverKinds, sendTo } from './receivers/index.ts';
import { readSecrets } from './secrets.ts';

/** Other nodes put entries into the outbox, too: looked for at least so often. */
const lookMs = 5000;
/** Attempts at once to one receiver: a storm of incidents goes out in seconds, a receiver that hangs holds up only itself. */
const mostAtOnce = 8;

/** What a receiver with too much to do gets to breathe when it does not say how much: other pages wait no longer than that. */
const breathMs = 5000;

export interface DeliveryParts {
  documents: Documents;
  /** The receivers of the network file in force. */
  receivers: () => readonly Receiver[];
  io: Pick<Io, 'clock' | 'log' | 'random' | 'dns' | 'env' | 'fs'>;
  /** CIDRs beyond the public Internet that receivers may be in: `allowedFrom(io.env)`. */
  allow: readonly string[];
  /** No other process works on these documents: a claim of another name is that of one that died, and not waited for. */
  isAlone?: boolean;
  /** In place of the one that is made from `io` and `allow`. */
  dialer?: Dialer;
}

export interface DeliveryFigures {
  accepted: number;
  retried: number;
  failed: number;
}

export interface Delivery {
  /** To be called after a commit that put something into the outbox: sends at once. */
  wake(): void;
  /** Ends all attempts; what was under way is attempted again after the next start. */
  stop(): Promise<void>;
  readonly figures: Readonly<DeliveryFigures>;
}

/**
 * Sends what is in the outbox until it is stopped. Any number of nodes may do so on the same documents: an entry is claimed
 * before it is sent, and sent again, with the same key, when the one who claimed it is not heard of any more.
 */
export function startDelivery(parts: DeliveryParts): Delivery {
  const worker = new Worker(parts);
  const running = worker.run();
  return {
    wake: () => worker.wake(),
    stop: async () => {
      worker.stop.abort(new DOMException('the server stops', 'AbortError'));
      worker.wake();
      await running;
    },
    figures: worker.figures,
  };
}

class Worker {
  readonly stop = new AbortController();
  readonly figures: DeliveryFigures = { accepted: 0, retried: 0, failed: 0 };
  readonly #parts: DeliveryParts;
  readonly #dialer: Dialer;
  readonly #disabled: Disabled;
  readonly #node: string;
  /** Key of the entry → its attempt. */
  readonly #underWay = new Map<string, { receiver: string; attempt: Promise<void> }>();
  /** Receiver → wall clock before which nothing is sent to it. */
  readonly #notBeforeMs = new Map<string, number>();
  #alarm = new AbortController();

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#dialer = parts.dialer ?? createDialer({ ...parts.io, allow: parts.allow });
    this.#disabled = new Disabled(parts.documents);
    this.#node = parts.io.random.uuid();
    // Every attempt listens to it.
    setMaxListeners(0, this.stop.signal);
  }

  wake(): void {
    this.#alarm.abort();
  }

  async run(): Promise<void> {
    const { clock, log } = this.#parts.io;
    while (!this.stop.signal.aborted) {
      this.#alarm = new AbortController();
      const waitMs = await this.#round().catch((error: unknown) => {
        log.warn(`the outbox cannot be read or written: ${error instanceof Error ? error.message : String(error)}`);
        return lookMs;
      });
      if (this.stop.signal.aborted) break;
      await clock.sleep(Math.min(waitMs, lookMs), this.#alarm.signal).catch(() => undefined);
    }
    await Promise.all([...this.#underWay.values()].map(({ attempt }) => attempt));
  }

  /** Begins what is due; the wait until there is more to do, ms. */
  async #round(): Promise<number> {
    const { documents, io } = this.#parts;
    const queue = queueOf(this.#withoutDead(await readOutbox(documents)), io.clock.wallMs());
    for (const { entry, version } of queue.changed) await documents.commit([putEntry(entry, version)]);
    for (const { entry, version } of queue.over)
      await documents.commit([{ remove: { collection: 'outbox', id: entry.key }, version }]);
    let waitMs = queue.nextAtMs === null ? lookMs : queue.nextAtMs - io.clock.wallMs();
    for (const stored of queue.due) waitMs = Math.min(waitMs, this.#begin(stored));
    return Math.max(0, waitMs);
  }

  #withoutDead(all: StoredEntry[]): StoredEntry[] {
    if (!this.#parts.isAlone) return all;
    const isDead = ({ claim }: OutboxEntry) => claim !== null && claim.by !== this.#node;
    return all.map((stored) =>
      isDead(stored.entry) ? { ...stored, entry: { ...stored.entry, claim: null } } : stored,
    );
  }

  /** Begins an attempt, unless its receiver has enough to do; then the wait until it may, ms. */
  #begin(stored: StoredEntry): number {
    const { key, receiver: name } = stored.entry;
    if (this.#underWay.has(key)) return lookMs;
    const nowMs = this.#parts.io.clock.wallMs();
    const gateMs = (this.#notBeforeMs.get(name) ?? 0) - nowMs;
    if (gateMs > 0) return gateMs;
    const receiver = this.#parts.receivers().find((r) => r.name === name);
    const spacingMs = receiver ? receiverKinds[receiver.type].spacingMs : 0;
    const atOnce = [...this.#underWay.values()].filter((other) => other.receiver === name).length;
    // Its end wakes this loop.
    if (atOnce >= (spacingMs > 0 ? 1 : mostAtOnce)) return lookMs;
    if (spacingMs > 0) this.#notBeforeMs.set(name, nowMs + spacingMs);
    const attempt = this.#attempt(stored, receiver)
      .catch((error: unknown) => this.#parts.io.log.warn(`an attempt was not recorded: ${String(error)}`))
      .finally(() => {
        this.#underWay.delete(key);
        this.wake();
      });
    this.#underWay.set(key, { receiver: name, attempt });
    return lookMs;
  }

  async #attempt({ entry, version }: StoredEntry, receiver: Receiver | undefined): Promise<void> {
    const { documents, io } = this.#parts;
    const begun = claimed(entry, this.#node, io.clock.wallMs());
    // False: another node was faster.
    if (!(await documents.commit([putEntry(begun, version)]))) return;
    const sent = receiver ? await this.#send(begun, receiver) : noReceiver;
    const kind = receiver ? receiverKinds[receiver.type].kind : 'event';
    const nowMs = io.clock.wallMs();
    const after = receiver
      ? settled(begun, sent, { kind, nowMs, random: () => io.random.next() })
      : { ...settled(begun, sent, { kind, nowMs, random: () => 0 }), state: 'failed' as const, endedAtMs: nowMs };
    this.#tell(entry, after, sent);
    if (sent.kind === 'retry' && sent.throttle) this.#throttle(entry.receiver, nowMs + (sent.retryAfterMs ?? breathMs));
    // Kept in one commit: a receiver that is gone without a reason on record could not be explained.
    const also = sent.kind === 'gone' && receiver ? await this.#disabled.writes(receiver, sent.words, nowMs) : [];
    if (!(await documents.commit([putEntry(after, version + 1), ...also])))
      io.log.warn(`receiver ${entry.receiver}: another node took ${entry.key} over while it was being sent`);
  }

  async #send(entry: OutboxEntry, receiver: Receiver): Promise<Sent> {
    const { io } = this.#parts;
    const why = await this.#disabled.reason(receiver);
    if (why !== null) return { kind: 'refused', words: `not sent: ${why}` };
    const { key, action, notice } = entry;
    try {
      const secrets = await readSecrets(receiver, io);
      const means = { dialer: this.#dialer, secrets, signal: this.stop.signal };
      return await sendTo(receiver, { key, action, notice, atMs: io.clock.wallMs() }, means);
    } catch (error) {
      // readSecrets names what is missing and no secret.
      return { kind: 'retry', words: error instanceof Error ? error.message : String(error) };
    }
  }

  #throttle(receiver: string, untilMs: number): void {
    this.#notBeforeMs.set(receiver, Math.max(this.#notBeforeMs.get(receiver) ?? 0, untilMs));
  }

  #tell(before: OutboxEntry, after: OutboxEntry, sent: Sent): void {
    const { log } = this.#parts.io;
    const about = `receiver ${after.receiver}: ${after.action} of ${after.notice.incident}`;
    if (sent.kind === 'accepted') this.figures.accepted++;
    else if (after.state === 'failed') {
      this.figures.failed++;
      log.error(`${about} was not delivered and is given up after ${after.attempts} attempts: ${sent.words}`);
    } else if (!(sent.kind === 'retry' && sent.isOurs)) {
      this.figures.retried++;
      if (before.last !== sent.words) log.warn(`${about} was not delivered, is tried again: ${sent.words}`);
    }
  }
}

const noReceiver: Sent = { kind: 'refused', words: 'the network file has no receiver of this name any more' };
