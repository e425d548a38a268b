import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Documents, Write } from '../../store/documents.ts';
import type { Clock } from '../../wire/io.ts';

/** How often a node says that it lives. */
export const beatMs = 3000;
/**
 * A node whose word has not changed for so long is taken for dead. Wrong about it, two may try, and one commits. Not less: a node whose
 * server of the ensemble dies is not heard until it has noticed (two thirds of a session, 7 s), has connected to another, and speaks again.
 */
const deadMs = 12_000;
/** The word of a dead node is swept away after this. */
const forgottenMs = 10 * 60_000;

const leaseBody = z.object({ holder: z.string() });

/** What only one node of a cluster does at a time: judging, and sending what that has decided. */
export type Task = 'watch';

/**
 * The nodes of a cluster, and which of them does what. Nodes are heard by their documents changing, timed by our own monotonic clock,
 * so that no wall clock matters. Every node works out alike whose a task is (rendezvous hashing) and takes the lease of its own;
 * what it then commits names the version of that lease, so that whoever has lost it, however late it wakes up, commits nothing.
 */
export class Cluster {
  readonly id: string;
  readonly #documents: Documents;
  readonly #clock: Clock;
  readonly #about: () => Record<string, unknown>;
  readonly #heard = new Map<string, { version: number; atMs: number; about: unknown }>();
  #version = 0;

  /** @param about what a node says of itself to whoever looks */
  constructor(
    documents: Documents,
    io: { clock: Clock; random: { uuid(): string } },
    about: () => Record<string, unknown> = () => ({}),
  ) {
    this.id = io.random.uuid();
    this.#documents = documents;
    this.#clock = io.clock;
    this.#about = about;
  }

  /** Says that this node lives, and forgets those that have been silent for long. */
  async beat(): Promise<void> {
    const put = { collection: 'node', id: this.id, body: { ...this.#about(), beat: this.#version + 1 } };
    if (await this.#documents.commit([{ put, version: this.#version }])) this.#version++;
    else this.#version = (await this.#documents.get('node', this.id))?.version ?? 0;
    await this.#listen();
    for (const [id, { atMs, version }] of this.#heard)
      if (id !== this.id && this.#clock.monoMs() - atMs > forgottenMs)
        await this.#documents.commit([{ remove: { collection: 'node', id }, version }]);
  }

  /** So that nobody has to wait until this node counts as dead. */
  async leave(): Promise<void> {
    await this.#documents.commit([{ remove: { collection: 'node', id: this.id }, version: this.#version }]);
  }

  /** Nodes that live, as far as this one knows; itself always. */
  async live(): Promise<string[]> {
    await this.#listen();
    const nowMs = this.#clock.monoMs();
    const others = [...this.#heard].flatMap(([id, { atMs }]) => (id !== this.id && nowMs - atMs < deadMs ? [id] : []));
    return [this.id, ...others].sort();
  }

  /** What the live nodes say of themselves. */
  async abouts(): Promise<Map<string, unknown>> {
    const live = await this.live();
    return new Map(live.map((id) => [id, this.#heard.get(id)?.about]));
  }

  /** @returns what each commit of the task has to have among its writes; null when the task is another node's */
  async fence(task: Task): Promise<Write | null> {
    if (ownerOf(task, await this.live()) !== this.id) return null;
    const found = await this.#documents.get('lease', task);
    const version = found?.version ?? 0;
    if (found && leaseBody.safeParse(found.body).data?.holder === this.id) return fenceOf(task, version);
    const put = { collection: 'lease', id: task, body: { holder: this.id } };
    return (await this.#documents.commit([{ put, version }])) ? fenceOf(task, version + 1) : null;
  }

  async #listen(): Promise<void> {
    const nodes = await this.#documents.list('node');
    const nowMs = this.#clock.monoMs();
    const there = new Set(nodes.map(({ id }) => id));
    for (const id of this.#heard.keys()) if (!there.has(id)) this.#heard.delete(id);
    for (const { id, version, body } of nodes)
      if (this.#heard.get(id)?.version !== version) this.#heard.set(id, { version, atMs: nowMs, about: body });
  }
}

const fenceOf = (task: Task, version: number): Write => ({ check: { collection: 'lease', id: task }, version });

/** Highest random weight: a node that comes or goes moves only the tasks that it gets or had. */
function ownerOf(task: Task, nodes: readonly string[]): string {
  const weight = (node: string) => createHash('sha256').update(`${task}\0${node}`).digest('hex');
  return nodes.reduce((best, node) => (weight(node) > weight(best) ? node : best));
}
