import { connect, type Socket } from 'node:net';
import { FrameReader, framed } from './frames.ts';
import { int, JuteError } from './jute.ts';
import {
  errorName,
  opcode,
  readConnect,
  readEvent,
  readReply,
  type Reply,
  type Session,
  writeAuth,
  writeConnect,
  xid,
} from './messages.ts';

export interface ServerAddress {
  host: string;
  port: number;
}

/** A request that a server answered with an error. */
export class ZookeeperError extends Error {
  override readonly name = 'ZookeeperError';
  readonly code: number;

  constructor(what: string, code: number) {
    super(`ZooKeeper: cannot ${what}: ${errorName(code)}`);
    this.code = code;
  }
}

/** The connection went while a request was under way: whether it was carried out is open. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

export interface Listener {
  /** What was watched has changed; told before any answer that shows the change. */
  changed(path: string): void;
  /** The connection is gone, and with it every watch. */
  lost(why: Error): void;
}

interface Pending {
  xid: number;
  what: string;
  take(reply: Reply): void;
  reject(error: Error): void;
}

export interface ConnectOptions {
  server: ServerAddress;
  session: Session;
  lastZxid: bigint;
  /** `user:password` of the scheme "digest". */
  auth: string | null;
  withinMs: number;
}

/**
 * One connection to one server, from the handshake on. Requests are answered in their order, and `take` of each runs before the
 * next message is looked at, so that what it notes is never older than a change told after it.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #listener: Listener;
  readonly #frames = new FrameReader();
  #pending: Pending[] = [];
  #nextXid = 1;
  #handshake: { resolve(session: Session | null): void; reject(error: Error): void } | null = null;
  #heardMs = performance.now();
  #beat: NodeJS.Timeout | undefined;
  #end: Error | null = null;
  lastZxid: bigint;

  private constructor(socket: Socket, listener: Listener, lastZxid: bigint) {
    this.#socket = socket;
    this.#listener = listener;
    this.lastZxid = lastZxid;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    socket.on('error', (error) => this.#lose(error));
    socket.on('close', () => this.#lose(new Error('the server closed the connection')));
  }

  /** @returns the connection and its session; null when the server does not know that session any more */
  static async open(
    { server, session, lastZxid, auth, withinMs }: ConnectOptions,
    listener: Listener,
  ): Promise<{ connection: Connection; session: Session } | null> {
    const connection = new Connection(connect(server), listener, lastZxid);
    const patience = setTimeout(
      () => connection.#lose(new Error(`no answer of ${server.host}:${server.port} within ${withinMs} ms`)),
      withinMs,
    );
    try {
      const given = await new Promise<Session | null>((resolve, reject) => {
        connection.#handshake = { resolve, reject };
        connection.#socket.write(framed(writeConnect(session, lastZxid)));
      });
      if (!given) {
        connection.close(new Error('the session has expired'));
        return null;
      }
      if (auth !== null) connection.#socket.write(framed(int(xid.auth), int(opcode.auth), writeAuth(auth)));
      connection.#beat = setInterval(() => connection.#ping(given.timeoutMs), given.timeoutMs / 3);
      return { connection, session: given };
    } finally {
      clearTimeout(patience);
    }
  }

  get isOpen(): boolean {
    return this.#end === null;
  }

  /** @param take reads the answer; what it throws fails the request, and a JuteError the connection */
  request<T>(type: number, what: string, body: Uint8Array, take: (reply: Reply) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(new ConnectionLostError(this.#end.message));
      // Far below 2^31 requests in the life of a connection; begun anew all the same.
      const number = (this.#nextXid = (this.#nextXid % 0x7fff_fffe) + 1);
      const pending: Pending = {
        xid: number,
        what,
        take: (reply) => {
          if (reply.error !== 0) reject(new ZookeeperError(what, reply.error));
          else resolve(take(reply));
        },
        reject,
      };
      this.#pending.push(pending);
      this.#write(framed(int(number), int(type), body));
    });
  }

  /** What is asked at once goes out at once: reading a thousand documents is not a thousand segments. */
  #write(octets: Uint8Array): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(octets);
  }

  /** Ends it; what is under way is left in doubt. */
  close(why: Error): void {
    this.#lose(why);
  }

  #ping(timeoutMs: number): void {
    if (performance.now() - this.#heardMs > (timeoutMs * 2) / 3)
      this.#lose(new Error(`nothing heard for ${Math.round((timeoutMs * 2) / 3)} ms`));
    else this.#socket.write(framed(int(xid.ping), int(opcode.ping)));
  }

  #hear(chunk: Buffer): void {
    this.#heardMs = performance.now();
    try {
      for (const frame of this.#frames.push(chunk)) if (!this.#end) this.#message(frame);
    } catch (error) {
      this.#lose(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #message(frame: Uint8Array): void {
    if (this.#handshake) {
      const { resolve } = this.#handshake;
      const session = readConnect(frame);
      this.#handshake = null;
      return resolve(session);
    }
    const reply = readReply(frame);
    if (reply.xid === xid.ping) return;
    if (reply.xid === xid.event) {
      const path = readEvent(reply.body);
      if (path !== null) this.#listener.changed(path);
      return;
    }
    if (reply.xid === xid.auth) {
      if (reply.error !== 0) this.#lose(new ZookeeperError('authenticate', reply.error));
      return;
    }
    const [pending] = this.#pending;
    if (pending?.xid !== reply.xid) throw new JuteError(`expected the answer ${pending?.xid}, found ${reply.xid}`);
    if (reply.zxid > this.lastZxid) this.lastZxid = reply.zxid;
    pending.take(reply);
    this.#pending.shift();
  }

  #lose(why: Error): void {
    if (this.#end) return;
    this.#end = why;
    clearInterval(this.#beat);
    this.#socket.destroy();
    this.#handshake?.reject(why);
    this.#listener.lost(why);
    for (const { reject, what } of this.#pending) reject(new ConnectionLostError(`${what}: ${why.message}`));
    this.#pending = [];
  }
}
