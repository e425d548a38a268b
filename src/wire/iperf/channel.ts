import type { Socket } from 'node:net';
import {
  ControlReader,
  decodeCookie,
  COOKIE_BYTES,
  decodeJson,
  encodeCookie,
  encodeJson,
  IperfProtocolError,
} from './control.ts';

/** The connection ended, or was reset, while something was still expected. `errno` is null for an orderly end. */
export class ChannelClosedError extends Error {
  readonly errno: string | null;
  constructor(errno: string | null) {
    super(errno === null ? 'the peer closed the control connection' : `the control connection failed: ${errno}`);
    this.name = 'ChannelClosedError';
    this.errno = errno;
  }
}

/** The peer was silent for longer than we wait. */
export class ChannelTimeoutError extends Error {
  readonly afterMs: number;
  constructor(what: string, afterMs: number) {
    super(`no ${what} within ${afterMs} ms`);
    this.name = 'ChannelTimeoutError';
    this.afterMs = afterMs;
  }
}

export interface Wait {
  timeoutMs: number;
  signal?: AbortSignal;
}

/** Beyond this we stop reading what nobody asked for yet. */
const PAUSE_ABOVE_BYTES = 64 << 10;

/** The control connection of one test: reads strictly in sequence, each read with a bound on its size and its time. */
export class ControlChannel {
  readonly #socket: Socket;
  readonly #reader = new ControlReader();
  #wake: (() => void) | null = null;
  #ended: ChannelClosedError | null = null;

  /** @param socket connected; it is this channel's from now on */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      if (this.#wake === null && this.#reader.bytes > PAUSE_ABOVE_BYTES) socket.pause();
      this.#wake?.();
    });
    socket.on('end', () => this.#end(null));
    socket.on('close', () => this.#end(null));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code ?? 'EUNKNOWN'));
  }

  /** Null while the connection is up. */
  get ended(): ChannelClosedError | null {
    return this.#ended;
  }

  /** @throws ChannelClosedError, ChannelTimeoutError, or the signal's reason; so do all reads */
  async state(wait: Wait): Promise<number> {
    return (await this.#take(1, 'state', wait)).readInt8(0);
  }

  /** @throws also IperfProtocolError when the text is longer than `maxBytes` or is no JSON object */
  async json(maxBytes: number, wait: Wait): Promise<Record<string, unknown>> {
    const length = (await this.#take(4, 'JSON length', wait)).readUInt32BE(0);
    if (length > maxBytes) throw new IperfProtocolError(`JSON of ${length} octets, at most ${maxBytes} are taken`);
    return decodeJson(await this.#take(length, 'JSON', wait));
  }

  /** What follows the state SERVER_ERROR. */
  async serverError(wait: Wait): Promise<{ code: number; errno: number }> {
    const bytes = await this.#take(8, 'error numbers', wait);
    return { code: bytes.readInt32BE(0), errno: bytes.readInt32BE(4) };
  }

  async cookie(wait: Wait): Promise<string> {
    const cookie = decodeCookie(await this.#take(COOKIE_BYTES, 'cookie', wait));
    if (cookie === null) throw new IperfProtocolError('the first 37 octets are no cookie');
    return cookie;
  }

  sendCookie(cookie: string): void {
    this.send(encodeCookie(cookie));
  }

  sendState(state: number): void {
    const octet = Buffer.alloc(1);
    octet.writeInt8(state, 0);
    this.send(octet);
  }

  sendJson(value: unknown): void {
    this.send(encodeJson(value));
  }

  send(bytes: Buffer): void {
    if (this.#ended === null && !this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Sends what is queued, then closes; a peer that does not read is cut off after a second. */
  close(): void {
    this.#socket.end();
    this.#socket.resume();
    const cut = setTimeout(() => this.#socket.destroy(), 1000);
    cut.unref();
    this.#socket.once('close', () => clearTimeout(cut));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #end(errno: string | null): void {
    this.#ended ??= new ChannelClosedError(errno);
    this.#wake?.();
  }

  #take(count: number, what: string, { timeoutMs, signal }: Wait): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', aborted);
        this.#wake = null;
        settle();
      };
      const look = () => {
        const bytes = this.#reader.take(count);
        if (bytes !== null) done(() => resolve(bytes));
        else if (this.#ended) done(() => reject(this.#ended!));
        else this.#socket.resume();
      };
      const aborted = () => done(() => reject(signal?.reason as Error));
      // One timer holds 24 days at most.
      const timer = setTimeout(
        () => done(() => reject(new ChannelTimeoutError(what, timeoutMs))),
        Math.min(timeoutMs, 2 ** 31 - 1),
      );
      signal?.addEventListener('abort', aborted, { once: true });
      this.#wake = look;
      if (signal?.aborted) aborted();
      else look();
    });
  }
}
