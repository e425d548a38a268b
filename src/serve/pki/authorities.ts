import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import type { Clock, Files } from '../../wire/io.ts';
import { type Authority, authority, makeAuthority, pinOf, rotated, signerOf, trustedOf } from './authority.ts';

const file = z.strictObject({ version: z.literal(1), authorities: z.array(authority).min(1).max(16) });

/** The certificate authorities of one server or cluster: a file of mode 0600 that holds their keys, and nothing else does. */
export class Authorities {
  readonly #path: string;
  readonly #io: { fs: Files; clock: Clock };
  readonly #listeners = new Set<() => void>();
  #all: Authority[];

  private constructor(path: string, io: { fs: Files; clock: Clock }, all: Authority[]) {
    this.#path = path;
    this.#io = io;
    this.#all = all;
  }

  /** Reads the file, or makes it with a first authority. @throws when it is there and cannot be read: never replaced silently */
  static async open(path: string, io: { fs: Files; clock: Clock }): Promise<Authorities> {
    if (!(await io.fs.exists(path))) {
      const made = new Authorities(path, io, [makeAuthority(io.clock.wallMs())]);
      await made.#write(made.#all);
      return made;
    }
    const { authorities } = file.parse(JSON.parse(await io.fs.readText(path, 1 << 20)));
    return new Authorities(path, io, authorities);
  }

  /** The one that signs now. */
  signer(): Authority {
    return signerOf(this.#all, this.#io.clock.wallMs());
  }

  trusted(): Authority[] {
    return trustedOf(this.#all, this.#io.clock.wallMs());
  }

  /** PEM of every trusted authority. */
  bundle(): string {
    return this.trusted()
      .map((a) => a.certificate)
      .join('');
  }

  /** What a new agent has to know of this server: the pin of the authority that signs. */
  pin(): string {
    return pinOf(this.signer().certificate);
  }

  /** Adds an authority that signs after `overlapMs`; see `rotated`. */
  async rotate(overlapMs: number): Promise<void> {
    const next = rotated(this.#all, this.#io.clock.wallMs(), overlapMs);
    await this.#write(next);
    this.#all = next;
    for (const listener of this.#listeners) listener();
  }

  /** Called after each rotation. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Whether a trusted authority signed this certificate. Its times are for the caller to judge. */
  signed(certificate: X509Certificate): boolean {
    return this.trusted().some((a) => {
      const parent = new X509Certificate(a.certificate);
      return certificate.checkIssued(parent) && certificate.verify(parent.publicKey);
    });
  }

  async #write(authorities: Authority[]): Promise<void> {
    await this.#io.fs.writePrivate(this.#path, `${JSON.stringify({ version: 1, authorities }, null, 1)}\n`);
  }
}
