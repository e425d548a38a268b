import type { ZookeeperClient } from '../../wire/zookeeper/client.ts';
import { ZookeeperError } from '../../wire/zookeeper/connection.ts';
import { type Access, zkError } from '../../wire/zookeeper/messages.ts';
import { again } from './again.ts';

/** Commits under way at once; more wait for their turn. */
const mostSlots = 64;

export interface Slot {
  path: string;
}

/**
 * Nodes that say which commit went through. Each commit writes its name into a slot of its own, in the same multi as its changes:
 * when the connection is lost before the answer has come, the slot tells afterwards whether the changes were made.
 */
export class Slots {
  readonly #client: ZookeeperClient;
  readonly #prefix: string;
  readonly #access: Access;
  #made = 0;
  #free: Slot[] = [];
  #waiting: ((slot: Slot) => void)[] = [];

  /** @param prefix path of the slots, unique to this process */
  constructor(client: ZookeeperClient, prefix: string, access: Access) {
    this.#client = client;
    this.#prefix = prefix;
    this.#access = access;
  }

  async take(): Promise<Slot> {
    const free = this.#free.pop();
    if (free) return free;
    if (this.#made >= mostSlots) return new Promise((resolve) => void this.#waiting.push(resolve));
    const slot = { path: `${this.#prefix}-${this.#made++}` };
    try {
      await this.make(slot);
    } catch (error) {
      // Made or not: whoever takes it next finds out.
      this.give(slot);
      throw error;
    }
    return slot;
  }

  give(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next) next(slot);
    else this.#free.push(slot);
  }

  /** Makes the node of a slot, where there is none. */
  async make({ path }: Slot): Promise<void> {
    const result = await again(() =>
      this.#client.multi([{ op: 'create', path, data: new Uint8Array(), access: this.#access }]),
    );
    if (!result.done && result.error !== zkError.nodeExists) throw new ZookeeperError(`make ${path}`, result.error);
  }

  /** Whether the commit of this name was made. Asked after the connection on which it was under way is gone. */
  async holds({ path }: Slot, name: string): Promise<boolean> {
    await this.#client.sync(path);
    try {
      return await this.#client.data(path, ({ data }) => Buffer.from(data).toString('utf8') === name, false);
    } catch (error) {
      if (error instanceof ZookeeperError && error.code === zkError.noNode) return false;
      throw error;
    }
  }

  /** Takes the nodes of this process away. */
  async remove(): Promise<void> {
    for (const { path } of this.#free) await this.#client.multi([{ op: 'delete', path, version: -1 }]);
  }
}
