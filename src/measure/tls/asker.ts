import type { TlsProbeRow, TlsReply } from '../../model/secure/tls-survey.ts';
import type { Io } from '../../wire/io.ts';
import type { TcpTransport } from '../../wire/tcp/connection.ts';
import type { Offer } from '../../wire/tls/client-hello.ts';
import { allSchemes, suites12, suites13, version } from '../../wire/tls/code-points.ts';
import { ClientHandshake, type Depth, type Heard } from '../../wire/tls/handshake.ts';
import { type KeyShare, makeKeyShare } from '../../wire/tls/key-share.ts';
import { converse, type Cut, type Way } from './converse.ts';

/** One question of the survey. */
export interface Question {
  id: string;
  about: string;
  offer: Partial<Offer>;
  depth: Depth;
  cut?: Cut | null;
}

export interface Answer {
  row: TlsProbeRow;
  reply: TlsReply;
  heard: Heard;
}

export interface AskerOptions {
  way: Way;
  serverName: string | null;
  alpn: readonly string[];
  /** Least time between the starts of two connections. */
  intervalMs: number;
  onAnswer?: ((row: TlsProbeRow) => void) | undefined;
}

/** Asks one question after another, one connection each, never more often than allowed; remembers all answers. */
export class Asker {
  readonly rows: TlsProbeRow[] = [];
  readonly answers: Answer[] = [];
  mssBytes: number | null = null;
  readonly #options: AskerOptions;
  readonly #transport: TcpTransport;
  readonly #io: Io;
  readonly #signal: AbortSignal;
  readonly #shares = new Map<number, KeyShare>();
  #nextMs = 0;

  constructor(options: AskerOptions, transport: TcpTransport, io: Io, signal: AbortSignal) {
    this.#options = options;
    this.#transport = transport;
    this.#io = io;
    this.#signal = signal;
  }

  get isInterrupted(): boolean {
    return this.#signal.aborted;
  }

  async ask({ id, about, offer, depth, cut = null }: Question): Promise<Answer> {
    await this.#pace();
    const { way, serverName, alpn } = this.#options;
    const at = new Date(this.#io.clock.wallMs()).toISOString();
    const whole = { ...anyTls13, serverName, alpn, ...offer };
    const handshake = new ClientHandshake(whole, depth, this.#sharesOf(whole.shares));
    const talk = await converse(way, handshake, cut, this.#transport, this.#io, this.#signal);
    this.mssBytes ??= talk.mssBytes;
    const row: TlsProbeRow = {
      id,
      about,
      at,
      sentBytes: talk.sentBytes,
      pieces: talk.pieces,
      segments: talk.mssBytes === null ? null : segments(talk.pieces, talk.mssBytes),
      receivedBytes: talk.heard.receivedBytes,
      durationMs: talk.durationMs,
      connectRttMs: talk.connectRttMs,
      reply: talk.reply,
    };
    const answer = { row, reply: talk.reply, heard: talk.heard };
    // What was not asked any more is no row: an interrupted run ends with what it has.
    if (talk.reply.kind === 'interrupted') return answer;
    this.rows.push(row);
    this.answers.push(answer);
    this.#options.onAnswer?.(row);
    return answer;
  }

  async #pace(): Promise<void> {
    const waitMs = this.#nextMs - this.#io.clock.monoMs();
    if (waitMs > 0) await this.#io.clock.sleep(waitMs, this.#signal).catch(() => undefined);
    this.#nextMs = this.#io.clock.monoMs() + this.#options.intervalMs;
  }

  /** One key per group for the whole survey: no secret of ours is ever used, and a server cannot tell it from a retry. */
  #sharesOf(groups: readonly number[]): KeyShare[] {
    return groups.map((group) => {
      const share = this.#shares.get(group) ?? makeKeyShare(group);
      this.#shares.set(group, share);
      return share;
    });
  }
}

const segments = (pieces: readonly number[], mssBytes: number): number =>
  pieces.reduce((sum, bytes) => sum + Math.ceil(bytes / Math.max(1, mssBytes)), 0);

const anyTls13: Omit<Offer, 'serverName' | 'alpn'> = {
  versions: [version.tls13],
  suites: suites13,
  groups: [],
  shares: [],
  schemes: allSchemes,
};

/** Versions and suites of a client that takes TLS 1.2 as well. */
export const orTls12 = { versions: [version.tls13, version.tls12], suites: [...suites13, ...suites12] };
