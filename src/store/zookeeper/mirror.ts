import { nodeName, textOf } from './names.ts';

export interface Entry {
  version: number;
  text: string;
  /** Nodes that hold the text, where it did not fit into the commit; `text` is empty until they are read. */
  parts?: readonly string[];
  isOpen?: boolean;
}

interface Collection {
  /** Null while it is not known which there are. */
  ids: ReadonlySet<string> | null;
  entries: Map<string, Entry>;
}

/** Entries that are remembered of a collection that is only looked into and never listed. */
const mostUnlisted = 5000;

/**
 * What has been read and is watched: as long as no change was told, it is as the server has it. Filled and emptied in the order in
 * which the server speaks, so that nothing in here is older than what was told last.
 */
export class Mirror {
  readonly #root: string;
  #collections = new Map<string, Collection>();

  constructor(root: string) {
    this.#root = root;
  }

  ids(collection: string): ReadonlySet<string> | null {
    return this.#collections.get(collection)?.ids ?? null;
  }

  /** Without those whose text is still on its way. */
  entry(collection: string, id: string): Entry | undefined {
    const entry = this.#collections.get(collection)?.entries.get(id);
    return entry?.isOpen === true ? undefined : entry;
  }

  /** @param names of the nodes; those that are not ours are left out */
  noteIds(collection: string, names: readonly string[]): void {
    this.#of(collection).ids = new Set(names.flatMap((name) => textOf(name) ?? []));
  }

  note(collection: string, id: string, entry: Entry): void {
    const { ids, entries } = this.#of(collection);
    if (ids === null && entries.size >= mostUnlisted)
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    entries.set(id, entry);
  }

  /** Something about this node, or about which nodes there are below it, has changed. */
  forget(path: string): void {
    const [collection, id] = path
      .slice(this.#root.length + 1)
      .split('/')
      .map(textOf);
    const known = collection === undefined ? undefined : this.#collections.get(collection);
    if (!known) return;
    if (id === undefined) known.ids = null;
    else known.entries.delete(id);
  }

  forgetAll(): void {
    this.#collections = new Map();
  }

  collectionPath(collection: string): string {
    return `${this.#root}/${nodeName(collection)}`;
  }

  path(collection: string, id: string): string {
    return `${this.collectionPath(collection)}/${nodeName(id)}`;
  }

  #of(collection: string): Collection {
    let found = this.#collections.get(collection);
    if (!found) this.#collections.set(collection, (found = { ids: null, entries: new Map() }));
    return found;
  }
}
