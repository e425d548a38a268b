import type { OutboxEntry } from '../../model/delivery.ts';
import type { StoredEntry } from './outbox.ts';
import { mostWaitMs, remindMs, waitAfterMs } from './schedule.ts';
import type { Sent } from './receiver.ts';

/** How long a finished incident stays readable. */
const keptMs = 86_400_000;
/** An incident without end is remembered so long, for whoever is to be told of its end. */
const openKeptMs = 90 * 86_400_000;

export interface Queue {
  /** To be sent now, oldest first, never two of one incident for one receiver: the beginning goes before the end. */
  due: StoredEntry[];
  /** To be replaced as they stand here, without sending. */
  changed: StoredEntry[];
  /** To be forgotten. */
  over: StoredEntry[];
  /** Wall clock of the next thing to do; null when nothing waits. */
  nextAtMs: number | null;
}

/** What has to be done with an outbox at a moment. Pure. */
export function queueOf(all: readonly StoredEntry[], nowMs: number): Queue {
  const queue: Queue = { due: [], changed: [], over: [], nextAtMs: null };
  for (const group of groups(all)) {
    if (isOver(group, nowMs)) {
      queue.over.push(...group);
      continue;
    }
    const open = group.filter(({ entry }) => entry.state === 'waiting' || entry.state === 'holding');
    for (const [i, stored] of open.entries()) {
      const later = open.slice(i + 1).map(({ entry }) => entry);
      if (stored.entry.state === 'holding' && later.length > 0)
        queue.changed.push({ ...stored, entry: superseded(stored.entry, later, nowMs) });
    }
    const head = open.find(({ entry }) => entry.state === 'waiting') ?? open[0];
    if (!head) continue;
    const atMs = readyAtMs(head.entry, nowMs);
    if (atMs <= nowMs) queue.due.push(head);
    else queue.nextAtMs = Math.min(queue.nextAtMs ?? Infinity, atMs);
  }
  // What an ending takes the place of is changed first and sent in the next round.
  if (queue.changed.length > 0) queue.nextAtMs = nowMs;
  queue.due.sort((a, b) => a.entry.nextAtMs - b.entry.nextAtMs);
  return queue;
}

/** Entries of one incident for one receiver, in the order in which they were decided. */
function groups(all: readonly StoredEntry[]): StoredEntry[][] {
  const found = new Map<string, StoredEntry[]>();
  for (const stored of all) {
    const key = `${stored.entry.receiver}\0${stored.entry.notice.incident}`;
    const group = found.get(key);
    if (group) group.push(stored);
    else found.set(key, [stored]);
  }
  const order = ({ entry }: StoredEntry) => entry.madeAtMs + (entry.action === 'resolve' ? 0.5 : 0);
  return [...found.values()].map((group) => group.sort((a, b) => order(a) - order(b)));
}

/**
 * A reminder that something newer takes the place of. With another severity it was another alert for Alertmanager, whose
 * identity is all labels: that one has to be ended by itself.
 */
function superseded(entry: OutboxEntry, later: readonly OutboxEntry[], nowMs: number): OutboxEntry {
  const goesOn = later.some(({ notice }) => notice.severity === entry.notice.severity);
  if (goesOn) return { ...entry, state: 'done', endedAtMs: nowMs, last: 'a newer notice takes its place' };
  const notice = { ...entry.notice, status: 'resolved' as const, endedAtMs: nowMs };
  return { ...entry, action: 'resolve', notice, state: 'waiting', nextAtMs: nowMs, attempts: 0 };
}

function readyAtMs(entry: OutboxEntry, nowMs: number): number {
  const sane = (ms: number, most: number) => (ms - nowMs > most ? nowMs : ms);
  const claimed = entry.claim === null ? 0 : sane(entry.claim.untilMs, 2 * claimMs);
  return Math.max(sane(entry.nextAtMs, mostWaitMs), claimed);
}

/**
 * Longer than any attempt may take (30 s, of e-mail) with the commit of its end (15 s, while documents are looked for), so that a claim
 * outlives only a node that died.
 */
export const claimMs = 45_000;

function isOver(group: readonly StoredEntry[], nowMs: number): boolean {
  const ends = group.map(({ entry }) => entry.endedAtMs);
  if (ends.includes(null)) return false;
  const ageMs = nowMs - Math.max(...ends.map(Number));
  const isOpen = group.some(({ entry }) => entry.tellEnd) && !group.some(({ entry }) => entry.action === 'resolve');
  return ageMs > (isOpen ? openKeptMs : keptMs);
}

/** An entry of which an attempt begins. */
export function claimed(entry: OutboxEntry, by: string, nowMs: number): OutboxEntry {
  return { ...entry, attempts: entry.attempts + 1, claim: { by, untilMs: nowMs + claimMs } };
}

/** What an attempt makes of its entry. */
export function settled(
  entry: OutboxEntry,
  sent: Sent,
  { kind, nowMs, random }: { kind: 'event' | 'state'; nowMs: number; random: () => number },
): OutboxEntry {
  const base = { ...entry, claim: null, last: sent.words };
  const isReminder = entry.state === 'holding';
  if (sent.kind === 'accepted') {
    if (kind === 'state' && entry.action === 'fire')
      return { ...base, state: 'holding', attempts: 0, nextAtMs: nowMs + remindMs };
    return { ...base, state: 'done', endedAtMs: nowMs };
  }
  // A reminder that fails is no reason to stop reminding: the trouble goes on.
  if (isReminder) return { ...base, attempts: 0, nextAtMs: nowMs + remindMs };
  if (sent.kind !== 'retry') return { ...base, state: 'failed', endedAtMs: nowMs };
  if (sent.isOurs) return { ...base, attempts: Math.max(0, entry.attempts - 1), nextAtMs: nowMs };
  const waitMs = waitAfterMs(entry.attempts, kind, random);
  if (waitMs === null) return { ...base, state: 'failed', endedAtMs: nowMs };
  return { ...base, nextAtMs: nowMs + Math.max(waitMs, sent.retryAfterMs ?? 0) };
}
