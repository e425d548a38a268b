import type { ZookeeperClient } from '../../wire/zookeeper/client.ts';
import { ZookeeperError } from '../../wire/zookeeper/connection.ts';
import { type Access, type Op, zkError } from '../../wire/zookeeper/messages.ts';
import { again } from './again.ts';
import { dataOfParts } from './body.ts';

/** What a server takes in one request (jute.maxbuffer, 1 MiB less one), less room for the frame. */
const mostOctets = 1_000_000;
/** A body that is not larger than what would stand for it gains nothing by being laid beside. */
const leastStaged = 200;

/**
 * A commit that is larger than a request may be: its largest bodies are laid beside before, in nodes that nobody knows of, and the
 * commit names them. It is as atomic as any; when it fails, what was laid beside is taken away again.
 */
export class Staging {
  readonly #client: ZookeeperClient;
  readonly #prefix: string;
  readonly #access: Access;
  #count = 0;

  /** @param prefix path of the nodes, unique to this process */
  constructor(client: ZookeeperClient, prefix: string, access: Access) {
    this.#client = client;
    this.#prefix = prefix;
    this.#access = access;
  }

  /** @returns the changes as they fit, and the nodes that they name @throws RangeError when there are too many of them */
  async fit(ops: readonly Op[]): Promise<{ ops: Op[]; staged: string[] }> {
    const fitting = [...ops];
    const staged: string[] = [];
    let octets = fitting.reduce((n, op) => n + sizeOf(op), 0);
    const bySize = fitting.map((op, i) => ({ i, size: sizeOf(op) })).sort((a, b) => b.size - a.size);
    for (const { i, size } of bySize) {
      if (octets <= mostOctets || size < leastStaged) break;
      const op = fitting[i];
      if (op === undefined || !('data' in op)) continue;
      const names = await this.#lay(op.data);
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
    return { ops: fitting, staged };
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

  async #lay(data: Uint8Array): Promise<string[]> {
    const names: string[] = [];
    for (let at = 0; at < data.length; at += mostOctets - 1000) {
      const name = `${this.#prefix.slice(this.#prefix.lastIndexOf('/') + 1)}-${this.#count++}`;
      const part = data.subarray(at, at + mostOctets - 1000);
      const create: Op = { op: 'create', path: this.#path(name), data: part, access: this.#access };
      const result = await again(() => this.#client.multi([create]));
      if (!result.done && result.error !== zkError.nodeExists)
        throw new ZookeeperError(`make ${create.path}`, result.error);
      names.push(name);
    }
    return names;
  }

  #path(name: string): string {
    return `${this.#prefix.slice(0, this.#prefix.lastIndexOf('/'))}/${name}`;
  }
}

const sizeOf = (op: Op): number => 60 + op.path.length + ('data' in op ? op.data.length : 0);
