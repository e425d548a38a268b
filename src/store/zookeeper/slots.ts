import type { ZookeeperClient } from '../../wire/zookeeper/client.ts';
import { ZookeeperError } from '../../wire/zookeeper/connection.ts';
import { type Access, zkError } from '../../wire/zookeeper/messages.ts';
import { again } from './again.ts';

/** Commits under way at once; more wait for their turn. */
const mostSlots = 64;

/** A slot that was not used for so long is taken for one of a process that is gone. */
const goneMs = 6 * 3_600_000;

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

  /**
   * Takes away what processes left behind that are gone. A live one whose slot was not used for so long makes it again; one whose
   * commit is in doubt has used it just now, or has not been heard.
   */
  async sweep(): Promise<number> {
    const folder = this.#prefix.slice(0, this.#prefix.lastIndexOf('/'));
    const names = await again(() => this.#client.children(folder, (names) => names, false));
    const found: { path: string; changedMs: number; version: number }[] = [];
    for (const path of names.map((name) => `${folder}/${name}`)) {
      const stat = await again(() => this.#client.data(path, (node) => node.stat, false)).catch((error: unknown) => {
        if (error instanceof ZookeeperError && error.code === zkError.noNode) return null;
        throw error;
      });
      if (stat) found.push({ path, changedMs: stat.changedMs, version: stat.version });
    }
    // By the clock of the servers: nodes of a cluster commit every few seconds.
    const nowMs = found.reduce((newest, { changedMs }) => Math.max(newest, changedMs), 0);
    const old = found.filter(({ changedMs }) => nowMs - changedMs > goneMs);
    for (const { path, version } of old) await this.#client.multi([{ op: 'delete', path, version }]);
    return old.length;
  }

  /** Takes the nodes of this process away. */
  async remove(): Promise<void> {
    for (const { path } of this.#free) await this.#client.multi([{ op: 'delete', path, version: -1 }]);
  }
}
