import type { Duplex } from 'node:stream';

/** Protocols that turn to TLS on a connection that began in the clear. */
export const startTlsKinds = ['smtp', 'imap', 'postgres'] as const;
export type StartTls = (typeof startTlsKinds)[number];

/** The protocol that is spoken at a well-known port. */
export const startTlsOfPort: Readonly<Record<number, StartTls>> = {
  25: 'smtp',
  587: 'smtp',
  143: 'imap',
  5432: 'postgres',
};

/** The server would not turn to TLS, or does not speak the protocol. */
export class StartTlsError extends Error {
  override readonly name = 'StartTlsError';
}

/** Longest talk before TLS; an EHLO answer has some hundred octets. */
const maxPreludeBytes = 16 * 1024;

/**
 * Leads a fresh connection to the point where the ClientHello goes. Octets that came behind the last answer are a fault of the
 * server (RFC 3207 §4.2: nothing may be carried over), and are told as one.
 */
export async function startTls(stream: Duplex, kind: StartTls, signal: AbortSignal): Promise<void> {
  const prelude = new Prelude(stream, signal);
  try {
    await dialogues[kind](prelude);
    prelude.expectEmpty();
  } finally {
    prelude.close();
  }
}

const dialogues: Record<StartTls, (prelude: Prelude) => Promise<void>> = {
  // RFC 3207; the name is the one for clients that have none of their own (RFC 5321 §4.1.4).
  async smtp(prelude) {
    await prelude.smtp(220, 'greeting');
    prelude.write('EHLO [127.0.0.1]\r\n');
    const lines = await prelude.smtp(250, 'EHLO');
    if (!lines.some((line) => /^STARTTLS\b/i.test(line.slice(4)))) throw new StartTlsError('no STARTTLS in its EHLO');
    prelude.write('STARTTLS\r\n');
    await prelude.smtp(220, 'STARTTLS');
  },
  // RFC 9051 §6.2.1; "OK" behind our tag. Untagged lines may come before it.
  async imap(prelude) {
    const greeting = await prelude.line();
    if (!/^\* (OK|PREAUTH)\b/i.test(greeting)) throw new StartTlsError(`greeting: ${greeting}`);
    prelude.write('a1 STARTTLS\r\n');
    let line = await prelude.line();
    while (line.startsWith('* ')) line = await prelude.line();
    if (!/^a1 OK\b/i.test(line)) throw new StartTlsError(`STARTTLS: ${line}`);
  },
  // PostgreSQL protocol, SSLRequest: length 8, code 80877103; the answer is one letter.
  async postgres(prelude) {
    prelude.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]));
    const answer = String.fromCharCode((await prelude.octets(1))[0]!);
    if (answer !== 'S')
      throw new StartTlsError(answer === 'N' ? 'the server has TLS switched off' : `SSLRequest: ${answer}`);
  },
};

/** Reads lines and octets of a stream, bounded, until TLS takes it over. */
class Prelude {
  readonly #stream: Duplex;
  readonly #signal: AbortSignal;
  #pending: Buffer = Buffer.alloc(0);
  #total = 0;
  #failure: Error | null = null;
  #wake: () => void = () => undefined;

  constructor(stream: Duplex, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
    stream.on('data', this.#onData);
    stream.once('end', this.#onEnd);
    stream.on('error', this.#fail);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  close(): void {
    // Without a pause the octets behind this would be lost before the next listener is there.
    this.#stream.pause();
    this.#stream.off('data', this.#onData);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('error', this.#fail);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onData = (chunk: Buffer) => {
    this.#total += chunk.length;
    if (this.#total > maxPreludeBytes) this.#fail(new StartTlsError(`more than ${maxPreludeBytes} octets before TLS`));
    else this.#pending = Buffer.concat([this.#pending, chunk]);
    this.#wake();
  };
  readonly #onEnd = () => this.#fail(new StartTlsError('the server closed before TLS'));
  readonly #onAbort = () => this.#fail(this.#signal.reason as Error);
  readonly #fail = (error: Error) => {
    this.#failure ??= error;
    this.#wake();
  };

  write(octets: string | Uint8Array): void {
    this.#stream.write(octets);
  }

  expectEmpty(): void {
    if (this.#pending.length > 0) throw new StartTlsError('octets in the clear behind the answer to STARTTLS');
  }

  /** The lines of one SMTP reply (RFC 5321 §4.2.1), which has to have this code. */
  async smtp(code: number, to: string): Promise<string[]> {
    const lines: string[] = [];
    do lines.push(await this.line());
    while (/^\d{3}-/.test(lines.at(-1)!));
    if (!lines.at(-1)!.startsWith(`${code}`)) throw new StartTlsError(`${to}: ${lines.at(-1)!}`);
    return lines;
  }

  async line(): Promise<string> {
    const end = await this.#until(() => this.#pending.indexOf('\n'));
    return this.#take(end + 1)
      .toString('latin1')
      .trimEnd();
  }

  async octets(count: number): Promise<Buffer> {
    await this.#until(() => (this.#pending.length >= count ? count : -1));
    return this.#take(count);
  }

  #take(count: number): Buffer {
    const taken = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(count);
    return taken;
  }

  async #until(found: () => number): Promise<number> {
    for (;;) {
      const at = found();
      if (at >= 0) return at;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}
