import { Connection, ConnectionLostError, type Listener, type ServerAddress } from './connection.ts';
import {
  type MultiResult,
  type NodeStat,
  type Op,
  opcode,
  readChildren,
  readData,
  readMulti,
  type Reply,
  type Session,
  writeMulti,
  writePath,
  writeRead,
} from './messages.ts';

export interface ClientOptions {
  servers: readonly ServerAddress[];
  /** `user:password` of the scheme "digest"; null: none. */
  auth: string | null;
  /** A server forgets us when it has not heard of us for so long; it may grant less or more. */
  sessionMs: number;
  /** How long a request waits for a connection before it fails. */
  patienceMs: number;
  /** [0, 1): which server is tried first, and how waits are spread. */
  random: () => number;
  listener: Listener;
}

/** No server was reached: nothing was asked. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

const firstWaitMs = 100;
const longestWaitMs = 2000;
const noSession = (timeoutMs: number): Session => ({ id: 0n, password: new Uint8Array(16), timeoutMs });

/**
 * A session with an ensemble: connects, connects again elsewhere when a connection is lost, and begins a new session when the old
 * one has expired. A request that was under way then fails with `ConnectionLostError`: what became of it is for the caller to find out.
 */
export class ZookeeperClient {
  readonly #options: ClientOptions;
  readonly #stop = new AbortController();
  readonly #listener: Listener;
  #session: Session;
  #connection: Connection | null = null;
  #next: number;
  #lastZxid = 0n;
  #lastError = 'not tried yet';
  #waiting = new Set<() => void>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#session = noSession(options.sessionMs);
    this.#next = Math.floor(options.random() * options.servers.length);
    this.#listener = {
      changed: (path) => options.listener.changed(path),
      lost: (why) => this.#lost(why),
    };
    void this.#connect();
  }

  /** What a node holds; undefined when there is none. `take` runs in the order of the answers; a watch is set only where there is a node. */
  data<T>(path: string, take: (found: { data: Uint8Array; stat: NodeStat }) => T, watch: boolean): Promise<T> {
    return this.#request(opcode.getData, `read ${path}`, writeRead(path, watch), ({ body }) => take(readData(body)));
  }

  children<T>(path: string, take: (names: string[]) => T, watch: boolean): Promise<T> {
    return this.#request(opcode.getChildren, `list ${path}`, writeRead(path, watch), ({ body }) =>
      take(readChildren(body)),
    );
  }

  /** Makes the server that we talk to catch up with all that was agreed before. */
  async sync(path: string): Promise<void> {
    await this.#request(opcode.sync, `sync ${path}`, writePath(path), () => undefined);
  }

  /** All changes or none. @throws ConnectionLostError when it is not known which */
  multi(ops: readonly Op[]): Promise<MultiResult> {
    return this.#request(opcode.multi, `commit ${ops.length} changes`, writeMulti(ops), ({ body }) =>
      readMulti(body, ops.length),
    );
  }

  /** Ends the session, so that the ensemble need not wait for its end. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#stop.abort();
    for (const wake of this.#waiting) wake();
    if (!connection) return;
    const gone = connection.request(opcode.close, 'end the session', new Uint8Array(), () => undefined);
    await Promise.race([gone.catch(() => undefined), pause(1000)]);
    connection.close(new Error('closed'));
  }

  async #request<T>(type: number, what: string, body: Uint8Array, take: (reply: Reply) => T): Promise<T> {
    const connection = this.#connection ?? (await this.#connected(what));
    return connection.request(type, what, body, take);
  }

  #connected(what: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        if (this.#connection) resolve(this.#connection);
        else if (this.#stop.signal.aborted) reject(new UnavailableError(`Cannot ${what}: closed`));
        else return;
        clearTimeout(patience);
        this.#waiting.delete(settle);
      };
      const patience = setTimeout(() => {
        this.#waiting.delete(settle);
        reject(new UnavailableError(`Cannot ${what}: no server of ${this.#names()} answers (${this.#lastError})`));
      }, this.#options.patienceMs);
      this.#waiting.add(settle);
      settle();
    });
  }

  #lost(why: Error): void {
    const connection = this.#connection;
    if (connection) this.#lastZxid = connection.lastZxid;
    this.#connection = null;
    this.#lastError = why.message;
    // Before anything is read again: without its watches nothing that was noted can be relied on.
    this.#options.listener.lost(why);
    if (connection && !this.#stop.signal.aborted) void this.#connect();
  }

  /** Tries one server after the other until one takes us. */
  async #connect(): Promise<void> {
    const { servers, auth, random } = this.#options;
    for (let waitMs = firstWaitMs; !this.#stop.signal.aborted; waitMs = Math.min(longestWaitMs, waitMs * 1.5)) {
      const server = servers[this.#next++ % servers.length] as ServerAddress;
      const withinMs = Math.max(1000, this.#session.timeoutMs / 3);
      const ask = { server, session: this.#session, lastZxid: this.#lastZxid, auth, withinMs };
      try {
        const opened = await Connection.open(ask, this.#listener);
        // It may have gone again between its handshake and now.
        if (opened?.connection.isOpen) return this.#use(opened);
        this.#session = opened?.session ?? noSession(this.#options.sessionMs);
      } catch (error) {
        this.#lastError = `${server.host}:${server.port}: ${error instanceof Error ? error.message : String(error)}`;
        await pause(waitMs * (0.5 + random()));
      }
    }
  }

  #use({ connection, session }: { connection: Connection; session: Session }): void {
    if (this.#stop.signal.aborted) return connection.close(new Error('closed'));
    this.#session = session;
    this.#connection = connection;
    for (const wake of this.#waiting) wake();
  }

  #names(): string {
    return this.#options.servers.map(({ host, port }) => `${host}:${port}`).join(', ');
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export { ConnectionLostError };
