import type { ZookeeperClient } from '../../wire/zookeeper/client.ts';
import { ZookeeperError } from '../../wire/zookeeper/connection.ts';
import { type Access, type Op, zkError } from '../../wire/zookeeper/messages.ts';
import { again } from './again.ts';
import { dataOfParts, partsOfData } from './body.ts';

/** What a server takes in one request (jute.maxbuffer, 1 MiB less one), less room for the frame. */
const mostOctets = 1_000_000;
/** A body that is not larger than what would stand for it gains nothing by being laid beside. */
const leastStaged = 200;

/**
 * A commit that is larger than a request may be: its largest bodies are laid beside before, in nodes that nobody knows of, and the
 * commit names them. It is as atomic as any; when it fails, what was laid beside is taken away again. While it is open there is a
 * hold, which goes with this process, and which the commit takes away: without it, whatever no document names will never be named.
 */
export class Staging {
  readonly #client: ZookeeperClient;
  readonly #folder: string;
  readonly #run: string;
  readonly #access: Access;
  #count = 0;

  /**
   * @param folder path of the node below which things are laid, beside the collections
   * @param run unique to this process
   */
  constructor(client: ZookeeperClient, folder: string, run: string, access: Access) {
    this.#client = client;
    this.#folder = folder;
    this.#run = run;
    this.#access = access;
  }

  /** @returns the changes as they fit, and the nodes that they name @throws RangeError when there are too many of them */
  async fit(ops: readonly Op[]): Promise<{ ops: Op[]; staged: string[] }> {
    const fitting = [...ops];
    const staged: string[] = [];
    let octets = fitting.reduce((n, op) => n + sizeOf(op), 0);
    if (octets <= mostOctets) return { ops: fitting, staged };
    const fit = `${this.#run}-${this.#count++}`;
    const release: Op = { op: 'delete', path: this.#path(`${holdOwner}+${fit}`), version: 0 };
    octets += sizeOf(release);
    staged.push(await this.#make(`${holdOwner}+${fit}`, new Uint8Array(), true));
    const bySize = fitting.map((op, i) => ({ i, size: sizeOf(op) })).sort((a, b) => b.size - a.size);
    for (const { i, size } of bySize) {
      if (octets <= mostOctets || size < leastStaged) break;
      const op = fitting[i];
      if (op === undefined || !('data' in op)) continue;
      const names = await this.#lay(op, `${fit}.${i}`);
      staged.push(...names);
      fitting[i] = { ...op, data: dataOfParts(names) };
      octets += sizeOf(fitting[i]) - size;
    }
    if (octets > mostOctets) {
      await this.remove(staged);
      throw new RangeError(
        `Cannot commit ${ops.length - 1} changes at once: ZooKeeper takes ${mostOctets} octets of them`,
      );
    }
    return { ops: [release, ...fitting], staged };
  }

  /** @throws ZookeeperError "no such node" when the document has changed meanwhile */
  async read(names: readonly string[]): Promise<Uint8Array> {
    const parts = names.map((name) => again(() => this.#client.data(this.#path(name), ({ data }) => data, false)));
    return Buffer.concat(await Promise.all(parts));
  }

  /** Nobody names them any more. What cannot be taken away now stays: it costs room and nothing else. */
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names)
      await this.#client.multi([{ op: 'delete', path: this.#path(name), version: -1 }]).catch(() => undefined);
  }

  /**
   * Takes away what was laid beside by whoever died before its commit, or after, when what it had replaced was still to be taken away.
   * @returns how much that was
   */
  async sweep(): Promise<number> {
    // Holds are read before documents: what has none by then, and no document names it now, is nobody's.
    const names = await again(() => this.#client.children(this.#folder, (names) => names, false));
    const held = new Set(names.flatMap((name) => (name.startsWith(`${holdOwner}+`) ? [fitOf(name)] : [])));
    const orphans: string[] = [];
    for (const name of names) {
      const owner = /^(.+)\+(.+)\+[^+]+$/.exec(name);
      if (!owner || held.has(fitOf(name))) continue;
      const document = `${this.#folder.slice(0, this.#folder.lastIndexOf('/'))}/${owner[1]}/${owner[2]}`;
      if (!(await this.#partsOf(document)).includes(name)) orphans.push(name);
    }
    await this.remove(orphans);
    return orphans.length;
  }

  async #partsOf(path: string): Promise<string[]> {
    try {
      return await again(() => this.#client.data(path, ({ data }) => partsOfData(data) ?? [], false));
    } catch (error) {
      if (error instanceof ZookeeperError && error.code === zkError.noNode) return [];
      throw error;
    }
  }

  /** The names tell whose the parts are. */
  async #lay({ path, data }: { path: string; data: Uint8Array }, fit: string): Promise<string[]> {
    const owner = path.split('/').slice(-2).join('+');
    const names: string[] = [];
    for (let at = 0; at < data.length; at += mostOctets - 1000)
      names.push(await this.#make(`${owner}+${fit}.${names.length}`, data.subarray(at, at + mostOctets - 1000)));
    return names;
  }

  async #make(name: string, data: Uint8Array, ephemeral = false): Promise<string> {
    const create: Op = { op: 'create', path: this.#path(name), data, access: this.#access, ephemeral };
    const result = await again(() => this.#client.multi([create]));
    if (!result.done && result.error !== zkError.nodeExists)
      throw new ZookeeperError(`make ${create.path}`, result.error);
    return name;
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`;
  }
}

/** In the name of a hold, in the place of a document: no collection has this name. */
const holdOwner = '+hold';

/** Which commit a part, or a hold, belongs to. */
const fitOf = (name: string): string => name.slice(name.lastIndexOf('+') + 1).replace(/\..*$/, '');

const sizeOf = (op: Op): number => 60 + op.path.length + ('data' in op ? op.data.length : 0);
