import { printable } from '../../../model/outcome.ts';
import type { ExchangeTls } from '../../../model/capture/exchange.ts';
import { handshakeType, suiteName, version, versionName } from '../../../wire/tls/code-points.ts';
import { groupName } from '../../../wire/tls/groups.ts';
import { TlsError } from '../../../wire/tls/octets.ts';
import { type HeardClientHello, readClientHello } from '../../../wire/tls/read-client-hello.ts';
import { readServerHello, type ServerHello } from '../../../wire/tls/server-messages.ts';

/** A hello larger than this is not kept; one with two post-quantum shares has a quarter of it. */
const maxHelloBytes = 16 * 1024;

/** Gathers the first handshake message of one direction, and lets go of it. */
export class HelloGatherer {
  #bytes: Buffer | null = Buffer.alloc(0);
  #length = 0;

  get isOver(): boolean {
    return this.#bytes === null;
  }

  /** @returns the message with its header, once; it holds until the next call */
  take(bytes: Buffer, start: number, end: number): Buffer | null {
    if (this.#bytes === null) return null;
    this.#append(bytes, start, end);
    if (this.#length < 4) return null;
    const wanted = 4 + this.#bytes.readUIntBE(1, 3);
    if (wanted > maxHelloBytes) {
      this.#bytes = null;
      return null;
    }
    if (this.#length < wanted) return null;
    const message = this.#bytes.subarray(0, wanted);
    this.#bytes = null;
    return message;
  }

  giveUp(): void {
    this.#bytes = null;
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const held = this.#bytes!;
    const needed = Math.min(maxHelloBytes, this.#length + end - start);
    if (needed > held.length) {
      const larger = Buffer.alloc(Math.max(needed, 2 * held.length));
      held.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes!, this.#length, start, start + needed - this.#length);
    this.#length = needed;
  }
}

/** What both hellos of a connection said, as far as they were captured. */
export class Hellos {
  client: HeardClientHello | null = null;
  server: ServerHello | null = null;

  /** @returns whether it was a hello at all */
  readClient(message: Buffer): boolean {
    if (message[0] !== handshakeType.clientHello) return false;
    this.client ??= orNull(() => readClientHello(message.subarray(4)));
    return true;
  }

  readServer(message: Buffer): boolean {
    if (message[0] !== handshakeType.serverHello) return false;
    const hello = orNull(() => readServerHello(message.subarray(4)));
    if (hello) this.server = { ...hello, share: null, cookie: null, sessionId: noOctets };
    return true;
  }

  get isTls13(): boolean | null {
    return this.server ? this.server.version === version.tls13 : null;
  }

  /** Null where TLS 1.3 hides the choice and there was one. */
  get alpn(): string | null {
    if (this.server?.alpn != null) return printable(this.server.alpn, 32);
    if (!this.client || this.isTls13 === false) return null;
    return this.client.alpn.length === 1 ? printable(this.client.alpn[0]!, 32) : null;
  }

  /** Whether HTTP/2 was agreed on; null: it may have been. */
  get isHttp2(): boolean | null {
    const { alpn } = this;
    if (alpn !== null) return alpn === 'h2';
    if (!this.client) return null;
    if (this.isTls13 === false) return false;
    return this.client.alpn.includes('h2') ? null : false;
  }

  describe(): ExchangeTls | null {
    const { client, server } = this;
    if (!client && !server) return null;
    return {
      version: server ? versionName(server.version) : null,
      serverName: client?.serverName == null ? null : printable(client.serverName, 253),
      alpn: this.alpn,
      suite: server ? suiteName(server.suite) : null,
      group: server?.group == null ? null : groupName(server.group),
    };
  }
}

const noOctets = new Uint8Array(0);

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof TlsError) return null;
    throw error;
  }
}

/** Octets that protection adds to what is protected: tag, explicit nonce, and in TLS 1.3 the type inside. */
export function overheadBytes(isTls13: boolean, suite: number): number {
  if (isTls13) return 17;
  if (chacha12.has(suite)) return 16;
  return cbc12.has(suite) ? 16 + 20 + 1 : 24;
}

/** RFC 7905, and the suites of CBC that are still met; their padding makes the size a bound. */
const chacha12 = new Set([0xcc_a8, 0xcc_a9, 0xcc_aa, 0xcc_ac]);
const cbc12 = new Set([0x00_2f, 0x00_35, 0xc0_09, 0xc0_0a, 0xc0_13, 0xc0_14]);

/** Length of the record of a Finished in TLS 1.3: header, hash of the suite (RFC 8446 §4.4.4), type inside, tag. */
export const finishedLength13 = (suite: number): number => 4 + (suite === 0x13_02 ? 48 : 32) + 17;
