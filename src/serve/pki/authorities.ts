import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import type { Documents } from '../../store/documents.ts';
import type { Clock, Files } from '../../wire/io.ts';
import type { Seal } from '../cluster/seal.ts';
import { type Authority, authority, makeAuthority, pinOf, rotated, signerOf, trustedOf } from './authority.ts';

const file = z.strictObject({ version: z.literal(1), authorities: z.array(authority).min(1).max(16) });

/** Where authorities are kept. */
export interface AuthoritiesPlace {
  /** Null where there are none yet. */
  read(): Promise<string | null>;
  /** @param before what `read` gave last @returns false when it is not that any more */
  write(text: string, before: string | null): Promise<boolean>;
}

/** The certificate authorities of one server or cluster, with their keys. */
export class Authorities {
  readonly #place: AuthoritiesPlace;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  /** Whether an authority, by its certificate, signed that of a connection: agents ask every second, and it never changes. */
  readonly #signers = new WeakMap<X509Certificate, Map<string, boolean>>();
  #all: Authority[];
  #text: string;

  private constructor(place: AuthoritiesPlace, clock: Clock, text: string) {
    this.#place = place;
    this.#clock = clock;
    this.#text = text;
    this.#all = parsed(text);
  }

  /** Those of a file of mode 0600, which is made when it is not there. @throws when it cannot be read: never replaced silently */
  static open(path: string, io: { fs: Files; clock: Clock }): Promise<Authorities> {
    return Authorities.openAt(filePlace(path, io.fs), io.clock);
  }

  /** Reads them, or makes a first one. Of several nodes that do so at once, all end up with the same. */
  static async openAt(place: AuthoritiesPlace, clock: Clock): Promise<Authorities> {
    for (;;) {
      const found = await place.read();
      const text = found ?? written([makeAuthority(clock.wallMs())]);
      if (found !== null || (await place.write(text, null))) return new Authorities(place, clock, text);
    }
  }

  /** Learns what another node has changed. */
  async refresh(): Promise<void> {
    const found = await this.#place.read();
    if (found === null || found === this.#text) return;
    this.#take(found);
  }

  /** The one that signs now. */
  signer(): Authority {
    return signerOf(this.#all, this.#clock.wallMs());
  }

  trusted(): Authority[] {
    return trustedOf(this.#all, this.#clock.wallMs());
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
    for (;;) {
      await this.refresh();
      const text = written(rotated(this.#all, this.#clock.wallMs(), overlapMs));
      if (await this.#place.write(text, this.#text)) return this.#take(text);
    }
  }

  /** Called after each rotation. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Whether a trusted authority signed this certificate. Its times are for the caller to judge. */
  signed(certificate: X509Certificate): boolean {
    let known = this.#signers.get(certificate);
    if (!known) this.#signers.set(certificate, (known = new Map()));
    return this.trusted().some(({ certificate: text }) => {
      let isSigner = known.get(text);
      if (isSigner === undefined) {
        const parent = new X509Certificate(text);
        known.set(text, (isSigner = certificate.checkIssued(parent) && certificate.verify(parent.publicKey)));
      }
      return isSigner;
    });
  }

  #take(text: string): void {
    this.#all = parsed(text);
    this.#text = text;
    for (const listener of this.#listeners) listener();
  }
}

const parsed = (text: string): Authority[] => file.parse(JSON.parse(text)).authorities;
const written = (authorities: readonly Authority[]): string =>
  `${JSON.stringify({ version: 1, authorities }, null, 1)}\n`;

/** A file of one process, which nobody else writes. */
function filePlace(path: string, fs: Files): AuthoritiesPlace {
  return {
    read: async () => ((await fs.exists(path)) ? fs.readText(path, 1 << 20) : null),
    write: async (text) => {
      await fs.writePrivate(path, text);
      return true;
    },
  };
}

const purpose = 'certificate authorities';
const sealedBody = z.object({ sealed: z.string() });

/** In the documents of a cluster, closed by its key. */
export function sharedPlace(documents: Documents, seal: Seal): AuthoritiesPlace {
  const find = async () => {
    const found = await documents.get('authority', 'all');
    return found && { version: found.version, text: seal.open(sealedBody.parse(found.body).sealed, purpose) };
  };
  return {
    read: async () => (await find())?.text ?? null,
    write: async (text, before) => {
      const found = await find();
      if ((found?.text ?? null) !== before) return false;
      const put = { collection: 'authority', id: 'all', body: { sealed: seal.close(text, purpose) } };
      return documents.commit([{ put, version: found?.version ?? 0 }]);
    },
  };
}
