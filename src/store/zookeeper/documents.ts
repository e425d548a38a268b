import { ConnectionLostError, ZookeeperClient } from '../../wire/zookeeper/client.ts';
import { type ServerAddress, ZookeeperError } from '../../wire/zookeeper/connection.ts';
import { type Access, type Op, zkError } from '../../wire/zookeeper/messages.ts';
import { type Change, changesOf } from '../changes.ts';
import type { Document, Documents, Write } from '../documents.ts';
import { again, attempts } from './again.ts';
import { dataOf, partsOfData, textOfData } from './body.ts';
import { type Entry, Mirror } from './mirror.ts';
import { textOf } from './names.ts';
import { type Slot, Slots } from './slots.ts';
import { Staging } from './staging.ts';

export interface ZookeeperOptions {
  servers: readonly ServerAddress[];
  /** Path below which everything is kept; made when it is not there. */
  root: string;
  /** `user:password`; what is made then belongs to that user. Null: anybody who reaches the servers can read and change all of it. */
  auth: string | null;
  random: { next(): number; uuid(): string };
  /** Default 10 s. */
  sessionMs?: number;
  /** How long anything waits for a server that answers; default 15 s. */
  patienceMs?: number;
}

/** Rounds after which a collection that changes all the time is told as it was read. */
const mostRounds = 50;
/** Escaped in names of collections, so no collection can have these. */
const slotsNode = '+commits';
const stagedNode = '+staged';

/**
 * Documents in ZooKeeper or ClickHouse Keeper: each is a node, its version that of the node plus one; a commit is one `multi`. What
 * was read is watched and not asked again until it changes.
 */
export class ZookeeperDocuments implements Documents {
  readonly about: string;
  readonly #client: ZookeeperClient;
  readonly #mirror: Mirror;
  readonly #slots: Slots;
  readonly #staging: Staging;
  readonly #access: Access;
  readonly #run: string;
  readonly #root: string;
  readonly #made = new Set<string>();
  #commits = 0;

  private constructor(options: ZookeeperOptions) {
    const { servers, root, auth, random, sessionMs = 10_000, patienceMs = 15_000 } = options;
    this.about = `documents in ZooKeeper at ${servers.map(({ host, port }) => `${host}:${port}`).join(',')}${root}`;
    this.#access = auth === null ? 'world' : 'creator';
    this.#run = random.uuid();
    this.#root = root;
    const mirror = new Mirror(root);
    this.#mirror = mirror;
    this.#client = new ZookeeperClient({
      servers,
      auth,
      sessionMs,
      patienceMs,
      random: () => random.next(),
      listener: { changed: (path) => mirror.forget(path), lost: () => mirror.forgetAll() },
    });
    this.#slots = new Slots(this.#client, `${root}/${slotsNode}/${this.#run}`, this.#access);
    this.#staging = new Staging(this.#client, `${root}/${stagedNode}`, this.#run, this.#access);
  }

  /** Connects and makes the root. @throws when no server answers, or the root belongs to somebody else */
  static async open(options: ZookeeperOptions): Promise<ZookeeperDocuments> {
    const documents = new ZookeeperDocuments(options);
    try {
      const parts = options.root.split('/').filter((part) => part !== '');
      for (let i = 1; i <= parts.length; i++) await documents.#makeNode(`/${parts.slice(0, i).join('/')}`);
      for (const node of [slotsNode, stagedNode]) await documents.#makeNode(`${options.root}/${node}`);
      return documents;
    } catch (error) {
      await documents.#client.close();
      throw error;
    }
  }

  async get(collection: string, id: string): Promise<Document | undefined> {
    const entry = this.#mirror.entry(collection, id) ?? (await this.#read(collection, id));
    return entry && documentOf(collection, id, entry);
  }

  /** All of one moment: read until nothing of it has changed meanwhile. */
  async list(collection: string): Promise<Document[]> {
    const read = new Map<string, Entry | undefined>();
    for (let round = 0; ; round++) {
      const ids = this.#mirror.ids(collection) ?? (await this.#readIds(collection));
      const missing = [...ids].filter((id) => !this.#mirror.entry(collection, id));
      const isSettled = missing.length === 0 && this.#mirror.ids(collection) !== null;
      if (isSettled || ids.size === 0 || round >= mostRounds)
        return [...ids].flatMap((id) => {
          const entry = this.#mirror.entry(collection, id) ?? read.get(id);
          return entry ? [documentOf(collection, id, entry)] : [];
        });
      await Promise.all(missing.map(async (id) => read.set(id, await this.#read(collection, id))));
    }
  }

  async commit(writes: readonly Write[]): Promise<boolean> {
    const changes = changesOf(writes);
    if (changes.length === 0) return true;
    const collections = new Set(changes.flatMap(({ kind, collection }) => (kind === 'put' ? [collection] : [])));
    for (const collection of collections) await this.#makeCollection(collection);
    const left = changes.flatMap(({ collection, id }) => this.#mirror.entry(collection, id)?.parts ?? []);
    const slot = await this.#slots.take();
    try {
      const set: Op = { op: 'set', path: slot.path, data: new Uint8Array(), version: -1 };
      const { ops, staged } = await this.#staging.fit([...changes.flatMap((change) => this.#opsOf(change)), set]);
      // After an error it is open whether they are named: then they stay.
      const done = await this.#commit(ops.slice(0, -1), slot);
      if (done) await this.#staging.remove(left);
      else await this.#staging.remove(staged);
      return done;
    } finally {
      this.#slots.give(slot);
    }
  }

  async sweep(): Promise<void> {
    await this.#staging.sweep();
    await this.#slots.sweep();
  }

  /** How many there are; read, and not watched. */
  async count(): Promise<number> {
    const children = async (path: string) =>
      (await this.#found(() => this.#client.children(path, (names) => names, false))) ?? [];
    const collections = (await children(this.#root)).filter((name) => textOf(name) !== undefined);
    const counts = await Promise.all(collections.map(async (name) => (await children(`${this.#root}/${name}`)).length));
    return counts.reduce((sum, n) => sum + n, 0);
  }

  async close(): Promise<void> {
    await this.#slots.remove().catch(() => undefined);
    await this.#client.close();
  }

  async #commit(changes: readonly Op[], slot: Slot): Promise<boolean> {
    const name = `${this.#run}/${++this.#commits}`;
    const ops: Op[] = [...changes, { op: 'set', path: slot.path, data: Buffer.from(name), version: -1 }];
    for (let attempt = 1; ; attempt++) {
      try {
        if (attempt > 1 && (await this.#slots.holds(slot, name))) return true;
        const result = await this.#client.multi(ops);
        if (result.done) return true;
        const at = ops[result.index];
        const isHidden = result.error === zkError.noNode && (at?.op === 'create' || at?.path === slot.path);
        // Tried before on a connection that is lost: it may have been made after it was asked for, and stand in its own way now.
        if (!isHidden && expected.has(result.error)) return attempt > 1 && (await this.#slots.holds(slot, name));
        if (!isHidden || attempt >= attempts) throw new ZookeeperError(`commit to ${at?.path}`, result.error);
        // Somebody has taken a node away that holds others up: made again, and once more.
        await this.#makeAgain(at?.path ?? '', slot);
      } catch (error) {
        if (!(error instanceof ConnectionLostError) || attempt >= attempts) throw error;
      }
    }
  }

  #opsOf({ collection, id, kind, expected, text }: Change): Op[] {
    const path = this.#mirror.path(collection, id);
    const version = expected - 1;
    if (text !== null && expected === 0) return [{ op: 'create', path, data: dataOf(text), access: this.#access }];
    if (text !== null) return [{ op: 'set', path, data: dataOf(text), version }];
    // "Must not exist" is no check that 3.8 knows: what can be made and taken away again did not exist.
    if (expected === 0)
      return [
        { op: 'create', path, data: new Uint8Array(), access: this.#access },
        { op: 'delete', path, version: 0 },
      ];
    return [{ op: kind === 'remove' ? 'delete' : 'check', path, version }];
  }

  async #makeAgain(path: string, slot: Slot): Promise<void> {
    if (path === slot.path) return this.#slots.make(slot);
    const parent = path.slice(0, path.lastIndexOf('/'));
    this.#made.delete(parent);
    await this.#makeNode(parent);
  }

  async #makeCollection(collection: string): Promise<void> {
    await this.#makeNode(this.#mirror.collectionPath(collection));
  }

  async #makeNode(path: string): Promise<void> {
    if (this.#made.has(path)) return;
    const result = await again(() =>
      this.#client.multi([{ op: 'create', path, data: new Uint8Array(), access: this.#access }]),
    );
    if (!result.done && result.error !== zkError.nodeExists) throw new ZookeeperError(`make ${path}`, result.error);
    this.#made.add(path);
  }

  async #read(collection: string, id: string): Promise<Entry | undefined> {
    const path = this.#mirror.path(collection, id);
    for (let round = 0; ; round++) {
      const entry = await this.#found(() =>
        this.#client.data(
          path,
          ({ data, stat }) => {
            const entry = entryOf(data, stat.version + 1);
            this.#mirror.note(collection, id, entry);
            return entry;
          },
          true,
        ),
      );
      if (!entry?.parts) return entry;
      const data = await this.#found(() => this.#staging.read(entry.parts ?? []));
      // The parts of a document that has changed meanwhile are gone: then there is another one to be read.
      if (!data && round < mostRounds) continue;
      if (!data) throw new Error(`Cannot read ${path}: its parts are missing`);
      entry.text = textOfData(data);
      entry.isOpen = false;
      return entry;
    }
  }

  async #readIds(collection: string): Promise<ReadonlySet<string>> {
    const path = this.#mirror.collectionPath(collection);
    const note = (names: string[]) => {
      this.#mirror.noteIds(collection, names);
      return this.#mirror.ids(collection);
    };
    return (await this.#found(() => this.#client.children(path, note, true))) ?? new Set();
  }

  /** @returns undefined where there is no such node */
  async #found<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await again(ask);
    } catch (error) {
      if (error instanceof ZookeeperError && error.code === zkError.noNode) return undefined;
      throw error;
    }
  }
}

/** By these a server says that a document does not have the version that was expected. */
const expected = new Set<number>([zkError.noNode, zkError.badVersion, zkError.nodeExists]);

function entryOf(data: Uint8Array, version: number): Entry {
  const parts = partsOfData(data);
  return parts ? { version, text: '', parts, isOpen: true } : { version, text: textOfData(data) };
}

const documentOf = (collection: string, id: string, { version, text }: Entry): Document => ({
  collection,
  id,
  version,
  body: JSON.parse(text) as unknown,
});
